"""What the names of columns mean, in Polish and English: one row a meaning."""

import re
from functools import lru_cache
from typing import NamedTuple

from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text


class Role(NamedTuple):
    """A meaning that a column may have. `names` are folded: small letters, no diacritics, words apart."""

    key: str
    label: Text
    names: tuple[str, ...]


def _role(key: str, pl: str, en: str, names: str) -> Role:
    return Role(key, Text(pl, en), tuple(name.strip() for name in names.split(",")))


ROLES = (
    _role("email", "adres e-mail", "e-mail address",
        "e mail, email, mail, adres email, adres e mail, email address, adres mailowy, poczta elektroniczna"),
    _role("phone", "telefon", "phone",
        "telefon, tel, kom, komorka, komorkowy, nr telefonu, nr tel, numer telefonu, gsm, phone, mobile, cell, phone number"),
    _role("first_name", "imię", "first name", "imie, first name, firstname, given name, fname"),
    _role("last_name", "nazwisko", "last name", "nazwisko, last name, lastname, surname, family name, lname"),
    _role("name", "imię i nazwisko", "full name",
        "imie i nazwisko, nazwisko i imie, imie nazwisko, nazwisko imie, full name, fullname, customer name, nazwa klienta, osoba"),
    _role("birthday", "data urodzenia", "date of birth", "data urodzenia, urodziny, data ur, birthday, birth date, birthdate, date of birth, dob"),
    _role("gender", "płeć", "gender", "plec, gender, sex"),
    _role("city", "miasto", "city", "miasto, miejscowosc, city, town"),
    _role("postal_code", "kod pocztowy", "postal code", "kod pocztowy, kod poczt, zip, zip code, postal code, postcode, post code"),
    _role("street", "ulica", "street", "ulica, adres, ulica i numer, street, address, address 1, address line 1"),
    _role("region", "województwo", "region", "wojewodztwo, region, state, province"),
    _role("country", "kraj", "country", "kraj, panstwo, country, country code"),
    _role("tax_id", "NIP", "tax number", "nip, tax id, tax number, vat id, vat number, vat no"),
    _role("company", "firma", "company", "firma, nazwa firmy, company, company name, organization, organisation, kontrahent"),
    _role("user_id", "numer klienta", "customer number",
        "id klienta, klient id, numer klienta, nr klienta, kod klienta, id uzytkownika, customer id, customer number, customer no, client id, user "
        "id, userid"),
    _role("client", "klient", "client", "klient, klientka, customer, client, nabywca, kupujacy, buyer"),
    _role("anonymous_id", "numer urządzenia", "device", "anonymous id, anonymousid, device id, cookie id, visitor id"),
    _role("order_id", "numer zamówienia", "order number",
        "numer zamowienia, nr zamowienia, nr zam, zamowienie, id zamowienia, zamowienie nr, order id, order number, order no, order, invoice, "
        "invoice no, invoice number, numer faktury, nr faktury, faktura"),
    _role("order_time", "data zamówienia", "date of the order",
        "data zamowienia, data zakupu, data sprzedazy, data zlozenia, data zlozenia zamowienia, data wystawienia, data faktury, order date, ordered "
        "at, invoice date, purchase date, purchased at, date ordered"),
    _role("total", "wartość zamówienia", "value of the order",
        "kwota, wartosc, suma, razem, do zaplaty, kwota zamowienia, wartosc zamowienia, wartosc brutto, kwota brutto, total, total price, order "
        "total, amount, order value, revenue, value, grand total"),
    _role("price", "cena", "price", "cena, cena jednostkowa, cena jedn, cena brutto, cena netto, price, unit price"),
    _role("quantity", "ilość", "quantity", "ilosc, liczba sztuk, szt, sztuk, sztuki, quantity, qty"),
    _role("sku", "kod produktu", "product code", "sku, kod produktu, kod towaru, indeks, symbol, ean, stock code, product code, item code"),
    _role("product_id", "numer produktu", "product number", "id produktu, product id, item id"),
    _role("product", "produkt", "product",
        "produkt, nazwa produktu, towar, nazwa towaru, product, product name, item, item name, description, opis, opis towaru"),
    _role("category", "kategoria", "category", "kategoria, kategoria produktu, category, product category, grupa towarowa"),
    _role("currency", "waluta", "currency", "waluta, currency, currency code"),
    _role("marketing_email", "zgoda na e-mail", "e-mail consent",
        "newsletter, zgoda marketing, zgoda marketingowa, zgody marketingowe, zgoda na marketing, zgoda email, zgoda e mail, zgoda mail, zgoda na e "
        "mail, zgoda na email, zgoda newsletter, zgoda na newsletter, zgoda marketing email, zgoda marketing e mail, marketing consent, email "
        "consent, consent email, accepts marketing, accepts email marketing, email marketing, marketing email, email opt in, opt in, zgoda"),
    _role("marketing_sms", "zgoda na SMS", "SMS consent",
        "zgoda sms, zgoda na sms, zgoda marketing sms, zgoda tel, sms, sms consent, consent sms, accepts sms, sms marketing, marketing sms, accepts "
        "sms marketing, sms opt in"),
    _role("analytics", "zgoda na analizę", "analytics consent",
        "zgoda analityczna, zgoda na analize, zgoda analityka, analytics consent, consent analytics"),
    _role("profiling", "zgoda na profilowanie", "profiling consent", "zgoda na profilowanie, zgoda profilowanie, profilowanie, profiling consent"),
    _role("consent_at", "data zgody", "date of consent",
        "data zgody, data wyrazenia zgody, data zapisu, data zapisu na newsletter, consent date, consent at, opt in date, opt in time, subscribed "
        "at, optin time"),
    _role("created_at", "data rejestracji", "date of registration",
        "data rejestracji, data utworzenia, data dodania, data zalozenia konta, utworzono, created at, created, registered at, registration date, "
        "signup date, signed up at"),
    _role("event", "nazwa zdarzenia", "name of the event",
        "zdarzenie, nazwa zdarzenia, typ zdarzenia, rodzaj zdarzenia, akcja, event, event name, event type, action"),
    _role("time", "czas", "time",
        "czas, data, data i czas, data i godzina, kiedy, data zdarzenia, czas zdarzenia, date, time, datetime, date time, timestamp, event time, "
        "occurred at, when"),
    _role("secret", "dana szczególna", "an especially protected value",
        "pesel, haslo, password, numer dowodu, nr dowodu, dowod osobisty, paszport, passport, numer karty, nr karty kredytowej, card number, cvv, "
        "iban, numer konta, nr konta, ssn"),
)  # fmt: skip
_BY_NAME = {name: role for role in ROLES for name in role.names}
#: Too broad to mean the same beside other words: "order status" is no order number.
_ALONE = frozenset(
    "order zamowienie invoice faktura data date time czas when kiedy klient klientka customer client opis description item event action akcja symbol "
    "value wartosc amount state region zgoda sms product produkt towar category name osoba adres address mail mobile tel kom sex created".split()
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SIGNS = re.compile(r"[^a-z0-9]+")
LONGEST_NAME = 200
_MOST_OTHER_WORDS = 2


def plain_words(name: str) -> str:
    """`InvoiceNo` and `invoice_no` as "invoice no", `Imię` as "imie"."""
    return _SIGNS.sub(" ", folded(_CAMEL.sub(" ", name[:LONGEST_NAME]))).strip()


@lru_cache(maxsize=4_096)
def role_of(name: str) -> Role | None:
    """What a column of this name means: by the whole name, else by the longest known words in it."""
    words = plain_words(name)
    if words in _BY_NAME:
        return _BY_NAME[words]
    if (bare := words.replace(" ", "")) in _BY_NAME:
        return _BY_NAME[bare]
    parts = words.split(" ")
    runs = sorted(((start, end) for start in range(len(parts)) for end in range(start + 1, len(parts) + 1)), key=lambda run: (run[0] - run[1], run[0]))
    for start, end in runs:
        known = " ".join(parts[start:end])
        found = _BY_NAME.get(known)
        if found and known not in _ALONE and len(parts) - (end - start) <= _MOST_OTHER_WORDS:
            return found
    return None
