"""Who may come in, from where, and for what: passwords, keys, permissions, sites, purposes."""

from cegla.vocabulary.errors import Broken, Busy, InvalidInput, Refused, WrongUsage
from cegla.vocabulary.text import Text


class WrongPassword(Refused):
    """Sign-in failed; which of the two was wrong is not said."""

    code, status = "CEGLA-E0501", 401
    what = Text("Nieprawidłowy login lub hasło.", "Wrong name or password.")
    todo = Text("Sprawdź wielkość liter i spróbuj ponownie.", "Check capitals and try again.")


class WrongKey(Refused):
    """A write key, secret key or session is not known."""

    code, status = "CEGLA-E0502", 401
    what = Text("Nieznany klucz.", "Unknown key.")
    todo = Text("Skopiuj klucz ze strony Źródła lub Ustawienia.", "Copy the key from the Sources or Settings page.")


class ForeignRequest(Refused):
    """A form came from another site, or its protection token is missing or old."""

    code = "CEGLA-E0503"
    what = Text("Formularz nie pochodzi z tej konsoli albo jest przeterminowany.", "The form does not come from this console, or is out of date.")
    todo = Text("Odśwież stronę i wyślij formularz ponownie.", "Reload the page and send the form again.")


class NotPermitted(Refused):
    """The user's role lacks a permission."""

    code = "CEGLA-E0504"
    what = Text("Twoja rola na to nie pozwala ({permission}).", "Your role does not allow this ({permission}).")
    todo = Text("Poproś administratora o uprawnienie.", "Ask an administrator for the permission.")


class SiteNotAllowed(Refused):
    """A page asked for its visitor with a key that does not belong to a website which lists the page's origin."""

    code = "CEGLA-E0505"
    what = Text("Ta strona nie może pytać o odwiedzającego.", "This page may not ask for its visitor.")
    todo = Text("Wpisz domenę strony na listę w ustawieniach źródła.", "List the page's origin in the settings of the source.")


class MethodWrong(WrongUsage):
    """A path of the API is there, and takes another HTTP method."""

    code, status = "CEGLA-E0244", 405
    what = Text("Ten adres nie przyjmuje metody {method}.", "This path does not take the method {method}.")
    todo = Text("Użyj jednej z: {allowed}.", "Use one of: {allowed}.")


class PasswordTooWeak(InvalidInput):
    """A new password is too short or too easy to guess."""

    code = "CEGLA-E0340"
    what = Text("To hasło jest za krótkie albo łatwe do zgadnięcia.", "This password is too short or easy to guess.")
    todo = Text("Użyj co najmniej {shortest} znaków, najlepiej kilku słów.", "Use at least {shortest} characters, best several words.")


class TooManyTries(Busy):
    """Too many wrong passwords in a row."""

    code, status = "CEGLA-E0603", 429
    what = Text("Za dużo nieudanych prób logowania.", "Too many wrong passwords.")
    todo = Text("Odczekaj minutę i spróbuj ponownie.", "Wait a minute and try again.")


class RegisterInvalid(InvalidInput):
    """A purpose, a country's rule or a notice of the register is wrong."""

    code = "CEGLA-E0366"
    what = Text("Rejestr celów jest nieprawidłowy: {detail}", "The register of purposes is not valid: {detail}")
    todo = Text("Popraw wskazane miejsce; wzór daje cegla purpose show.", "Correct the place shown; cegla purpose show gives a pattern.")


class NoticeKept(InvalidInput):
    """A version of the words people agreed to would change or go."""

    code = "CEGLA-E0367"
    what = Text("Treść zgody {version} celu {purpose} nie może się zmienić.", "The words {version} of the purpose {purpose} cannot change.")
    todo = Text("Dodaj nową wersję treści; ludzie zgodzili się na tamtą.", "Add a new version of the words; people agreed to that one.")


class RegisterUnreadable(Broken):
    """The register in the database cannot be read, so nothing is allowed."""

    code = "CEGLA-E0165"
    what = Text("Rejestru celów nie da się odczytać, więc nic nie wolno wysłać.", "The register of purposes cannot be read, so nothing may be sent.")
    todo = Text("Przywróć ostatnią dobrą wersję: cegla purpose apply.", "Put the last good version back: cegla purpose apply.")
