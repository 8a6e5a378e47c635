"""Whole numbers as they come from forms and addresses: plain digits, no more of them than a column holds."""

MOST_OF_BIGINT, MOST_OF_INTEGER = 18, 9  #: digits that always fit the column


def whole(text: object, most: int = MOST_OF_BIGINT) -> int | None:
    """The number of these digits; None for anything else ("²", "٣", "-1"), and for more than `most` digits."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= most else None
