"""The gate's rule: from decisions to a verdict. Pure; whoever sends, exports or scores asks it through `actions.allowed`.

Per identity the newest decision at the moment asked counts; across the identities of a person the most restrictive one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cegla.govern.rules.purposes import PURPOSES, SUPPRESSIONS
from cegla.vocabulary.consent import Basis, Channel, State, Verdict


class Recorded(NamedTuple):
    """A decision as it lies in the ledger."""

    record_id: int
    identity_id: int
    purpose: str
    channel: Channel
    state: State
    at: datetime
    source_id: int = 0
    method: str = ""
    import_id: int = 0  #: the file import that brought it


def newest(decisions: Sequence[Recorded], at: datetime) -> Recorded | None:
    """The decision in force at `at`: the latest one made by then; of two at the same moment the one recorded later."""
    if len(decisions) == 1:  # most people decide once, and intake asks for every event
        return decisions[0] if decisions[0].at <= at else None
    made = [row for row in decisions if row.at <= at]
    return max(made, key=lambda row: (row.at, row.record_id), default=None)


def judge(purpose_key: str, channel: Channel, in_force: Sequence[Recorded], suppressed_for: Sequence[str] = ()) -> Verdict:
    """The verdict for one person: `in_force` holds the newest decision of each of their identities, for this purpose and channel.

    An unknown purpose, or a channel the purpose does not name, is a no.
    """
    purpose = PURPOSES.get(purpose_key)
    if purpose is None or channel not in purpose.channels:
        return Verdict(False, "no_consent")
    contract = purpose.basis in (Basis.CONTRACT, Basis.LEGAL_OBLIGATION)
    if any(not contract or SUPPRESSIONS.get(reason, True) for reason in suppressed_for):
        return Verdict(False, "suppressed")
    if contract:
        return Verdict(True, "ok")
    no = max((row for row in in_force if row.state is not State.GIVEN and row.state is not State.REQUESTED), key=_order, default=None)
    if purpose.basis is Basis.LEGITIMATE_INTEREST:
        return Verdict(True, "ok") if no is None else Verdict(False, "objected", no.at, no.record_id)
    if no is not None:
        return Verdict(False, "withdrawn" if no.state is State.WITHDRAWN else "no_consent", no.at, no.record_id)
    yes = max((row for row in in_force if row.state is State.GIVEN), key=_order, default=None)
    return Verdict(False, "no_consent") if yes is None else Verdict(True, "ok", yes.at, yes.record_id)


def _order(row: Recorded) -> tuple[datetime, int]:
    return row.at, row.record_id
