"""States and reasons as people read them: one row each, in both languages."""

from cegla.vocabulary.consent import Channel
from cegla.vocabulary.messages import MessageState, SkipReason
from cegla.vocabulary.text import Text

CAMPAIGN_STATES: dict[str, Text] = {
    "draft": Text("szkic", "draft"),
    "scheduled": Text("w kalendarzu", "scheduled"),
    "sending": Text("wysyłana", "sending"),
    "paused": Text("wstrzymana", "paused"),
    "sent": Text("wysłana", "sent"),
    "cancelled": Text("anulowana", "cancelled"),
}

MESSAGE_STATES: dict[MessageState, Text] = {
    MessageState.DECIDED: Text("czeka na wysłanie", "waiting to be sent"),
    MessageState.HANDING_OFF: Text("właśnie przekazywana serwerowi", "being handed to the server"),
    MessageState.SENT: Text("przyjęta przez serwer poczty", "accepted by the mail server"),
    MessageState.BOUNCED: Text("odrzucona przez serwer odbiorcy", "bounced"),
    MessageState.FAILED: Text("nie udało się wysłać mimo prób", "failed after every try"),
    MessageState.AMBIGUOUS: Text("nie wiadomo, czy dotarła: połączenie zerwało się przed odpowiedzią", "unknown: the connection ended before the reply"),
    MessageState.SKIPPED: Text("pominięta", "skipped"),
}

_ELSEWHERE: dict[str, dict[MessageState, Text]] = {
    Channel.SMS: {
        MessageState.HANDING_OFF: Text("właśnie przekazywana bramce SMS", "being handed to the SMS gateway"),
        MessageState.SENT: Text("przyjęta przez bramkę SMS", "accepted by the SMS gateway"),
        MessageState.BOUNCED: Text("niedoręczona, mówi bramka SMS", "not delivered, says the SMS gateway"),
    },
    Channel.PUSH: {
        MessageState.HANDING_OFF: Text("właśnie przekazywana usłudze push przeglądarki", "being handed to the browser's push service"),
        MessageState.SENT: Text("przyjęta przez usługę push przeglądarki", "accepted by the browser's push service"),
        MessageState.BOUNCED: Text("odrzucona przez usługę push przeglądarki", "refused by the browser's push service"),
    },
}
#: The same by channel: only e-mail goes to a mail server.
STATES_BY_CHANNEL: dict[str, dict[MessageState, Text]] = {str(channel): MESSAGE_STATES | _ELSEWHERE.get(channel, {}) for channel in Channel}

SKIP_REASONS: dict[SkipReason, Text] = {
    SkipReason.NO_CONSENT: Text("brak zgody", "no consent"),
    SkipReason.WITHDRAWN: Text("zgoda wycofana lub sprzeciw", "consent withdrawn, or an objection"),
    SkipReason.PAUSED: Text("osoba prosiła o przerwę", "the person asked for a pause"),
    SkipReason.SUPPRESSED: Text("adres na liście wykluczeń", "address on the suppression list"),
    SkipReason.NO_ADDRESS: Text("brak adresu e-mail", "no e-mail address"),
    SkipReason.INVALID_ADDRESS: Text("adres, którego żaden serwer nie przyjmie", "an address that no server takes"),
    SkipReason.CAPPED: Text("za dużo wiadomości w ostatnich 7 dniach", "too many messages in the last 7 days"),
    SkipReason.CAPPED_TODAY: Text("dzienny limit wiadomości tej osoby", "the person's limit of messages a day"),
    SkipReason.LOST_SLOT: Text("pierwszeństwo ma inna kampania, która czeka na ten dzień", "another campaign that waits for this day goes first"),
    SkipReason.OFFER_REPEATED: Text("ta sama oferta była niedawno wysłana tej osobie", "the same offer went to this person lately"),
    SkipReason.GOT_IT_ELSEWHERE: Text("ta osoba dostała już tę wiadomość na inny adres", "this person got the message at another address already"),
    SkipReason.HOLDOUT: Text("grupa kontrolna", "holdout group"),
    SkipReason.NOT_MATCHING_ANY_MORE: Text("adres nie należy już do nikogo", "the address belongs to nobody any more"),
    SkipReason.RENDERING_FAILED: Text("szablon nie dał się wypełnić dla tej osoby", "the template could not be filled for this person"),
    SkipReason.MISSED: Text("jej chwila minęła, gdy kampania była wstrzymana", "its moment passed while the campaign was paused"),
    SkipReason.CANCELLED: Text("kampania anulowana", "campaign cancelled"),
}
