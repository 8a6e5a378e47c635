"""What the DNS records of a sender say, judged: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), PTR; and rates against what mailbox providers ask for.

Pure: texts of records come in, findings go out. A finding says what is, and what to do about it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import idna

from cegla.vocabulary.identifiers import ascii_domain
from cegla.vocabulary.text import Text

MOST_SPF_LOOKUPS = 10  #: RFC 7208, 4.6.4
_TAG = re.compile(r"\s*([a-z]+)\s*=\s*([^;]*)", re.IGNORECASE)


class Level(StrEnum):
    """How a finding stands. `UNKNOWN`: nobody answered, so nothing is claimed."""

    OK = "ok"
    ADVICE = "advice"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `check` spf, dkim, dmarc, ptr, tls, mx; `of` the domain or host; `seen` what stands there."""

    check: str
    of: str
    level: Level
    said: Text
    todo: Text = Text("", "")  # noqa: RUF009 (frozen)
    seen: str = ""


FINE = Text("w porządku", "in order")
SILENT = Text("DNS nie odpowiada, więc nie wiadomo", "DNS does not answer, so nobody knows")


def in_dns(domain: str) -> str:
    """A domain as DNS knows it, its letters of other alphabets in ASCII (IDNA 2008): what cannot be one stays as it is."""
    return ".".join(ascii_domain(label) or label for label in domain.split("."))


def spelled(name: str) -> str:
    """A name of DNS to be copied, with the one people read beside it: sel._domainkey.xn--w-uga1v8h.pl (sel._domainkey.żółw.pl)."""
    try:
        read = ".".join(idna.decode(label) if label.startswith("xn--") else label for label in name.split("."))
    except idna.IDNAError:
        return name
    return name if read == name else f"{name} ({read})"


def unknown(check: str, of: str) -> Finding:
    """What could not be looked at."""
    return Finding(check, of, Level.UNKNOWN, SILENT, Text("Sprawdź, czy ta maszyna ma dostęp do DNS.", "Check whether this machine reaches DNS."))


def spf(domain: str, texts: Sequence[str], lookups: int) -> Finding:
    """The SPF record among a domain's TXT records; `lookups` is how many questions it costs a receiver."""
    found = [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if not found:
        todo = Text(
            f"Dodaj rekord TXT dla {spelled(domain)}: v=spf1 … -all, z adresami swoich serwerów poczty.",
            f"Add a TXT record for {spelled(domain)}: v=spf1 … -all, with your mail servers.",
        )
        return Finding("spf", domain, Level.WRONG, Text("brak rekordu SPF", "there is no SPF record"), todo)
    if len(found) > 1:
        todo = Text("Złącz rekordy SPF w jeden; dwa unieważniają się nawzajem.", "Join the SPF records into one; two make each other void.")
        return Finding("spf", domain, Level.WRONG, Text("więcej niż jeden rekord SPF", "more than one SPF record"), todo, " | ".join(found))
    record = found[0]
    last = record.lower().split()[-1]
    if lookups > MOST_SPF_LOOKUPS:
        todo = Text("Usuń niepotrzebne include albo zastąp je adresami ip4.", "Take out includes that are not needed, or put ip4 addresses in their place.")
        said = Text(f"SPF pyta DNS {lookups} razy, a wolno {MOST_SPF_LOOKUPS}", f"SPF asks DNS {lookups} times, and {MOST_SPF_LOOKUPS} are allowed")
        return Finding("spf", domain, Level.WRONG, said, todo, record)
    if last in ("+all", "all"):
        return Finding(
            "spf",
            domain,
            Level.WRONG,
            Text("SPF pozwala wysyłać każdemu", "SPF lets everybody send"),
            Text("Zakończ rekord przez -all.", "End the record with -all."),
            record,
        )
    if last not in ("-all", "~all") and "redirect=" not in record.lower():
        return Finding(
            "spf",
            domain,
            Level.ADVICE,
            Text("SPF nie mówi, co z obcymi serwerami", "SPF does not say what of strangers"),
            Text("Zakończ rekord przez ~all lub -all.", "End the record with ~all or -all."),
            record,
        )
    return Finding("spf", domain, Level.OK, FINE, seen=record)


def spf_parts(texts: Sequence[str]) -> list[tuple[str, str]]:
    """What of an SPF record asks DNS: (mechanism, domain or nothing), in its order."""
    record = next((text for text in texts if text.lower().startswith("v=spf1")), "")
    parts: list[tuple[str, str]] = []
    for term in record.split()[1:]:
        name, _, value = term.lstrip("+-~?").replace("=", ":", 1).partition(":")
        if name.lower().partition("/")[0] in ("include", "redirect", "a", "mx", "ptr", "exists"):
            parts.append((name.lower().partition("/")[0], value.partition("/")[0]))
    return parts


def dkim(name: str, texts: Sequence[str], expected: str) -> Finding:
    """A key's record at its selector against the record the key asks for."""
    if not any("p=" in text.replace(" ", "") for text in texts):
        todo = Text(f"Opublikuj rekord TXT {spelled(name)}: {expected}", f"Publish the TXT record {spelled(name)}: {expected}")
        return Finding("dkim", name, Level.WRONG, Text("klucz podpisuje, a jego rekordu nie ma", "the key signs, and its record is not there"), todo)
    published, wanted = ({key: "".join(value.split()) for key, value in _TAG.findall(text)} for text in ("".join(texts), expected))
    if published.get("p") != wanted.get("p"):
        todo = Text(f"Zmień rekord TXT {spelled(name)} na: {expected}", f"Change the TXT record {spelled(name)} to: {expected}")
        return Finding("dkim", name, Level.WRONG, Text("opublikowano inny klucz", "another key is published"), todo, "".join(texts)[:120])
    if published.get("t", "").find("y") >= 0:
        return Finding(
            "dkim",
            name,
            Level.ADVICE,
            Text("rekord jest w trybie próbnym (t=y)", "the record is in test mode (t=y)"),
            Text("Usuń t=y z rekordu.", "Take t=y out of the record."),
        )
    return Finding("dkim", name, Level.OK, FINE)


def no_dkim(domain: str) -> Finding:
    """A sender's domain that no key signs for."""
    todo = Text(
        f"Utwórz klucz: cegla dkim make {domain}, opublikuj rekord, potem cegla dkim use.",
        f"Make a key: cegla dkim make {domain}, publish its record, then cegla dkim use.",
    )
    return Finding("dkim", domain, Level.WRONG, Text("nikt nie podpisuje poczty tej domeny", "nobody signs mail of this domain"), todo)


def dmarc(domain: str, texts: Sequence[str]) -> Finding:
    """The policy of a domain, or of the one above it that its mail falls under."""
    found = [text for text in texts if text.lower().replace(" ", "").startswith("v=dmarc1")]
    if len(found) != 1:
        said = Text("brak rekordu DMARC", "there is no DMARC record") if not found else Text("więcej niż jeden rekord DMARC", "more than one DMARC record")
        name, example = spelled(f"_dmarc.{domain}"), f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"
        return Finding("dmarc", domain, Level.WRONG, said, Text(f"Dodaj jeden rekord TXT {name}: {example}", f"Add one TXT record {name}: {example}"))
    tags = {key.lower(): value.strip().lower() for key, value in _TAG.findall(found[0])}
    if tags.get("p") not in ("none", "quarantine", "reject"):
        return Finding(
            "dmarc",
            domain,
            Level.WRONG,
            Text("DMARC bez ważnej polityki p=", "DMARC without a valid policy p="),
            Text("Ustaw p=none, quarantine lub reject.", "Set p=none, quarantine or reject."),
            found[0],
        )
    if "rua" not in tags:
        return Finding(
            "dmarc",
            domain,
            Level.ADVICE,
            Text("nikt nie dostaje raportów DMARC", "nobody gets DMARC reports"),
            Text("Dodaj rua=mailto:… do rekordu.", "Add rua=mailto:… to the record."),
            found[0],
        )
    if tags["p"] == "none":
        todo = Text("Gdy raporty są czyste, przejdź na p=quarantine, potem p=reject.", "Once reports are clean, go on to p=quarantine, then p=reject.")
        return Finding("dmarc", domain, Level.ADVICE, Text("DMARC tylko obserwuje (p=none)", "DMARC only watches (p=none)"), todo, found[0])
    return Finding("dmarc", domain, Level.OK, FINE, seen=found[0])


def ptr(address: str, names: Sequence[str], *, confirmed: bool) -> Finding:
    """The name of a sending address, and whether the name leads back to it."""
    if not names:
        todo = Text(f"Poproś dostawcę łącza o rekord PTR dla {address}.", f"Ask your network provider for a PTR record of {address}.")
        return Finding("ptr", address, Level.WRONG, Text("adres nie ma nazwy (PTR)", "the address has no name (PTR)"), todo)
    if not confirmed:
        todo = Text(
            f"Nazwa {names[0]} musi prowadzić z powrotem do {address} (rekord A lub AAAA).",
            f"The name {names[0]} must lead back to {address} (an A or AAAA record).",
        )
        return Finding(
            "ptr", address, Level.WRONG, Text("nazwa nie prowadzi z powrotem do adresu", "the name does not lead back to the address"), todo, names[0]
        )
    return Finding("ptr", address, Level.OK, FINE, seen=names[0])


def tls(host: str, *, offered: bool, required: bool, problem: str = "") -> Finding:
    """Whether mail goes to a server over TLS with a certificate that holds."""
    if problem:
        return Finding(
            "tls",
            host,
            Level.WRONG,
            Text("certyfikat serwera poczty nie jest ważny", "the mail server's certificate does not hold"),
            Text("Odnów certyfikat albo popraw nazwę w smtp.host.", "Renew the certificate, or correct the name in smtp.host."),
            problem,
        )
    if not offered:
        return Finding(
            "tls",
            host,
            Level.WRONG,
            Text("serwer poczty nie ma TLS", "the mail server has no TLS"),
            Text("Włącz STARTTLS na serwerze poczty; Gmail tego wymaga.", "Turn STARTTLS on at the mail server; Gmail requires it."),
        )
    if not required:
        return Finding(
            "tls",
            host,
            Level.ADVICE,
            Text("TLS jest, a ustawienia go nie używają", "TLS is there, and the settings do not use it"),
            Text("Ustaw smtp.tls na starttls albo implicit.", "Set smtp.tls to starttls or implicit."),
        )
    return Finding("tls", host, Level.OK, FINE)


@dataclass(frozen=True)
class Limit:
    """What mailbox providers ask for: a rate of what was delivered, `near` where we warn, `over` where mail is refused."""

    near: float
    over: float


#: Gmail and Yahoo: complaints below 0.1 %, never 0.3 %. Bounces: no provider names one; 2 and 5 % are what the field works by.
COMPLAINTS, BOUNCES, DEFERRALS = Limit(0.0008, 0.003), Limit(0.02, 0.05), Limit(0.10, 0.30)
FEWEST = 200  #: messages below which a rate says little: one complaint of fifty is no trend


class Standing(StrEnum):
    """How a rate stands against its limit."""

    FINE = "fine"
    NEAR = "near"
    OVER = "over"
    FEW = "few"


@dataclass(frozen=True)
class Signals:
    """What a destination makes of us, over some days: counts, and how each rate stands. `alarm`: somebody should look before mail is refused."""

    sent: int
    bounced: int
    complained: int
    deferred: int

    def rate(self, count: int) -> float:
        """A share of what was sent, 0 when nothing was."""
        return count / self.sent if self.sent else 0.0

    @property
    def complaints(self) -> Standing:
        """Complaints against what Gmail and Yahoo ask for."""
        return self._stands(self.complained, COMPLAINTS)

    @property
    def bounces(self) -> Standing:
        """Mail that came back."""
        return self._stands(self.bounced, BOUNCES)

    @property
    def deferrals(self) -> Standing:
        """Mail that was put off, which is how providers begin to distrust."""
        return self._stands(self.deferred, DEFERRALS)

    @property
    def alarm(self) -> bool:
        """Whether one of the rates is near its limit, or over it."""
        return any(one in (Standing.NEAR, Standing.OVER) for one in (self.complaints, self.bounces, self.deferrals))

    def _stands(self, count: int, limit: Limit) -> Standing:
        rate = self.rate(count)
        if self.sent < FEWEST:
            return Standing.FEW
        return Standing.OVER if rate >= limit.over else Standing.NEAR if rate >= limit.near else Standing.FINE


def mx(domain: str, servers: Sequence[str]) -> Finding:
    """Whether mail can come back to the domain of returns."""
    if not servers:
        name = spelled(domain)
        todo = Text(f"Dodaj rekord MX dla {name}, który wskazuje na tę instalację.", f"Add an MX record for {name} that leads to this installation.")
        return Finding("mx", domain, Level.WRONG, Text("zwroty nie mają dokąd wrócić: brak MX", "returned mail has nowhere to come back to: no MX"), todo)
    return Finding("mx", domain, Level.OK, FINE, seen=", ".join(servers))


def hidden(host: str) -> Finding:
    """A relay without a public address: what the world sees, only the relay knows."""
    todo = Text("Sprawdź PTR adresu, z którego ten serwer wysyła w świat.", "Check the PTR of the address by which this server reaches the world.")
    return Finding("ptr", host, Level.UNKNOWN, Text("serwer nie ma publicznego adresu", "the server has no public address"), todo)


def near(host: str) -> Finding:
    """A server on this very machine needs no TLS on the way to it."""
    todo = Text("Upewnij się, że ten serwer sam używa TLS na zewnątrz.", "Make sure that this server itself uses TLS on the way out.")
    return Finding("tls", host, Level.ADVICE, Text("serwer na tej maszynie, bez TLS po drodze", "a server on this machine, without TLS on the way"), todo)


def away(host: str) -> Finding:
    """A server that does not answer."""
    todo = Text("Sprawdź smtp.host i smtp.port.", "Check smtp.host and smtp.port.")
    return Finding("tls", host, Level.UNKNOWN, Text("serwer poczty nie odpowiada", "the mail server does not answer"), todo)
