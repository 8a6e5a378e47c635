"""What a sender keeps open between rounds: the template worker, the process that signs, the connections to mail servers, the posts of the other channels."""

from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from cegla.activate import carriers
from cegla.activate.channels.email import Mailer
from cegla.activate.channels.post import Carrier, Post
from cegla.activate.renderer import Renderer
from cegla.activate.rules import pace
from cegla.activate.signing import Signatory
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel


class Outlet:
    """Give it back with `close`."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.renderer = Renderer()
        self.signatory = Signatory()
        self.mailer = Mailer(ws.settings.smtp)
        self.buckets: dict[str, pace.Bucket] = {}  #: of destinations
        self._posts: dict[Channel, Post] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def carrier(self, conn: Connection, channel: Channel) -> Carrier:
        """What messages of a channel leave by, as it is set now: mail servers, unless a provider takes e-mail, and a post for the others."""
        known = self._posts.get(channel)
        way = carriers.way_of(self.ws, conn, channel, known.way if known is not None else None)
        if way is None:
            return self.mailer
        if known is not None and known.way is way:
            return known
        if known is not None:
            known.close()
        self._posts[channel] = Post(way)
        return self._posts[channel]

    def close(self) -> None:
        """Give everything back."""
        self.renderer.close()
        self.signatory.close()
        self.mailer.close()
        for post in self._posts.values():
            post.close()
        self._posts.clear()


@contextmanager
def lent(ws: Workspace, outlet: Outlet | None) -> Generator[Outlet]:
    """The outlet of whoever has one, else one for this occasion alone."""
    if outlet is not None:
        yield outlet
        return
    with Outlet(ws) as own:
        yield own
