"""Make `online_retail_sample.csv.gz` from the full file: whole customers and whole invoices, in the file's order.

    python demo/data/make_sample.py FULL.csv.gz demo/data/online_retail_sample.csv.gz

In the sample: customers whose number ends in 3, guests' invoices whose number ends in 3 or 8, and the three "Adjust bad debt" lines.
"""

import csv
import gzip
import io
import sys
from pathlib import Path


def in_sample(invoice: str, customer: str) -> bool:
    """Whether an invoice belongs to the sample; one invoice has one customer, so both stay whole."""
    if customer:
        return customer.removesuffix(".0").endswith("3")
    return invoice.startswith("A") or invoice.endswith(("3", "8"))


def make(full: Path, sample: Path) -> int:
    """Write the sample and return its number of rows. The same input makes the same bytes."""
    rows = 0
    with gzip.open(full, "rt", encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(next(reader))
        for row in reader:
            if in_sample(row[0], row[6]):
                writer.writerow(row)
                rows += 1
    with sample.open("wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=9, mtime=0) as packed:
        packed.write(out.getvalue().encode())
    return rows


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), Path(sys.argv[2])), "rows")
