"""How long a shop waits for its whole history: `cegla import` of Online Retail, from the command to profiles and segments.

With `--rows 5_000_000` also a file of people of that length: rows a second of each stage and the memory of the importing
process, up to the committed inbox, and in the same run plain COPY of the same bytes into a table, which nothing can outrun.
"""

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv

from bench.result import Result
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import load_settings
from cegla.worker.supervisor import start

FULL = Path("../shared/data/online_retail.csv.gz")
SAMPLE = Path("demo/data/online_retail_sample.csv.gz")
SEED = 7
CHUNK = 250_000
NAMES = ["Żaneta", "Świętosław", "Łucja", "Grażyna", "Józef", "Bożena", "Anna", "Zbigniew"]
CITIES = ["Łódź", "Kraków", "Gdańsk", "Święta Katarzyna", "Poznań", "Wrocław"]
MAPPING = {
    "name": "people", "source": "List", "basis": "contract", "acquired": {"from": "bench", "date": "2026-01-01"}, "file": {"separator": ";"},
    "columns": {"kwota": {"type": "number", "decimal": ","}, "newsletter": "boolean", "urodziny": {"type": "date", "format": "%d.%m.%Y"}},
    "event": "identify", "time": "acquired", "ids": {"user_id": "{id}"},
    "traits": {"email": "{e-mail}", "first_name": "{imię}", "city": "{miasto}", "birthday": "{urodziny}", "spent": "{kwota}"},
    "consents": {"marketing_email": "{newsletter}"},
}  # fmt: skip
IMPORTER = """
import json, resource, sys, time
from pathlib import Path
from cegla.collect import actions
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
dsn, data_dir, file, mapping = sys.argv[1:]
result = actions.import_file(Workspace(Settings.model_validate({"data_dir": data_dir}), dsn, pool_size=2), Path(file), Path(mapping))
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rows": result.rows_used, "seconds": result.seconds, "cpu": time.process_time(), "peak_mb": peak_mb}))
"""


def main(argv: list[str] | None = None) -> list[Result]:
    """Import into an empty running installation, and read the same file with Arrow alone for scale."""
    options = argparse.ArgumentParser(prog="bench file_import")
    options.add_argument("--file", type=Path, default=FULL if FULL.exists() else SAMPLE)
    options.add_argument("--rows", type=int, default=0, help="also import a file of people of so many rows")
    chosen = options.parse_args(argv)
    return [*_online_retail(chosen.file), *(_long_file(chosen.rows) if chosen.rows else [])]


def _online_retail(file: Path) -> list[Result]:
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


def _long_file(rows: int) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder:
        room = Path(folder)
        room.chmod(0o755)  # under root the server runs as a user of its own
        file, mapping = room / "people.csv", room / "people.yaml"
        _write_people(file, rows)
        mapping.write_text(json.dumps(MAPPING), encoding="utf-8")
        server = EmbeddedPostgres(room / "postgres")
        server.start()
        try:
            migrate(server.dsn)
            limit = _plain_copy(server.dsn, file)
            started = time.perf_counter()
            command = [sys.executable, "-c", IMPORTER, server.dsn, str(room / "data"), str(file), str(mapping)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            seconds = time.perf_counter() - started
        finally:
            server.stop()
        size = file.stat().st_size
    if done.returncode:
        raise SystemExit(f"the import ended with {done.returncode}: {done.stderr[-500:]}")
    told = json.loads(done.stdout)
    print(f"import: {rows:,} people with Polish letters, {size / 1e6:,.0f} MB (seed {SEED}), from the start of the process to the committed inbox")
    print(f"  {seconds:.1f} s, {rows / seconds:,.0f} rows/s, {told['cpu']:.1f} s of processor time, peak memory {told['peak_mb']:,.0f} MB")
    print("  " + ", ".join(f"{stage} {rows / spent:,.0f} rows/s" for stage, spent in told["seconds"].items() if spent))
    print(f"  the limit: plain COPY of the same bytes {limit:.1f} s, {rows / limit:,.0f} rows/s; the import takes {seconds / limit:.1f} times as long")
    note = f"{rows:,} rows; plain COPY {rows / limit:,.0f} rows/s"
    return [
        Result("import of a long file", rows / seconds, "rows/s", "≥ 100,000", rows / seconds >= 100_000, note),
        Result("peak memory of that import", told["peak_mb"], "MB", "≤ 500", told["peak_mb"] <= 500, f"{told['rows']:,} rows used"),
    ]


def _write_people(file: Path, rows: int) -> None:
    chance = np.random.default_rng(SEED)
    with file.open("wb") as out:
        for first in range(0, rows, CHUNK):
            ids = np.arange(first, min(first + CHUNK, rows))
            days, months = (chance.integers(1, high, len(ids)) for high in (29, 13))
            table = pa.table(
                {
                    "id": ids,
                    "e-mail": [f"osoba{number}@example.pl" for number in ids],
                    "imię": np.array(NAMES)[chance.integers(0, len(NAMES), len(ids))],
                    "miasto": np.array(CITIES)[chance.integers(0, len(CITIES), len(ids))],
                    "urodziny": [f"{day:02}.{month:02}.1985" for day, month in zip(days, months, strict=True)],
                    "kwota": [f"{amount // 100},{amount % 100:02}" for amount in chance.integers(0, 1_000_000, len(ids))],
                    "newsletter": np.array(["tak", "nie"])[chance.integers(0, 2, len(ids))],
                }
            )
            pyarrow.csv.write_csv(table, out, pyarrow.csv.WriteOptions(include_header=first == 0, delimiter=";"))


def _plain_copy(dsn: str, file: Path) -> float:
    """Seconds that PostgreSQL takes to store the file as a table, committed."""
    started = time.perf_counter()
    with psycopg.connect(dsn) as conn:
        conn.execute("create table plain_copy (id text, email text, name text, city text, birthday text, amount text, newsletter text)")
        with file.open("rb") as source, conn.cursor().copy("copy plain_copy from stdin (format csv, header, delimiter ';')") as copy:
            while block := source.read(1 << 20):
                copy.write(block)
    seconds = time.perf_counter() - started
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("drop table plain_copy")
    return seconds


if __name__ == "__main__":
    main()
