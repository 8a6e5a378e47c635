"""A channel whose letters are handed over by one HTTP request each, in a few threads: gateways of text messages, push services, mail providers.

It keeps the same promise as the connections to mail servers: each letter that is submitted comes back as exactly one outcome, and what
nobody can know (the request left, no answer came) is said.
"""

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from cegla.activate.rules.dialog import Letter, Outcome
from cegla.activate.rules.replies import Meaning, Reply, meaning
from cegla.http.outward import NotBegun, Unanswered
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.channels import GatewayRefused

AT_ONCE = 8


class Carrier(Protocol):
    """Whatever messages of a channel leave by. `outcomes` may be read by one thread; `now` is the clock of the sender's round."""

    now: datetime
    outcomes: "queue.SimpleQueue[Outcome]"

    @property
    def trouble(self) -> str:
        """What was said last, when nothing can leave now; else empty."""
        ...

    def submit(self, letters: Sequence[Letter]) -> None:
        """Let letters leave; each comes back as exactly one outcome."""
        ...

    def hand_off(self, letter: Letter) -> Outcome:
        """Give one letter over and wait for what becomes of it. Only while nobody else uses the carrier."""
        ...

    def refused(self) -> CeglaError:
        """Why nothing can leave, as people are told."""
        ...

    def close(self) -> None:
        """End what is open; letters on the way come back as outcomes."""
        ...


class Handed(NamedTuple):
    """What a gateway said of a letter, as a mail server would have said it, and its own number of it."""

    reply: Reply
    number: str = ""


class Way(NamedTuple):
    """How letters of a channel are handed over: `hand` answers, or raises NotBegun or Unanswered. `mark` changes when the settings do."""

    mark: object
    hand: Callable[[Letter], Handed]
    close: Callable[[], None]


class Post:
    """Hands letters over by a way."""

    def __init__(self, way: Way, at_once: int = AT_ONCE) -> None:
        self.now = datetime.now(UTC)
        self.outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.numbers: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()  #: our message, the gateway's number of it
        self.way, self._at_once = way, at_once
        self._said = ""
        self._pool: ThreadPoolExecutor | None = None

    @property
    def trouble(self) -> str:
        """What the gateway said last, if it refused us."""
        return self._said

    def submit(self, letters: Sequence[Letter]) -> None:
        """Let letters leave."""
        self._pool = self._pool or ThreadPoolExecutor(self._at_once, thread_name_prefix="post")
        for letter in letters:
            self._pool.submit(self._one, letter)

    def hand_off(self, letter: Letter) -> Outcome:
        """Give one letter over and wait for what becomes of it. Only while nobody else uses the post."""
        self.submit([letter])
        return self.outcomes.get()

    def refused(self) -> CeglaError:
        """Why nothing can leave."""
        return GatewayRefused(where="gateways", seen=self._said[:60], detail=self._said or "no answer")

    def close(self) -> None:
        """Wait for the requests on the way."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=False)
            self._pool = None
        self.way.close()

    def _one(self, letter: Letter) -> None:
        outcome = Outcome(letter, None, unanswered=True)  # also when what follows fails in a way nobody thought of
        try:
            handed = self.way.hand(letter)
            outcome = Outcome(letter, handed.reply)
            self._said = handed.reply.text if meaning(handed.reply) is Meaning.SERVER else ""
            if handed.number:
                self.numbers.put((letter.key, handed.number[:200]))
        except NotBegun as error:
            self._said = str(error)
            outcome = Outcome(letter, None)
        except Unanswered:
            pass
        finally:
            self.outcomes.put(outcome)
