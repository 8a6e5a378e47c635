"""The client's side of one SMTP conversation (RFC 5321), with pipelining (RFC 2920), as a machine of bytes: no socket, no clock.

    bytes from the server ──► `receive` ──► what became of letters (`Outcome`)         `outgoing` ──► bytes for the server

Where the server offers PIPELINING, a letter's content ends one write and the envelope of the next letter rides in the same one, so a
letter costs one round trip. A letter whose content has begun to leave and that got no answer is `unanswered` when the connection ends:
nobody knows. All others come back unharmed.
"""

import re
from base64 import b64encode
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from cegla.activate.rules.replies import Reply

LONGEST_REPLY, MOST_LINES = 64_000, 200
MANY_DOTS, NEWLINE = 200, 10
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_LINE_BREAK = re.compile(r"[\r\n<>\0 ]")
Expected = Literal["greeting", "ehlo", "helo", "starttls", "auth", "auth step", "mail", "rcpt", "data", "body", "reset", "quit"]


class Letter(NamedTuple):
    """What is handed over: `key` is the caller's own; the addresses are those of the envelope; `content` has CRLF line ends."""

    key: int
    sender: str
    recipient: str
    content: bytes
    destination: str = ""


class Outcome(NamedTuple):
    """What became of a letter: the server's `reply`; or None with `unanswered` (nobody knows) or without (it never left)."""

    letter: Letter
    reply: Reply | None
    unanswered: bool = False


def begins_with_dot(content: bytes) -> bool:
    """Whether a line of it begins with a dot. Our letters have a few dots in their headers and none in base64, so those are looked at one by one."""
    place = content.find(b".")
    for _ in range(MANY_DOTS):
        if place <= 0 or content[place - 1] == NEWLINE:
            return place >= 0
        place = content.find(b".", place + 1)
    return b"\n." in content


@dataclass
class Login:
    """How to greet, and who signs in."""

    name: str
    user: str = ""
    password: str = ""
    starttls: bool = False


@dataclass
class Dialog:
    """One conversation. `wants_tls` asks the caller to secure the connection and then to call `secured`."""

    login: Login
    offers: dict[str, str] = field(default_factory=dict)
    ready: bool = False
    wants_tls: bool = False
    refused: Reply | None = None  #: the server does not want this connection, or speaks no SMTP: what it said
    accepted: int = 0  #: letters that this connection took on
    _secure: bool = False
    _in: bytes = b""
    _lines: list[bytes] = field(default_factory=list)
    _out: list[bytes] = field(default_factory=list)
    _waiting: deque[Letter] = field(default_factory=deque[Letter])
    _asked: deque[tuple[Expected, Letter | None]] = field(default_factory=lambda: deque([("greeting", None)]))
    _steps: list[str] = field(default_factory=list)  #: what AUTH LOGIN asks for, one answer after the other
    _refusal: Reply | None = None  #: of the letter whose envelope is being answered
    _leaving: Letter | None = None  #: its content is on the way
    _open: Letter | None = None  #: its envelope is out

    def give(self, letter: Letter) -> None:
        """Take a letter on; it leaves when its turn comes."""
        self.accepted += 1
        self._waiting.append(letter)
        if self.ready and not self._asked:
            self._next_envelope()

    @property
    def load(self) -> int:
        """How many letters this conversation holds."""
        return len(self._waiting) + (self._open is not None) + (self._leaving is not None)

    @property
    def idle(self) -> bool:
        """Whether nothing is asked and nothing waits."""
        return self.ready and not self._asked and not self._waiting

    def outgoing(self) -> bytes:
        """What to send now."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def secured(self) -> None:
        """The connection is under TLS now: greet again, and forget what the server said before."""
        self.wants_tls, self._secure, self._in = False, True, b""
        self.offers.clear()
        self._ask("ehlo", f"EHLO {self.login.name}")

    def quit(self) -> None:
        """Say goodbye."""
        self._ask("quit", "QUIT")

    def lost(self) -> list[Outcome]:
        """The connection ended: what became of every letter it still held."""
        ended = [Outcome(self._leaving, None, unanswered=True)] if self._leaving is not None else []
        ended += [Outcome(letter, None) for letter in ([self._open] if self._open is not None else [])]
        ended += [Outcome(letter, None) for letter in self._waiting]
        self._leaving = self._open = None
        self._waiting.clear()
        return ended

    def receive(self, data: bytes) -> list[Outcome]:
        """Take what the server sent. When `refused` is set afterwards, close the connection and ask what `lost` says."""
        self._in += data
        outcomes: list[Outcome] = []
        while b"\n" in self._in and not self.wants_tls and self.refused is None:
            line, _, self._in = self._in.partition(b"\n")
            self._lines.append(line.rstrip(b"\r"))
            if line[3:4] != b"-":
                outcomes += self._answered(self._whole_reply())
        if len(self._in) > LONGEST_REPLY or len(self._lines) > MOST_LINES:
            self.refused = Reply(0, "an endless reply", "connect")
        return outcomes

    def _whole_reply(self) -> tuple[int, list[str]]:
        lines = [line.decode("utf-8", "replace") for line in self._lines]
        self._lines.clear()
        code = int(lines[-1][:3]) if lines[-1][:3].isdigit() else 0
        return code, [line[4:] for line in lines]

    def _answered(self, said: tuple[int, list[str]]) -> list[Outcome]:
        code, lines = said
        text = " ".join(" ".join(lines).split())[:500]
        if not self._asked:
            self.refused = Reply(code, text, "connect")  # 421 out of the blue: the server goes away
            return []
        what, letter = self._asked.popleft()
        if letter is None:
            self._greeted(what, code, lines, text)
            return []
        return self._about(letter, what, Reply(code, text, what))

    def _greeted(self, what: Expected, code: int, lines: list[str], text: str) -> None:
        match what:
            case "greeting" if code == 220:
                self._ask("ehlo", f"EHLO {self.login.name}")
            case "ehlo" if code == 250:
                self.offers = {line.split()[0].upper(): line.partition(" ")[2] for line in lines[1:] if line.split()}
                self._after_greeting()
            case "ehlo" if code >= 500 and not self.login.starttls and not self.login.user:
                self._ask("helo", f"HELO {self.login.name}")
            case "helo" if code == 250:
                self._begin()
            case "starttls" if code == 220:
                self.wants_tls = True
            case "auth" | "auth step" if code == 334 and self._steps:
                self._ask("auth step", self._steps.pop(0))
            case "auth" | "auth step" if code == 235:
                self._begin()
            case "reset" if code == 250:
                self._go_on()
            case "quit":
                pass
            case _:
                self.refused = Reply(code, text, "connect")

    def _after_greeting(self) -> None:
        login = self.login
        if login.starttls and not self._secure:
            if "STARTTLS" not in self.offers:
                self.refused = Reply(0, "the server offers no STARTTLS", "connect")
                return
            self._ask("starttls", "STARTTLS")
            return
        if not login.user:
            self._begin()
            return
        methods = self.offers.get("AUTH", "").upper().split()
        if "PLAIN" in methods or "LOGIN" not in methods:
            self._ask("auth", "AUTH PLAIN " + b64encode(f"\0{login.user}\0{login.password}".encode()).decode())
        else:
            self._steps = [b64encode(part.encode()).decode() for part in (login.user, login.password)]
            self._ask("auth", "AUTH LOGIN")

    def _begin(self) -> None:
        self.ready = True
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and self._open is None:
            self._next_envelope()

    def _next_envelope(self) -> None:
        """The next letter's MAIL, RCPT and DATA at once, or MAIL alone where the server wants to be asked one thing at a time."""
        letter = self._open = self._waiting.popleft()
        self._refusal = None
        if _LINE_BREAK.search(letter.sender) or _LINE_BREAK.search(letter.recipient):
            raise ValueError("an address breaks out of its line")
        size = f" SIZE={len(letter.content)}" if "SIZE" in self.offers else ""
        self._ask("mail", f"MAIL FROM:<{letter.sender}>{size}", letter)
        if "PIPELINING" in self.offers:
            self._ask("rcpt", f"RCPT TO:<{letter.recipient}>", letter)
            self._ask("data", "DATA", letter)

    def _about(self, letter: Letter, what: Expected, reply: Reply) -> list[Outcome]:
        """An answer that concerns a letter."""
        if what == "body":
            self._leaving = None
            self._go_on()
            return [Outcome(letter, reply)] if letter.content else []
        fine = reply.code == 354 if what == "data" else 200 <= reply.code < 300
        if not fine and self._refusal is None:
            self._refusal = reply
        if what == "data" and (fine or "PIPELINING" in self.offers or self._refusal is not None):
            return self._content_wanted(letter) if fine else self._put_back(letter)
        if "PIPELINING" in self.offers:
            return []
        if self._refusal is not None:
            return self._put_back(letter)
        following: dict[Expected, tuple[Expected, str]] = {"mail": ("rcpt", f"RCPT TO:<{letter.recipient}>"), "rcpt": ("data", "DATA")}
        self._ask(*following[what], letter)
        return []

    def _content_wanted(self, letter: Letter) -> list[Outcome]:
        """The content, and with it the next envelope. A server that wants content for nobody gets none (RFC 2920, section 3.1)."""
        self._open = None
        if self._refusal is not None:
            self._out.append(b".\r\n")
            self._asked.append(("body", letter._replace(content=b"")))
            return [Outcome(letter, self._refusal)]
        self._leaving = letter
        self._out.append(_LEADING_DOT.sub(b"..", letter.content) if begins_with_dot(letter.content) else letter.content)
        self._out.append(b".\r\n")
        self._asked.append(("body", letter))
        if self._waiting and "PIPELINING" in self.offers:
            self._next_envelope()
        return []

    def _put_back(self, letter: Letter) -> list[Outcome]:
        """The letter is refused; the transaction it began is taken back before the next."""
        assert self._refusal is not None
        self._open = None
        self._ask("reset", "RSET")
        return [Outcome(letter, self._refusal)]

    def _ask(self, what: Expected, line: str, letter: Letter | None = None) -> None:
        self._out.append(line.encode("utf-8", "replace") + b"\r\n")
        self._asked.append((what, letter))
