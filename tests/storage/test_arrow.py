"""Arrow does its work without pandas, and whoever wants pandas still gets it."""

import subprocess
import sys

WITHOUT = """
import sys
from cegla.storage import warehouse
import duckdb, pyarrow as pa
table = pa.table({"n": pa.array([1, 2])})
connection = duckdb.connect()
connection.register("incoming", table)
assert connection.execute("select sum(n) from incoming").fetchall() == [(3,)]
assert connection.sql("select n from incoming where n > 1").to_arrow_table().num_rows == 1
print("pandas" in sys.modules)
import pandas
assert table.to_pandas()["n"].sum() == 3 and pa.Table.from_pandas(pandas.DataFrame({"n": [4]})).num_rows == 1
"""


def test_arrays_and_the_warehouse_load_no_pandas_and_pandas_works_all_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
