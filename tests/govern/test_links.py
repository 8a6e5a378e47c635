"""The chain of decisions, made here for a batch at once: the database says the same of every link."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cegla.govern import ledger, store
from cegla.govern.rules.links import NotPlain, canonical, seconds
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel, Decision, State

NOW = datetime(2026, 11, 2, 9, 0, 0, 120, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=8
)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


def decision(identity: int, proof: dict[str, Any], state: State = State.GIVEN, at: datetime = NOW) -> Decision:
    return Decision(identity, "marketing", Channel.EMAIL, state, at, 1, "event", proof)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=PLAIN, moment=MOMENTS)
def test_a_value_and_a_moment_are_written_as_the_database_writes_them(conn: Connection, value: Any, moment: datetime) -> None:
    text = canonical(value)
    row = conn.execute("select %s::jsonb::text, to_jsonb(extract(epoch from %s::timestamptz))::text", [text, moment]).fetchone()
    assert row == (text, seconds(moment))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.tuples(st.integers(1, 4), st.dictionaries(TEXTS, PLAIN | st.floats(0, 1), max_size=3)), max_size=6), max_size=4))
def test_the_check_finds_the_chain_whole_however_decisions_come_in_batches(conn: Connection, batches: list[list[tuple[int, dict[str, Any]]]]) -> None:
    for batch in batches:
        store.append(conn, [decision(identity, proof) for identity, proof in batch], NOW)
    assert ledger.check(conn).holds
    firsts = conn.execute("select count(*) - count(distinct identity_id) = count(follows) from govern.decisions").fetchone()
    assert firsts == (True,)


@pytest.mark.parametrize("edit", ["state = 'refused'", "at = at - interval '1 second'", "proof = '{}'", "link = decode('00', 'hex')", "follows = null"])
def test_whatever_is_changed_of_a_decision_breaks_the_chain_there(conn: Connection, edit: str) -> None:
    store.append(conn, [decision(7, {"page": "/"}), decision(7, {"page": "/b"}, State.WITHDRAWN, NOW + timedelta(minutes=1)), decision(8, {})], NOW)
    assert ledger.check(conn).holds
    conn.execute("alter table govern.decisions disable trigger append_only")
    conn.execute(f"update govern.decisions set {edit} where record_id = (select max(record_id) from govern.decisions where identity_id = 7)")  # type: ignore[arg-type]
    assert not ledger.check(conn).holds


def test_a_link_made_up_by_who_writes_a_decision_shows(conn: Connection) -> None:
    columns = "identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof, link"
    conn.execute(f"insert into govern.decisions ({columns}) values (9, 'marketing', 'email', 'given', now(), now(), 1, 'event', '{{}}', '\\xab')")  # type: ignore[arg-type]
    assert not ledger.check(conn).holds


def test_a_message_id_with_a_nul_or_the_text_of_one_is_proof_like_any_other(conn: Connection) -> None:
    store.append(conn, [decision(7, {"message_id": "a\0b"}), decision(7, {"message_id": "a\\u0000b"}), decision(7, {"share": 0.5, "id": "\\u0000"})], NOW)
    kept = [row["proof"] for row in store.export_ledger(conn, [7])]
    assert kept[0] == {"message_id": "ab"} and kept[1] == {"message_id": "a\\u0000b"} and kept[2]["share"] == 0.5
    assert ledger.check(conn).holds


def test_nobody_seals_the_ledger_between_the_numbers_of_a_batch_and_its_rows(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []

    def sealing_meanwhile(*_: Any) -> str:
        with workspace.transaction() as other:
            other.execute("set local lock_timeout = 50")
            try:
                ledger.seal(other, NOW)
            except psycopg.errors.LockNotAvailable as error:
                refused.append(type(error).__name__)
                other.rollback()
        return "{}"

    with workspace.transaction() as conn:
        store.append(conn, [decision(7, {})], NOW)
    monkeypatch.setattr(store.links, "canonical", sealing_meanwhile)
    with workspace.transaction() as conn:
        store.append(conn, [decision(7, {})], NOW)
    assert refused == ["LockNotAvailable"]
    with workspace.transaction() as conn:
        assert ledger.seal(conn, NOW) == 2 and ledger.check(conn).holds


@pytest.mark.parametrize("proofs", [({}, {}), ({}, {"share": 0.5}), ({"share": 0.5}, {})], ids=["linked here", "linked by the database", "the database first"])
def test_two_transactions_never_follow_the_same_decision(workspace: Workspace, proofs: tuple[dict[str, Any], dict[str, Any]]) -> None:
    def withdraw() -> None:
        with workspace.transaction() as other:
            store.append(other, [decision(8, proofs[1]), decision(7, proofs[1], State.WITHDRAWN)], NOW)

    with workspace.transaction() as conn:
        store.append(conn, [decision(7, {}), decision(8, {})], NOW)
    with workspace.transaction() as conn:
        store.append(conn, [decision(7, proofs[0]), decision(8, proofs[0])], NOW)
        withdrawing = threading.Thread(target=withdraw)
        withdrawing.start()
        withdrawing.join(0.5)  # nobody who does not wait needs as long
    withdrawing.join()
    _nothing_forked(workspace, 6)


def test_a_decision_numbered_before_it_waited_is_still_the_end_of_the_chain(workspace: Workspace) -> None:
    columns = "identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof"
    values = "7, 'marketing', 'email', 'given', now(), now(), 1, 'event', '{}'"

    def insert() -> None:
        with workspace.transaction() as other:
            other.execute(f"insert into govern.decisions ({columns}) values ({values})")  # type: ignore[arg-type]

    with workspace.transaction() as conn:
        store.SQL.keep_seals_out(conn)
        store.SQL.hold_chains(conn, ids=[7])
        inserting = threading.Thread(target=insert)
        inserting.start()
        inserting.join(0.5)
        store.append(conn, [decision(7, {})], NOW)
    inserting.join()
    with workspace.transaction() as conn:
        store.append(conn, [decision(7, {})], NOW)
    _nothing_forked(workspace, 3)


def test_two_decisions_that_follow_the_same_one_are_a_fork_that_shows(conn: Connection) -> None:
    store.append(conn, [decision(7, {"page": "/"})], NOW)
    first, link = conn.execute("select record_id, link from govern.decisions").fetchone() or (0, b"")
    store.append(conn, [decision(7, {"page": "/b"})], NOW)
    assert ledger.check(conn).holds
    for made, follows, before in ((first + 1_000, first, link), (first + 2_000, None, b"")):  # a second follower, and a second beginning
        with pytest.raises(_Undone), conn.transaction():
            conn.execute("alter table govern.decisions disable trigger user")
            conn.execute(
                "insert into govern.decisions (record_id, identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof, follows, link) "
                "overriding system value select %s, 7, purpose, channel, state, at, recorded_at, source_id, method, proof, %s, '' from govern.decisions where record_id = %s",
                [made, follows, first],
            )
            conn.execute("update govern.decisions d set link = govern.link(%s, d) where record_id = %s", [before, made])
            assert ledger.check(conn).broken_record == made
            raise _Undone


class _Undone(Exception):
    """Takes back what was done to the ledger."""


def test_nobody_adds_to_a_chain_while_it_is_erased(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        store.append(conn, [decision(7, {})], NOW)

    def withdraw() -> None:
        with workspace.transaction() as other:
            store.append(other, [decision(7, {}, State.WITHDRAWN)], NOW)

    with workspace.transaction() as conn:
        assert store.remove(conn, [7]) == 1
        withdrawing = threading.Thread(target=withdraw)
        withdrawing.start()
        withdrawing.join(0.5)
    withdrawing.join()
    _nothing_forked(workspace, 1)


def _nothing_forked(workspace: Workspace, decisions: int) -> None:
    with workspace.transaction() as conn:
        rows = conn.execute("select follows, lag(record_id) over (partition by identity_id order by record_id) from govern.decisions").fetchall()
        assert len(rows) == decisions and all(follows == before for follows, before in rows)
        assert ledger.check(conn).holds


def test_a_number_with_a_fraction_is_left_to_the_database() -> None:
    with pytest.raises(NotPlain):
        canonical({"share": 0.5})
