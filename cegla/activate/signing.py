"""Signing many letters: a process of its own signs those of one group while the next is written. A signature is half of what a letter costs.

OpenSSL goes through a processor the way that was the fastest on its authors' machines; on others another way is up to half as fast again. So
the first letters are signed by a process on each way, and the way that took less of the processor stays. The keys come through a socket and are
kept nowhere. Should the process end, or say nothing for long, its letters are signed here, so nothing rests on it.
"""

import contextlib
import functools
import os
import platform
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from cegla.activate.rules import dkim as rules
from cegla.vocabulary.errors.messages import DkimKeyRefused
from cegla.vocabulary.text import Text

MODULE = "cegla.activate.signing"
ROOT = Path(__file__).parents[2]
FEW = 8  #: so many are signed here: a process is not worth its start
HUNG_SECONDS = 10.0  #: a process that takes and gives nothing for so long is ended: a group takes it some hundredths of one
ALONE = 100  #: tickets after one that hung that are signed here, so that the next one to hang does not cost its wait each time
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
                    worker.close()
                worker = None
        if worker is None:
            with contextlib.suppress(OSError):  # the machine has no room for one now
                worker = _Worker(self._untried[0] if self._untried else self._fastest)
        self._worker = worker
        return worker

    @property
    def _fastest(self) -> dict[str, str]:
        return min(self._trials, key=lambda one: one.seconds).way

    def _lose(self, worker: "_Worker") -> None:
        worker.close()
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
    """A process that signs, on one way."""

    way: dict[str, str]
    made: int = 0
    seconds: float = 0.0  #: of its processor, for what it made
    open: int = 0  #: tickets that were asked and not answered
    hung: bool = False
    process: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        environment = {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **self.way}
        command = [sys.executable, "-m", MODULE]
        self._socket, theirs = socket.socketpair()  # a pipe that is full can be waited for without an end only
        with theirs:
            try:
                self.process = subprocess.Popen(
                    command, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL, env=environment, cwd="/"
                )
            except OSError:
                self._socket.close()
                raise
        self._socket.settimeout(HUNG_SECONDS)
        self.inbox: BinaryIO = self._socket.makefile("rb")

    def ask(self, number: int, wanted: Sequence[rules.Wanted]) -> bool:
        """Send the work there; False when the process is no more, or does not listen."""
        keys = list(dict.fromkeys(one.signer.private for one in wanted))
        places = {key: place for place, key in enumerate(keys)}
        try:
            self._socket.sendall(_packed((number, keys, [(places[one.signer.private], one.content) for one in wanted])))
        except OSError as error:
            self.hung = isinstance(error, TimeoutError)
            return False
        self.open += 1
        return True

    def answer(self, number: int) -> list[bytes] | None:
        """What was made of a ticket; None when the process is no more, or does not answer."""
        told = -1
        made: list[bytes] = []
        while told < number:
            try:
                answer = None if self.inbox.closed else _received(self.inbox)
            except OSError as error:
                self.hung, answer = isinstance(error, TimeoutError), None
            if answer is None:
                return None
            told, seconds, made = answer
            self.open -= 1
            self.made += len(made)
            self.seconds += seconds
        return made if told == number else None

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.inbox.close()
        self._socket.close()


def _packed(value: Any) -> bytes:
    packed = msgspec.msgpack.encode(value)
    return len(packed).to_bytes(4) + packed


def _received(pipe: Any) -> Any:
    """The next value; None at the end, be it in the middle of one."""
    head = pipe.read(4)
    size = int.from_bytes(head) if len(head) == 4 else 0
    body = pipe.read(size)
    return msgspec.msgpack.decode(body) if size and len(body) == size else None


def main() -> None:
    """Sign what comes in, one ticket after the other, until standard input ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    inbox, outbox = os.fdopen(0, "rb"), os.fdopen(1, "wb")
    while (asked := _received(inbox)) is not None:
        number, keys, contents = asked
        signers = [signer("", "", key) for key in keys]
        began = time.process_time()
        made = [signers[place].sign(content) for place, content in contents]
        outbox.write(_packed((number, time.process_time() - began, made)))
        outbox.flush()


if __name__ == "__main__":
    main()
