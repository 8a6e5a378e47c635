"""Messages to one person that a shop asks for: templates, and one message at a time under the shop's own key."""

from typing import Any

from cegla.activate import actions as activate
from cegla.api.call import Opened
from cegla.api.message_shapes import NewTemplate, SingleMessage


def templates(call: Opened) -> Any:
    """Every template in its newest version."""
    with call.ws.transaction() as conn:
        return {"templates": activate.single.templates(conn)}


def save_template(call: Opened, body: NewTemplate) -> Any:
    """Make a template, or a new version of the one of this name; its mistakes are told now."""
    with call.ws.transaction() as conn:
        saved = activate.single.save_template(conn, body.model_dump(), call.now)
    call.note("template.save", saved.name)
    return saved


def send(call: Opened, body: SingleMessage) -> Any:
    """Write one message down; it leaves within seconds. The same key again answers how the message stands and sends nothing."""
    with call.ws.transaction() as conn:
        return activate.single.send(conn, body.model_dump(), call.now, call.trace)
