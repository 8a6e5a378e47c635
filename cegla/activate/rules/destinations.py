"""Where mail goes: mailbox providers by the domains of their addresses, how fast each may be written to, and what its replies ask for.

A domain that is no provider's stands for itself. Companies that keep their mail with a provider under a domain of their own count as
themselves, too: only their MX record would tell, and a relay asks for that, not we. The first speeds are KumoMTA's, in messages a minute.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cegla.activate.rules.replies import Reply


@dataclass(frozen=True)
class Provider:
    """A mailbox provider: its name, the domains of its addresses, messages per minute to begin with."""

    key: str
    label: str
    domains: tuple[str, ...]
    messages_per_minute: int = 6_000


PROVIDERS = (
    Provider("google", "Gmail", ("gmail.com", "googlemail.com"), 3_000),
    Provider("microsoft", "Outlook, Hotmail", ("outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.pl", "hotmail.co.uk", "hotmail.fr"), 3_000),
    Provider("yahoo", "Yahoo, AOL", ("yahoo.com", "yahoo.pl", "ymail.com", "aol.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "rocketmail.com"), 1_200),
    Provider("apple", "iCloud", ("icloud.com", "me.com", "mac.com"), 3_000),
    Provider("wp", "WP, o2", ("wp.pl", "o2.pl", "tlen.pl", "go2.pl", "prokonto.pl")),
    Provider("onet", "Onet", ("onet.pl", "op.pl", "onet.eu", "poczta.onet.pl", "vp.pl", "spoko.pl", "autograf.pl", "buziaczek.pl", "onet.com.pl")),
    Provider("interia", "Interia", ("interia.pl", "interia.eu", "poczta.fm", "interiowy.pl", "intmail.pl", "vip.interia.pl", "pisz.to", "ogarnij.se")),
    Provider("gazeta", "Gazeta.pl", ("gazeta.pl",)),
    Provider("gmx", "GMX, web.de", ("gmx.de", "gmx.net", "gmx.com", "gmx.at", "web.de", "mail.com")),
)
_BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}
_BY_KEY = {provider.key: provider for provider in PROVIDERS}

SLOW_PER_MINUTE = 1
#: What a provider's refusal asks for: (words, minutes, whether to stop or only to slow down).
_WISHES = (
    (re.compile(r"\[(?:TSS0[45]|IPTS04)\]", re.IGNORECASE), 120, True),
    (re.compile(r"\b4\.7\.28\b|unusual rate of unsolicited"), 105, False),
    (re.compile(r"rate limited due to IP reputation|temporarily deferred|server busy|too many (?:messages|connections)|throttl", re.IGNORECASE), 90, False),
)
_NAMED_WAIT = re.compile(r"; retry after (\d{1,5}) s\Z")  #: as gateways say it over HTTP (RFC 9110, Retry-After)


@dataclass(frozen=True)
class Wish:
    """What a provider asks for by a refusal: slower, or nothing at all, until a moment."""

    until: datetime
    stop: bool


def destination_of(address: str) -> str:
    """The key of where an address lives: a provider's, or its own domain."""
    domain = address.rpartition("@")[2].lower()
    provider = _BY_DOMAIN.get(domain)
    return provider.key if provider else domain


def label(key: str) -> str:
    """A destination's name as people know it."""
    return _BY_KEY[key].label if key in _BY_KEY else key


def usual_speed(key: str) -> int:
    """Messages per minute for a destination nobody set one for."""
    return _BY_KEY[key].messages_per_minute if key in _BY_KEY else Provider("", "", ()).messages_per_minute


def wish_of(reply: Reply, now: datetime) -> Wish | None:
    """What a refusal asks of everything that goes to the same place; None when it is about this letter alone."""
    if not 400 <= reply.code < 500 or reply.stage not in ("rcpt", "data", "body"):
        return None
    if named := _NAMED_WAIT.search(reply.text):
        return Wish(now + timedelta(seconds=int(named.group(1))), True)
    found = next(((minutes, stop) for words, minutes, stop in _WISHES if words.search(reply.text)), None)
    return Wish(now + timedelta(minutes=found[0]), found[1]) if found else None


@dataclass(frozen=True)
class WarmUp:
    """A plan for a sender's domain that nobody knows yet: per destination and day, beginning with `first_day`, growing while all is well."""

    first_day: int
    growth_percent: int
    most: int
    started_on: date


@dataclass(frozen=True)
class Day:
    """What went to one destination on one day, and what came back."""

    day: date
    sent: int = 0
    bounced: int = 0
    complained: int = 0
    deferred: int = 0


BAD_BOUNCES, BAD_COMPLAINTS, BAD_DEFERRALS = 0.05, 0.001, 0.10  # shares of a day that stop growth; Gmail asks to stay below 0.1 % of complaints


def ceiling(plan: WarmUp, days: list[Day], today: date) -> int:
    """How many messages may go to one destination today.

    A day that was used by half at least and well lets the next grow, a day that went badly halves it, an idle day keeps it.
    """
    allowed = float(plan.first_day)
    by_day = {one.day: one for one in days}
    for ordinal in range(plan.started_on.toordinal(), today.toordinal()):
        one = by_day.get(date.fromordinal(ordinal))
        if one is None or one.sent == 0:
            continue
        if _badly(one):
            allowed = max(plan.first_day / 2, allowed / 2)
        elif one.sent >= allowed / 2:
            allowed = min(plan.most, allowed * (1 + plan.growth_percent / 100))
    return max(1, min(plan.most, int(allowed)))


def _badly(one: Day) -> bool:
    tries = one.sent + one.deferred
    return one.bounced / one.sent > BAD_BOUNCES or one.complained / one.sent > BAD_COMPLAINTS or one.deferred / tries > BAD_DEFERRALS
