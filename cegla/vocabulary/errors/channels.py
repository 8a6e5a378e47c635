"""Channels beside mail servers: gateways, providers, browsers."""

from cegla.vocabulary.errors import Busy, InvalidInput, Refused
from cegla.vocabulary.text import Text


class GatewayInvalid(InvalidInput):
    """The settings of a gateway cannot be used."""

    code = "CEGLA-E0388"
    what = Text("Tak ustawionej bramki nie można użyć: {detail}", "A gateway set like this cannot be used: {detail}")
    todo = Text("Popraw ustawienia bramki w Kampanie → Bramki.", "Correct the gateway under Campaigns → Gateways.")


class WordsMissing(InvalidInput):
    """A text or push message without words."""

    code = "CEGLA-E0389"
    what = Text("Wiadomość nie ma treści.", "The message has no words.")
    todo = Text("Wpisz treść, a dla web push także tytuł (subject).", "Give its words, and for web push a title too (subject).")


class SubscriptionRefused(InvalidInput):
    """What a browser gave for web push is no subscription."""

    code = "CEGLA-E0391"
    what = Text("To nie jest subskrypcja web push.", "This is no web push subscription.")
    todo = Text("Podaj endpoint i klucze tak, jak daje je PushSubscription.toJSON().", "Give endpoint and keys as PushSubscription.toJSON() gives them.")


class ReceiptRefused(Refused):
    """A request to the address of receipts does not prove that the provider sent it."""

    code, status = "CEGLA-E0588", 401
    what = Text("Raport dostawcy nie dowiódł, skąd pochodzi: {detail}", "The provider's receipt did not prove where it came from: {detail}")
    todo = Text("Ustaw u dostawcy ten sam sekret, co w Kampanie → Bramki.", "Set the same secret at the provider as under Campaigns → Gateways.")


class GatewayRefused(Busy):
    """The gateway refused us, or cannot be reached."""

    code = "CEGLA-E0688"
    what = Text("Bramka odmówiła lub nie odpowiada: {detail}", "The gateway refused or does not answer: {detail}")
    todo = Text("Sprawdź klucz, nadawcę i stan konta: Kampanie → Bramki.", "Check the key, the sender and the account: Campaigns → Gateways.")
