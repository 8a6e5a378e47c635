"""Letters kept: every edit a step, nobody's work written over, versions for good, snippets that reach every draft, images by their content."""

import threading
from collections.abc import Generator
from datetime import UTC, datetime

import msgspec
import pytest

from cegla.activate import actions as activate
from cegla.compose import actions as compose
from cegla.compose.rules.document import Block, Document
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.errors.messages import CampaignNotReady, ImageRefused, LetterChanged, TemplateInvalid
from tests.compose.test_rules import png

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ANNA, JAN = (compose.Author(name, "pl", NOW) for name in ("anna", "jan"))


@pytest.fixture(scope="module")
def press() -> Generator[compose.Press]:
    one = compose.Press()
    yield one
    one.close()


def edit(letter: compose.Letter, document: Document, editor: str = "a", author: compose.Author = ANNA) -> compose.Edit:
    return compose.Edit(letter.id, document, letter.revision, editor, author)


def retitled(letter: compose.Letter, subject: str) -> Document:
    return msgspec.structs.replace(letter.document, subject=subject)


def test_every_edit_is_a_step_that_can_be_undone_and_done_again(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        first = compose.begin(conn, "letter", "Jesień", ANNA)
        second = compose.keep(conn, edit(first, retitled(first, "raz")))
        assert compose.keep(conn, edit(second, second.document)).revision == second.revision
        third = compose.keep(conn, edit(second, retitled(second, "dwa")))
        assert compose.step(conn, edit(third, third.document), -1).document.subject == "raz"
        assert compose.step(conn, edit(third, third.document), -1).document == first.document
        assert compose.step(conn, edit(third, third.document), -1).document == first.document
        again = compose.step(conn, edit(third, third.document), 1)
        assert again.document.subject == "raz"
        branched = compose.keep(conn, edit(again, retitled(again, "trzy")))
        assert compose.step(conn, edit(branched, branched.document), 1).document.subject == "trzy"


def test_two_pages_do_not_write_over_one_another(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        seen = compose.begin(conn, "letter", "Jesień", ANNA)
        compose.keep(conn, edit(seen, retitled(seen, "Anny"), "page of Anna"))
        compose.keep(conn, edit(seen, retitled(seen, "Anny dalej"), "page of Anna"))
        with pytest.raises(LetterChanged):
            compose.keep(conn, edit(seen, retitled(seen, "Jana"), "page of Jan", JAN))
        assert compose.reading.letter(conn, seen.id).document.subject == "Anny dalej"


def campaign(workspace: Workspace) -> int:
    with workspace.transaction() as conn:
        people = segment.save(conn, "wszyscy", {"op": "did", "event": "Order Completed", "at_least": 1, "days": 90}, NOW)
        mjml = "<mjml><mj-body><mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>"
        return activate.save_campaign(conn, {"name": "k", "segment_id": people.id, "subject": "stary", "mjml": mjml}, NOW).id


def test_a_change_of_a_snippet_reaches_every_draft_and_no_campaign_that_was_sent(workspace: Workspace, press: compose.Press) -> None:
    number = campaign(workspace)
    with workspace.transaction() as conn:
        shared = compose.begin(conn, "snippet", "baner", ANNA, Document(blocks=(Block("b1", "text", {"text": "pierwszy baner"}),)))
        letter = compose.begin(conn, "letter", "list", ANNA, Document(subject="nowy", blocks=(Block("b1", "snippet", {"snippet": str(shared.id)}),)))
    for one in (shared, letter):
        assert compose.publish(workspace, press, one.id, ANNA) == (1, [])
    with workspace.transaction() as conn:
        compose.give(conn, press, letter.id, (number, "A"), ANNA)
        compose.give(conn, press, letter.id, (number, "B"), ANNA)
        found = activate.campaign(conn, number)
        assert (found.subject, "pierwszy baner" in found.mjml, found.variants[0].key) == ("nowy", True, "B")
        assert [name for _, _, name in compose.reading.users_of(conn, shared.id)] == ["list"]
        with pytest.raises(InvalidInput):
            compose.remove(conn, shared.id)
        compose.keep(conn, edit(shared, Document(blocks=(Block("b1", "text", {"text": "drugi baner"}),))))
        compose.keep(conn, edit(letter, Document(subject="szkic następnej wersji, bez baneru")))
    _, given = compose.publish(workspace, press, shared.id, ANNA)
    assert [(use.campaign_id, use.variant) for use in given] == [(number, "A"), (number, "B")]
    with workspace.transaction() as conn:
        assert "drugi baner" in activate.campaign(conn, number).mjml
    activate.cancel(workspace, number)
    with workspace.transaction() as conn:
        compose.keep(conn, compose.Edit(shared.id, Document(blocks=(Block("b1", "text", {"text": "trzeci"}),)), 2, "a", ANNA))
    assert compose.publish(workspace, press, shared.id, ANNA)[1] == []
    with workspace.transaction() as conn, pytest.raises(CampaignNotReady):
        compose.give(conn, press, letter.id, (number, "A"), ANNA)


def test_a_letter_that_does_not_compile_becomes_no_version(workspace: Workspace, press: compose.Press) -> None:
    with workspace.transaction() as conn:
        letter = compose.begin(conn, "letter", "zły", ANNA, Document(subject="{% if %}", blocks=(Block("b1", "text", {"text": "x"}),)))
    with pytest.raises(TemplateInvalid):
        compose.publish(workspace, press, letter.id, ANNA)
    with workspace.transaction() as conn:
        assert compose.reading.versions(conn, letter.id) == []


def test_a_draft_that_is_being_kept_holds_the_image_it_shows_and_a_letter_without_its_image_becomes_no_version(
    workspace: Workspace, press: compose.Press
) -> None:
    with workspace.transaction() as conn:
        image = compose.images.host(conn, png(), "a.png", NOW).name
        letter = compose.begin(conn, "letter", "z obrazem", ANNA)
    document = Document(subject="s", blocks=(Block("b1", "image", {"image": f"/images/{image}", "alt": "kubek"}),))
    found: list[object] = []

    def remove() -> None:
        with workspace.transaction() as conn:
            try:
                found.append(compose.images.remove(conn, image))
            except InvalidInput as refused:
                found.append(refused)

    with workspace.transaction() as conn:
        compose.keep(conn, edit(letter, document))
        remover = threading.Thread(target=remove)
        remover.start()
        remover.join(0.3)
        assert not found, "the draft is not kept yet, and not refused yet"
    remover.join(60)
    assert isinstance(found[0], InvalidInput), "it shows the image, so the image stays"
    compose.publish(workspace, press, letter.id, ANNA)
    with workspace.transaction() as conn:
        conn.execute("delete from compose.images")
    with pytest.raises(InvalidInput):
        compose.publish(workspace, press, letter.id, ANNA)


def test_an_image_is_kept_once_under_a_name_of_its_content(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        one, again = (compose.images.host(conn, png(), name, NOW) for name in ("a.png", "b.png"))
        assert one.name == again.name
        assert compose.images.content(conn, one.name)[0] == "image/png"
        assert [row.label for row in compose.images.hosted(conn)] == ["a.png"]
        with pytest.raises(ImageRefused):
            compose.images.host(conn, b"<svg/>", "x.png", NOW)
