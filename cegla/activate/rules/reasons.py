"""Why mail came back, by evidence: what the words say, then what the status code says, then where in the dialogue it happened.

The first digit says little: a full mailbox, a bad reputation and a size limit are all 5.x.x, and none of them is the address's
fault. Only four reasons speak of the address or its domain, and only they end it (`HARD`). The words of the 34 reasons are those
of Sisimai, which the field knows; the sentences looked for are what mail systems write, in the order of what is most certain.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a message came back."""

    AUTH_FAILURE = "authfailure"
    BAD_REPUTATION = "badreputation"
    BLOCKED = "blocked"
    CONTENT_ERROR = "contenterror"
    DELIVERED = "delivered"
    EXCEED_LIMIT = "exceedlimit"
    EXPIRED = "expired"
    FEEDBACK = "feedback"
    FILTERED = "filtered"
    HAS_MOVED = "hasmoved"
    HOST_UNKNOWN = "hostunknown"
    MAILBOX_FULL = "mailboxfull"
    MAILER_ERROR = "mailererror"
    MESSAGE_TOO_BIG = "mesgtoobig"
    NETWORK_ERROR = "networkerror"
    NO_RELAYING = "norelaying"
    NOT_ACCEPT = "notaccept"
    NOT_COMPLIANT = "notcompliantrfc"
    ON_HOLD = "onhold"
    POLICY = "policyviolation"
    REJECTED = "rejected"
    REQUIRE_PTR = "requireptr"
    SECURITY = "securityerror"
    SPAM = "spamdetected"
    SPEEDING = "speeding"
    SUSPENDED = "suspend"
    SYNTAX_ERROR = "syntaxerror"
    SYSTEM_ERROR = "systemerror"
    SYSTEM_FULL = "systemfull"
    TOO_MANY_CONNECTIONS = "toomanyconn"
    UNDEFINED = "undefined"
    USER_UNKNOWN = "userunknown"
    VACATION = "vacation"
    VIRUS = "virusdetected"


HARD = frozenset({Reason.USER_UNKNOWN, Reason.HOST_UNKNOWN, Reason.HAS_MOVED, Reason.NOT_ACCEPT})

#: Sentences, most telling first. The first that is found decides.
_SENTENCES: tuple[tuple[Reason, str], ...] = (
    (Reason.NOT_COMPLIANT, r"not rfc|rfc ?5322 compliant|multiple addresses in from|multiple (?:from|subject|to|date) headers"),
    (Reason.CONTENT_ERROR, r"duplicate headers?"),
    (Reason.POLICY, r"content presents a potential|lpn000_630"),
    (Reason.TOO_MANY_CONNECTIONS, r"aup#in-13[0-9]0"),
    (Reason.USER_UNKNOWN, r"adresse destinataire invalide"),
    (Reason.HOST_UNKNOWN, r"account or domain may not exist"),
    (Reason.FILTERED, r"recipient preferences|rejected by (?:the )?recipient"),
    (
        Reason.REJECTED,
        r"(?<!un)sender (?:address |domain |verify |id )?(?:rejected|denied|failed|refused|invalid|not)"
        r"|(?:domain of |bad |invalid |envelope |unknown )sender|purported responsible|(?:from|sender): ?domain is invalid|google groups"
        r"|not a member of|permission to post|address that has been blacklisted|all recipient addresses rejected|registered gateway user",
    ),
    (Reason.BAD_REPUTATION, r"reputation|unexpected volume or user complaints"),
    (Reason.VIRUS, r"virus|malware|infected|potentially (?:dangerous|executable)"),
    (
        Reason.REQUIRE_PTR,
        r"reverse dns|\bptr\b|\brdns\b|unverifyable sending ip|no reverse|cannot find your (?:reverse )?hostname"
        r"|cannot resolve your (?:ip )?address",
    ),
    (
        Reason.NOT_ACCEPT,
        r"null ?mx|does ?n[o']t (?:accept|receive) (?:e-?)?mail|not accepting network messages|host/domain does not accept mail"
        r"|malformed or unexpected name server reply|no mx (?:record|found)|mx points to|does not accept mail",
    ),
    (Reason.AUTH_FAILURE, r"\bdmarc\b|\bspf\b|\bdkim\b|sender ?policy framework|unauthenticated (?:email|mail)|not pass authentication"),
    (Reason.HAS_MOVED, r"has moved|not our user|no longer (?:on server|at this)|address (?:has )?changed|recipient moved|mailbox has moved|replaced by"),
    (
        Reason.MAILBOX_FULL,
        r"mail ?box (?:is )?(?:currently )?(?:full|exceed)|(?:over|exceed\w*|above|out of)[\w ']{0,30}quota"
        r"|quota[\w ]{0,20}(?:exceed|full|reached)|insufficient (?:disk |mail )?(?:space|storage)|(?:is|inbox|mailfolder|storage)[\w ]{0,12} full"
        r"|exceeds allowed size|storage ?(?:quota|limit)|too full|is over the maximum|full mailbox|not enough (?:storage )?space|diskspace quota"
        r"|mailbox.{0,20}over ?quota",
    ),
    (
        Reason.SPEEDING,
        r"too (?:fast|quickly)|recipients this hour|messages? (?:this|per) (?:hour|day|minute)|receiving mail at a rate|sending rate"
        r"|rate that prevents",
    ),
    (
        Reason.TOO_MANY_CONNECTIONS,
        r"connection rate|(?:connection|message)s? frequency|too many (?:concurrent |simultaneous )?(?:connections?|recipients|sessions|smtp)"
        r"|(?:max\w*|exceed\w*|number of)[\w ]{0,30}connections?|unusual rate|rate[ -]?limit|throttl",
    ),
    (Reason.EXCEED_LIMIT, r"message length exceed|exceeds fixed maximum message size"),
    (
        Reason.MESSAGE_TOO_BIG,
        r"message (?:file |is )?too (?:big|large)|size (?:exceed|limit)|exceeds? (?:the )?(?:fixed )?(?:maximum|max|message|size)[\w ]{0,30}size"
        r"|message size",
    ),
    (
        Reason.SUSPENDED,
        r"(?:account|mailbox|user|recipient|address|domain)[\w \[\]()<>@.'-]{0,60}(?:disabled|inactive|suspend|discontinued|deactivated"
        r"|not active|locked|expired|frozen|terminated)|inactive (?:user|account|mailbox)|disabled (?:account|user|mailbox)"
        r"|domain .{0,60}suspended|temporarily (?:locked|suspended)",
    ),
    (
        Reason.SPAM,
        r"\bspam\b(?! (?:our|users))|\bube\b|junk mail|spamming|bulk (?:e-?)?mail|content (?:was |is )?rejected|unsolicited"
        r"|spam(?:assassin|detected|score)|mail rejete|considered spam|looks? like spam",
    ),
    (
        Reason.BLOCKED,
        r"refused to talk to me|not accepting connections|no access from mail server|open relay|block ?list|black ?list(?!ed\W*$)|\brbl\b|dnsbl"
        r"|blocked (?:using|by|for)|client host|access denied\.\.\.|use the smtp server of your isp|blocked - see"
        r"|(?:ip|host|client|server)\b.{0,60}\b(?:blocked|banned|refused|denied)|\bblocked\b|banned|dynamic ip|dialup"
        r"|connections? (?:will )?not be? ?accepted from|no smtp service|generic rdns|try (?:your|using your) isp",
    ),
    (
        Reason.NO_RELAYING,
        r"relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed)|prohibited)"
        r"|(?:unable|not configured|not permitted|not allowed|authorized) to relay|relay(?:ing)? (?:from|is)|we do not relay|relay access",
    ),
    (Reason.NETWORK_ERROR, r"host not found, try again|name service error"),
    (
        Reason.HOST_UNKNOWN,
        r"(?:host|domain)(?: name)?[\w .()<>@-]{0,60}(?:unknown|not found|does ?n[o']t exist|not reachable|invalid|unresolvable|cannot be found)"
        r"|unknown (?:host|domain)|invalid domain|bad destination (?:host|system)|unrouteable (?:address|mail domain)|no such (?:domain|host)"
        r"|nxdomain|couldn'?t find any host|unable to route|no route to (?:host|domain)|illegal host|account or domain may not exist"
        r"|can'?t (?:find|resolve) (?:the )?(?:host|domain)|name or service not known|host or domain name not found",
    ),
    (
        Reason.CONTENT_ERROR,
        r"(?:bare|improper)[\w ]{0,20}(?:lf|linefeed|newline)|invalid (?:content|mime|header|base64)|mime (?:error|header)|improperly formatted"
        r"|malformed (?:mime|header|message)|unsupported (?:character|charset)|attachment type|routing loop.{0,40}content",
    ),
    (
        Reason.NOT_COMPLIANT,
        r"rfc ?(?:2|5)?[38]2[12]|not rfc|multiple .{0,30}addresses in from|duplicate headers?|missing (?:the )?(?:from|date|message-id)"
        r"|multiple (?:from|headers)",
    ),
    (
        Reason.POLICY,
        r"header error|denied by policy|policy (?:violation|reasons?|restrict)|(?:violat|against)\w*[\w ]{0,20}policy|protocol violation"
        r"|local policy|by organization|message (?:was )?refused by|not in compliance|blocked by policy",
    ),
    (
        Reason.SECURITY,
        r"authentication (?:required|failed|is required)|smtp auth|must authenticate|authrequired|insecure|\bstarttls\b|must issue"
        r"|encryption (?:needed|required)|\btls\b.{0,30}required|\bsecurity\b|login|not authori[sz]ed|unauthori[sz]ed",
    ),
    (
        Reason.REJECTED,
        r"sender (?:address |domain |verify )?(?:rejected|denied|failed|refused|invalid)"
        r"|(?:from|sender)[\w :<>@.'-]{0,60}(?:does ?n[o']t exist|is invalid|not exist|not allowed|denied|rejected|unresolvable)|domain of sender"
        r"|purported responsible|bad sender|from address|mail from|not a member of|permission to post|invalid sender"
        r"|address that has been blacklisted|backscatter|envelope sender|returnpath|return[- ]path",
    ),
    (
        Reason.MAILER_ERROR,
        r"pipe to|command (?:failed|died|output)|procmail|exit(?:ed)? (?:status|code)|x-unix|failed to read|error [\w ]{0,20}running"
        r"|child (?:process|crashed)|bounced by procmail",
    ),
    (
        Reason.NETWORK_ERROR,
        r"establish an smtp connection|dns (?:error|query|lookup|server)|name service|hop ?count|too many (?:hops|received)|routing loop|mail loop"
        r"|loops? back|loop detected|lost connection|network (?:is )?(?:unreachable|error)|no route to|lookup (?:failed|failure|error)"
        r"|mail forwarding loop|connection dropped|host not found, try again",
    ),
    (
        Reason.EXPIRED,
        r"expired|timed? ?out|time-?out|retry time|too (?:long|old)|could not deliver for the last|delivery failed \d+ attempts|attempts? failed"
        r"|in the queue|(?:connection|conversation).{0,20}(?:refused|timed)|accept our requests to connect|will be retried|been delayed"
        r"|not yet been delivered|giv(?:e|ing) up|queue too long|unable to deliver .{0,20}(?:minutes|hours|days)|delay(?:ed)? (?:for|reason)"
        r"|retried|socket error|connection (?:lost|reset)",
    ),
    (Reason.SYSTEM_FULL, r"(?:system|disk|file ?system|mail system)[\w ]{0,10} full|no space left|insufficient system"),
    (
        Reason.SYSTEM_ERROR,
        r"(?:internal|local|system|server|service|config\w*|temporary)[\w ]{0,24}(?:error|failure|problem|unavailable|misconfig)|could not load"
        r"|aliasing/forwarding loop|interrupted|cannot (?:send|append|create|open|allocate)|unable to (?:connect|verify)|out of memory|bad file"
        r"|resources temporarily|can'?t create|administratively|proxy",
    ),
)
_SAID_UNKNOWN = re.compile(
    r"(?:user|recipient|mailbox|address|account|alias|addressee|mail ?drop|local part)s?\b[\w :'\"<>()@.,+/\[\]-]{0,90}?(?:unknown"
    r"|does ?n[o']t exist|not (?:found|exist|exists|listed|recognized|known|our customer|a valid|here|local)|no longer|invalid|undeliverable"
    r"|unavailable|couldn'?t be found|rejected|refused)"
    r"|\b(?:unknown|no such|invalid|bad|nonexistent|not (?:a )?(?:valid|known|local)|no|illegal)\b[\w \[\]()-]{0,24}\b(?:user|recipient|mailbox"
    r"|address|account|alias|person|customer|name\b)|recipnotfound|name is not recognized|not (?:listed|found) in|user doesn't|isn't (?:a|in)"
    r"|is not (?:a )?(?:valid|known|active) (?:user|mailbox)|deactivated mailbox|undisclosed recipient|unknown or illegal|there is no one"
    r"|address does not|unable to deliver message to",
    re.IGNORECASE,
)
#: What proves nothing: addresses, links, and the sentences in which servers say how sorry they are.
_NOISE = re.compile(
    r"5\.1\.0 - unknown address error|https?://\S+|[^\s<>\"'(\[:;]+@[^\s<>\"')\]:;,]+|delivery temporarily suspended|giving up on \S+|i've given up"
    r"|this is a permanent error|sorry it didn't work out|the following address(?:\(es\)|es)? failed"
    r"|i'?m not going to try again; this message has been in the queue too long|unable to deliver message to the following",
    re.IGNORECASE,
)
_FOUND = tuple((reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _SENTENCES)

#: What an enhanced status code (RFC 3463, RFC 7372, RFC 7505) says by itself, digits after the first.
_BY_STATUS = {
    "1.1": Reason.USER_UNKNOWN, "1.2": Reason.HOST_UNKNOWN, "1.3": Reason.USER_UNKNOWN, "1.4": Reason.FILTERED, "1.6": Reason.HAS_MOVED,
    "1.7": Reason.REJECTED, "1.8": Reason.REJECTED, "1.9": Reason.SYSTEM_ERROR, "1.10": Reason.NOT_ACCEPT, "1.0": Reason.USER_UNKNOWN,
    "2.0": Reason.FILTERED, "2.1": Reason.FILTERED, "2.2": Reason.MAILBOX_FULL, "2.3": Reason.EXCEED_LIMIT, "2.4": Reason.FILTERED,
    "3.0": Reason.SYSTEM_ERROR, "3.1": Reason.SYSTEM_FULL, "3.2": Reason.NOT_ACCEPT, "3.3": Reason.SYSTEM_ERROR, "3.4": Reason.MESSAGE_TOO_BIG,
    "3.5": Reason.SYSTEM_ERROR, "4.0": Reason.NETWORK_ERROR, "4.1": Reason.EXPIRED, "4.2": Reason.EXPIRED, "4.3": Reason.SYSTEM_ERROR,
    "4.4": Reason.HOST_UNKNOWN, "4.5": Reason.SPEEDING, "4.6": Reason.NETWORK_ERROR, "4.7": Reason.EXPIRED, "4.14": Reason.NETWORK_ERROR,
    "5.2": Reason.SYNTAX_ERROR, "5.3": Reason.TOO_MANY_CONNECTIONS, "5.4": Reason.SYNTAX_ERROR, "6.0": Reason.CONTENT_ERROR, "6.1": Reason.CONTENT_ERROR,
    "6.2": Reason.CONTENT_ERROR, "6.3": Reason.CONTENT_ERROR, "6.5": Reason.CONTENT_ERROR, "6.6": Reason.CONTENT_ERROR, "7.0": Reason.POLICY,
    "7.1": Reason.REJECTED, "7.2": Reason.REJECTED, "7.3": Reason.SECURITY, "7.4": Reason.SECURITY, "7.5": Reason.SECURITY, "7.8": Reason.SECURITY,
    "7.9": Reason.SECURITY, "7.13": Reason.SUSPENDED, "7.17": Reason.HAS_MOVED, "7.20": Reason.AUTH_FAILURE, "7.22": Reason.AUTH_FAILURE,
    "7.23": Reason.AUTH_FAILURE, "7.24": Reason.AUTH_FAILURE, "7.25": Reason.REQUIRE_PTR, "7.26": Reason.AUTH_FAILURE, "7.27": Reason.NOT_ACCEPT,
    "7.28": Reason.SPEEDING,
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What is known of one refusal. `stage` is where in the dialogue: connect, helo, mail, rcpt, data or ""; `action` as in RFC 3464."""

    words: str
    status: str = ""
    reply: str = ""
    stage: str = ""
    action: str = "failed"


def essential(words: str) -> str:
    """The words without addresses, links and what servers say to everybody."""
    return _NOISE.sub(" ", words)


def reason_of(evidence: Evidence) -> Reason:
    """The reason that the evidence shows best."""
    words = essential(evidence.words)
    by_status = _BY_STATUS.get(evidence.status.partition(".")[2])
    said = next((reason for reason, pattern in _FOUND if pattern.search(words)), None)
    temporary = evidence.action == "delayed" or (evidence.status or evidence.reply).startswith("4")
    if said is Reason.HOST_UNKNOWN and temporary:
        said = Reason.NETWORK_ERROR
    if by_status is Reason.CONTENT_ERROR:
        return by_status
    unknown = _SAID_UNKNOWN.search(words) is not None and evidence.status[2:] not in ("1.7", "1.8", "2.2")
    if unknown and said in (None, Reason.SYSTEM_ERROR, Reason.EXPIRED, Reason.SECURITY) and evidence.stage not in ("connect", "helo", "mail"):
        certain = evidence.stage == "rcpt" or by_status is Reason.USER_UNKNOWN
        doubtful = evidence.stage == "data" or by_status is Reason.FILTERED or (evidence.reply and not evidence.status)
        return Reason.FILTERED if doubtful and not certain else Reason.USER_UNKNOWN
    if said is not None:
        return said
    if by_status is not None:
        return by_status
    if evidence.reply in ("500", "501", "502", "503", "504"):
        return Reason.SYNTAX_ERROR
    if evidence.stage in ("connect", "helo"):
        return Reason.BLOCKED
    if evidence.stage == "mail":
        return Reason.REJECTED
    if evidence.action == "delayed":
        return Reason.EXPIRED
    return Reason.ON_HOLD if words.strip() else Reason.UNDEFINED


def is_hard(reason: Reason, evidence: Evidence) -> bool:
    """Whether the address is to blame, so that writing to it again is pointless."""
    if reason is Reason.NOT_ACCEPT:
        return evidence.action != "delayed" and not (evidence.status or evidence.reply).startswith("4")
    return reason in HARD
