"""Legal form: who buys for a firm, who for themselves."""

from typing import Any

import pytest

from cegla.profile.analysers import legal
from cegla.profile.analysers.legal import company_of, record_of, segment_of
from tests.profile.analysed import found


def segment(**told: Any) -> str | None:
    given = {("identifier." if name == "email" else "declared.") + name: [value] if name == "email" else value for name, value in told.items()}
    return segment_of(record_of(given))[0]


@pytest.mark.parametrize(
    ("name", "form", "base"),
    [
        ("Nowak i Syn Sp. z o.o.", "z_oo", "Nowak i Syn"), ("NOWAK SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ", "z_oo", "NOWAK"), ("Okna spolka z o.o.", "z_oo", "Okna"),
        ("Żółty Młyn Spółka Akcyjna", "akcyjna", "Żółty Młyn"), ("Budmax Sp. z o.o. Sp. k.", "komandytowa", "Budmax Sp. z o.o"), ("Nova P.S.A.", "prosta_akcyjna", "Nova"),
        ("Fundacja Ziarno", "fundacja", "Fundacja Ziarno"), ("Nordic Wood GmbH", "zagraniczna", "Nordic Wood"),
    ],
)  # fmt: skip
def test_the_legal_form_is_read_from_the_name_however_it_is_spelled(name: str, form: str, base: str) -> None:
    company = company_of(name)
    assert company.form is not None
    assert company.form.key == form
    assert company.base == base


def test_a_company_without_a_legal_form_has_none() -> None:
    assert company_of("Kwiaciarnia Róża") == (None, "Kwiaciarnia Róża")


def test_a_legal_form_decides_whatever_the_mailbox() -> None:
    assert segment(company="Metalik Sp. z o.o.", email="metalik@o2.pl") == "b2b"
    assert segment(company="Szkoła Podstawowa nr 5", email="sp5@gmail.com") == "public"
    assert segment(company="OSP Rybno", email="osp@op.pl") == "ngo"


def test_a_sole_trader_is_a_person_and_a_business() -> None:
    assert segment(nip="5210000026", email="pawel.gaj@onet.pl", last_name="Gaj") == "jdg"
    assert segment(company="Adam Wrona Fotografia", nip="521-000-00-26", last_name="Wrona", email="adam@wronafoto.example") == "jdg"


def test_a_private_mailbox_is_a_consumer_and_a_mailbox_of_a_role_is_not() -> None:
    assert segment(email="anna.nowak@gmail.com", last_name="Nowak") == "b2c"
    assert segment(email="zamowienia@fabrykakrzesel.example") == "b2b"
    assert segment(email="anna.nowak@nowakowie.example", last_name="Nowak") == "b2c"


def test_a_nip_with_a_wrong_check_digit_is_no_sign() -> None:
    record = record_of({"declared.nip": "5210000027", "identifier.email": ["a@wp.pl"]})
    assert record.nip is False
    assert "nip" not in record.signs


def test_nobody_knows_about_somebody_of_whom_nothing_is_known() -> None:
    assert segment() is None


@pytest.mark.parametrize("name", ["Parafia św. Jana", "Caritas Archidiecezji", "NSZZ Związek Zawodowy Kolejarzy", "Partia Zielonych", "Fundacja LGBT+ Razem"])
def test_an_organisation_that_tells_the_belief_of_its_people_is_not_written_down(name: str) -> None:
    told = {"declared.company": {1: name}, "identifier.email": {1: ["biuro@parafia-jana.pl"]}}
    traits = found(legal.ANALYSER, [(1, 1.0, "Page Viewed", {})], told=told)[1]
    assert (traits["legal.form"], traits["company.name_base"], traits["company.domain"]) == (None, None, None)
    assert traits["legal.segment"] in ("ngo", "b2b")


def test_a_chemists_shop_keeps_its_name() -> None:
    assert found(legal.ANALYSER, [(1, 1.0, "Page Viewed", {})], told={"declared.company": {1: "Apteka Słoneczna"}})[1]["company.name_base"] == "Apteka Słoneczna"
