"""How long a shop waits for its whole history: `cegla import` of Online Retail, from the command to profiles and segments."""

import argparse
import gzip
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.csv

from bench.result import Result
from cegla.storage.settings import load_settings
from cegla.worker.supervisor import start

FULL = Path("../shared/data/online_retail.csv.gz")
SAMPLE = Path("demo/data/online_retail_sample.csv.gz")


def main(argv: list[str] | None = None) -> list[Result]:
    """Import into an empty running installation, and read the same file with Arrow alone for scale."""
    options = argparse.ArgumentParser(prog="bench file_import")
    options.add_argument("--file", type=Path, default=FULL if FULL.exists() else SAMPLE)
    file: Path = options.parse_args(argv).file
    started = time.perf_counter()
    rows = pyarrow.csv.read_csv(io.BytesIO(gzip.decompress(file.read_bytes()))).num_rows
    reading = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder:
        environment = {"CEGLA_DATA_DIR": folder, "CEGLA_APP_PORT": "0", "CEGLA_COLLECTOR_PORT": "0", "CEGLA_COLLECTOR_WORKERS": "1"}
        running = start(load_settings(environment=environment))
        try:
            started = time.perf_counter()
            command = [sys.executable, "-m", "cegla.app", "import", str(file), "--map", "demo/online_retail.yaml", "--json"]
            done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
            seconds = time.perf_counter() - started
        finally:
            running.stop()
    if done.returncode:
        raise SystemExit(f"the import ended with {done.returncode}: {done.stderr[-500:]}")
    print(f"import: {file.name}, {rows:,} rows, into an empty installation, until profiles and segments hold it")
    print(f"  {seconds:.1f} s   (reach ≤ 60 for 541,909 rows)   {rows / seconds:,.0f} rows/s")
    print(f"  for scale: Arrow reading the same file and nothing else {reading:.2f} s")
    whole = rows == 541_909
    return [Result("full import of Online Retail" if whole else "import of the sample", seconds, "s", "≤ 60", whole and seconds <= 60, f"{rows:,} rows")]


if __name__ == "__main__":
    main()
