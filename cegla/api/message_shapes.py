"""What calls about messages carry: campaigns, single messages, gateways, keys and speeds. Every field is explained in the reference."""

from datetime import time
from typing import Any, Literal

from pydantic import Field, NaiveDatetime

from cegla.api.shapes import Shape


class BrowserKeys(Shape):
    """The keys of a PushSubscription, base64url."""

    p256dh: str = Field(min_length=80, max_length=100)
    auth: str = Field(min_length=20, max_length=40)


class BrowserSubscription(Shape):
    """A browser's own subscription to web push, and who it is; without `endpoint` only the key to subscribe under is asked for."""

    write_key: str = Field(min_length=1, max_length=200)
    anonymous_id: str = Field(min_length=1, max_length=500)
    endpoint: str = Field("", max_length=2_000)
    keys: BrowserKeys | None = None
    gone: bool = Field(False, description="the browser is subscribed no more")


class VariantBody(Shape):
    """Another content, compared with A, the campaign's own; what is left out is as in A. Keys go B, C, D and so on."""

    key: str = Field(min_length=1, max_length=1)
    subject: str = Field("", max_length=500)
    mjml: str = Field("", max_length=500_000)
    text: str = Field("", max_length=5_000)
    share: int = Field(1, ge=1, le=99)


class GatewayBody(Shape):
    """A gateway of a channel; an empty key or receipts' secret leaves the one that is kept."""

    channel: Literal["sms", "email"]
    provider: str = Field(min_length=1, max_length=40)
    sender: str = Field("", max_length=300, description="as whom text messages come; e-mail has the sender of its campaign")
    key: str = Field("", max_length=500, description="the provider's key; it is kept sealed and never shown")
    receipt_secret: str = Field("", max_length=5_000, description="what the provider signs its receipts with")
    url: str = Field("", max_length=1_000, description="for gateways without an address of their own")
    part_micros: int = Field(0, ge=0, description="price of one part, in millionths of the currency")
    messages_per_minute: int = Field(600, ge=1, le=1_000_000)


class ChannelBody(Shape):
    """One channel."""

    channel: Literal["sms", "email"]


class WordsBody(Shape):
    """The words of a text message."""

    text: str = Field(max_length=5_000)


class NewCampaign(Shape):
    """A campaign; `id` names an existing one to change. E-mail has subject and mjml, SMS text, web push subject (its title), text and url."""

    id: int | None = None
    name: str = Field(min_length=1, max_length=200)
    segment_id: int
    channel: Literal["email", "sms", "push"] = "email"
    subject: str = Field("", max_length=500)
    mjml: str = Field("", max_length=500_000)
    text: str = Field("", max_length=5_000)
    url: str = Field("", max_length=1_000, description="what a web push message opens")
    plain: bool = Field(False, description="send the text without Polish letters")
    sender: str = Field("", max_length=300)
    purpose: str = "marketing"
    holdout_percent: int = Field(5, ge=0, le=50, description="people who get nothing, to measure the effect")
    messages_per_minute: int | None = Field(None, ge=1)
    cap: int | None = Field(None, ge=1)
    priority: int = Field(5, ge=1, le=9, description="the higher goes first where a person's day has room for one")
    offer: str = Field("", max_length=100, description="a name of what is offered: nobody gets the same within `offer_days`")
    offer_days: int = Field(30, ge=1, le=365)
    goal: Literal["orders", "clicks"] = "orders"
    variants: list[VariantBody] = Field(default=[], max_length=7)
    send_at: NaiveDatetime | None = Field(None, description="a wall clock without a zone; absent: as it is launched")
    clock: Literal["shop", "person", "usual"] = Field("shop", description="whose clock; `usual`: each person's usual hour within a day from then on")
    test_percent: int = Field(0, ge=0, le=90, description="of the audience, which compares the variants; the rest gets the one chosen; 0: everybody compares")
    test_hours: int = Field(24, ge=1, le=168, description="until a variant is chosen for the rest")


class ChoiceBody(Shape):
    """A variant for the rest of a tested audience; null: the rest gets nothing."""

    variant: str | None = Field(max_length=1)


class LimitsBody(Shape):
    """How often and when people may be written to on a channel; hours are of the person's own clock."""

    channel: Literal["email", "sms", "push"]
    per_day: int = Field(ge=0, le=100, description="0: no limit")
    quiet_from: time | None = None
    quiet_until: time | None = None


class LetterBody(Shape):
    """A letter or snippet; `id` names one to change. `document`: subject, preheader, blocks (kind, fields, shown), or `source`, MJML of one's own."""

    id: int | None = None
    kind: Literal["letter", "snippet"] = "letter"
    name: str = Field(min_length=1, max_length=200)
    document: dict[str, Any]
    revision: int | None = Field(None, description="the one you read; an edit made since is not written over")
    dry_run: bool = Field(False, description="only check that it compiles")


class PerhapsPerson(Shape):
    """Whose view of a letter; null: anybody's, with every fallback."""

    person: str | None = None


class GiveBody(Shape):
    """The campaign that says what a letter says, and as which variant."""

    campaign_id: int
    variant: Literal["A", "B", "C", "D", "E", "F", "G", "H"] = "A"


class ImageBody(Shape):
    """A hosted image by its name, the end of its address."""

    name: str = Field(min_length=1, max_length=80)
    dry_run: bool = Field(False, description="only say whether it may go")


class PersonBody(Shape):
    """One person: p123, or 123."""

    person: str


class TestSend(Shape):
    """Where a trial of the message goes."""

    __test__ = False
    address: str = Field(min_length=3, max_length=320)


class NewTemplate(Shape):
    """A template of messages to one person; the same name again makes a new version."""

    name: str = Field(min_length=1, max_length=100)
    subject: str = Field(min_length=1, max_length=1_000)
    mjml: str = Field(min_length=1, max_length=500_000)
    sender: str = Field("", max_length=320)


class SingleMessage(Shape):
    """One message to one person. `key` makes it once: send the same again until you get an answer. `data` is for the template."""

    template: str = Field(min_length=1, max_length=100)
    to: str = Field(min_length=3, max_length=320)
    key: str = Field(min_length=1, max_length=200)
    data: dict[str, Any] = {}


class DkimPlace(Shape):
    """A key, by its domain and selector."""

    domain: str = Field(min_length=4, max_length=253)
    selector: str = Field(min_length=1, max_length=63)


class NewDkimKey(Shape):
    """A key to make; without a selector it gets one that says the algorithm and the day."""

    domain: str = Field(min_length=4, max_length=253)
    algorithm: Literal["rsa", "ed25519"] = "rsa"
    selector: str = Field("", max_length=63)


class DestinationSpeed(Shape):
    """How fast a destination may be written to; no speed means the usual one."""

    destination: str = Field(min_length=1, max_length=253)
    messages_per_minute: int | None = Field(None, ge=1, le=1_000_000)


class NewWarmUp(Shape):
    """A warm-up plan: messages a day to each destination, growing by percent while all is well; no first day ends it."""

    domain: str = Field(min_length=4, max_length=253)
    first_day: int | None = Field(None, ge=1, le=10_000_000)
    growth_percent: int = Field(50, ge=1, le=300)
    most: int = Field(1_000_000, ge=1, le=100_000_000)


class SettleAmbiguous(Shape):
    """Whether messages of which nobody knows go out again, or are taken as sent."""

    again: bool
