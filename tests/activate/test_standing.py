"""The records of a sender's domain, asked of a name server of the test's own, and rates beside the providers' limits."""

import socketserver
import threading
from collections.abc import Generator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from cegla.activate import actions as activate
from cegla.activate.rules import records
from cegla.activate.rules.records import Level, Signals, Standing
from cegla.activate.store import SQL
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from tests.activate.conftest import Shop


@dataclass
class NameServer:
    """Answers what `zone` says, by (name, type); everything else is no such name. `silent` answers nothing at all."""

    port: int = 0
    zone: dict[tuple[str, str], list[str]] = field(default_factory=dict[tuple[str, str], list[str]])
    silent: bool = False


@pytest.fixture
def names() -> Generator[NameServer]:
    found = NameServer()

    class Door(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, line = self.request
            asked = dns.message.from_wire(data)
            answer = dns.message.make_response(asked)
            question = asked.question[0]
            rows = found.zone.get((str(question.name).rstrip("."), dns.rdatatype.to_text(question.rdtype)))
            if rows is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            else:
                answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", question.rdtype, rows))
            if not found.silent:
                line.sendto(answer.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Door) as server:
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture
def settings(settings: Settings, names: NameServer) -> Settings:
    return settings.model_copy(update={"dns": settings.dns.model_copy(update={"servers": (f"127.0.0.1:{names.port}",)})})


def looked(ws: Workspace) -> dict[str, Level]:
    return {one.check: one.level for one in activate.standing.look(ws).findings}


def test_every_record_is_asked_for_and_what_is_missing_says_what_to_do(shop: Shop, names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    found = activate.standing.look(shop.ws).findings
    assert {one.check: one.level for one in found} == {"spf": Level.WRONG, "dmarc": Level.WRONG, "dkim": Level.WRONG, "ptr": Level.UNKNOWN, "tls": Level.ADVICE}
    assert all(one.todo.pl and one.todo.en for one in found)
    with shop.ws.transaction() as conn:
        key = activate.dkim.make(conn, shop.ws.keys, "example.pl", shop.now, "ed25519", "s1")
        activate.dkim.use(conn, "example.pl", "s1", shop.now)
    names.zone |= {
        ("example.pl", "TXT"): ['"v=spf1 include:_spf.example.pl -all"'], ("_spf.example.pl", "TXT"): ['"v=spf1 ip4:203.0.113.7 ~all"'],
        ("_dmarc.example.pl", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:d@example.pl"'], (key.name, "TXT"): [f'"{key.record}"'],
    }  # fmt: skip
    assert looked(shop.ws) | {"tls": Level.OK, "ptr": Level.OK} == dict.fromkeys(("spf", "dmarc", "dkim", "ptr", "tls"), Level.OK)
    with shop.ws.transaction() as conn:
        kept = activate.standing.last_look(conn)
    assert kept is not None and {one.check for one in kept.findings} == {"spf", "dmarc", "dkim", "ptr", "tls"}
    names.silent = True
    monkeypatch.setattr(activate.standing, "QUESTION_SECONDS", 0.2)
    assert {looked(shop.ws)[check] for check in ("spf", "dmarc", "dkim")} == {Level.UNKNOWN}


@pytest.mark.parametrize(
    ("texts", "lookups", "level"),
    [
        ([], 0, Level.WRONG), (["v=spf1 -all", "v=spf1 ~all"], 0, Level.WRONG), (["v=spf1 +all"], 0, Level.WRONG), (["v=spf1 include:a.pl -all"], 11, Level.WRONG),
        (["v=spf1 a mx"], 2, Level.ADVICE), (["google-site=x", "v=spf1 ip4:192.0.2.1 ~all"], 0, Level.OK), (["v=spf10 -all"], 0, Level.WRONG),
    ],
)  # fmt: skip
def test_spf_is_judged_as_receivers_do(texts: list[str], lookups: int, level: Level) -> None:
    assert records.spf("example.pl", texts, lookups).level is level


@pytest.mark.parametrize(
    ("texts", "level"),
    [
        ([], Level.WRONG), (["v=DMARC1; p=none; rua=mailto:a@b.pl"], Level.ADVICE), (["v=DMARC1; p=reject"], Level.ADVICE), (["v=DMARC1; p=maybe"], Level.WRONG),
        (["v=DMARC1;p=quarantine;rua=mailto:a@b.pl"], Level.OK),
    ],
)  # fmt: skip
def test_dmarc_is_judged_by_its_policy_and_its_reports(texts: list[str], level: Level) -> None:
    assert records.dmarc("example.pl", texts).level is level


def test_names_in_letters_are_told_as_dns_has_them_with_the_readable_ones_beside() -> None:
    place = records.in_dns("żółw.example.pl")
    assert place == "xn--w-uga1v8h.example.pl" and records.in_dns("_dmarc.example.pl") == "_dmarc.example.pl"
    both = "xn--w-uga1v8h.example.pl (żółw.example.pl)"
    findings = (
        records.spf(place, [], 0), records.mx(place, []), records.dmarc(place, []), records.dkim(f"s1._domainkey.{place}", [], "v=DKIM1; p=B"),
    )  # fmt: skip
    names = (both, both, "_dmarc.xn--w-uga1v8h.example.pl (_dmarc.żółw.example.pl)", "s1._domainkey.xn--w-uga1v8h.example.pl (s1._domainkey.żółw.example.pl)")
    for finding, name in zip(findings, names, strict=True):
        assert name in finding.todo.en and name in finding.todo.pl
    assert "mailto:dmarc@xn--w-uga1v8h.example.pl" in findings[2].todo.en
    assert records.spelled("example.pl") == "example.pl" and records.spelled("xn--a.pl") == "xn--a.pl"


def test_names_of_servers_must_lead_back_and_keys_must_be_the_ones_that_sign() -> None:
    assert records.ptr("203.0.113.7", [], confirmed=False).level is Level.WRONG
    assert records.ptr("203.0.113.7", ["mail.example.pl"], confirmed=True).level is Level.OK
    assert records.dkim("s1._domainkey.example.pl", ["v=DKIM1; p=AAAA"], "v=DKIM1; k=rsa; p=BBBB").level is Level.WRONG
    assert records.dkim("s1._domainkey.example.pl", ["v=DKIM1; k=rsa; p=BB BB"], "v=DKIM1; k=rsa; p=BBBB").level is Level.OK
    assert records.tls("mx", offered=False, required=True).level is Level.WRONG
    assert records.spf_parts(["v=spf1 include:a.pl a:b.pl/24 mx ip4:1.2.3.4 redirect=c.pl"]) == [("include", "a.pl"), ("a", "b.pl"), ("mx", ""), ("redirect", "c.pl")]


def test_the_alarm_comes_before_the_limit_and_a_handful_of_messages_raises_none(shop: Shop) -> None:
    assert Signals(10_000, 100, 7, 0).complaints is Standing.FINE
    assert Signals(10_000, 100, 9, 0).complaints is Standing.NEAR and Signals(10_000, 100, 9, 0).alarm
    assert Signals(10_000, 600, 30, 0).complaints is Standing.OVER
    assert not Signals(50, 5, 1, 9).alarm and Signals(50, 5, 1, 9).bounces is Standing.FEW
    with shop.ws.transaction() as conn:
        SQL.count_day(conn, day=shop.now.date(), domain="example.pl", destinations=["google", "wp"], sent=[1_000, 3_000], bounced=[5, 5], deferred=[0, 0])
        SQL.count_back(conn, day=shop.now.date(), domain="example.pl", destination="google", bounced=0, complained=1)
        assert [one.key for one in activate.standing.reputations(conn, shop.now)] == ["google", "wp"]
        assert [one.label for one in activate.standing.alarms(conn, shop.now)] == ["Gmail"]
