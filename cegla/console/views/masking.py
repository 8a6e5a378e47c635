"""Personal data as it is shown before anybody asked for it: j***@example.pl, +48 *** *** 12, A***."""

PERSONAL = ("email", "phone", "user_id", "loyalty_card", "external_id")


def masked(value: object, kind: str = "email") -> str:
    """An identifier with its telling part hidden; values that name nobody (anonymous ids) are only shortened."""
    text = str(value)
    if kind == "email" and "@" in text:
        name, _, host = text.rpartition("@")
        return f"{name[:1]}***@{host}"
    if kind == "phone":
        return f"{text[:3]} *** *** {text[-2:]}" if len(text) > 7 else "***"
    if kind in ("anonymous_id", "device_id"):
        return text if len(text) <= 14 else f"{text[:12]}…"
    if kind == "user_id":
        return text if text.isascii() and len(text) <= 12 and "@" not in text else masked_email_or_word(text)
    return masked_email_or_word(text)


def masked_email_or_word(text: str) -> str:
    """Whatever it is: an address when it looks like one, otherwise its first letter."""
    return masked(text, "email") if "@" in text else f"{text[:1]}***"
