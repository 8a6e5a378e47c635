"""What enrichment remembers between batches: the answers about the world that come again and again, and how fast identities act.

Answers come as the columns they fill, so that an event that shows nothing new costs one look-up for each of them.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cegla.profile.rules.attention import WATCHED, machine_reason
from cegla.profile.rules.devices import device_of, hints_of
from cegla.profile.rules.origins import Referrer, read_referrer
from cegla.profile.rules.pace import Paces
from cegla.vocabulary.world import UNKNOWN_NETWORK, Network, UnknownWorld, World

MOST_REMEMBERED = 50_000
_ZONE = re.compile(r"UTC|GMT|[A-Z][A-Za-z]{2,20}(?:/[A-Z][A-Za-z_\-]{1,30}){1,2}|Etc/GMT[+-]\d{1,2}")


class Shown(NamedTuple):
    """What the columns of `views.DEVICE_COLUMNS` hold; `by_hand`: a person's device shows, which acts no faster than a person can."""

    columns: tuple[Any, ...]
    by_hand: bool


class Located(NamedTuple):
    """What the columns of `views.NETWORK_COLUMNS` hold, and the network itself."""

    columns: tuple[Any, ...]
    network: Network


class Memory:
    """Answers of one world. Made anew for another; `settle` lets go of what the world knows better by now."""

    watched = WATCHED

    def __init__(self, world: World | None = None) -> None:
        self.world: World = UnknownWorld() if world is None else world
        self.version = self.world.version
        self.paces = Paces()
        self._learned = self.world.learned
        self._referrers: dict[tuple[str, str | None], Referrer] = {}
        self._devices: dict[object, Shown] = {}
        self._networks: dict[tuple[str, object], Located] = {}

    def settle(self) -> None:
        """To be called between batches: what was learned since counts, and nothing grows for ever."""
        if self._learned != self.world.learned:
            self._learned = self.world.learned
            self._devices.clear()
        for kept in (self._referrers, self._devices, self._networks):
            if len(kept) > MOST_REMEMBERED:
                kept.clear()
        self.paces.forget()

    def referrer(self, url: str, own_host: str | None) -> Referrer:
        """`read_referrer`, remembered."""
        key = (url, own_host)
        found = self._referrers.get(key)
        if found is None:
            found = self._referrers[key] = read_referrer(url, own_host, self.world)
        return found

    def device(self, context: Mapping[str, Any]) -> Shown:
        """`device_of`, remembered by all that it looks at where that is a user agent, hints and a language."""
        agent = context.get("userAgent")
        if agent.__class__ is not str or "locale" not in context or "webdriver" in context or "honeypot" in context:
            return self._shown(context)
        key = (agent, hints_of(context)) if "userAgentData" in context else agent
        found = self._devices.get(key)
        if found is None:
            found = self._shown(context)
            if agent:
                self._devices[key] = found
        return found

    def machine_reason(self, name: str, context: Mapping[str, Any], properties: Mapping[str, Any], network: Network) -> str | None:
        """Why an event of `watched` is a machine's (see `attention`)."""
        return machine_reason(name, context.get("userAgent"), properties, network)

    def network(self, address: object, timezone: object) -> Located:
        """Place and network of an address; the address itself stays behind. A device knows its time zone better than its address does."""
        if not isinstance(timezone, str):
            timezone = None
        if not isinstance(address, str):
            address = ""
        key = (address, timezone)
        found = self._networks.get(key)
        if found is None:
            network = self.world.network(address) if address else UNKNOWN_NETWORK
            zone = timezone if timezone and _is_zone(timezone) else network.timezone
            columns = (network.voivodeship, network.powiat, network.city, zone, network.asn, network.kind, network.is_datacentre, network.is_proxy)
            found = self._networks[key] = Located(columns, network)
        return found

    def _shown(self, context: Mapping[str, Any]) -> Shown:
        found = device_of(context, self.world)
        columns = (
            found.type, found.os, found.browser, found.is_bot, found.os_version, found.browser_version, found.brand, found.model, found.source, found.in_app,
            found.bot_reason,
        )  # fmt: skip
        return Shown(columns, not found.is_bot and found.type not in ("unknown", "server"))


@lru_cache(maxsize=1_024)
def _is_zone(text: str) -> bool:
    """Whether a text has the form of a time zone's name: Europe/Warsaw, America/Argentina/Ushuaia, UTC."""
    return _ZONE.fullmatch(text) is not None
