"""Users, passwords and sessions."""

from datetime import UTC, datetime, timedelta

import pytest

from cegla.govern import actions as govern
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.access import PasswordTooWeak, TooManyTries, WrongPassword

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
GOOD = "cztery poprawne konie"


def test_the_first_user_is_made_once_and_the_password_opens_a_session(conn: Connection) -> None:
    password = govern.ensure_first_user(conn, NOW)
    assert password and govern.ensure_first_user(conn, NOW) is None
    user = govern.session_of(conn, govern.sign_in(conn, "admin", password, NOW), NOW)
    assert user is not None and user.name == "admin" and user.may("settings.edit")


def test_no_password_and_no_token_lies_in_the_tables(conn: Connection) -> None:
    password = govern.ensure_first_user(conn, NOW)
    assert password
    token = govern.sign_in(conn, "admin", password, NOW)
    stored = str(conn.execute("select * from govern.users").fetchall()) + str(conn.execute("select * from govern.sessions").fetchall())
    assert "$argon2id$" in stored and password not in stored and token not in stored


@pytest.mark.parametrize("name", ["anna", "nobody"])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(conn: Connection, name: str) -> None:
    govern.set_password(conn, "anna", GOOD, NOW)
    with pytest.raises(WrongPassword) as refused:
        govern.sign_in(conn, name, "wrong wrong wrong", NOW)
    assert refused.value.problem()["where"] == "name"


def test_eight_wrong_passwords_in_a_row_make_the_next_one_wait_a_minute(conn: Connection) -> None:
    govern.set_password(conn, "anna", GOOD, NOW)
    for _ in range(8):
        with pytest.raises(WrongPassword):
            govern.sign_in(conn, "anna", "wrong wrong wrong", NOW)
    with pytest.raises(TooManyTries):
        govern.sign_in(conn, "anna", GOOD, NOW)
    assert govern.sign_in(conn, "anna", GOOD, NOW + timedelta(seconds=61))


def test_a_new_password_ends_every_other_session(conn: Connection) -> None:
    govern.set_password(conn, "anna", GOOD, NOW)
    mine, other = govern.sign_in(conn, "anna", GOOD, NOW), govern.sign_in(conn, "anna", GOOD, NOW)
    govern.set_password(conn, "anna", "zupełnie inne hasło 7", NOW, keep_token=mine)
    assert govern.session_of(conn, mine, NOW) and govern.session_of(conn, other, NOW) is None
    with pytest.raises(WrongPassword):
        govern.sign_in(conn, "anna", GOOD, NOW)


def test_a_session_ends_by_signing_out_and_by_age(conn: Connection) -> None:
    govern.set_password(conn, "anna", GOOD, NOW)
    first, second = govern.sign_in(conn, "anna", GOOD, NOW), govern.sign_in(conn, "anna", GOOD, NOW)
    govern.sign_out(conn, first)
    assert govern.session_of(conn, first, NOW) is None
    assert govern.session_of(conn, second, NOW + timedelta(hours=13)) is None
    assert govern.session_of(conn, "made up", NOW) is None


@pytest.mark.parametrize("password", ["short", "password12", "qwerty1234", "x" * 300])
def test_passwords_that_fall_first_are_refused(conn: Connection, password: str) -> None:
    with pytest.raises(PasswordTooWeak):
        govern.set_password(conn, "anna", password, NOW)


def test_every_permission_of_a_role_exists() -> None:
    assert {permission for role in govern.ROLES.values() for permission in role.permissions} <= set(govern.PERMISSIONS)
