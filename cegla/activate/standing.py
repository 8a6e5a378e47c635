"""How this installation stands with the world's mailboxes: the records of its domains, its servers' names and TLS, what each destination makes of its mail.

    senders, keys, relays ─► questions to DNS, side by side ─► findings (rules/records.py) ─► kept, with the time
    sent_by_day ─► 7 days of each destination ─► rates against the limits ─► alarm before they are crossed

Without DNS nothing is claimed: such a finding is `unknown`.
"""

import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import dns.exception
import dns.resolver
import dns.reversename
from psycopg.types.json import Jsonb

from cegla.activate import dkim
from cegla.activate.rules import records
from cegla.activate.rules.destinations import label
from cegla.activate.rules.mime import mailbox_of
from cegla.activate.rules.records import Finding, Level, Signals
from cegla.activate.store import SQL
from cegla.storage.settings import RelaySettings, Settings
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.text import Text

QUESTION_SECONDS, SERVER_SECONDS = 4.0, 6.0
AT_ONCE = 8
MOST_DOMAINS = 20
SIGNAL_DAYS = 7
MOST_SPF_DEPTH = 10


class NoAnswer(Exception):
    """DNS did not answer; nothing is known."""


@dataclass(frozen=True)
class Looked:
    """The last look at the records: what was found, when; None: nobody looked yet."""

    findings: tuple[Finding, ...]
    at: datetime


@dataclass(frozen=True)
class Reputation:
    """What a destination made of our mail in the last seven days; `said` are its own last words of refusal, `held_until` when it may be written to again."""

    key: str
    label: str
    signals: Signals
    said: str
    held_until: datetime | None


class Dns:
    """Questions to DNS, by the servers of the settings or the system's."""

    def __init__(self, settings: Settings) -> None:
        servers = settings.dns.servers
        self._resolver = dns.resolver.Resolver(configure=not servers)
        self._resolver.lifetime = QUESTION_SECONDS
        self._resolver.cache = dns.resolver.LRUCache()
        if servers:
            self._resolver.nameservers = [server.partition(":")[0] for server in servers]
            self._resolver.nameserver_ports = {server.partition(":")[0]: int(server.partition(":")[2] or 53) for server in servers}

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name, each joined. Raises NoAnswer."""
        return ["".join(part.decode("utf-8", "replace") for part in row.strings) for row in self._asked(name, "TXT")]

    def addresses(self, name: str) -> list[str]:
        """The addresses of a name. Raises NoAnswer."""
        return [str(row.address) for kind in ("A", "AAAA") for row in self._asked(name, kind)]

    def mail_servers(self, name: str) -> list[str]:
        """The names that take mail for a domain. Raises NoAnswer."""
        return [str(row.exchange).rstrip(".") for row in self._asked(name, "MX")]

    def names(self, address: str) -> list[str]:
        """What an address is called. Raises NoAnswer."""
        return [str(row.target).rstrip(".") for row in self._asked(str(dns.reversename.from_address(address)), "PTR")]

    def _asked(self, name: str, kind: str) -> list[Any]:
        try:
            return list(self._resolver.resolve(name, kind))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError):
            raise NoAnswer(name) from None


def look(ws: Workspace) -> Looked:
    """Look at everything now, and keep what was found. Takes seconds; holds no transaction meanwhile."""
    now, settings = ws.clock(), ws.settings
    with ws.transaction() as conn:
        domains = _domains(conn, settings)
        keys = dkim.keys_of(conn)
    asked = Dns(settings)
    tasks: list[Callable[[], Iterable[Finding]]] = []
    for domain in domains:
        tasks += [lambda domain=domain: [_spf(asked, domain)], lambda domain=domain: [_dmarc(asked, domain)]]
        tasks.append(lambda domain=domain: _dkim(asked, domain, [key for key in keys if key.domain == domain and key.state == "signing"]))
    if settings.returns.domain:
        tasks.append(lambda: [_mx(asked, records.in_dns(settings.returns.domain))])
    for relay in settings.smtp.all_relays():
        tasks += [lambda relay=relay: _ptr(asked, relay.host), lambda relay=relay: [_tls(relay)]]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="records") as pool:
        found = tuple(replace(one, of=records.spelled(one.of)) for findings in pool.map(lambda task: list(task()), tasks) for one in findings)
    with ws.transaction() as conn:
        SQL.keep_look(conn, found=Jsonb([asdict(one) for one in found]), now=now)
    return Looked(found, now)


def last_look(conn: Connection) -> Looked | None:
    """What was found when somebody last looked."""
    row = SQL.last_look(conn)
    if row is None:
        return None
    rows: list[dict[str, Any]] = row[0]
    findings = [Finding(one["check"], one["of"], Level(one["level"]), Text(*one["said"]), Text(*one["todo"]), one["seen"]) for one in rows]
    return Looked(tuple(findings), row[1])


def reputations(conn: Connection, now: datetime) -> list[Reputation]:
    """Every destination that was written to in the last seven days, what needs a look first, then the busiest."""
    rows = SQL.mail_signals(conn, since=(now - timedelta(days=SIGNAL_DAYS)).date())
    found = [
        Reputation(key, label(key), Signals(sent, bounced, complained, deferred), said, max((at for at in (slow, stopped) if at and at > now), default=None))
        for key, slow, stopped, said, sent, bounced, complained, deferred in rows
        if sent or deferred
    ]
    return sorted(found, key=lambda one: (not one.signals.alarm, -one.signals.sent))


def alarms(conn: Connection, now: datetime) -> list[Reputation]:
    """The destinations that somebody should look at before they refuse mail."""
    return [one for one in reputations(conn, now) if one.signals.alarm]


def _domains(conn: Connection, settings: Settings) -> list[str]:
    """The domains that mail leaves as."""
    senders = [settings.smtp.sender, *(row[0] for row in SQL.senders(conn))]
    found = [records.in_dns(mailbox_of(sender)[1].rpartition("@")[2].lower()) for sender in senders if sender]
    return list(dict.fromkeys(domain for domain in found if "." in domain))[:MOST_DOMAINS]


def _spf(asked: Dns, domain: str) -> Finding:
    try:
        texts = asked.texts(domain)
        return records.spf(domain, texts, _lookups(asked, texts, 0))
    except NoAnswer:
        return records.unknown("spf", domain)


def _lookups(asked: Dns, texts: Sequence[str], depth: int) -> int:
    """How many questions a receiver has to ask for an SPF record and all that it includes."""
    total = 0
    for mechanism, domain in records.spf_parts(texts):
        total += 1
        if mechanism in ("include", "redirect") and domain and "%" not in domain and depth < MOST_SPF_DEPTH and total <= records.MOST_SPF_LOOKUPS:
            total += _lookups(asked, asked.texts(domain), depth + 1)
    return total


def _dmarc(asked: Dns, domain: str) -> Finding:
    """The policy of the domain, or of the nearest one above it."""
    try:
        labels = domain.split(".")
        for place in range(max(1, len(labels) - 1)):
            above = ".".join(labels[place:])
            texts = asked.texts(f"_dmarc.{above}")
            if texts:
                return records.dmarc(above, texts)
        return records.dmarc(domain, [])
    except NoAnswer:
        return records.unknown("dmarc", domain)


def _dkim(asked: Dns, domain: str, keys: Sequence[dkim.DkimKey]) -> list[Finding]:
    if not keys:
        return [records.no_dkim(domain)]
    found: list[Finding] = []
    for key in keys:
        try:
            found.append(records.dkim(key.name, asked.texts(key.name), key.record))
        except NoAnswer:
            found.append(records.unknown("dkim", key.name))
    return found


def _mx(asked: Dns, domain: str) -> Finding:
    try:
        servers = asked.mail_servers(domain)
    except NoAnswer:
        return records.unknown("mx", domain)
    return records.mx(domain, servers)


def _ptr(asked: Dns, host: str) -> list[Finding]:
    """The names of a relay's public addresses; a relay on the own network leaves by another address, which only it knows."""
    try:
        addresses = [host] if _is_address(host) else asked.addresses(host)
        public = [address for address in addresses if ipaddress.ip_address(address).is_global]
        found: list[Finding] = []
        for address in public:
            names = asked.names(address)
            found.append(records.ptr(address, names, confirmed=any(address in asked.addresses(name) for name in names[:3])))
        return found or [records.hidden(host)]
    except NoAnswer:
        return [records.unknown("ptr", host)]


def _tls(relay: RelaySettings) -> Finding:
    """Speak to the server as the sender does, up to TLS."""
    secure = ssl.create_default_context()
    try:
        if relay.tls == "implicit":
            with smtplib.SMTP_SSL(relay.host, relay.port, timeout=SERVER_SECONDS, context=secure):
                return records.tls(relay.host, offered=True, required=True)
        with smtplib.SMTP(relay.host, relay.port, timeout=SERVER_SECONDS) as line:
            line.ehlo()
            offered = line.has_extn("starttls")
            if offered:
                line.starttls(context=secure)
            near = relay.host == "localhost" or (_is_address(relay.host) and ipaddress.ip_address(relay.host).is_loopback)
            return records.near(relay.host) if near and not offered else records.tls(relay.host, offered=offered, required=relay.tls != "none")
    except ssl.SSLError as error:
        return records.tls(relay.host, offered=True, required=True, problem=str(error)[:200])
    except (OSError, smtplib.SMTPException):
        return records.away(relay.host)


def _is_address(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        return False
    return True
