"""Operators about what people agreed to and on which channels they can be reached. The gate answers, person by person."""

from cegla.segment.rules.history import Column
from cegla.segment.rules.language import Choice, Kind, Operator, Parameter, Past, Question, Seen, Values, asking
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.text import Text

NO_ADDRESS = "no_address"
CHANNELS = (Choice(Channel.EMAIL.value, Text("e-mail", "e-mail")), Choice(Channel.SMS.value, Text("SMS", "SMS")))
EVERY_CHANNEL = (
    Choice(Channel.NONE.value, Text("bez kanału", "no channel")), *CHANNELS,
    Choice(Channel.PUSH.value, Text("powiadomienia push", "push")), Choice(Channel.SITE.value, Text("strona", "site")),
)  # fmt: skip
STATES = (
    Choice("ok", Text("wolno", "allowed")), Choice("no_consent", Text("bez zgody", "no consent")),
    Choice("withdrawn", Text("zgoda wycofana", "consent withdrawn")),
    Choice("objected", Text("sprzeciw", "objected")),
    Choice("unconfirmed", Text("zgoda niepotwierdzona", "consent not confirmed")),
    Choice("expired", Text("zgoda wygasła", "consent expired")),
    Choice("paused", Text("przerwa", "paused")),
)  # fmt: skip
REASONS = (*STATES[1:], Choice("suppressed", Text("adres wykluczony", "address suppressed")), Choice(NO_ADDRESS, Text("brak adresu", "no address")))
CHANNEL = Parameter("channel", Kind.CHOICE, Text("kanał", "channel"), choices=CHANNELS)
PURPOSE = Parameter("purpose", Kind.TEXT, Text("cel", "purpose"), required=False, default="marketing")


def _reach(values: Values) -> Question:
    return asking("reach", values["purpose"], values["channel"], True)


def _consent(values: Values) -> Question:
    return asking("reach", values["purpose"], values["channel"], False)


def _among(values: Values, seen: Seen, ground: object) -> Column:
    return seen["value"].isin(values["states"])


_PAGE = (Past("Page Viewed", 1),)
PERMISSION_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "reachable",
        "consents",
        Text("można do nich napisać", "can be reached"),
        Text("do których można napisać ({channel}, cel: {purpose})", "whom we may write to ({channel}, purpose: {purpose})"),
        (CHANNEL, PURPOSE),
        lambda values, rows: {},
        lambda values, seen, ground: seen["value"] == "ok",
        lambda values: False,
        "value",
        {"op": "reachable", "channel": "email"},
        _PAGE,
        _PAGE,
        asks=_reach,
        told=({"value": "ok"}, {"value": "suppressed"}),
    ),
    Operator(
        "unreachable",
        "consents",
        Text("nie można do nich napisać, bo …", "cannot be reached because …"),
        Text(
            "do których nie można napisać ({channel}, cel: {purpose}), bo: {states}",
            "whom we may not write to ({channel}, purpose: {purpose}) because: {states}",
        ),
        (CHANNEL, PURPOSE, Parameter("states", Kind.CHOICES, Text("powód", "reason"), choices=REASONS)),
        lambda values, rows: {},
        _among,
        lambda values: False,
        "value",
        {"op": "unreachable", "channel": "sms", "states": ["no_address", "withdrawn"]},
        _PAGE,
        _PAGE,
        asks=_reach,
        told=({"value": "no_address"}, {"value": "ok"}),
    ),
    Operator(
        "consent_is",
        "consents",
        Text("zgoda jest …", "consent is …"),
        Text("których zgoda ({purpose}, {channel}) to: {states}", "whose consent ({purpose}, {channel}) is: {states}"),
        (
            Parameter("purpose", Kind.TEXT, Text("cel (klucz z rejestru)", "purpose (its key in the register)")),
            Parameter("channel", Kind.CHOICE, Text("kanał", "channel"), choices=EVERY_CHANNEL),
            Parameter("states", Kind.CHOICES, Text("stan", "state"), choices=STATES),
        ),
        lambda values, rows: {},
        _among,
        lambda values: False,
        "value",
        {"op": "consent_is", "purpose": "marketing", "channel": "email", "states": ["withdrawn"]},
        _PAGE,
        _PAGE,
        asks=_consent,
        told=({"value": "withdrawn"}, {"value": "ok"}),
    ),
)
