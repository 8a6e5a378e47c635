"""The demo's mailbox: what the local mail server received, to read without any other program."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from starlette.responses import Response

from cegla.console import guard
from cegla.console.menu import mailbox_folder
from cegla.console.visit import Visit
from cegla.vocabulary.errors import NotFound

AT_ONCE = 50


def show(visit: Visit) -> Response:
    """The newest messages, and the one chosen."""
    folder = mailbox_folder(visit.ws.settings)
    if not folder.is_dir():
        raise NotFound(where=visit.path, thing=visit.path)
    files = sorted(folder.glob("*.eml"), key=lambda file: (file.stat().st_mtime, file.name), reverse=True)
    messages = [_summary(file.stem, _read(file.read_bytes())) for file in files[:AT_ONCE]]
    chosen = visit.query.get("message", messages[0]["name"] if messages else "")
    opened = _opened(visit, chosen) if chosen else None
    return visit.page("mailbox.html", {"messages": messages, "count": len(files), "chosen": chosen, "opened": opened})


def show_body(visit: Visit) -> Response:
    """A message's HTML alone, for the sandboxed frame."""
    message = _find(visit, visit.arguments["name"])
    part = message.get_body(("html", "plain"))
    html = part.get_content() if part is not None else ""
    headers = {"content-security-policy": guard.PREVIEW_POLICY, "x-frame-options": "SAMEORIGIN"}
    return Response(html, media_type="text/html" if part is not None and part.get_content_subtype() == "html" else "text/plain", headers=headers)


def _find(visit: Visit, name: str) -> EmailMessage:
    """The message of this file name; only names that are in the folder count."""
    found = next((file for file in mailbox_folder(visit.ws.settings).glob("*.eml") if file.stem == name), None)
    if found is None:
        raise NotFound(where=visit.path, seen=name, thing=name)
    return _read(found.read_bytes())


def _read(data: bytes) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(data)


def _summary(name: str, message: EmailMessage) -> dict[str, Any]:
    date = message["date"]
    return {"name": name, "subject": str(message["subject"] or ""), "to": str(message["to"] or ""), "at": getattr(date, "datetime", None)}


def _opened(visit: Visit, name: str) -> dict[str, Any]:
    message = _find(visit, name)
    headers = [(key, str(message[key])) for key in ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post") if message[key]]
    plain = message.get_body(("plain",))
    return {"headers": headers, "plain": plain.get_content() if plain is not None else ""}
