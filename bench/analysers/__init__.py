"""What the analysers are worth: `python -m bench analysers [NAME …]`. One file an analyser, each with `run() -> list[Result]`."""

import importlib
import pkgutil

from bench.result import Result


def main(options: list[str]) -> list[Result]:
    """Run the benches of the analysers named, or of all that have one."""
    there = sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))
    results: list[Result] = []
    for name in options or there:
        if name not in there:
            raise SystemExit(f"there is no bench of an analyser {name}; there are: {', '.join(there)}")
        results += importlib.import_module(f"bench.analysers.{name}").run()
    return results
