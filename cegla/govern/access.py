"""Users of the console, their passwords and sessions. Passwords are hashed with argon2id; a session is a random reference, stored hashed."""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from cegla.govern.rules.roles import ROLES, Role
from cegla.govern.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.access import PasswordTooWeak, TooManyTries, WrongPassword

HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)  # OWASP ASVS 5.0 appendix C
HASHING = threading.BoundedSemaphore(2)  # each takes 46 MiB
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 256
GUESSED_FIRST = ("password", "haslo", "hasło", "qwerty", "12345", "cegla", "admin", "zaq1")
IDLE, LONGEST = timedelta(hours=12), timedelta(days=7)
TRIES, PAUSE = 8, timedelta(minutes=1)


@dataclass(frozen=True)
class User:
    """A person signed in to the console."""

    id: int
    name: str
    role: Role

    def may(self, permission: str) -> bool:
        """Whether the role allows this."""
        return permission in self.role.permissions


def ensure_first_user(conn: Connection, now: datetime) -> str | None:
    """Make the administrator "admin" when there is no user yet, and return the password, which is shown once and stored nowhere."""
    if SQL.any_user(conn):
        return None
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    SQL.put_user(conn, name="admin", role="administrator", password_hash=_hash(password), now=now)
    return password


def sign_in(conn: Connection, name: str, password: str, now: datetime) -> str:
    """A new session's token. Raises WrongPassword, and TooManyTries for a minute after eight wrong ones.

    Commits the count of failures itself, so that the caller's rollback does not forget it.
    """
    user = SQL.user_by_name(conn, name=name)
    if user is not None and user[4] >= TRIES and now < user[5] + PAUSE:
        raise TooManyTries(where="name")
    right = _matches(user[3] if user else None, password)
    if user is None:
        raise WrongPassword(where="name")
    if not right:
        SQL.count_failure(conn, user_id=user[0], now=now)
        conn.commit()
        raise WrongPassword(where="name")
    SQL.clear_failures(conn, user_id=user[0])
    token = secrets.token_urlsafe(32)
    SQL.add_session(conn, token_hash=_digest(token), user_id=user[0], now=now)
    return token


def session_of(conn: Connection, token: str, now: datetime) -> User | None:
    """Who holds this session; None when it is unknown, idle for 12 hours or older than 7 days."""
    row = SQL.session(conn, token_hash=_digest(token))
    if row is None:
        return None
    user_id, name, role, created_at, seen_at = row
    if now - created_at > LONGEST or now - seen_at > IDLE:
        SQL.delete_session(conn, token_hash=_digest(token))
        return None
    if now - seen_at > timedelta(minutes=1):
        SQL.touch_session(conn, token_hash=_digest(token), now=now)
    return User(user_id, name, ROLES[role])


def sign_out(conn: Connection, token: str) -> None:
    """End one session."""
    SQL.delete_session(conn, token_hash=_digest(token))


def set_password(conn: Connection, name: str, password: str, now: datetime, *, role: str = "marketer", keep_token: str | None = None) -> None:
    """Give a user a new password, or make the user with `role`; every other session of theirs ends.

    Raises PasswordTooWeak under ten characters, or when it is made of the words everybody tries first.
    """
    guessed = any(word in password.lower() and len(password) < 2 * len(word) + 4 for word in (*GUESSED_FIRST, name.lower()))
    if guessed or not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise PasswordTooWeak(where="password", shortest=SHORTEST_PASSWORD)
    SQL.put_user(conn, name=name, role=ROLES[role].key, password_hash=_hash(password), now=now)
    SQL.delete_sessions_of(conn, name=name, kept=_digest(keep_token) if keep_token else None)


def _hash(password: str) -> str:
    with HASHING:
        return HASHER.hash(password)


def _matches(stored: str | None, password: str) -> bool:
    """Whether the password is right; an unknown name takes the same time as a wrong password."""
    with HASHING:
        try:
            return HASHER.verify(stored, password) if stored else not HASHER.hash(password[:LONGEST_PASSWORD])
        except VerificationError:
            return False


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
