"""Words, macros and files of the console: nothing unspoken, nothing untranslated, nothing unseen, nothing changed behind our back."""

import hashlib
import re
import tomllib
from collections import Counter

import pytest

from cegla.console.language import english
from cegla.console.render import HERE, STATIC, TEMPLATES
from cegla.console.screens import deliverability
from tests.console.messages import all_messages, messages_in_code, messages_in_templates, text_outside_messages

OWN_SCRIPT_LINES = 300
JS_BYTES = 60_000
HTMX = {"hx-get", "hx-post", "hx-target", "hx-swap", "hx-trigger", "hx-push-url", "hx-confirm", "hx-indicator", "hx-sync"}
SQL = re.compile(r"\b(select\s+[\w*].*\bfrom|insert\s+into|delete\s+from|update\s+\w+\s+set)\b", re.IGNORECASE)
POLISH = re.compile(r"[ąćęłńóśźż]", re.IGNORECASE)


def test_every_message_has_its_english_side_and_none_is_left_over() -> None:
    assert set(all_messages()) == set(english())


def test_plural_messages_have_all_their_forms() -> None:
    plural = {message for _, call, message in (*messages_in_templates(), *messages_in_code()) if call in ("_n", "count")}
    assert not [message for message in plural if message.count("|") != 2]
    assert not [message for message in plural if english()[message].count("|") != 1]


def test_placeholders_are_the_same_in_both_languages() -> None:
    names = re.compile(r"\{(\w+)\}")
    assert not [message for message, said in english().items() if set(names.findall(message)) != set(names.findall(said))]


def test_no_english_message_was_left_in_polish() -> None:
    assert not [said for said in english().values() if POLISH.search(said.replace("Cegła", ""))]


def test_no_template_speaks_outside_messages() -> None:
    assert not list(text_outside_messages())


def test_every_macro_is_in_the_gallery() -> None:
    macros = re.findall(r"{% macro (\w+)\(", (TEMPLATES / "macros" / "ui.html").read_text(encoding="utf-8"))
    shown = (TEMPLATES / "pages" / "gallery.html").read_text(encoding="utf-8") + (TEMPLATES / "layout.html").read_text(encoding="utf-8")
    assert [name for name, times in Counter(macros).items() if times > 1] == []
    assert not [name for name in macros if f"ui.{name}(" not in shown]


def test_templates_use_few_attributes_of_htmx_and_no_inline_code() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"\b(hx-[\w-]+)=", text)) <= HTMX, file.name
        assert not re.search(r"<[^<>{]*\s(style|on\w+)=\"|<style|\|\s*safe\b", text), file.name


def test_the_console_holds_no_sql() -> None:
    assert not [file.name for file in HERE.rglob("*.py") if SQL.search(file.read_text(encoding="utf-8"))]


def test_screens_are_short() -> None:
    assert not [file.name for file in (HERE / "screens").glob("*.py") if len(file.read_text(encoding="utf-8").splitlines()) > 300]


def test_the_style_sheet_and_scripts_ask_nothing_of_another_machine() -> None:
    for file in (*STATIC.glob("*.css"), *STATIC.glob("*.js")):
        assert not re.search(r"https?://|@import|//[a-z]+\.", file.read_text(encoding="utf-8").replace("// ", "")), file.name


def vendored() -> list[dict[str, str]]:
    return tomllib.loads((STATIC / "vendor" / "VENDOR.toml").read_text(encoding="utf-8"))["file"]


@pytest.mark.parametrize("row", vendored(), ids=lambda row: row["path"])
def test_vendored_files_are_what_they_were(row: dict[str, str]) -> None:
    assert hashlib.sha256((STATIC / "vendor" / row["path"]).read_bytes()).hexdigest() == row["sha256"]
    assert (STATIC / "vendor" / row["licence_file"]).exists()
    assert {"name", "version", "licence", "source"} <= row.keys()


def test_every_vendored_file_is_in_the_manifest() -> None:
    named = {row["path"] for row in vendored()} | {row["licence_file"] for row in vendored()} | {"VENDOR.toml"}
    assert {file.name for file in (STATIC / "vendor").iterdir()} == named


def test_scripts_stay_small() -> None:
    own = list(STATIC.glob("*.js"))
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in own) < OWN_SCRIPT_LINES
    assert sum(file.stat().st_size for file in (*own, *(STATIC / "vendor").glob("*.js"))) < JS_BYTES


def test_words_of_the_console_are_translated_wherever_a_template_says_them() -> None:
    """`say` is for texts of both languages: of a word that is only marked it would say the Polish side to everybody."""
    text = (TEMPLATES / "pages" / "deliverability.html").read_text(encoding="utf-8")
    for name, words in (("levels", deliverability.LEVELS), ("standings", deliverability.STANDINGS)):
        assert all(isinstance(word, str) for word, _ in words.values()) and f"t.text({name}[" in text and f"t.say({name}[" not in text


def test_boxes_of_a_row_stand_beside_each_other_also_where_one_has_a_hint_under_it() -> None:
    """In a plain row boxes without a hint stand at the bottom: `even` or a form-grid puts them at the top."""
    rows = ((page.stem, kind, row) for page in TEMPLATES.rglob("*.html") for kind, row in re.findall(r'<div class="form-row([^"]*)">(.*?)</div>', page.read_text(), re.DOTALL))
    assert not [page for page, kind, row in rows if "hint=" in row and len(re.findall(r"ui\.(?:field|choice)\(", row)) > 1 and "even" not in kind]
