"""A sentence in the two languages the product speaks."""

from typing import Literal, NamedTuple

Language = Literal["pl", "en"]


class Text(NamedTuple):
    """The same sentence in Polish and English; `{placeholders}` are filled by `format`."""

    pl: str
    en: str

    def say(self, language: Language, **facts: object) -> str:
        """The sentence in one language with its placeholders filled from `facts`."""
        template = self.pl if language == "pl" else self.en
        return template.format(**facts) if facts else template
