"""Who comes in, and what every answer carries: sessions, foreign forms, headers.

A writing request is refused unless its Origin and Sec-Fetch-Site say "this console" and its form carries the token that
belongs to the visitor's cookie. Recipients' one-click unsubscribe is the one exception: its address is the proof.
"""

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from cegla.storage.keys import Keys
from cegla.vocabulary.errors.access import ForeignRequest

SESSION_COOKIE = "cegla_session"
VISIT_COOKIE = "cegla_visit"  #: a random value for visitors without a session, so that the sign-in form has a token too
TOKEN_FIELD = "csrf"

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'"
)
#: For a message shown in the sandboxed frame: its own styles, no script, nothing from elsewhere.
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox; frame-ancestors 'self'"

HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}


def cookie_name(request: Request, name: str) -> str:
    """Over HTTPS cookies carry the __Host- prefix, which binds them to this host."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def put_cookie(request: Request, answer: Response, name: str, value: str | None) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send; None removes it."""
    key, secure = cookie_name(request, name), request.url.scheme == "https"
    if value is None:
        answer.delete_cookie(key, path="/", secure=secure, httponly=True, samesite="lax")
    else:
        days = None if name in (SESSION_COOKIE, VISIT_COOKIE) else 180 * 86_400
        answer.set_cookie(key, value, max_age=days, path="/", secure=secure, httponly=True, samesite="lax")


def form_token(keys: Keys, cookie: str) -> str:
    """The token of a visitor's forms: only who holds the cookie can be given it."""
    return keys.signature("csrf", cookie.encode()).hex()


def refuse_foreign(request: Request, token: str, wanted: str) -> None:
    """Raise ForeignRequest unless the form was made and sent by this console."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForeignRequest(where="Origin", seen=origin)
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise ForeignRequest(where="Sec-Fetch-Site", seen=site)
    if not hmac.compare_digest(token.encode(), wanted.encode()):
        raise ForeignRequest(where=TOKEN_FIELD)


def dress(request: Request, answer: Response) -> Response:
    """Put the headers on an answer that it does not carry itself."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.url.scheme == "https":
        answer.headers.setdefault("strict-transport-security", "max-age=31536000")
    return answer
