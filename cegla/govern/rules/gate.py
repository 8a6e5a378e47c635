"""The gate's rule: from decisions to a verdict. Pure; whoever sends, exports or scores asks it through `actions.allowed`.

Per identity the newest decision at the moment asked counts; across the identities of a person the most restrictive one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cegla.govern.rules.purposes import POLAND, Country, Purpose, needs_consent
from cegla.vocabulary.consent import Channel, State, Verdict

NO_REFUSAL = frozenset((State.GIVEN, State.REQUESTED, State.INVALIDATED))


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


class Terms(NamedTuple):
    """What a use is asked about: for what (None: the register knows no such purpose), how, when, and under which country's rule."""

    purpose: Purpose | None
    channel: Channel
    at: datetime
    country: Country = POLAND
    company: bool = False


def newest(decisions: Sequence[Recorded], at: datetime) -> Recorded | None:
    """The decision in force at `at`: the latest one made by then; of two at the same moment the one recorded later."""
    if len(decisions) == 1:  # most people decide once, and intake asks for every event
        return decisions[0] if decisions[0].at <= at else None
    made = [row for row in decisions if row.at <= at]
    return max(made, key=lambda row: (row.at, row.record_id), default=None)


def binding(in_force: Sequence[Recorded]) -> Recorded | None:
    """The decision that binds a person, of the newest ones of their identities on one purpose and channel: a no before a yes, then the newest."""
    return max(in_force, key=lambda row: (row.state not in NO_REFUSAL, row.state is State.GIVEN, *_order(row)), default=None)


def judge(terms: Terms, in_force: Sequence[Recorded], suppressed_for: Sequence[str] = (), *, paused: bool = False) -> Verdict:
    """The verdict for one person: `in_force` holds the newest decision of each of their identities, for this purpose and channel.

    An unknown purpose, or a channel the purpose does not name, is a no. `paused`: the person asked for quiet until later, which holds
    back every message that no contract needs.
    """
    purpose, channel = terms.purpose, terms.channel
    if purpose is None or channel not in purpose.channels:
        return Verdict(False, "no_consent")
    if purpose.is_stopped_by(suppressed_for):
        return Verdict(False, "suppressed")
    if purpose.by_contract:
        return Verdict(True, "ok")
    verdict = _by_decisions(purpose, terms, in_force)
    if verdict.allowed and paused and channel is not Channel.NONE:
        return Verdict(False, "paused", verdict.decided_at, verdict.record_id)
    return verdict


def _by_decisions(purpose: Purpose, terms: Terms, in_force: Sequence[Recorded]) -> Verdict:
    if len(in_force) == 1:  # as for most people, of whom an audience of a million is made
        no, yes = (None if in_force[0].state in NO_REFUSAL else in_force[0]), (in_force[0] if in_force[0].state is State.GIVEN else None)
    else:
        no = max((row for row in in_force if row.state not in NO_REFUSAL), key=_order, default=None)
        yes = max((row for row in in_force if row.state is State.GIVEN), key=_order, default=None)
    if not needs_consent(purpose, terms.channel, terms.country, company=terms.company):
        return Verdict(True, "ok") if no is None else Verdict(False, "objected", no.at, no.record_id)
    if no is not None:
        reason = {State.WITHDRAWN: "withdrawn", State.EXPIRED: "expired"}.get(no.state, "no_consent")
        return Verdict(False, reason, no.at, no.record_id)
    if yes is None:
        return Verdict(False, "unconfirmed" if in_force else "no_consent")
    if purpose.valid_days and yes.at + timedelta(days=purpose.valid_days) <= terms.at:
        return Verdict(False, "expired", yes.at, yes.record_id)
    return Verdict(True, "ok", yes.at, yes.record_id)


def _order(row: Recorded) -> tuple[datetime, int]:
    return row.at, row.record_id
