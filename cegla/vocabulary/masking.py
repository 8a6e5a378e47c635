"""Personal data as it is shown before anybody asked for it: j***@example.pl, +48 *** *** 12, A***."""


def masked(value: object, kind: str = "email") -> str:
    """An identifier with its telling part hidden; values that name nobody (anonymous ids) are only shortened."""
    text = str(value)
    if kind == "phone":
        return f"{text[:3]} *** *** {text[-2:]}" if len(text) > 7 else "***"
    if kind in ("anonymous_id", "device_id"):
        return text if len(text) <= 14 else f"{text[:12]}…"
    if kind == "user_id" and text.isascii() and len(text) <= 12 and "@" not in text:
        return text
    name, at, host = text.rpartition("@")
    return f"{name[:1]}***@{host}" if at else f"{text[:1]}***"
