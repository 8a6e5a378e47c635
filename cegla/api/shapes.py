"""What calls carry in their bodies. Unknown fields are refused, so that a typing error is told and not swallowed."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, cast

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

Limit = Annotated[int, Query(ge=1, le=500, description="how many at most")]
Days = Annotated[int, Query(ge=1, le=366, description="how many days back, today included")]
After = Annotated[int, Query(ge=0, description="the number of the last one already seen")]
Rule = dict[str, Any]


Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]  #: a reason that somebody will read


class Shape(BaseModel):
    """A body whose fields are all known, and whose texts can be kept: no column of PostgreSQL holds the character NUL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: object) -> object:
        texts = cast("list[object]", value) if isinstance(value, list) else [value]
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise PydanticCustomError("nul", "the character NUL cannot be kept")
        return value


class Search(Shape):
    """Words typed into the search box; in a body, so that they do not end up in a log of addresses."""

    text: str = Field("", max_length=200)
    after: int = Field(0, ge=0)
    limit: int = Field(50, ge=1, le=500)


class FindEvent(Shape):
    """An event: the sender's `message_id` (of one source, or of all), its number in the history or in quarantine, all of a batch or of a W3C trace."""

    message_id: str | None = Field(None, min_length=1, max_length=500)
    source_id: int | None = None
    event_id: int | None = Field(None, ge=1)
    quarantine_id: int | None = Field(None, ge=1)
    batch: int | None = Field(None, ge=1)
    trace_id: str | None = Field(None, pattern="^[0-9a-f]{32}$")


class Reveal(Shape):
    """Why somebody wants to see personal data; it goes to the audit log."""

    why: str = Field(min_length=1, max_length=200)


class LookUp(Shape):
    """One identifier, exactly: an e-mail address, a phone number, a user id. Without `type` each type is tried."""

    value: str = Field(min_length=1, max_length=500)
    type: str | None = None


class Erase(Shape):
    """Erasing cannot be undone, so the default only counts."""

    dry_run: bool = True


class RebuildHistory(Shape):
    """Writing the history again; the default only compares. A history that lacks rows stays out of use unless `accept_loss`."""

    dry_run: bool = True
    accept_loss: bool = False


class ForgetHistory(Shape):
    """Removing what is older than its class may be kept cannot be undone, so the default only counts. Without `classes`: all of them."""

    dry_run: bool = True
    classes: list[Literal["behaviour", "orders", "searches", "merges"]] = []


class Decision(Shape):
    """What a person says of a proposal: one human ("accepted"), or two ("refused")."""

    decision: Literal["accepted", "refused"]


class Switching(Shape):
    """Turning an analyser on or off. Sensitive ones want a purpose of the register; it goes into the record of processing."""

    on: bool
    purpose: str = Field("", max_length=100, description="a key of the register of purposes; empty: the analyser's own")


class RunOrder(Shape):
    """Which analysers should run: over everybody, or over the people there is news of."""

    analysers: list[str] = Field(min_length=1, max_length=100)
    full: bool = False


class Overlapping(Shape):
    """Segments to compare pair by pair, by number."""

    segments: list[int] = Field(min_length=2, max_length=30)


class NewReceiver(Shape):
    """Where changes of segments are sent: for a purpose of the register, with no address or the hashed one of a channel."""

    name: str = Field(min_length=1, max_length=200)
    url: str = Field(min_length=1, max_length=2_000)
    segments: list[int] = Field(min_length=1, max_length=200)
    purpose: str = Field(min_length=1, max_length=100)
    channel: Literal["none", "email", "sms"] = "none"


class Enabled(Shape):
    """Whether something goes on."""

    enabled: bool


class NewSegment(Shape):
    """A segment: `key` names an existing one to change."""

    name: str = Field(min_length=1, max_length=200)
    rule: Rule
    key: str | None = Field(None, max_length=100)


class TakeBack(Shape):
    """Why a link is taken back."""

    why: Why | None = Field(None, description="kept with the link")


class RulesBody(Shape):
    """Identity rules: what differs from the defaults, as in docs/reference/identity.md."""

    rules: dict[str, Any]


class ApplyRules(Shape):
    """Identity rules to put in force; `version` is the one that a trial named, so that nobody applies what was tried on others."""

    rules: dict[str, Any]
    version: int | None = None


class IdentifierBody(Shape):
    """One identifier, exactly: its type (email, phone, user_id, anonymous_id, …) and value; the type "person" takes p123."""

    type: str = Field(min_length=1, max_length=100)
    value: str = Field(min_length=1, max_length=500)

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: object) -> object:
        """What nobody can be called is nobody's name: one such question among a hundred spoils no other."""
        return value


class ReleaseBody(Shape):
    """An identifier that is somebody else's from a day on."""

    identifier: IdentifierBody
    since: date = Field(description="the first day, UTC, on which it names somebody else")
    reason: Why = Field(description="kept with the release, and erased with the people")


class VisitorBody(Shape):
    """What the on-site script shows: the source's public write key and the browser's own anonymous id."""

    write_key: str = Field(min_length=1, max_length=200)
    anonymous_id: str = Field(min_length=1, max_length=500)


class OnSite(Shape):
    """Whether a page's own script may see that its visitor is in this segment."""

    visible: bool


Part = Literal["traits", "segments", "scores", "consents", "identifiers", "timeline"]


class ReadProfile(Shape):
    """Whose profile, and what of it: `traits` names some traits (all without it), `verbose` tells where each is from.

    `before` and `limit` are about the timeline: the `next_before` of the page before, and how many events.
    """

    identifier: IdentifierBody
    include: list[Part] = ["traits", "segments"]
    traits: list[str] | None = Field(None, max_length=500)
    verbose: bool = False
    before: str = Field("", max_length=60)
    limit: int = Field(50, ge=1, le=100)


class ReadProfiles(Shape):
    """Several profiles at once, without their timelines."""

    identifiers: list[IdentifierBody] = Field(min_length=1, max_length=100)
    include: list[Literal["traits", "segments", "scores", "consents", "identifiers"]] = ["traits", "segments"]
    traits: list[str] | None = Field(None, max_length=500)
    verbose: bool = False


class RankSources(Shape):
    """Sources by number, the most credible first; those left out count less, and among themselves alike."""

    sources: list[int] = Field(max_length=1_000)


class Correction(Shape):
    """What a person had corrected: null says that it is not true of them; with `take_back` the sources speak again."""

    trait: str = Field(min_length=1, max_length=100)
    value: str | float | int | bool | list[str] | None = None
    take_back: bool = False


class TraitText(Shape):
    """Definitions of computed traits, as YAML text."""

    text: str = Field(min_length=1, max_length=200_000)


class DefineTraits(TraitText):
    """The same, to be put in force."""

    dry_run: bool = False


class ChangeRegister(Shape):
    """The register of purposes as YAML text, and why it changes."""

    text: str = Field(min_length=1, max_length=500_000)
    why: str = Field(default="", max_length=500)
    dry_run: bool = False


class RemoveTrait(Shape):
    """Removing takes everybody's values away, so the default only counts."""

    dry_run: bool = True


class RuleBody(Shape):
    """A rule that is not saved."""

    rule: Rule


class SourceChange(Shape):
    """What to change of a source: fields left out stay, a limit of null is the installation's."""

    enabled: bool = True
    origins: list[str] = Field([], max_length=200)
    largest_event_bytes: int | None = None
    largest_request_bytes: int | None = None
    most_events: int | None = None
    requests_per_second: float | None = None


class KeyChange(Shape):
    """Which key gets a successor."""

    secret: bool = False


class NewSource(Shape):
    """Where events will come from, and on which lawful basis they are collected."""

    name: str = Field(min_length=1, max_length=100)
    kind: Literal["website", "server", "import"] = "website"
    basis: Literal["consent", "contract", "legal_obligation", "legitimate_interest"] = "consent"


class QuarantineQuery(Shape):
    """Which events of the quarantine; what is left out asks for nothing."""

    reason: str | None = None
    source_id: int | None = Field(None, ge=0, le=2**31 - 1)
    event: str | None = Field(None, max_length=500)
    since: datetime | None = None
    until: datetime | None = None
    state: Literal["open", "replayed", "discarded", "all"] = "open"
    before: int | None = Field(None, ge=0, le=2**63 - 1)
    limit: int = Field(50, ge=1, le=500)


class QuarantineFilter(QuarantineQuery):
    """The same, also by number and by content."""

    ids: list[Annotated[int, Field(ge=0, le=2**63 - 1)]] | None = Field(None, min_length=1, max_length=10_000)
    text: str | None = Field(None, max_length=200)


class Decide(Shape):
    """What to do with the events of a filter. An empty filter means all of them only when `everything` says so."""

    filter: QuarantineFilter = Field(default_factory=lambda: QuarantineFilter.model_validate({}))
    fix: dict[str, Any] | None = None
    why: str = Field("", max_length=500)
    everything: bool = False


class NewWebhook(Shape):
    """A source that a provider posts to. `ready` is the key of a mapping that comes with the product; `mapping` is YAML of one's own."""

    name: str = Field(min_length=1, max_length=100)
    ready: str = Field("", max_length=60)
    mapping: str = Field("", max_length=100_000)
    basis: Literal["consent", "contract", "legal_obligation", "legitimate_interest"] = "consent"
    scheme: str = Field("", max_length=60)
    secret: str = Field("", max_length=10_000)
    header: str = Field("X-Signature", max_length=100)
    prefix: str = Field("", max_length=40)
    verify_token: str = Field("", max_length=200)
    trusted: bool | None = None


class ChangedWebhook(Shape):
    """What shall change of a webhook; what is left out stays."""

    mapping: str | None = Field(None, max_length=100_000)
    scheme: str | None = Field(None, max_length=60)
    secret: str | None = Field(None, max_length=10_000)
    header: str | None = Field(None, max_length=100)
    prefix: str | None = Field(None, max_length=40)
    verify_token: str | None = Field(None, max_length=200)
    trusted: bool | None = None
    enabled: bool | None = None


class TriedWebhook(Shape):
    """A request to try a mapping on: `mapping`, or the key of a `ready` one; `body` as text or as base64."""

    mapping: str = Field("", max_length=100_000)
    ready: str = Field("", max_length=60)
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    body: str = Field("", max_length=1_000_000)
    body_base64: str = Field("", max_length=1_400_000)


class NewPlan(Shape):
    """A tracking plan as text; `expect` is the version its writer has seen (0: none), so that nobody overwrites another's work."""

    text: str | None = Field(max_length=2_000_000)
    expect: int | None = Field(None, ge=0)
    dry_run: bool = False


class AmendPlan(Shape):
    """One event of a source: let it in with what was seen of it, or keep it out."""

    what: Literal["approve", "refuse"]
    event: str = Field(min_length=1, max_length=500)


class MappingBody(Shape):
    """The mapping of a file, with the fields of docs/reference/imports.md."""

    mapping: dict[str, Any]


class UndoImport(Shape):
    """Taking an import back cannot be undone, so the default only counts."""

    dry_run: bool = True
