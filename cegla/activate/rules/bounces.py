"""Mail that came back, read without trust: about whom, in which words, and why.

Evidence in this order: the machine-readable part (RFC 3464), a provider's notification, then the sentences of the mail systems that
have neither. Which of our messages it is about is said by the signed token in the envelope, never by these words.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from typing import Any
from unicodedata import normalize

from cegla.activate.rules.reasons import Evidence, Reason, essential, is_hard, reason_of

LONGEST_TEXT = 100_000
MOST_FAILURES = 100
_ADDRESS = re.compile(r"(?:\"[^\"\n]{1,64}\"|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
_STATUS = re.compile(r"(?<![\d.])([245]\.[0-9]{1,2}\.[0-9]{1,3})(?![\d.]*\.\d)(?!\d)")
_REPLY = re.compile(r"(?:^|said: |: |; ?|>>> |<<< |'|\s)([245][0-5][0-9])(?=[ \-#]|$)", re.MULTILINE)
#: Where the original message begins: what stands below is our own text and proves nothing.
_ORIGINAL = re.compile(
    r"^[ \t>*=-]*(?:(?:below this line )?(?:is )?(?:a |the )?(?:copy|header|headers|text) (?:of|from) (?:the|your) (?:original )?message"
    r"|(?:this is |included is |below is |here is )?(?:a |the )?copy of (?:the|your) (?:original )?(?:message|mail)"
    r"|(?:the )?(?:body|header) of the (?:original )?message|original mess?a(?:ge|il)|original mail info|returned message"
    r"|message headers? follow|unsent message|undelivered message|the original message (?:was|follows)?$"
    r"|the following is a copy|original message (?:headers|follows))|^(?:Received: (?:from|by)|Return-Path: ?<)",
    re.IGNORECASE | re.MULTILINE,
)
_ANNOUNCED = re.compile(r"(?:reach|to) (?:the|these|any of the) following recipients?(?:\(s\))?:|recipient\(s\) could not be reached:", re.IGNORECASE)
_MAIL_SYSTEM = re.compile(r"mailer-daemon|post_?master|delivery|undeliver|failure|returned|nie ?dostarcz", re.IGNORECASE)
_ABSENCE = re.compile(
    r"(?:auto(?:matic|matische)?[ :-]+(?:reply|response|antwort)|auto: |out of (?:the )?office|abwesen|autoresponder|vacation"
    r"|nieobecno|automatyczna odpowied|odpowied[zź] automatyczna|auto-?odpowied|poza biurem)",
    re.IGNORECASE,
)
_STAGES = (
    (
        "data",
        re.compile(
            r"end of data|reply to end|text command|final data|after data|message body|dot\b|reply to data|data command|<<< data|>>> data|transmission failure",
            re.IGNORECASE,
        ),
    ),
    ("rcpt", re.compile(r"rcpt", re.IGNORECASE)),
    ("mail", re.compile(r"(?:after|to|>>>|for|our) mail from|mail (?:from )?command|\[mail_from\]", re.IGNORECASE)),
    ("helo", re.compile(r"\b(?:helo|ehlo)\b", re.IGNORECASE)),
    ("connect", re.compile(r"initial connection|connect(?:ion)? to|refused to talk|greeting|while connecting", re.IGNORECASE)),
)


@dataclass(frozen=True)
class Failure:
    """What a bounce says about one recipient: `address` as it stands there, `hard` when the address itself is to blame."""

    address: str
    status: str
    reply: str
    reason: Reason
    hard: bool
    words: str
    action: str = "failed"  #: as in RFC 3464: failed, delayed, delivered, relayed, expanded


def failures(raw: bytes) -> list[Failure]:
    """What a returned message says of each recipient; none when it is no bounce. Takes any bytes."""
    message = message_from_bytes(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    if _answers_by_itself(message):
        address = _address_in(str(message.get("From", "")))
        return [Failure(address, "", "", Reason.VACATION, False, _text(message)[:500])]
    found = list(_reported(message)) or list(_notified(message)) or list(_told(message))
    return found[:MOST_FAILURES]


def _answers_by_itself(message: Message) -> bool:
    """An absence note (RFC 3834), which is neither a bounce nor an answer of a person."""
    if message.get_content_type() == "multipart/report" or re.search(r"mailer-daemon|postmaster", str(message.get("From", "")), re.IGNORECASE):
        return False
    return (
        str(message.get("Auto-Submitted", "")).lower().startswith(("auto-replied", "auto-generated vacation"))
        or "vacation" in str(message.get("X-Apple-Action", "")).lower()
        or bool(message.get("X-Autoreply"))
        or str(message.get("Precedence", "")).lower() in ("auto_reply", "auto-reply")
        or _ABSENCE.match(subject_of(message)) is not None
    )


def subject_of(message: Message) -> str:
    """The subject as its reader sees it; as it stands there when its encoding is broken."""
    written = next((str(value) for name, value in message.raw_items() if name.lower() == "subject"), "")
    raw = written.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return normalize("NFC", str(make_header(decode_header(raw))))
    except (HeaderParseError, LookupError, ValueError):
        return raw


def _reported(message: Message) -> Iterator[Failure]:
    """From the machine-readable part, with the human one where that says more."""
    text = _text(message)
    for part in message.walk():
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            yield from _from_blocks([_fields_of(group) for group in _parts(part)], text)
            return
    if re.search(r"^Final-Recipient:", text, re.MULTILINE | re.IGNORECASE):
        yield from _from_blocks(_blocks_in(text), text)


def _parts(message: Message) -> list[Message]:
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _fields_of(group: Message) -> dict[str, str]:
    return {name.lower(): " ".join(str(value).split()) for name, value in group.items()}


def _blocks_in(text: str) -> list[dict[str, str]]:
    unfolded = re.sub(r"\n[ \t]+", " ", text)
    found: list[dict[str, str]] = []
    for block in re.split(r"\n[ \t]*\n", unfolded):
        fields = {name.lower(): value.strip() for name, value in re.findall(r"^([A-Za-z-]+): ?(.*)$", block, re.MULTILINE)}
        if "final-recipient" in fields or "action" in fields:
            found.append(fields)
    return found


def _from_blocks(blocks: list[dict[str, str]], text: str) -> Iterator[Failure]:
    for fields in blocks:
        recipient = fields.get("final-recipient") or fields.get("original-recipient") or fields.get("x-actual-recipient") or ""
        if not recipient and "action" not in fields:
            continue
        address = _address_in(recipient.partition(";")[2] or recipient) or _first_address(text)
        diagnosis = fields.get("diagnostic-code", "")
        status = (_STATUS.search(fields.get("status", "")) or ["5.0.0"])[0]
        action = fields.get("action", "failed").split()[0].lower() if fields.get("action", "").strip() else "failed"
        spoken = diagnosis.partition(";")[2].strip() if ";" in diagnosis[:24] else diagnosis
        kind = diagnosis.partition(";")[0].lower() if ";" in diagnosis[:24] else ""
        about = _around(text, address)
        note = fields.get("status", "").partition("(")[2].rstrip(")")
        words = spoken or note or ("" if "final-recipient" in about.lower() else about)
        if kind.startswith("x-") and kind not in ("x-postfix",):
            words = f"{kind} {words}"
        yield _judged(address, words, status, action, _stage(spoken) or _stage(about))


def _notified(message: Message) -> Iterator[Failure]:
    """From the JSON of Amazon SES, which comes as a mail of its notification service."""
    text = _text(message)
    start = text.find("{")
    if start < 0 or "notificationType" not in text:
        return
    cleaned = text[start:].replace("\n ", "").replace("\n", "")
    try:
        value = _mapping(json.JSONDecoder(strict=False).raw_decode(cleaned)[0])
        inner = _mapping(json.loads(value["Message"])) if isinstance(value.get("Message"), str) else value
    except (ValueError, RecursionError):
        return
    for one in filter(None, map(_mapping, _list(_mapping(inner.get("bounce")).get("bouncedRecipients")))):
        yield _judged(str(one.get("emailAddress", "")), str(one.get("diagnosticCode", "")), str(one.get("status", "")), "failed", "")
    delivery = _mapping(inner.get("delivery"))
    for address in _list(delivery.get("recipients")):
        words = str(delivery.get("smtpResponse", ""))
        yield replace(_judged(str(address), words, "", "delivered", ""), reason=Reason.DELIVERED, hard=False)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _told(message: Message) -> Iterator[Failure]:
    """From sentences."""
    text = _text(message)
    head = _ORIGINAL.split(text, maxsplit=1)[0]
    announced = _ANNOUNCED.split(head, maxsplit=1)
    head = announced[1] if len(announced) > 1 and _ADDRESS.search(announced[1]) else head
    named = [address for value in message.get_all("X-Failed-Recipients", []) for address in _ADDRESS.findall(str(value))]
    ours = {address.lower() for name in ("From", "Reply-To") for value in message.get_all(name, []) for address in _ADDRESS.findall(str(value))}
    original = _original_recipient(message, text)
    if not named and not original and not _by_a_mail_system(message):
        return
    seen = [address for address in dict.fromkeys(named or _recipients_in(head)) if address.lower() not in ours]
    if not seen and original:
        seen = [original]
    delayed = re.search(r"been delayed|not yet been delivered|warning message only", head, re.IGNORECASE) is not None
    for address in seen or [""]:
        words = _around(head, address, tuple(seen)) if len(seen) > 1 else _essence(head)
        yield _judged(address, words, "", "delayed" if delayed else "failed", _stage(words))


def _by_a_mail_system(message: Message) -> bool:
    said = f"{message.get('From', '')} {subject_of(message)} {message.get('Return-Path', '')}"
    return str(message.get("Return-Path", "")).strip() == "<>" or _MAIL_SYSTEM.search(said) is not None


def _essence(head: str) -> str:
    """From the first answer of a server on, if there is one: what comes before is the mail system's own talk."""
    flat = " ".join(head.split())
    answer = re.search(r"(?:said: |>>> |<<< |: |^|'|; |reason: |\s)(?=[45][0-5][0-9][ -]\S)", flat)
    return flat[max(0, answer.start() - 160) :][:2_000] if answer else flat[:2_000]


def _judged(address: str, words: str, status: str, action: str, stage: str) -> Failure:
    spoken = next((found for found in _STATUS.findall(essential(words)) if not found.endswith(".0.0")), "")
    chosen = spoken or status
    reply = next((code for code in _REPLY.findall(words)), "")
    evidence = Evidence(words[:4_000], chosen, reply, stage, action)
    reason = reason_of(evidence)
    return Failure(address, chosen, reply, reason, is_hard(reason, evidence), words[:500], action)


def _text(message: Message) -> str:
    """The text a human would read first; the whole body where a broken boundary hides the parts."""
    for kind in ("text/plain", "text/html"):
        for part in message.walk():
            if part.get_content_type() == kind and not part.is_multipart():
                body = _decoded(part)
                if body.strip():
                    return (re.sub(r"<(?![^<>\s]*@)[^>]{0,2000}>", " ", body) if kind == "text/html" else body)[:LONGEST_TEXT]
    payload = message.get_payload()
    return payload[:LONGEST_TEXT] if isinstance(payload, str) else "\n".join(str(part) for part in payload)[:LONGEST_TEXT] if isinstance(payload, list) else ""


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):  # a charset that nobody knows, that is none, or that takes no damaged text (IDNA, Punycode)
        return raw.decode("utf-8", "replace")


def _recipients_in(head: str) -> list[str]:
    """Addresses that stand at the beginning of a line, or after words that announce one."""
    lines = re.findall(
        rf"^[ \t\"<]*(?:5\d\d <|(?:to|rcpt to|recipient|for|mailto|>>> rcpt to|sent <<< rcpt to|>>> rcpt to)[: ]*)?[<\"]*({_ADDRESS.pattern})",
        head,
        re.IGNORECASE | re.MULTILINE,
    )
    said = re.findall(
        rf"(?:mail to|message to|delivered to|size|attempts|deliver(?:ing)? (?:your )?mail to|to:|recipient|address)[: ]+[<(]*({_ADDRESS.pattern})",
        head,
        re.IGNORECASE,
    )
    bracketed = re.findall(rf"[<(]({_ADDRESS.pattern})[>)]", head)
    return lines or said or bracketed or _ADDRESS.findall(head)


def _original_recipient(message: Message, text: str) -> str:
    """To whom the message that came back was written, from its own header or from what is quoted of it."""
    for part in message.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            inner = _parts(part)
            found = _ADDRESS.search(str(inner[0].get("To", "")) if inner else _to_line(str(part.get_payload())))
            if found:
                return found.group(0)
    found = _ADDRESS.search(_to_line(text))
    return found.group(0) if found else ""


def _to_line(text: str) -> str:
    line = re.search(r"^[ \t]*(?:RCPT )?To:(.*)$", text, re.MULTILINE | re.IGNORECASE)
    return line.group(1) if line else ""


def _around(text: str, address: str, others: tuple[str, ...] = ()) -> str:
    """What stands about an address, from its line to the line of another one."""
    head = _ORIGINAL.split(text, maxsplit=1)[0]
    place = head.lower().find(address.lower()) if address else -1
    if place < 0:
        return " ".join(head.split())
    rest = head[head.rfind("\n", 0, place) + 1 :]
    ends = [
        found.start()
        for other in others
        if other != address and (found := re.search(rf"^.*{re.escape(other)}", rest, re.MULTILINE | re.IGNORECASE)) and found.start() > 0
    ]
    return " ".join(rest[: min(ends, default=2_000)].split())[:2_000]


def _address_in(value: str) -> str:
    found = _ADDRESS.findall(value)
    return found[-1] if found else value.strip(" <>")


def _first_address(text: str) -> str:
    found = _ADDRESS.search(text)
    return found.group(0) if found else ""


def _stage(words: str) -> str:
    return next((stage for stage, pattern in _STAGES if pattern.search(words)), "")
