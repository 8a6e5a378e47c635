"""The gateways text messages leave by, as data: how a message is put, what the answer and the receipts say. A new provider is a row.

In `body` and `headers` a word in braces is filled: {to} {to_digits} {from} {text} {key} {token}. Paths are names joined by dots.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from cegla.vocabulary.text import Text

State = Literal["sent", "delivered", "failed"]


@dataclass(frozen=True)
class Gateway:
    """One provider. `states` maps the words of its receipts; a word that is not there says nothing."""

    key: str
    label: Text
    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    form: Literal["json", "form"]
    id_at: str  #: where the answer has the provider's own number
    error_at: str = ""  #: where the answer says why not
    receipt_id_at: str = "id"
    receipt_state_at: str = "status"
    states: Mapping[str, State] = field(default_factory=dict)
    reply_from_at: str = "from"
    reply_text_at: str = "text"


GATEWAYS: dict[str, Gateway] = {
    row.key: row
    for row in (
        Gateway(
            "smsapi", Text("SMSAPI.pl", "SMSAPI.pl"), "https://api.smsapi.pl/sms.do",
            {"to": "{to_digits}", "from": "{from}", "message": "{text}", "encoding": "utf-8", "format": "json", "idx": "{key}", "check_idx": "1"},
            {"Authorization": "Bearer {token}"}, "form", "list.0.id", "message", "MsgId", "status",
            {"402": "failed", "403": "sent", "404": "delivered", "405": "failed", "406": "failed", "407": "failed", "408": "failed", "409": "sent"},
            "sms_from", "sms_text",
        ),
        Gateway(
            "serwersms", Text("SerwerSMS.pl", "SerwerSMS.pl"), "https://api2.serwersms.pl/messages/send_sms",
            {"phone": "{to}", "sender": "{from}", "text": "{text}", "utf": True, "details": True, "unique_id": "{key}"},
            {"Authorization": "Bearer {token}"}, "json", "items.0.id", "error.message", "smsid", "stan",
            {"dostarczono": "delivered", "niedostarczono": "failed", "wyslano": "sent", "oczekiwanie": "sent", "blad": "failed"},
            "numer", "wiadomosc",
        ),
        Gateway(
            "http", Text("bramka HTTP", "an HTTP gateway"), "",
            {"to": "{to}", "from": "{from}", "text": "{text}", "key": "{key}"},
            {"Authorization": "Bearer {token}", "Idempotency-Key": "{key}"}, "json", "id", "error", "id", "status",
            {"sent": "sent", "delivered": "delivered", "failed": "failed", "undelivered": "failed", "expired": "failed", "rejected": "failed"},
        ),
    )
}  # fmt: skip


def filled(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The body or headers of a request. Only the words in braces that `values` names are replaced, once."""
    return {name: _fill(text, values) if isinstance(text, str) else text for name, text in template.items()}


def _fill(text: str, values: Mapping[str, str]) -> str:
    name = text.partition("{")[2].partition("}")[0]
    return text.replace("{" + name + "}", values[name], 1) if name in values else text


def at(value: Any, path: str) -> str:
    """The text at a path of an answer; empty when there is none."""
    for name in path.split("."):
        if isinstance(value, Mapping):
            value = cast(Mapping[str, Any], value).get(name)
        elif isinstance(value, Sequence) and not isinstance(value, str) and name.isdigit() and int(name) < len(cast(Sequence[Any], value)):
            value = cast(Sequence[Any], value)[int(name)]
        else:
            return ""
    return str(value) if isinstance(value, (str, int)) else ""
