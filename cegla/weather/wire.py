"""Asking providers over HTTP. Another provider is another class with `days`; `PROVIDERS` lists them."""

import time
from collections.abc import Callable
from datetime import date
from typing import Protocol

import httpx

from cegla.storage.settings import WeatherSettings
from cegla.weather.rules.answers import AnswerWrong, open_meteo
from cegla.weather.rules.asking import Ask
from cegla.weather.rules.sky import Day

PATIENCE_SECONDS = 30.0  #: for one piece of an answer
LONGEST_SECONDS = 120.0  #: for all of it, however it trickles
LARGEST_ANSWER_BYTES = 64_000_000
AGENT = "Cegla (self-hosted customer data platform)"


class ProviderAway(Exception):
    """The provider did not answer as it should; what was asked is asked again another day."""


class Provider(Protocol):
    """Whoever knows the weather."""

    def days(self, ask: Ask, today: date) -> list[Day]:
        """The days asked for, as far as they are known there. Raises ProviderAway."""
        ...


class OpenMeteo:
    """A server that speaks Open-Meteo's API: theirs with a key, or one of one's own. Their free service is for non-commercial use only."""

    def __init__(self, settings: WeatherSettings, client: httpx.Client) -> None:
        self._settings, self._client = settings, client

    def days(self, ask: Ask, today: date) -> list[Day]:
        """One request for all cells of the ask."""
        address = self._settings.archive_address if ask.archived and self._settings.archive_address else self._settings.address
        asked = {
            "latitude": ",".join(f"{latitude / 10:.1f}" for latitude, _ in ask.cells),
            "longitude": ",".join(f"{longitude / 10:.1f}" for _, longitude in ask.cells),
            "hourly": "temperature_2m,precipitation,snowfall,weather_code", "timezone": "UTC",
            "start_date": ask.first.isoformat(), "end_date": ask.last.isoformat(),
        } | ({"apikey": self._settings.key} if self._settings.key else {})  # fmt: skip
        until = time.monotonic() + LONGEST_SECONDS
        try:
            with self._client.stream("GET", address, params=asked) as answer:
                if not answer.is_success:
                    raise ProviderAway(f"it answers {answer.status_code}")
                body = bytearray()
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST_ANSWER_BYTES:
                        raise ProviderAway("its answer is too long")
                    if time.monotonic() > until:
                        raise ProviderAway("its answer takes too long")
            return open_meteo(httpx.Response(200, content=bytes(body)).json(), ask, today)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            raise ProviderAway(str(error) if isinstance(error, AnswerWrong) else type(error).__name__) from None


PROVIDERS: dict[str, Callable[[WeatherSettings, httpx.Client], Provider]] = {"open-meteo": OpenMeteo}


def provider_of(settings: WeatherSettings, client: httpx.Client) -> Provider | None:
    """The provider that the settings name; None: none."""
    return PROVIDERS[settings.provider](settings, client) if settings.provider and settings.address else None


def client() -> httpx.Client:
    """A client that says who asks, and does not wait for ever."""
    return httpx.Client(timeout=PATIENCE_SECONDS, headers={"user-agent": AGENT})
