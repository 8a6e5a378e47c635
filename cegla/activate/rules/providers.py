"""Every provider that messages can leave by, one row each, written after the providers' own documentation: smsapi.pl/docs and
smsapi.com/resp (codes and statuses), dev.serwersms.pl/en/https-api-v2 and SerwerSMSpl/serwersms-php-api-v2 (answers), postmarkapp.com/developer,
twilio.com/docs/sendgrid. A new one is a new row."""

from cegla.activate.rules.gateways import Gateway, Receipts
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.text import Text

_BEARER = {"Authorization": "Bearer {token}"}

SMSAPI = Gateway(
    "smsapi", Channel.SMS, Text("SMSAPI.pl", "SMSAPI.pl"), "https://api.smsapi.pl/sms.do",
    {"to": "{to_digits}", "from": "{from}", "message": "{text}", "encoding": "utf-8", "format": "json", "idx": "{key}", "check_idx": "1"},
    _BEARER, "form", "list.0.id", "error", "message",
    {
        "13": "address", "57": "address", "52": "later", "53": "again", "8": "words", "11": "words", "12": "words", "17": "words", "25": "words",
        "14": "us", "98": "us", "99": "us", "101": "us", "102": "us", "103": "us", "105": "us", "110": "us", "1000": "us", "1001": "us",
        "200": "later", "201": "later", "203": "later", "999": "later",
    },
    receipts=Receipts(
        "idx", "MsgId", "status",
        {  # 401: no such message; 408: nobody knows whether it arrived, so it stays sent
            "402": "failed", "403": "sent", "404": "delivered", "405": "failed", "406": "failed", "407": "failed", "408": "sent",
            "409": "delayed", "410": "sent", "412": "failed",
        },
        commas=True, words_at="status_name", reply_from_at="sms_from", reply_text_at="sms_text",
    ),
)  # fmt: skip

SERWERSMS = Gateway(
    "serwersms", Channel.SMS, Text("SerwerSMS.pl", "SerwerSMS.pl"), "https://api2.serwersms.pl/messages/send_sms",
    {"phone": "{to}", "sender": "{from}", "text": "{text}", "utf": True, "details": True, "unique_id": "{key}"},
    # A request may succeed while its one message is "unsent": then the item has the code.
    _BEARER, "json", "items.0.id", "error.code|items.0.error_code", "error.message|items.0.error_message",
    {
        **dict.fromkeys(("1000", "1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008"), "us"), "2000": "words",
        **dict.fromkeys(("2001", "2200"), "address"), **dict.fromkeys(("3000", "3001", "3002", "3003", "3008", "3009", "3100"), "us"),
        **dict.fromkeys(("3101", "3102", "2203"), "words"), **dict.fromkeys(("2201", "2202", "2205", "2207", "2208"), "us"), "2206": "address",
        "2004": "later", "2204": "later",
    },
    repeats_safely=False,  # it tells whose message a receipt is about by `unique_id`; that it would not send it twice is nowhere promised
    receipts=Receipts(
        "unique_id", "id|smsid", "status|stan",
        {
            "delivered": "delivered", "undelivered": "failed", "unsent": "failed", "sent": "sent", "in_progress": "delayed", "pending": "delayed",
            "dostarczono": "delivered", "doreczono": "delivered", "niedostarczono": "failed", "niedoreczono": "failed", "niewyslano": "failed",
            "wyslano": "sent", "oczekiwanie": "delayed", "blad": "failed",
        },
        words_at="reason|przyczyna", reply_from_at="numer", reply_text_at="wiadomosc",
    ),
)  # fmt: skip

HTTP_SMS = Gateway(
    "http", Channel.SMS, Text("bramka HTTP", "an HTTP gateway"), "",
    {"to": "{to}", "from": "{from}", "text": "{text}", "key": "{key}"},
    {**_BEARER, "Idempotency-Key": "{key}"}, "json", "id", "error", "message", {"address": "address", "sender": "us", "later": "later", "again": "again"},
    receipts=Receipts(
        "key", "id", "status",
        {"sent": "sent", "delivered": "delivered", "failed": "failed", "undelivered": "failed", "expired": "failed", "rejected": "failed"},
        words_at="reason", reply_from_at="from", reply_text_at="text",
    ),
)  # fmt: skip

POSTMARK = Gateway(
    "postmark", Channel.EMAIL, Text("Postmark", "Postmark"), "https://api.postmarkapp.com/email",
    {
        "From": "{from}", "To": "{to}", "Subject": "{subject}", "HtmlBody": "{html}", "TextBody": "{letter_text}", "Headers": "{headers}",
        "MessageStream": "broadcast", "TrackOpens": False, "TrackLinks": "None", "Metadata": {"cegla_key": "{key}"},
    },
    {"X-Postmark-Server-Token": "{token}", "Accept": "application/json"}, "json", "MessageID", "ErrorCode", "Message",
    {
        "10": "us", "300": "words", "400": "us", "401": "us", "402": "words", "403": "words", "405": "us", "406": "address", "412": "us", "413": "us",
        "429": "later",
    },
    repeats_safely=False,
    receipts=Receipts(
        "Metadata.cegla_key", "MessageID", "RecordType",
        {"Delivery": "delivered", "Bounce": "failed", "SpamComplaint": "complained", "SubscriptionChange": "opted_out"},
        words_at="Details|Description", scheme="basic", answer="",
        unless=(("SuppressionReason", "HardBounce"), ("SuppressSending", "False")),  # the bounce is told by itself; somebody may be let in again
    ),
)  # fmt: skip

SENDGRID = Gateway(
    "sendgrid", Channel.EMAIL, Text("SendGrid", "SendGrid"), "https://api.sendgrid.com/v3/mail/send",
    {
        "personalizations": [{"to": [{"email": "{to}"}]}], "custom_args": {"cegla_key": "{key}"},
        "from": {"email": "{from_email}", "name": "{from_name}"}, "subject": "{subject}",
        "content": [{"type": "text/plain", "value": "{letter_text}"}, {"type": "text/html", "value": "{html}"}], "headers": "{header_map}",
        "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}, "subscription_tracking": {"enable": False}},
    },
    _BEARER, "json", "header:x-message-id", words_at="errors.0.message", repeats_safely=False,
    receipts=Receipts(
        "cegla_key", "sg_message_id", "event",
        {
            "delivered": "delivered", "bounce": "failed", "dropped": "failed", "deferred": "delayed", "spamreport": "complained",
            "unsubscribe": "opted_out", "group_unsubscribe": "opted_out",
        },
        words_at="reason|response", status_at="status", scheme="sendgrid", answer="",
    ),
)  # fmt: skip

HTTP_EMAIL = Gateway(
    "http", Channel.EMAIL, Text("dostawca HTTP", "an HTTP provider"), "",
    {"to": "{to}", "from": "{from}", "subject": "{subject}", "html": "{html}", "text": "{letter_text}", "headers": "{header_map}", "key": "{key}"},
    {**_BEARER, "Idempotency-Key": "{key}"}, "json", "id", "error", "message", {"address": "address", "sender": "us", "later": "later", "again": "again"},
    receipts=Receipts(
        "key", "id", "status",
        {"delivered": "delivered", "bounced": "failed", "failed": "failed", "delayed": "delayed", "complained": "complained", "unsubscribed": "opted_out"},
        words_at="reason", status_at="code", scheme="standard", answer="",
    ),
)  # fmt: skip

PROVIDERS: dict[tuple[Channel, str], Gateway] = {
    (row.channel, row.key): row for row in (SMSAPI, SERWERSMS, HTTP_SMS, POSTMARK, SENDGRID, HTTP_EMAIL)
}
