"""What is said of people: rules of segments and identity, links, traits, analysers, questions of pages."""

from cegla.vocabulary.errors import Busy, InvalidInput
from cegla.vocabulary.text import Text


class RuleInvalid(InvalidInput):
    """A segment's rule tree does not fit the language."""

    code = "CEGLA-E0320"
    what = Text("Reguła segmentu jest nieprawidłowa: {detail}", "The segment's rule is not valid: {detail}")
    todo = Text(
        "Popraw wskazaną regułę; lista operatorów jest w docs/reference/segments.md.",
        "Correct the rule shown; the operators are in docs/reference/segments.md.",
    )


class IdentityRulesInvalid(InvalidInput):
    """A document of identity rules does not fit its form."""

    code = "CEGLA-E0380"
    what = Text("Reguły tożsamości są nieprawidłowe: {detail}", "The identity rules are not valid: {detail}")
    todo = Text(
        "Popraw wskazane miejsce; wszystkie pola są w docs/reference/identity.md.", "Correct the place shown; all fields are in docs/reference/identity.md."
    )


class RuleVersionOld(InvalidInput):
    """The identity rules changed while somebody looked at a trial of them."""

    code, status = "CEGLA-E0381", 409
    what = Text("Reguły zmieniły się po tej próbie: obowiązuje już wersja {number}.", "The rules changed after this trial: version {number} is in force now.")
    todo = Text("Powtórz próbę i zastosuj jej wynik.", "Run the trial again and apply what it says.")


class LinkRefused(InvalidInput):
    """Two people cannot be joined: the identity rules set a limit."""

    code, status = "CEGLA-E0390", 409
    what = Text("Tych osób nie można połączyć: {detail}", "These people cannot be joined: {detail}")
    todo = Text("Zmień limit w regułach tożsamości albo zostaw dwie osoby.", "Change the limit in the identity rules, or leave them two people.")


class IdentifierStays(InvalidInput):
    """A type of identifier that is never given to somebody else is to be released."""

    code = "CEGLA-E0345"
    what = Text("Identyfikatora typu {type} nie można zwolnić.", "An identifier of the type {type} cannot be released.")
    todo = Text(
        "Identyfikator użytkownika należy do jednej osoby na zawsze, a przeglądarki i telefony przechodzą z rąk do rąk według własnych reguł.",
        "A user id is one person's for ever, and browsers and phones change hands by rules of their own.",
    )


class ReleaseAhead(InvalidInput):
    """An identifier is to be released from a day still to come; until then it is whose it is."""

    code = "CEGLA-E0344"
    what = Text("{day} to dzień, który dopiero nadejdzie.", "{day} is a day still to come.")
    todo = Text("Podaj dzień nie późniejszy niż dziś, {today} (UTC).", "Give a day no later than today, {today} (UTC).")


class ReleaseOutOfOrder(InvalidInput):
    """An identifier is released before an earlier release of it, or a release is taken back that is not its last."""

    code, status = "CEGLA-E0346", 409
    what = Text("Ten identyfikator zwolniono już od {day}.", "This identifier was released from {day} on already.")
    todo = Text("Cofnij najpierw tamto zwolnienie.", "Take that release back first.")


class NamesEvents(InvalidInput):
    """An identifier is to be released from before events that nothing but it says whose they are."""

    code, status = "CEGLA-E0347", 409
    what = Text(
        "Historia ma zdarzenia tego identyfikatora aż do {day}, a zdarzeń się nie przepisuje.",
        "The history has events of this identifier up to {day}, and events are never rewritten.",
    )
    todo = Text("Zwolnij identyfikator od następnego dnia.", "Release the identifier from the day after.")


class TraitInvalid(InvalidInput):
    """The definition of a computed trait does not fit its form."""

    code = "CEGLA-E0385"
    what = Text("Definicja cechy jest nieprawidłowa: {detail}", "The trait's definition is not valid: {detail}")
    todo = Text("Popraw wskazane miejsce; pola opisuje docs/reference/traits.md.", "Correct the place shown; the fields are in docs/reference/traits.md.")


class TraitInUse(InvalidInput):
    """A computed trait is to go while segments speak of it."""

    code, status = "CEGLA-E0379", 409
    what = Text("Z cechy {trait} korzystają segmenty: {segments}.", "Segments use the trait {trait}: {segments}.")
    todo = Text("Zmień najpierw te segmenty, potem usuń cechę.", "Change these segments first, then remove the trait.")


class AnalyserPurposeMissing(InvalidInput):
    """An analyser is turned on without a purpose of the register that somebody chose."""

    code = "CEGLA-E0365"
    what = Text("Analizator {analyser} wymaga celu z rejestru celów.", "The analyser {analyser} needs a purpose from the register.")
    todo = Text("Podaj jeden z celów: {purposes}.", "Give one of these purposes: {purposes}.")


class AskedTooOften(Busy):
    """A page asks about its visitor more often than once in a while."""

    code, status = "CEGLA-E0675", 429
    what = Text("Za dużo pytań o tego odwiedzającego.", "Too many questions about this visitor.")
    todo = Text("Wystarczy jedno na odsłonę; następne za {seconds} s.", "One a page view is enough; the next in {seconds} s.")
