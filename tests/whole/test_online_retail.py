"""Online Retail from the file to the people: sums by customer and in total are the file's, to the penny, also after a second run."""

from decimal import Decimal
from pathlib import Path

import pytest

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.resolve import actions as resolve
from cegla.storage.warehouse import history
from cegla.storage.workspace import Workspace
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.money import from_micros
from tests.collect.test_file_import import FULL, RETAIL, SAMPLE, sums_of_file


def sums_by_person(ws: Workspace, table: str) -> dict[int, Decimal]:
    rows = history(table)
    found = ws.warehouse.run(rows.group_by("person_id").aggregate(total=rows.value_micros.sum().cast("int64"))).to_pylist()
    return {row["person_id"]: from_micros(row["total"] or 0) for row in found}


def reconcile(ws: Workspace, path: Path) -> None:
    _, by_customer = sums_of_file(path)
    nobody = by_customer.pop("", Decimal(0))
    customers = list(by_customer)
    with ws.transaction() as conn:
        people = resolve.look_up(conn, [Identifier("user_id", customer) for customer in customers])
    for table in ("events", "order_lines"):
        found = sums_by_person(ws, table)
        assert {customer: found.pop(person or 0) for customer, person in zip(customers, people, strict=True)} == by_customer
        assert sum(found.values()) == nobody  # orders without a customer: each its own guest


@pytest.mark.whole
def test_the_sample_reconciles_with_the_people_also_after_a_second_run(workspace: Workspace) -> None:
    for run in (1, 2):
        collect.import_file(workspace, SAMPLE, RETAIL)
        applied = Intake(workspace).drain()
        assert (applied > 0) == (run == 1)
        reconcile(workspace, SAMPLE)
    with workspace.transaction() as conn:
        [standing] = collect.standing(conn)
    assert standing.adds_up
    assert standing.quarantined == 0


@pytest.mark.whole
@pytest.mark.timeout(600)
@pytest.mark.skipif(not FULL.exists(), reason="the full Online Retail file is not in ../shared/data; the shipped sample is checked instead")
def test_the_full_file_reconciles_with_the_people(workspace: Workspace) -> None:
    result = collect.import_file(workspace, FULL, RETAIL)
    Intake(workspace).drain()
    assert (result.rows, result.errors) == (541_909, [])
    reconcile(workspace, FULL)
