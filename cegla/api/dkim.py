"""DKIM keys: the records to publish, new keys, and which of them sign."""

from typing import Any

from cegla.activate import actions as activate
from cegla.api.call import Opened
from cegla.api.message_shapes import DkimPlace, NewDkimKey


def listed(call: Opened) -> Any:
    """Every key with the TXT record to publish. Private parts never leave the installation."""
    with call.ws.transaction() as conn:
        return {"keys": activate.dkim.keys_of(conn)}


def make(call: Opened, body: NewDkimKey) -> Any:
    """Make a key. It signs nothing before its record is published and `use` is called."""
    with call.ws.transaction() as conn:
        made = activate.dkim.make(conn, call.ws.keys, body.domain, call.now, body.algorithm, body.selector)
    call.note("dkim.make", made.name)
    return made


def use(call: Opened, body: DkimPlace) -> Any:
    """Sign with this key from now on; the one before it rests. Raises NotFound."""
    with call.ws.transaction() as conn:
        used = activate.dkim.use(conn, body.domain, body.selector, call.now)
    call.note("dkim.use", used.name)
    return used


def drop(call: Opened, body: DkimPlace) -> Any:
    """Forget a key that does not sign. Raises NotFound and DkimKeyRefused."""
    with call.ws.transaction() as conn:
        activate.dkim.drop(conn, body.domain, body.selector)
    call.note("dkim.drop", f"{body.selector}._domainkey.{body.domain}")
    return {"domain": body.domain, "selector": body.selector, "dropped": True}
