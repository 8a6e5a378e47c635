"""Other engines than DuckDB for the history: ClickHouse, in this process or by address, and Spark.

Promise: the same expressions give the same answers. What an engine cannot do is said by its row in `rows`, not found out by asking.
"""
