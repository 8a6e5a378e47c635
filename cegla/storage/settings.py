"""The settings of one installation: a YAML file and `CEGLA_*` environment variables over defaults that work as they are."""

import json
import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from cegla.vocabulary.errors.installation import SettingInvalid


class Section(BaseModel):
    """A frozen part of the settings; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def proxies(named: tuple[str, ...]) -> tuple[str, ...]:
    """The same addresses and networks; ValueError for what is neither, or stands for everybody."""
    for one in named:
        if ip_network(one, strict=False).prefixlen == 0:
            raise ValueError(f"{one} would let everybody say who asks")
    return named


TrustedProxies = Annotated[
    tuple[str, ...], AfterValidator(proxies), Field(description="proxies beside those on this machine that say who asks: addresses or networks, 10.0.0.0/8")
]


class CollectorSettings(Section):
    """Where events are accepted, and how much at a time."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8090, description="port to listen on; 0 takes a free one")
    public_url: str = Field("", description="the address that websites and apps send to; empty: the collector's own address")
    workers: int = Field(2, ge=1, le=64, description="collector processes")
    group_milliseconds: float = Field(4.0, ge=0, le=100, description="how long requests are gathered before one commit")
    largest_request_bytes: int = Field(500_000, gt=0, description="a larger request body, decompressed, gets 413; a source may have its own limit")
    largest_event_bytes: int = Field(32_768, gt=0, description="a larger event goes to quarantine; a source may have its own limit")
    most_events: int = Field(2_500, gt=0, description="events of one batch beyond this go to quarantine; a source may have its own limit")
    requests_per_second: float = Field(0, ge=0, description="faster sources get 429; 0: no limit; a source may have its own limit")
    most_waiting_requests: int = Field(4_096, gt=0, description="requests waiting for a commit in one worker; beyond this 429")
    most_waiting_bytes: int = Field(16_000_000, gt=0, description="bytes waiting for a commit in one worker; beyond this 429")
    most_waiting_milliseconds: float = Field(200, gt=0, description="while the oldest request has waited longer than this, new ones get 429")
    trusted_proxies: TrustedProxies = ()


class AppSettings(Section):
    """Where the console and the API are."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, description="port to listen on; 0 takes a free one")
    public_url: str = Field("", description="the address that recipients' links point at; empty: the app's own address")
    count_clicks: bool = Field(True, description="whether clicks in e-mail are counted where nobody agreed to being measured: how many, not whose")
    trusted_proxies: TrustedProxies = ()

    @property
    def address(self) -> str:
        """The address that recipients' links point at, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


class RelaySettings(Section):
    """One more mail server; letters go to whichever has room, and to the others while one is away."""

    host: str = Field(description="its name or address")
    port: int = Field(25, description="25, 465 (implicit TLS) or 587 (STARTTLS)")
    tls: Literal["none", "starttls", "implicit"] = Field("none", description="none is for a server on this machine")
    user: str = Field("", description="empty: no sign-in")
    password: str = Field("", repr=False, description="who may read the file may read it")
    connections: int = Field(4, ge=1, le=100, description="connections at a time")
    messages_per_connection: int = Field(1_000, ge=1, description="messages before a connection is closed and another opened")


class SmtpSettings(Section):
    """The mail server that messages are handed to."""

    host: str = Field("", description="empty: no mail can be sent yet")
    port: int = Field(25, description="25, 465 (implicit TLS) or 587 (STARTTLS)")
    tls: Literal["none", "starttls", "implicit"] = Field("none", description="none is for a server on this machine")
    user: str = Field("", description="empty: no sign-in")
    password: str = Field("", repr=False, description="better given as CEGLA_SMTP_PASSWORD")
    sender: str = Field("Cegla <hello@localhost>", description="the From header when a campaign names none")
    messages_per_minute: int = Field(600, ge=1, description="throttle of the whole installation")
    connections: int = Field(4, ge=1, le=100, description="connections at a time")
    messages_per_connection: int = Field(1_000, ge=1, description="messages before a connection is closed and another opened")
    relays: tuple[RelaySettings, ...] = Field((), description="further mail servers, each with host, port, tls, user, password, connections")

    def all_relays(self) -> list[RelaySettings]:
        """Every mail server, the first one first; none when no host is set."""
        first = RelaySettings(
            host=self.host, port=self.port, tls=self.tls, user=self.user, password=self.password, connections=self.connections,
            messages_per_connection=self.messages_per_connection,
        )  # fmt: skip
        return [*([first] if self.host else []), *self.relays]


class ReturnSettings(Section):
    """Where bounces, complaints and unsubscribing mails come back to: a listener of our own, or a mailbox, or a provider's webhook."""

    domain: str = Field("", description="mail comes back to b+TOKEN@ this domain; empty: to the sender's address, and nobody reads it")
    host: str = Field("127.0.0.1", description="address that the SMTP listener listens on; 0.0.0.0 when the domain's MX points here")
    port: int = Field(0, ge=0, le=65535, description="port of the SMTP listener; 0: none")
    imap_host: str = Field("", description="a mailbox to look into each minute; empty: none")
    imap_port: int = Field(993, description="993 (implicit TLS) or 143")
    imap_tls: Literal["none", "starttls", "implicit"] = Field("implicit", description="none is for a server on this machine")
    imap_user: str = Field("", description="who signs in")
    imap_password: str = Field("", repr=False, description="better given as CEGLA_RETURNS_IMAP_PASSWORD")
    imap_folder: str = Field("INBOX", description="the folder with returned mail")


class ImportSettings(Section):
    """Files that are brought in through the console or the API."""

    largest_file_bytes: int = Field(2_000_000_000, ge=1, description="a larger upload is refused")
    keep_files_days: int = Field(30, ge=0, description="days after which uploaded files and files of refused rows are removed")


class ReferenceSettings(Section):
    """Where data about the world are fetched from, on `cegla data update` alone."""

    registry: str = Field("", description="address of an npm registry; empty: as the npm tool is set up")


class WeatherSettings(Section):
    """Who is asked about the weather, if anybody; it hears of places and days only, rounded to tenths of a degree."""

    provider: Literal["", "open-meteo"] = Field("", description="empty: nobody is asked, and there are no traits of weather; open-meteo: its API")
    address: str = Field("", description="the forecast's address: https://customer-api.open-meteo.com/v1/forecast with a key, or a server of your own")
    archive_address: str = Field("", description="the same for days past: https://customer-archive-api.open-meteo.com/v1/archive; empty: `address`")
    key: str = Field("", repr=False, description="the provider's key; better given as CEGLA_WEATHER_KEY")
    places_per_request: int = Field(50, ge=1, le=200, description="places asked for at a time")
    requests_per_round: int = Field(200, ge=1, le=10_000, description="requests of one night at most; the rest waits for the next")
    pause_seconds: float = Field(1.0, ge=0, le=60, description="between two requests")


class SiteSettings(Section):
    """What the crawler may read: the pages of the shop's own site, and nothing else. It runs when `cegla data crawl` is called, and by itself with `start`."""

    hosts: tuple[str, ...] = Field((), description="hosts that may be read, each as in the address: sklep.pl, with a port where it is not the usual one")
    start: str = Field("", description="where the crawler begins when it runs by itself: https://sklep.pl/; empty: it runs only when it is called")
    every_days: int = Field(7, ge=1, le=365, description="days between two crawls that it begins by itself")
    pages_per_second: float = Field(1.0, gt=0, le=20, description="pace of the crawler; robots.txt may slow it down")
    most_pages: int = Field(2_000, ge=1, le=100_000, description="pages of one crawl")


class RetentionSettings(Section):
    """How long the history is kept, by class, counted from when something happened; 0: for good. What is older goes in the night."""

    behaviour_days: int = Field(396, ge=0, description="views, clicks, carts, opens: everything but orders; 13 months")
    orders_days: int = Field(2_190, ge=0, description="orders and refunds with their lines; 6 years, as accounts are")
    searches_days: int = Field(90, ge=0, description="words that somebody typed, taken out of what happened")
    merges_days: int = Field(2_190, ge=0, description="the log of which people were joined and parted")
    set_aside_days: int = Field(7, ge=1, le=30, description="damaged files that were moved aside: people erased since are still in them")
    notice_days: int = Field(7, ge=0, description="between the first count of what would go and the first removal; anew when a number of days changes")


class SyncSettings(Section):
    """Where changes of segments may be sent. Nothing goes to a host that is not named here, or whose address is not a public one."""

    hosts: tuple[str, ...] = Field((), description="hosts that may be sent to, each as in the address: crm.sklep.pl, with a port where it is not the usual one")
    private_addresses: bool = Field(False, description="allow addresses that are not public, and http: for a receiver on one's own machine or network")


class DnsSettings(Section):
    """Who is asked about DNS records when deliverability is looked at."""

    servers: tuple[str, ...] = Field((), description="addresses of name servers, with a port where it is not 53: 127.0.0.1:5353; empty: the system's")


class OutboundSettings(Section):
    """Where messages may leave to over HTTP: gateways, providers, push services. Public addresses always, over TLS."""

    private_hosts: tuple[str, ...] = Field((), description="hosts of your own network that may be reached too, also without TLS: gateway.lan")


class TracingSettings(Section):
    """Where spans of traced events are told, if anywhere; the trace of an event is kept here either way."""

    otlp_address: str = Field("", description="an OpenTelemetry collector's OTLP over HTTP: http://127.0.0.1:4318/v1/traces; empty: nobody is told")


class Settings(Section):
    """All settings; times without a zone are shown and counted in `timezone`."""

    data_dir: Path = Field(Path("cegla-data"), description="the one directory that holds everything")
    dsn: str = Field("", description="a PostgreSQL address; empty: the embedded server")
    warehouse: str = Field("", repr=False, description="address of the engine that holds the history (docs/reference/engines.md); empty: a DuckDB file here")
    language: Literal["pl", "en"] = Field("pl", description="language of the console until a person chooses")
    timezone: str = Field("Europe/Warsaw", description="the shop's time zone")
    currency: str = Field("PLN", description="the shop's currency, ISO 4217")
    never_infer: str = Field("", description="words, separated by commas, that reveal a special category in this shop: what names one is never on a profile")
    collector: CollectorSettings = CollectorSettings()  # pyright: ignore[reportCallIssue]
    app: AppSettings = AppSettings()  # pyright: ignore[reportCallIssue]
    smtp: SmtpSettings = SmtpSettings()  # pyright: ignore[reportCallIssue]
    returns: ReturnSettings = ReturnSettings()  # pyright: ignore[reportCallIssue]
    dns: DnsSettings = DnsSettings()  # pyright: ignore[reportCallIssue]
    outbound: OutboundSettings = OutboundSettings()  # pyright: ignore[reportCallIssue]
    imports: ImportSettings = ImportSettings()  # pyright: ignore[reportCallIssue]
    reference: ReferenceSettings = ReferenceSettings()  # pyright: ignore[reportCallIssue]
    weather: WeatherSettings = WeatherSettings()  # pyright: ignore[reportCallIssue]
    site: SiteSettings = SiteSettings()  # pyright: ignore[reportCallIssue]
    retention: RetentionSettings = RetentionSettings()  # pyright: ignore[reportCallIssue]
    sync: SyncSettings = SyncSettings()  # pyright: ignore[reportCallIssue]
    tracing: TracingSettings = TracingSettings()  # pyright: ignore[reportCallIssue]

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {value}") from error
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def own_blocked(self) -> tuple[str, ...]:
        """The words of `never_infer`, one by one."""
        return tuple(word.strip() for word in self.never_infer.split(",") if word.strip())


def load_settings(file: Path | None = None, environment: dict[str, str] | None = None) -> Settings:
    """Settings from `file` (or CEGLA_CONFIG, or cegla.yaml here if there is one), then `CEGLA_*` variables on top.

    `CEGLA_DATA_DIR=/srv/cegla`, `CEGLA_COLLECTOR_PORT=9000` and so on. Raises SettingInvalid with the place and the value.
    """
    environment = dict(os.environ) if environment is None else environment
    named = file or (Path(environment["CEGLA_CONFIG"]) if environment.get("CEGLA_CONFIG") else None)
    path = named or Path("cegla.yaml")
    values: dict[str, Any] = {}
    if named is not None or path.exists():
        values = _read_file(path)
    for name, value in environment.items():
        if name.startswith("CEGLA_") and name != "CEGLA_CONFIG":
            _put(values, name.removeprefix("CEGLA_").lower(), value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingInvalid(where=place, seen=first.get("input", ""), detail=first["msg"]) from None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingInvalid(where=str(path), detail=" ".join(str(error).split())) from None
    if not isinstance(values, dict):
        raise SettingInvalid(where=str(path), seen=values, detail="the file is not a mapping")
    return values  # pyright: ignore[reportUnknownVariableType]


def _put(values: dict[str, Any], name: str, value: str) -> None:
    """Put CEGLA_SMTP_HOST into values["smtp"]["host"], CEGLA_DATA_DIR into values["data_dir"]. A list is written as JSON."""
    section, _, rest = name.partition("_")
    if rest and section in Settings.model_fields and isinstance(Settings.model_fields[section].default, Section):
        values.setdefault(section, {})[rest] = _listed(name, value) if value.startswith("[") else value
    elif name in Settings.model_fields:
        values[name] = value
    else:
        raise SettingInvalid(where=f"CEGLA_{name.upper()}", seen=value, detail="there is no such setting")


def _listed(name: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError as error:
        raise SettingInvalid(where=f"CEGLA_{name.upper()}", seen=value, detail=f"this is not a list in JSON: {error}") from None
