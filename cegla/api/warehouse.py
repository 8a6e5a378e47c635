"""Care of the history: whether it is whole, written again beside, and what is kept for how long."""

from typing import Any

from cegla import forgetting, rebuild, soundness
from cegla.api.call import Opened
from cegla.api.plain import plain
from cegla.api.shapes import ForgetHistory, RebuildHistory


def check(call: Opened) -> Any:
    """Every row of the warehouse and of its snapshot, read and compared. Takes as long as that takes."""
    return plain(soundness.check(call.ws))


def write_again(call: Opened, body: RebuildHistory) -> Any:
    """The history written again from snapshot and requests, and put in the place of the one in use when no row is lacking."""
    done = rebuild.beside(call.ws, dry_run=body.dry_run, accept_loss=body.accept_loss)
    if done.taken:
        call.note("history.rebuild", "", rows=sum(done.written.values()), before=sum(done.held.values()))
    return plain(done)


def retention(call: Opened) -> Any:
    """How long each class of the history is kept, and how many rows are older."""
    return {"classes": [plain(one) for one in forgetting.due(call.ws, call.now)]}


def forget(call: Opened, body: ForgetHistory) -> Any:
    """Remove what is older than its class may be kept, or count it."""
    due = forgetting.due(call.ws, call.now)
    asked = {one.key: one.rows for one in due if one.days and (not body.classes or one.key in body.classes)}
    removed = asked if body.dry_run else forgetting.forget(call.ws, call.now, call.caller.name, list(asked))
    return {"dry_run": body.dry_run, "rows": removed}
