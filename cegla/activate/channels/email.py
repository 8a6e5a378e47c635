"""E-mail: one connection to the mail server, kept open, and for every message what the server said.

Three ways to fail are told apart: the server is away or refuses us (MailServerRefused; nothing was handed over), it refuses
this message (a Reply), and nobody knows (Unanswered: the connection died after the content began to leave).
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from email.utils import parseaddr

from cegla.activate.rules.replies import Meaning, Reply, meaning
from cegla.storage.settings import SmtpSettings
from cegla.vocabulary.errors import MailServerRefused
from cegla.vocabulary.text import Text

TIMEOUT_SECONDS = 30.0
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class Unanswered(Exception):
    """The connection ended between the beginning of the content and the reply: the server may have the message, or not."""


class Mailer:
    """A connection to one mail server. Not safe for two threads at once."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None

    def hand_off(self, sender: str, recipient: str, content: bytes, begin: Callable[[], bool]) -> Reply | None:
        """Give one message to the server and return what it said; None when `begin` called it off.

        `begin` runs when the server is ready for the content, just before the first byte of it leaves.
        Raises MailServerRefused and Unanswered.
        """
        reply = self._envelope(sender, recipient)
        if reply is not None:
            self._reset()
            return reply
        try:
            begun = begin()
        except BaseException:
            self.close()
            raise
        if not begun:
            self.close()  # DATA cannot be taken back
            return None
        assert self._smtp is not None
        try:
            self._smtp.send(_LEADING_DOT.sub(b"..", content) + b".\r\n")
            return _reply(self._smtp.getreply(), "body")
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Unanswered(type(error).__name__) from error

    def close(self) -> None:
        """End the connection."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _envelope(self, sender: str, recipient: str) -> Reply | None:
        """MAIL, RCPT and DATA; a refusal, or None when the server waits for the content. A connection that idled away is renewed once."""
        for fresh in (self._smtp is None, True):
            smtp = self._connect() if self._smtp is None else self._smtp
            try:
                return _said_before_content(smtp, parseaddr(sender)[1], recipient)
            except (OSError, smtplib.SMTPException) as error:
                self.close()
                if fresh:
                    raise _away(error) from error
        return None

    def _reset(self) -> None:
        try:
            if self._smtp is not None and self._smtp.rset()[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()

    def _connect(self) -> smtplib.SMTP:
        wanted = self._settings
        if not wanted.host:
            raise MailServerRefused(where="smtp.host", detail=Text("nie ustawiono serwera poczty", "no mail server is set"))
        name = parseaddr(wanted.sender)[1].rpartition("@")[2] or "localhost"
        secure = ssl.create_default_context()
        try:
            if wanted.tls == "implicit":
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(wanted.host, wanted.port, name, timeout=TIMEOUT_SECONDS, context=secure)
            else:
                smtp = smtplib.SMTP(wanted.host, wanted.port, name, timeout=TIMEOUT_SECONDS)
            smtp.ehlo_or_helo_if_needed()
            if wanted.tls == "starttls":
                smtp.starttls(context=secure)
            if wanted.user:
                smtp.login(wanted.user, wanted.password)
        except (OSError, smtplib.SMTPException) as error:
            raise _away(error) from error
        self._smtp = smtp
        return smtp


def raise_when_refused(reply: Reply) -> None:
    """Raise MailServerRefused for any answer that is not a yes: for a message somebody waits for."""
    if meaning(reply) is not Meaning.ACCEPTED:
        raise MailServerRefused(where=reply.stage, seen=f"{reply.code}", detail=f"{reply.code} {reply.text}")


def _said_before_content(smtp: smtplib.SMTP, sender: str, recipient: str) -> Reply | None:
    reply = _reply(smtp.mail(sender), "mail")
    if reply.code < 300:
        reply = _reply(smtp.rcpt(recipient), "rcpt")
    if reply.stage == "rcpt" and reply.code < 300:
        reply = _reply(smtp.docmd("DATA"), "data")
    return None if reply.stage == "data" and reply.code == 354 else reply


def _reply(answer: tuple[int, bytes], stage: str) -> Reply:
    code, text = answer
    return Reply(code, " ".join(text.decode("utf-8", "replace").split())[:500], stage)


def _away(error: Exception) -> MailServerRefused:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
        return MailServerRefused(where="smtp", seen=str(error.smtp_code), detail=f"{error.smtp_code} {' '.join(text.split())}")
    return MailServerRefused(where="smtp", seen=type(error).__name__, detail=str(error) or type(error).__name__)
