"""File imports: nothing is lost, nothing is guessed, and twice is once."""

import csv
import gzip
import io
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cegla.collect import actions as collect
from cegla.collect import file_import, imports
from cegla.collect.rules.columns import RowProblem
from cegla.collect.rules.mapping import read_mapping
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import CeglaError, InvalidInput
from cegla.vocabulary.errors.intake import (
    ColumnUnknown,
    FileUnreadable,
    ImportBegunOtherwise,
    MappingFieldMissing,
    MappingFieldUnknown,
    MappingInvalid,
    SourceUnlike,
)
from cegla.vocabulary.money import from_micros, to_micros

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "demo" / "data" / "online_retail_sample.csv.gz"
FULL = ROOT.parent / "shared" / "data" / "online_retail.csv.gz"
RETAIL = ROOT / "demo" / "online_retail.yaml"

ORDERS: dict[str, Any] = {
    "name": "orders", "source": "Shop", "basis": "contract", "acquired": {"from": "the old shop", "date": "2026-07-02"},
    "columns": {"when": {"type": "time", "format": "%Y-%m-%d %H:%M", "zone": "Europe/Warsaw"}, "qty": "integer", "price": "number"},
    "time": "{when}", "ids": {"user_id": "{who}", "otherwise": "guest-{order}"}, "event": "Order Completed", "group_by": ["order"],
    "properties": {"order_id": "{order}"}, "products": {"sku": "{sku}", "quantity": "{qty}", "price": "{price}"}, "total": "lines", "currency": "PLN",
}  # fmt: skip
HEAD = "order,who,when,sku,qty,price\n"


class NoStores(Workspace):
    """A workspace whose transactions only exist in name, for imports that need no database."""

    def transaction(self) -> Any:
        import contextlib

        return contextlib.nullcontext()


@pytest.fixture
def ws() -> Workspace:
    return NoStores(Settings.model_validate({}), "")


def run(ws: Workspace, path: Path, mapping: dict[str, Any] | Path, errors_to: Path | None = None, language: Any = None) -> tuple[file_import.ImportResult, list[dict[str, Any]]]:
    bodies: list[bytes] = []
    ready = file_import.load_mapping(mapping) if isinstance(mapping, Path) else read_mapping(mapping, "test")
    result = file_import.run_import(ws, path, ready, file_import.Target(lambda _conn, more, _now: bodies.extend(body.content for body in more)), file_import.Ear(errors_to, language=language))
    return result, [event for body in bodies for event in msgspec.json.decode(body)["batch"]]


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(text.encode(encoding))
    return path


def sums_of_file(path: Path) -> tuple[int, dict[str, Decimal]]:
    """Rows, and Σ quantity × price by customer ("" is nobody), computed without any of our code."""
    rows, sums = 0, defaultdict[str, Decimal](Decimal)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows += 1
            sums[row["CustomerID"].removesuffix(".0")] += int(row["Quantity"]) * Decimal(row["UnitPrice"])
    return rows, dict(sums)


def sums_of_events(events: list[dict[str, Any]]) -> dict[str, Decimal]:
    sums = defaultdict[str, Decimal](Decimal)
    for event in events:
        if event["type"] == "track":
            sums[event.get("userId", "")] += from_micros(to_micros(event["properties"]["total"]) or 0)
    return dict(sums)


def reconcile(ws: Workspace, path: Path) -> file_import.ImportResult:
    rows, by_customer = sums_of_file(path)
    result, events = run(ws, path, RETAIL)
    assert (result.rows, result.rows_used, result.errors) == (rows, rows, [])
    assert sums_of_events(events) == by_customer
    assert from_micros(result.total_micros or 0) == sum(by_customer.values())
    assert sum(len(event["properties"]["products"]) for event in events if event["type"] == "track") == rows
    assert len({event["messageId"] for event in events}) == len(events) == result.events
    return result


def test_the_shipped_sample_reconciles_with_its_file_to_the_penny(ws: Workspace) -> None:
    assert reconcile(ws, SAMPLE).rows >= 50_000


@pytest.mark.skipif(not FULL.exists(), reason="the full Online Retail file is not in ../shared/data; the shipped sample is checked instead")
def test_the_full_file_reconciles_to_the_penny(ws: Workspace) -> None:
    result = reconcile(ws, FULL)
    assert result.rows == 541_909
    assert from_micros(result.total_micros or 0).quantize(Decimal("0.01")) == Decimal("9747747.93")


def test_order_lines_fold_into_one_order_with_an_exact_total(ws: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "7,ann,2026-07-01 10:00,a,3,0.1\n8,,2026-07-01 09:00,a,1,5\n7,ann,2026-07-01 10:01,b,-1,0.2\n")
    _, events = run(ws, path, ORDERS)
    assert [event["messageId"] for event in events] == ["orders:8", "orders:7"]  # by time, not by place
    assert events[0]["anonymousId"] == "guest-8"
    assert events[1] == {
        "type": "track", "event": "Order Completed", "messageId": "orders:7", "timestamp": "2026-07-01T08:00:00.000000Z", "userId": "ann",
        "properties": {"order_id": "7", "currency": "PLN", "total": 0.1,
                       "products": [{"sku": "a", "quantity": 3, "price": 0.1}, {"sku": "b", "quantity": -1, "price": 0.2}]},
    }  # fmt: skip


def test_a_wrong_row_takes_its_order_with_it_and_nothing_else(ws: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n1,ann,2026-07-01 10:00,b,two,1\n2,bob,2026-02-30 10:00,a,1,1\n3,eve,2026-07-01 10:00,a,1,1\n4,x\n")
    errors_to = tmp_path / "errors.csv"
    result, events = run(ws, path, ORDERS, errors_to)
    assert [event["userId"] for event in events] == ["eve"]
    assert [(error.row, error.problem) for error in result.errors] == [
        (1, RowProblem.SAME_GROUP), (2, RowProblem.NOT_AN_INTEGER), (3, RowProblem.NOT_A_TIME), (5, RowProblem.WRONG_NUMBER_OF_FIELDS),
    ]  # fmt: skip
    assert result.rows == result.rows_used + len(result.errors) == 5
    assert "1,ann,2026-07-01 10:00,b,two,1,2,qty,not_an_integer,to nie jest liczba całkowita,two" in errors_to.read_text(encoding="utf-8")


def test_reasons_are_in_the_language_of_whoever_asked(ws: Workspace, tmp_path: Path) -> None:
    errors_to = tmp_path / "errors.csv"
    run(ws, write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,two,1\n"), ORDERS, errors_to, "en")
    assert "this is not a whole number" in errors_to.read_text(encoding="utf-8")


def test_a_list_held_by_consent_says_which_rows_would_be_withheld(ws: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, HEAD.replace("price", "price,agreed") + "1,ann,2026-07-01 10:00,a,1,1,tak\n2,ann,2026-07-01 10:00,a,1,1,nie\n3,eve,2026-07-01 10:00,a,1,1,\n")
    held = {**ORDERS, "basis": "consent", "columns": {**ORDERS["columns"], "agreed": "boolean"}}
    without, _ = run(ws, path, held)
    by_column, _ = run(ws, path, {**held, "consents": {"analytics": "{agreed}"}})
    by_contract, _ = run(ws, path, {**held, "basis": "contract"})
    assert [(one.rows_used, one.rows_withheld) for one in (without, by_column, by_contract)] == [(3, 3), (3, 2), (3, 0)]


def test_the_error_file_can_be_mended_and_imported_with_the_same_mapping(ws: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n1,ann,2026-07-01 10:00,b,two,1\n3,eve,2026-07-01 10:00,a,1,1\n")
    mended = tmp_path / "errors.csv"
    run(ws, path, ORDERS, mended)
    mended.write_text(mended.read_text(encoding="utf-8").replace(",two,1,", ",2,1,"), encoding="utf-8")
    result, events = run(ws, mended, ORDERS)
    assert (result.errors, [event["messageId"] for event in events]) == ([], ["orders:1"])
    assert events[0]["properties"]["total"] == 3


def test_message_ids_are_the_same_in_every_run_and_equal_rows_stay_two(ws: Workspace, tmp_path: Path) -> None:
    mapping = {key: value for key, value in ORDERS.items() if key not in ("group_by", "total", "products")}
    path = write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n1,ann,2026-07-01 10:00,a,1,1\n")
    ids = [[event["messageId"] for event in run(ws, path, mapping)[1]] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_customers_become_identify_calls_with_typed_traits_and_consents(ws: Workspace, tmp_path: Path) -> None:
    text = "id;imię;urodziny;wydał;zgoda;od\n7;Zażółć;5.03.1980;1 234,50;TAK;2026-07-01T10:00:00+02:00\n"
    mapping = {
        "name": "customers", "source": "CRM", "basis": "consent", "file": {"separator": ";", "encoding": "cp1250"}, "event": "identify",
        "columns": {"urodziny": {"type": "date", "format": "%d.%m.%Y"}, "wydał": {"type": "number", "decimal": ",", "thousands": " "}, "zgoda": "boolean", "od": "time"},
        "time": "{od}", "ids": {"user_id": "{id}"}, "traits": {"firstName": "{imię}", "birthday": "{urodziny}", "spent": "{wydał}"},
        "consents": {"marketing_email": "{zgoda}"},
    }  # fmt: skip
    _, events = run(ws, write(tmp_path, text, "cp1250"), mapping)
    assert events[0]["traits"] == {"firstName": "Zażółć", "birthday": "1980-03-05", "spent": 1234.5}
    assert events[0]["context"] == {"consent": {"categoryPreferences": {"marketing_email": True}}}
    assert (events[0]["type"], events[0]["timestamp"]) == ("identify", "2026-07-01T08:00:00.000000Z")


def test_an_autumn_hour_that_exists_twice_is_the_earlier_one(ws: Workspace, tmp_path: Path) -> None:
    _, events = run(ws, write(tmp_path, HEAD + "1,ann,2026-10-25 02:30,a,1,1\n"), ORDERS)
    assert events[0]["timestamp"] == "2026-10-25T00:30:00.000000Z"


def test_a_dry_run_counts_and_shows_without_writing(ws: Workspace, tmp_path: Path) -> None:
    result = file_import.run_import(ws, write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n"), read_mapping(ORDERS, "test"), None)
    assert (result.dry_run, result.events, result.by_name, len(result.first_events)) == (True, 1, {"Order Completed": 1}, 1)


def test_a_file_with_a_header_alone_imports_as_nothing(ws: Workspace, tmp_path: Path) -> None:
    result, events = run(ws, write(tmp_path, HEAD), ORDERS)
    assert (result.rows, events) == (0, [])


@pytest.mark.parametrize(
    ("change", "error", "where"),
    [
        ({"source": None}, MappingInvalid, "test: source"),
        ({"basis": "because"}, MappingInvalid, "test: basis"),
        ({"colour": "red"}, MappingFieldUnknown, "test: colour"),
        ({"ids": {"user_id": "{whom}"}}, ColumnUnknown, "ids.user_id"),
        ({"time": "{sku}"}, MappingInvalid, "time"),
        ({"when": [{"column": "sku", "below": 3, "event": "x"}]}, MappingInvalid, "when"),
        ({"products": {"sku": "{sku}"}}, MappingInvalid, "test"),
    ],
)
def test_a_wrong_mapping_says_where_and_what_was_seen(ws: Workspace, tmp_path: Path, change: dict[str, Any], error: type[CeglaError], where: str) -> None:
    with pytest.raises(error) as caught:
        run(ws, write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n"), {**ORDERS, **change})
    assert caught.value.where == where
    assert caught.value.say("pl") != caught.value.say("en")


def test_a_missing_field_is_named(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(MappingFieldMissing, match="basis"):
        run(ws, write(tmp_path, HEAD), {key: value for key, value in ORDERS.items() if key != "basis"})


@pytest.mark.parametrize("content", [b"", b"order,who,when,sku,qty,price\n1,\xff\xfe,2026-07-01 10:00,a,1,1\n", HEAD.encode() + b"\xff\x07,\xfe\n\x1b[2J"])
def test_an_unreadable_file_is_a_message(ws: Workspace, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(FileUnreadable):
        run(ws, path, ORDERS)


def test_a_broken_gzip_a_missing_file_and_bad_yaml_are_messages(ws: Workspace, tmp_path: Path) -> None:
    broken = tmp_path / "file.csv.gz"
    broken.write_bytes(gzip.compress(HEAD.encode() * 1000)[:-30])
    for path in (broken, tmp_path / "missing.csv"):
        with pytest.raises(FileUnreadable):
            run(ws, path, ORDERS)
    (tmp_path / "bad.yaml").write_text("a: [1\nb: 2")
    with pytest.raises(MappingInvalid) as caught:
        file_import.load_mapping(tmp_path / "bad.yaml")
    assert caught.value.where.endswith("bad.yaml:2:2")


def test_a_second_run_of_the_same_file_adds_no_event(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + "7,ann,2026-07-01 10:00,a,3,0.1\n8,,2026-07-01 09:00,a,1,5\n")
    mapping = read_mapping(ORDERS, "test")
    kept: list[list[str]] = []
    for _ in range(2):
        collect.import_file(workspace, path, mapping)
        with workspace.transaction() as conn:
            taken = collect.take(conn, 1_000)
            sources = {source.id: source for source in collect.sources(conn)}
            decoded = collect.decode(taken, sources, workspace.settings.collector)
            assert decoded.set_aside == []
            fresh = collect.drop_repeats(conn, decoded.events, workspace.clock())
            collect.advance(conn, taken, applied=fresh, repeated=len(decoded.events) - len(fresh), set_aside=[])
        kept.append([event.message_id for event in fresh])
    assert kept == [["orders:8", "orders:7"], []]


@pytest.mark.parametrize("change", [{"source": "Elsewhere"}, {"source": "Letters", "basis": "legitimate_interest"}, {"event": "Order Cancelled"}])
def test_an_import_that_stopped_half_way_goes_on_by_the_mapping_it_began_with_and_by_no_other(
    change: dict[str, Any], workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n2,ann,2026-07-01 10:00,a,1,1\n")
    monkeypatch.setattr(imports, "_counts", unplugged)  # it stops behind what it wrote
    with pytest.raises(Unplugged):
        collect.import_file(workspace, path, read_mapping(ORDERS, "test"))
    monkeypatch.undo()
    with pytest.raises(ImportBegunOtherwise):
        collect.import_file(workspace, path, read_mapping(ORDERS | change, "test"))
    assert collect.import_file(workspace, path, read_mapping(ORDERS, "test")).import_id == 1


def test_what_is_gone_on_with_is_the_import_that_was_named_with_its_own_file(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, mapping = write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n"), read_mapping(ORDERS, "test")
    monkeypatch.setattr(imports, "_counts", unplugged)
    with pytest.raises(Unplugged):
        collect.import_file(workspace, path, mapping)
    monkeypatch.undo()
    content = path.read_bytes()
    path.write_bytes(content + b"2,ann,2026-07-01 10:00,a,1,1\n")
    with pytest.raises(FileUnreadable, match="not the file that the import began with"):
        collect.import_file(workspace, path, mapping, resumed=1)
    path.write_bytes(content)
    assert collect.import_file(workspace, path, mapping, resumed=1).import_id == 1
    with pytest.raises(InvalidInput, match="done"):
        collect.import_file(workspace, path, mapping, resumed=1)
    with workspace.transaction() as conn:
        assert [one.id for one in collect.imports(conn)] == [1]


def test_an_import_that_ends_while_somebody_takes_it_back_is_taken_back(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wish came behind its last rows, in another process."""
    counts = imports._counts  # pyright: ignore[reportPrivateUsage]

    def changed_their_mind(result: file_import.ImportResult) -> dict[str, Any]:
        with workspace.transaction() as conn:
            collect.ask_undo(conn, 1, "ola")
        return counts(result)

    monkeypatch.setattr(imports, "_counts", changed_their_mind)
    collect.import_file(workspace, write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n"), read_mapping(ORDERS, "test"))
    with workspace.transaction() as conn:
        assert collect.next_import(conn) == (1, "undoing")


def test_refused_rows_of_an_import_that_never_ended_go_with_its_file(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = HEAD + "1,ann@example.pl,2026-07-01 10:00,a,1,1\n2,bob@example.pl,never,a,1,1\n"
    number = collect.upload(workspace, "orders.csv", io.BytesIO(content.encode()), "ola")
    with workspace.transaction() as conn:
        collect.save_draft(conn, number, read_mapping(ORDERS, "test"))
        collect.begin(conn, number)
    monkeypatch.setattr(imports, "_counts", unplugged)
    with pytest.raises(Unplugged):
        collect.perform(workspace, number)
    kept = workspace.settings.data_dir / imports.FOLDER
    assert any(b"bob@example.pl" in path.read_bytes() for path in kept.glob("refused-*")), "the control: they lie there"
    with workspace.transaction() as conn:
        collect.ask_undo(conn, number, "ola")
        collect.forget_files(conn, None, [b"bob@example.pl"])
    assert list(kept.iterdir()) == []


def test_a_kept_file_goes_with_who_is_erased_also_when_it_is_written_in_two_bytes_a_letter(workspace: Workspace) -> None:
    content = HEAD + "1,ann@example.pl,2026-07-01 10:00,a,1,1\n"
    for encoding in ("utf-8", "utf-16", "utf-16-le"):
        collect.upload(workspace, f"{encoding}.csv", io.BytesIO(content.encode(encoding)), "ola")
    kept = workspace.settings.data_dir / imports.FOLDER
    with workspace.transaction() as conn:
        assert collect.forget_files(conn, None, [b"bob@example.pl"]) == 2  # those that cannot be searched so
        assert len(list(kept.iterdir())) == 1
        assert collect.forget_files(conn, None, [b"ann@example.pl"]) == 1


class Unplugged(Exception):
    """The process is gone."""


def unplugged(_result: object) -> None:
    raise Unplugged


def test_a_dry_run_leaves_no_source_behind(workspace: Workspace, tmp_path: Path) -> None:
    collect.import_file(workspace, write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n"), read_mapping(ORDERS, "test"), dry_run=True)
    with workspace.transaction() as conn:
        assert collect.sources(conn) == []


@pytest.mark.parametrize(("kind", "basis"), [("website", Basis.CONTRACT), ("import", Basis.CONSENT)])
def test_a_file_goes_only_to_a_source_of_files_on_its_own_basis(kind: str, basis: Basis, workspace: Workspace, tmp_path: Path) -> None:
    with workspace.transaction() as conn:
        collect.add_source(conn, "Shop", kind, basis, workspace.clock())
    with pytest.raises(SourceUnlike):
        collect.import_file(workspace, write(tmp_path, HEAD + "1,ann,2026-07-01 10:00,a,1,1\n"), read_mapping(ORDERS, "test"), dry_run=True)
