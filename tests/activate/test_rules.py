"""The pure rules: letters as bytes, replies, tokens, pace, links and plain text."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.activate.rules import mime, pace, returning, tokens
from cegla.activate.rules.audience import held_out
from cegla.activate.rules.channels import deliverable, masked
from cegla.activate.rules.content import plain_text, with_clicks, with_counted_links, with_signed_links
from cegla.activate.rules.replies import Meaning, Reply, meaning
from cegla.vocabulary.errors.messages import HeaderRefused
from cegla.vocabulary.identifiers import normalized

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)


def letter(subject: str = "Cześć", sender: str = "Sklep <a@example.pl>", text: str = "t", html: str = "<p>h</p>", **headers: str) -> mime.Letter:
    return mime.Letter(sender, "anna@example.pl", subject, text, html, "<m1@example.pl>", NOW, tuple(headers.items()))


@given(subject=PRINTABLE, text=st.text(st.characters(exclude_categories=["Cs"])), html=PRINTABLE)
def test_any_letter_reads_back_as_written(subject: str, text: str, html: str) -> None:
    raw = mime.written(letter(subject, text=text, html=html))
    read = message_from_bytes(raw, policy=default)
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    plain, rich = (part.get_payload(decode=True).decode() for part in read.iter_parts())
    assert (plain, rich) == (text, html)
    assert " ".join(str(read["Subject"]).split()) == " ".join(subject.split())
    assert all(len(line) <= 998 for line in raw.split(b"\r\n")) and b"\n" not in raw.replace(b"\r\n", b"") and not any(line.startswith(b".") for line in raw.split(b"\r\n"))


@given(name=PRINTABLE.filter(lambda name: bool(name.strip()) and not set(name) & set('"\\<>@,;:()[]')))
def test_the_sender_keeps_name_and_address(name: str) -> None:
    read = message_from_bytes(mime.written(letter(sender=f"{name} <a@example.pl>")), policy=default)
    assert read["From"].addresses[0].addr_spec == "a@example.pl"


@pytest.mark.parametrize("value", ["a\r\nBcc: all@example.pl", "a\nb", "a\rb", "a\0b", "a\u2028b", "a\x85b", "a\x0bb"])
def test_a_value_that_would_break_out_of_its_header_is_refused(value: str) -> None:
    for wrong in (letter(subject=value), letter(sender=f"{value} <a@example.pl>"), letter(List=value)):
        with pytest.raises(HeaderRefused):
            mime.written(wrong)


def test_a_long_unsubscribe_address_stays_one_address() -> None:
    url = "<https://cegla.example/u/" + "A" * 400 + ">"
    raw = mime.written(mime.Letter("a@example.pl", "b@example.pl", "s", "t", "h", "<m1@x>", NOW, [("List-Unsubscribe", url)]))
    assert f"List-Unsubscribe: {url}\r\n".encode() in raw


@pytest.mark.parametrize(
    ("code", "text", "stage", "expected"),
    [
        (250, "OK", "body", Meaning.ACCEPTED), (550, "5.1.1 user unknown", "rcpt", Meaning.HARD), (550, "No such user here", "rcpt", Meaning.HARD),
        (554, "5.1.2 bad destination system", "rcpt", Meaning.HARD), (552, "5.2.2 mailbox full", "rcpt", Meaning.SOFT), (550, "5.7.1 policy", "rcpt", Meaning.SOFT),
        (550, "blocked: user unknown to our reputation service", "rcpt", Meaning.SOFT), (554, "message looks like spam", "body", Meaning.SOFT),
        (451, "4.7.1 greylisted", "rcpt", Meaning.RETRY), (452, "too many recipients", "body", Meaning.RETRY), (421, "closing", "rcpt", Meaning.SERVER),
        (550, "sender rejected", "mail", Meaning.SERVER), (535, "bad credentials", "connect", Meaning.SERVER), (454, "relay access denied for now", "rcpt", Meaning.SERVER),
    ],
)  # fmt: skip
def test_a_reply_is_read_by_its_evidence(code: int, text: str, stage: str, expected: Meaning) -> None:
    assert meaning(Reply(code, text, stage)) is expected


@given(st.integers(0, 2**62), st.integers(0, 2**30), st.binary(min_size=16, max_size=16))
def test_a_token_reads_back_and_has_one_spelling(message_id: int, link: int, signature: bytes) -> None:
    text = tokens.written(tokens.content(message_id, link), signature)
    assert tokens.read(text) == tokens.Token(message_id, link, signature)
    assert tokens.read(text + "=") is None and tokens.read(text + "A") is None and tokens.read(" " + text) is None


@given(st.text(max_size=60))
def test_what_is_no_token_reads_as_none_and_never_fails(text: str) -> None:
    read = tokens.read(text)
    assert read is None or tokens.written(read.content, read.signature) == text


@given(per_minute=st.integers(1, 100_000), steps=st.lists(st.floats(0.01, 5), min_size=1, max_size=50))
def test_over_any_time_no_more_goes_than_the_speed_and_one_second_ahead(per_minute: int, steps: list[float]) -> None:
    bucket, now, spent = pace.refilled(None, per_minute, NOW), NOW, 0
    for step in steps:
        now += timedelta(seconds=step)
        bucket = pace.refilled(bucket, per_minute, now)
        spent += int(bucket.tokens)
        bucket = pace.Bucket(bucket.tokens - int(bucket.tokens), now)
    assert spent <= max(1, per_minute / 60) + per_minute / 60 * (now - NOW).total_seconds() + 1e-6


def test_a_map_of_links_marks_what_is_counted_and_nothing_else() -> None:
    html = "".join([f'<a href="https://{host}">x</a>' for host in ("a.pl/?x=1&amp;y=2", "b.pl/", "d.pl/")]) + '<a href="https://c.pl/u/0">out</a>'
    mapped = with_clicks(html, {"https://a.pl/?x=1&y=2": (5, 3, 7), "https://d.pl/": (0, 0, 2)}, ("https://c.pl/u/",))
    assert re.findall(r">([+\d /]+)</span>", mapped) == ["5 / 3 +7", "0", "+2"] and mapped.endswith('<a href="https://c.pl/u/0">out</a>')


def test_a_letter_with_no_link_that_is_the_same_for_everybody_has_no_trap_either() -> None:
    pieces = ['<body><a href="', None, '">x</a></body>']
    assert with_counted_links(pieces, str.upper, "https://trap/") == pieces
    assert "https://trap/" in str(with_counted_links(['<body><a href="https://a.pl/">x</a></body>'], str.upper, "https://trap/"))


def test_links_are_signed_in_anchors_only_and_never_the_way_out() -> None:
    html = '<a class="x" href="https://a.pl/?x=1&amp;y=2">a</a><img src="https://a.pl/i.png"><a href="https://c.pl/u/T">out</a><a href="mailto:x@y.pl">m</a>'
    seen: list[str] = []
    signed = with_signed_links(html, lambda url: seen.append(url) or "https://c.pl/r/1", untouched="https://c.pl/u/")
    assert seen == ["https://a.pl/?x=1&y=2"]
    assert signed == html.replace("https://a.pl/?x=1&amp;y=2", "https://c.pl/r/1")


def test_plain_text_keeps_words_lists_links_and_fields_and_drops_what_is_not_shown() -> None:
    html = """<html><head><title>T</title><style>p{}</style></head><body><div style="display:none">hidden<br></div>
    <p>Cześć {{ person.name }},</p><ul><li>jeden</li><li>dwa</li></ul><p><a href="https://a.pl/{{ x }}">tu</a>&nbsp;i <a href="https://b.pl">https://b.pl</a></p></body></html>"""
    assert plain_text(html) == "Cześć {{ person.name }},\n\n- jeden\n- dwa\n\ntu (https://a.pl/{{ x }}) i https://b.pl\n"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("anna@example.pl", "anna@example.pl"), ("anna@żółw.pl", "anna@xn--w-uga1v8h.pl"), ("anna@straße.de", "anna@xn--strae-oqa.de"), ("anna@a_b.pl", "anna@a_b.pl"),
        ("żółw@example.pl", None), ("a" * 65 + "@example.pl", None), ("@example.pl", None), ("anna@", None), ("anna@a..pl", None), (f"anna@{'a' * 64}.pl", None), ("anna@☃.net", None),
    ],
)
def test_addresses_are_made_fit_for_servers_or_refused(address: str, expected: str | None) -> None:
    assert deliverable(address) == expected


@pytest.mark.parametrize("domain", ["żółw.pl", "straße.de", "ὀδυσσεύς.gr", "日本。jp", "пример.рф", "xn--strae-oqa.de"])
def test_a_letter_goes_where_the_identifier_says(domain: str) -> None:
    assert deliverable(f"anna@{domain}") == normalized("email", f"anna@{domain}") is not None


def test_a_masked_address_shows_one_letter() -> None:
    assert masked("anna@example.pl") == "a***@example.pl"


def test_the_holdout_takes_its_share_and_other_people_in_another_campaign() -> None:
    first, second = ({person for person in range(20_000) if held_out(campaign, person, 10)} for campaign in (1, 2))
    assert 1_800 < len(first) < 2_200 and 120 < len(first & second) < 290


def test_events_of_messages_are_batched_and_told_under_one_id() -> None:
    rows = [returning.event(returning.SENT, number, returning.whose("a@b.pl"), NOW, {}) for number in range(450)]
    assert len(returning.requests(rows)) == 3 and returning.requests([]) == []
    assert rows[7]["messageId"] == "cegla-7-email-sent"
