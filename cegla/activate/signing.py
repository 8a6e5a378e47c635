"""Signing many letters: a process of its own signs those of one group while the next is written. A signature is half of what a letter costs.

OpenSSL goes through a processor the way that was the fastest on its authors' machines; on others another way is up to half as fast again. So
the first letters are signed by a process on each way, and the way that took less of the processor stays. The keys come through a socket and are
kept nowhere. Should the process end, or say nothing for long, its letters are signed here, so nothing rests on it.
"""

import contextlib
import functools
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from cegla.activate.rules import dkim as rules
from cegla.child import PLAIN, Caller, Child, Hung, Lost, NotStarted
from cegla.vocabulary.errors.messages import DkimKeyRefused
from cegla.vocabulary.text import Text

MODULE = "cegla.activate.signing"
FEW = 8  #: so many are signed here: a process is not worth its start
HUNG_SECONDS = 10.0  #: a process that takes and gives nothing for so long is ended: a group takes it some hundredths of one
ALONE = 100  #: tickets after one that hung that are signed here, so that the next one to hang does not cost its wait each time
LARGEST_ANSWER_BYTES = 8 << 20
ENOUGH = 90  #: signatures that say how fast a way is
WITHOUT_ADX = {"OPENSSL_ia32cap": ":~0x80000"}  #: multiplication by vectors instead of the long carries of ADX (OpenSSL, rsaz_avx2_eligible)
WAYS: tuple[dict[str, str], ...] = ({}, WITHOUT_ADX) if platform.machine().lower() in ("x86_64", "amd64") else ({},)


@functools.lru_cache(32)  # reading an RSA key costs as much as a hundred signatures
def signer(domain: str, selector: str, private: bytes) -> rules.Signer:
    """A signer from a private key as PKCS #8 DER or PEM. Raises DkimKeyRefused for a key that is neither RSA (1,024 bits or more) nor Ed25519."""
    load = serialization.load_pem_private_key if private.startswith(b"-----") else serialization.load_der_private_key
    key = load(private, None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        sign = key.sign
        return rules.Signer(domain, selector, rules.ED25519, lambda data: sign(_sha256(data)), private)
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 1024:
        own, padded, digest = key, padding.PKCS1v15(), hashes.SHA256()
        return rules.Signer(domain, selector, rules.RSA, lambda data: own.sign(data, padded, digest), private)
    raise DkimKeyRefused(where="key", detail=Text("klucz nie jest RSA ani Ed25519", "the key is neither RSA nor Ed25519"))


def _sha256(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


class Trial(NamedTuple):
    """How fast a way turned out: processor seconds a signature."""

    seconds: float
    way: dict[str, str]


@dataclass
class Ticket:
    """Signatures that are on their way; `worker` None: they are made when they are wanted."""

    wanted: Sequence[rules.Wanted]
    number: int
    worker: "_Worker | None"


class Signatory:
    """Makes signatures of many letters at once. Not safe for two threads at once."""

    def __init__(self) -> None:
        self._worker: _Worker | None = None
        self._leaving: list[_Worker] = []  #: replaced, while tickets of theirs are open
        self._untried = list(WAYS)
        self._trials: list[Trial] = []
        self._tickets = 0
        self._alone_until = 0  #: the ticket

    def begin(self, wanted: Sequence[rules.Wanted]) -> Ticket:
        """Let these be made; `finish` waits for them, in the order of the tickets. One that is never finished costs nothing."""
        self._tickets += 1
        worker = self._present() if len(wanted) > FEW and self._tickets > self._alone_until else None
        if worker is not None and not worker.ask(self._tickets, wanted):
            worker = self._lose(worker)
        return Ticket(wanted, self._tickets, worker)

    def finish(self, ticket: Ticket) -> list[bytes]:
        """The signatures, one for each that was wanted."""
        worker = ticket.worker
        if worker is None:
            return made_here(ticket.wanted)
        found = worker.answer(ticket.number)
        if found is None or (worker in self._leaving and not worker.open):
            self._lose(worker)
        return found if found is not None else made_here(ticket.wanted)

    def close(self) -> None:
        """End the process."""
        for worker in (self._worker, *self._leaving):
            if worker is not None:
                self._lose(worker)

    def _present(self) -> "_Worker | None":
        """The process that signs now: the next way when this one has shown how fast it is, the fastest when all have. None: it cannot be started."""
        worker = self._worker
        if worker is not None and worker.made >= ENOUGH and worker.way in self._untried:
            self._untried.remove(worker.way)
            self._trials.append(Trial(worker.seconds / worker.made, worker.way))
            if self._untried or self._fastest != worker.way:
                if worker.open:
                    self._leaving.append(worker)
                else:
                    worker.child.close()
                worker = None
        if worker is None:
            with contextlib.suppress(NotStarted):
                worker = _Worker(self._untried[0] if self._untried else self._fastest)
        self._worker = worker
        return worker

    @property
    def _fastest(self) -> dict[str, str]:
        return min(self._trials, key=lambda one: one.seconds).way

    def _lose(self, worker: "_Worker") -> None:
        worker.child.close()
        if worker.hung:
            self._alone_until = self._tickets + ALONE
        self._leaving = [one for one in self._leaving if one is not worker]
        if self._worker is worker:
            self._worker = None


def made_here(wanted: Sequence[rules.Wanted]) -> list[bytes]:
    """The signatures, made by this process."""
    return [one.signer.sign(one.content) for one in wanted]


@dataclass
class _Worker:
    """A process that signs, on one way. Raises NotStarted."""

    way: dict[str, str]
    made: int = 0
    seconds: float = 0.0  #: of its processor, for what it made
    open: int = 0  #: tickets that were asked and not answered
    hung: bool = False
    child: Child = field(init=False)

    def __post_init__(self) -> None:
        self.child = Child(MODULE, LARGEST_ANSWER_BYTES, PLAIN | self.way)

    def ask(self, number: int, wanted: Sequence[rules.Wanted]) -> bool:
        """Send the work there; False when the process is no more, or does not listen."""
        keys = list(dict.fromkeys(one.signer.private for one in wanted))
        places = {key: place for place, key in enumerate(keys)}
        work = number, keys, [(places[one.signer.private], one.content) for one in wanted]
        try:
            self.child.send(msgspec.msgpack.encode(work), HUNG_SECONDS)
        except Lost as lost:
            self.hung = isinstance(lost, Hung)
            return False
        self.open += 1
        return True

    def answer(self, number: int) -> list[bytes] | None:
        """What was made of a ticket; None when the process is no more, or does not answer."""
        told = -1
        made: list[bytes] = []
        while told < number:
            try:
                told, seconds, made = msgspec.msgpack.decode(self.child.receive(HUNG_SECONDS))
            except Lost as lost:
                self.hung = self.hung or isinstance(lost, Hung)
                return None
            self.open -= 1
            self.made += len(made)
            self.seconds += seconds
        return made if told == number else None


def main() -> None:
    """Sign what comes in, one ticket after the other, until nobody asks any more."""
    caller = Caller()
    while (asked := caller.asks()) is not None:
        number, keys, contents = msgspec.msgpack.decode(asked)
        signers = [signer("", "", key) for key in keys]
        began = time.process_time()
        made = [signers[place].sign(content) for place, content in contents]
        caller.answer(msgspec.msgpack.encode((number, time.process_time() - began, made)))


if __name__ == "__main__":
    main()
