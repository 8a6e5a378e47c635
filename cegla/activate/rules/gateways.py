"""The gateways that messages leave by over HTTP, as data: how a message is put, what the answer means, what receipts say. A provider is a row.

In `url`, `body` and `headers` a word in braces is filled from what a message has: {to} {to_digits} {from} {text} {key} {token}, and of a letter
{from_name} {from_email} {subject} {html} {letter_text} {headers}. Paths are names joined by dots; several parted by "|" are tried in turn, and the
first that leads to a text counts. The rows are in `providers`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, urlencode

from cegla.activate.rules.replies import Reply
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.text import Text

#: What a receipt says happened: `failed` is judged by its words, and the address is dead only when these prove it.
State = Literal["sent", "delivered", "failed", "delayed", "complained", "opted_out"]
#: Why an answer refuses: the address is none, the words may not go, our account or sender is wrong, later, or the key was taken before.
Refusal = Literal["address", "words", "us", "later", "again"]
MOST_FIELDS = 100  #: of a form
STATES = ("sent", "delivered", "failed", "delayed", "complained", "opted_out")


@dataclass(frozen=True)
class Receipts:
    """Where a provider's receipts and replies say what. `rows_at` leads to a list; `commas`: one request speaks of several messages, parted by commas."""

    key_at: str = "key"  #: our own key, given back
    id_at: str = "id"  #: the provider's number
    state_at: str = "status"
    states: Mapping[str, State] = field(default_factory=dict)
    rows_at: str = ""
    commas: bool = False
    words_at: str = ""  #: why it failed
    status_at: str = ""  #: an enhanced status code
    reply_from_at: str = ""
    reply_text_at: str = ""
    scheme: str = "path"  #: how receipts prove themselves, besides their secret address: a row of collect's schemes
    answer: str = "OK"  #: what the provider wants to read
    unless: tuple[tuple[str, str], ...] = ()  #: rows in which one of these paths has its value say nothing


@dataclass(frozen=True)
class Gateway:
    """One provider. `repeats_safely`: a second request with the same key is no second message there, so one that failed inside may be tried again."""

    key: str
    channel: Channel
    label: Text
    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    form: Literal["json", "form"]
    id_at: str
    refused_at: str = ""  #: where an answer has the code of a refusal; 0 and nothing are none
    words_at: str = ""
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    repeats_safely: bool = True
    receipts: Receipts = field(default_factory=Receipts)


@dataclass(frozen=True)
class Receipt:
    """One thing a provider tells: of the message with our `key` or its `number`. A reply has `text`, and `sender` for who wrote it."""

    key: str = ""
    number: str = ""
    state: State | None = None
    words: str = ""
    status: str = ""
    sender: str = ""
    text: str = ""


def encoded(gateway: Gateway, values: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
    """Headers and body of the request for a message."""
    headers = {name: str(text) for name, text in filled(gateway.headers, values).items()}
    if any(sign in text for text in headers.values() for sign in "\r\n"):
        raise ValueError("a line break in a header")
    body = filled(gateway.body, values)
    if gateway.form == "form":
        return headers | {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(body).encode()
    return headers | {"Content-Type": "application/json"}, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """A template with its words in braces replaced, each once, so that no text is ever read as a template. A word that stands alone keeps its kind."""
    if isinstance(template, Mapping):
        return {name: filled(part, values) for name, part in cast(Mapping[str, Any], template).items()}
    if isinstance(template, list):
        return [filled(part, values) for part in cast(list[Any], template)]
    if not isinstance(template, str):
        return template
    before, brace, rest = template.partition("{")
    name, end, after = rest.partition("}")
    if not brace or not end or name not in values:
        return template
    return values[name] if not before and not after else f"{before}{values[name]}{after}"


def at(value: Any, paths: str) -> str:
    """The text at a path of an answer, or at the first of several that has one, as it can be stored; empty when there is none."""
    return next((found for path in paths.split("|") if (found := _at(value, path))), "")


def _at(value: Any, path: str) -> str:
    for name in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = cast(Mapping[str, Any], value).get(name)
        elif isinstance(value, Sequence) and not isinstance(value, str) and name.isdigit() and int(name) < len(cast(Sequence[Any], value)):
            value = cast(Sequence[Any], value)[int(name)]
        else:
            return ""
    return str(value).replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, (str, int)) else ""


def answered(gateway: Gateway, status: int, headers: Mapping[str, str], body: bytes) -> tuple[Reply, str] | None:
    """What an answer comes to, as a mail server would say it, and the provider's number; None when nobody knows whether the message was taken."""
    read = read_any(body, headers.get("content-type", ""))
    code, words = at(read, gateway.refused_at), " ".join(at(read, gateway.words_at).split())[:300]
    refusal = gateway.refusals.get(code) if code not in ("", "0") else None
    if refusal is None and code not in ("", "0") and (status < 500 or status == 503):
        refusal = "us" if status in (401, 402, 403) else "later" if status in (429, 503) else "words"
    if refusal is None and not 200 <= status < 300:
        if status >= 500 and status != 503 and not gateway.repeats_safely:
            return None
        refusal = "us" if status in (401, 402, 403, 404, 407) else "later" if status in (408, 425, 429) or status >= 500 else "words"
    if refusal is None:
        number = headers.get(gateway.id_at.removeprefix("header:"), "") if gateway.id_at.startswith("header:") else at(read, gateway.id_at)
        return Reply(250, f"taken {number}".strip(), "body"), number
    said = f"{code or status} {words}".strip()
    return _refused(refusal, said, headers.get("retry-after", "")), ""


def _refused(refusal: Refusal, said: str, wait: str) -> Reply:
    match refusal:
        case "address":
            return Reply(550, f"5.1.1 no such recipient: {said}", "rcpt")
        case "words":
            return Reply(554, f"5.6.0 the gateway does not take this message: {said}", "message")
        case "us":
            return Reply(535, f"5.7.8 {said}", "connect")
        case "again":
            return Reply(250, f"taken before under the same key: {said}", "body")
        case "later":
            return Reply(451, f"4.4.5 {said}" + (f"; retry after {int(wait)} s" if wait.isdecimal() and len(wait) < 6 else ""), "body")


def receipts(gateway: Gateway, query: Mapping[str, str], body: bytes, content_type: str) -> list[Receipt]:
    """What a provider tells by a request to our address: any bytes are safe, what is not understood says nothing."""
    told = gateway.receipts
    read = read_any(body, content_type) if body else {}
    whole: Any = {**query, **cast(Mapping[str, Any], read)} if isinstance(read, Mapping) else read
    found = _part(whole, told.rows_at)
    rows: list[Any] = cast(list[Any], found) if isinstance(found, list) else [found]
    rows = [one for row in rows[:1_000] for one in (_parted(row, told) if told.commas else [row])]
    return [one for one in (_receipt(row, told) for row in rows) if one is not None]


def _receipt(row: Any, told: Receipts) -> Receipt | None:
    if told.reply_text_at and at(row, told.reply_from_at) and at(row, told.reply_text_at):
        return Receipt(sender=at(row, told.reply_from_at), text=at(row, told.reply_text_at)[:2_000])
    if any(at(row, path) == value for path, value in told.unless):
        return None
    state = told.states.get(at(row, told.state_at))
    key, number = at(row, told.key_at), at(row, told.id_at)
    if state is None or not (key or number):
        return None
    return Receipt(key, number, state, at(row, told.words_at)[:1_000], at(row, told.status_at)[:20])


def _part(value: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        value = cast(Mapping[str, Any], value).get(name) if isinstance(value, Mapping) else None
    return value


def _parted(row: Any, told: Receipts) -> list[Any]:
    """Several messages in one request: the nth value of each field is of the nth message."""
    paths = "|".join((told.key_at, told.id_at, told.state_at, told.words_at)).split("|")
    if not isinstance(row, Mapping) or at(row, told.reply_text_at):
        return [row]
    columns = {path: at(row, path).split(",") for path in paths}
    longest = min(1_000, max(map(len, columns.values())))
    return [{path: values[place].strip() for path, values in columns.items() if place < len(values)} for place in range(longest)]


def read_any(body: bytes, content_type: str) -> Any:
    """A JSON text or a form, by what it says it is, else by trying."""
    text = body.decode("utf-8", "replace")
    if "form-urlencoded" not in content_type:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    try:
        return dict(parse_qsl(text, max_num_fields=MOST_FIELDS)) if "=" in text and len(text) < 100_000 else {}
    except ValueError:  # more than those
        return {}
