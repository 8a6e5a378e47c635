"""Every route of the API, one line each: method, path, handler, the permission it needs, what it does.

`docs/reference/api.md` and the permission matrix of the tests are made from this table.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cegla.api import (
    accounts,
    analysers,
    campaigns,
    dkim,
    duplicates,
    events,
    identity,
    imports,
    metrics,
    people,
    plans,
    quarantine,
    segments,
    sources,
    system,
    webhooks,
)


class Route(NamedTuple):
    """One line. `permission` is a key of govern.PERMISSIONS; "" is open to everybody."""

    method: str
    path: str
    handler: Callable[..., Any]
    permission: str
    summary: str

    @property
    def key(self) -> str:
        """A name for the route that clients can be made from: "people.search"."""
        return f"{self.handler.__module__.rsplit('.', 1)[1]}.{self.handler.__name__}"


ROUTES = (
    Route("GET", "/health", system.health, "", "the process lives"),
    Route("GET", "/ready", system.ready, "", "it can commit"),
    Route("GET", "/metrics", metrics.metrics, "reports.read", "all figures as Prometheus text"),
    Route("GET", "/status", system.status, "reports.read", "counts and how far intake is"),
    Route("GET", "/today", system.today, "reports.read", "today against a week ago"),
    Route("GET", "/doctor", system.doctor, "settings.read", "what needs a person"),
    Route("GET", "/people", people.listed, "people.read", "people, oldest first"),
    Route("POST", "/people/search", people.search, "people.read", "people by number or identifier"),
    Route("POST", "/people/look-up", people.look_up, "people.read", "the person with exactly this identifier"),
    Route("GET", "/people/{person}", people.shown, "people.read", "everything known about a person, and why"),
    Route("GET", "/people/{person}/timeline", people.timeline, "people.read", "what a person did"),
    Route("GET", "/people/{person}/links", identity.links, "people.read", "why identifiers are one person, and what moved"),
    Route("POST", "/links/{link}/retract", identity.retract, "people.link", "undo a link"),
    Route("GET", "/identity/warnings", identity.warnings, "people.read", "links refused and identifiers left out, with the reason"),
    Route("GET", "/identity/rules", identity.rules, "settings.read", "the identity rules in force and their versions"),
    Route("POST", "/identity/rules/try", identity.try_rules, "settings.read", "what a change of identity rules would do; nothing changes"),
    Route("POST", "/identity/rules", identity.apply_rules, "settings.edit", "put identity rules in force"),
    Route("POST", "/people/{person}/export", people.export, "people.requests", "everything held on a person"),
    Route("POST", "/people/{person}/erase", people.erase, "people.requests", "erase a person, or count what would go"),
    Route("GET", "/duplicates", duplicates.listed, "people.read", "people who are likely one, with the evidence"),
    Route("POST", "/duplicates/find", duplicates.find, "people.link", "compare everybody now"),
    Route("POST", "/duplicates/{proposal_id}", duplicates.decide, "people.link", "say that a proposal is one human, or two"),
    Route("GET", "/accounts", accounts.listed, "people.read", "accounts, and what their people come to"),
    Route("POST", "/accounts/search", accounts.search, "people.read", "accounts by name, key or number"),
    Route("GET", "/accounts/{account_id}", accounts.shown, "people.read", "everything about an account, and from where"),
    Route("GET", "/accounts/{account_id}/people", accounts.people, "people.read", "who belongs to an account, in which role, since when"),
    Route("GET", "/analysers", analysers.listed, "reports.read", "every analyser: whether it is on, why, and what it found"),
    Route("POST", "/analysers/run", analysers.run, "settings.edit", "ask for a run of analysers"),
    Route("POST", "/analysers/work", analysers.work, "settings.edit", "do the next part of the oldest run"),
    Route("GET", "/analysers/runs/{run}", analysers.run_shown, "reports.read", "how far a run is"),
    Route("POST", "/analysers/{analyser}/switch", analysers.switched, "settings.edit", "turn an analyser on for a purpose, or off"),
    Route("GET", "/analysers/traits/{trait}", analysers.trait, "reports.read", "the distribution of a trait"),
    Route("GET", "/analysers/traits/{trait}/people", analysers.people, "people.read", "the people behind a value of a trait"),
    Route("GET", "/segments", segments.listed, "segments.read", "all segments"),
    Route("POST", "/segments", segments.save, "segments.edit", "make or change a segment"),
    Route("POST", "/segments/count", segments.count, "segments.read", "how many people a rule holds for"),
    Route("POST", "/segments/sentence", segments.sentence, "segments.read", "a rule in words"),
    Route("GET", "/segments/{segment_id}", segments.shown, "segments.read", "one segment with its count"),
    Route("GET", "/segments/{segment_id}/members", segments.members, "people.read", "who is in it, since when"),
    Route("GET", "/segments/{segment_id}/explain/{person}", segments.explain, "people.read", "why a person is in it, or not"),
    Route("GET", "/campaigns", campaigns.listed, "campaigns.read", "all campaigns"),
    Route("POST", "/campaigns", campaigns.save, "campaigns.edit", "make or change a campaign"),
    Route("GET", "/campaigns/{campaign_id}", campaigns.shown, "campaigns.read", "one campaign"),
    Route("POST", "/campaigns/{campaign_id}/preview", campaigns.preview, "people.reveal", "the message as one person would get it"),
    Route("POST", "/campaigns/{campaign_id}/test", campaigns.try_out, "campaigns.edit", "send a trial to an address"),
    Route("GET", "/campaigns/{campaign_id}/audience", campaigns.audience, "campaigns.read", "who would get it, who not, and why"),
    Route("POST", "/campaigns/{campaign_id}/launch", campaigns.launch, "campaigns.send", "begin sending"),
    Route("POST", "/campaigns/{campaign_id}/pause", campaigns.pause, "campaigns.send", "stop sending for now"),
    Route("POST", "/campaigns/{campaign_id}/cancel", campaigns.cancel, "campaigns.send", "stop sending for good"),
    Route("GET", "/campaigns/{campaign_id}/report", campaigns.report, "campaigns.read", "what came of it"),
    Route("GET", "/messages/{message_id}", campaigns.why, "people.reveal", "why a message was sent, or not"),
    Route("GET", "/dkim", dkim.listed, "settings.read", "the keys that messages are signed with, and their DNS records"),
    Route("POST", "/dkim", dkim.make, "settings.edit", "make a DKIM key"),
    Route("POST", "/dkim/use", dkim.use, "settings.edit", "sign with this DKIM key from now on"),
    Route("POST", "/dkim/drop", dkim.drop, "settings.edit", "forget a DKIM key that does not sign"),
    Route("GET", "/sources", sources.listed, "sources.read", "all sources and what became of their events"),
    Route("POST", "/sources", sources.add, "sources.edit", "make a source"),
    Route("POST", "/sources/{source_id}", sources.change, "sources.edit", "limits, origins, on or off"),
    Route("POST", "/sources/{source_id}/keys", sources.rotate_key, "sources.edit", "a new key; the old one works until it is revoked"),
    Route("POST", "/sources/{source_id}/former-keys/revoke", sources.revoke_former_keys, "sources.edit", "revoke all replaced keys"),
    Route("GET", "/webhooks/ready", webhooks.ready, "sources.read", "the webhook mappings that come with the product"),
    Route("POST", "/webhooks", webhooks.add, "sources.edit", "make a source with a webhook"),
    Route("POST", "/webhooks/try", webhooks.try_out, "sources.read", "what a mapping makes of a request"),
    Route("GET", "/webhooks/{source_id}", webhooks.shown, "sources.read", "the webhook of a source"),
    Route("POST", "/webhooks/{source_id}", webhooks.change, "sources.edit", "change the webhook of a source"),
    Route("POST", "/sources/{source_id}/test-event", sources.send_test_event, "sources.edit", "put a test event into the inbox"),
    Route("GET", "/sources/{source_id}/plan", plans.shown, "events.read", "the tracking plan that holds, or one version"),
    Route("POST", "/sources/{source_id}/plan", plans.apply, "sources.edit", "make a plan hold, or say what that would change"),
    Route("POST", "/sources/{source_id}/plan/event", plans.amend, "sources.edit", "approve or refuse one event"),
    Route("GET", "/sources/{source_id}/plan/versions", plans.versions, "events.read", "every version of the plan"),
    Route("GET", "/sources/{source_id}/plan/proposal", plans.infer, "events.read", "a plan that fits what was sent"),
    Route("GET", "/sources/{source_id}/plan/schema", plans.schema, "events.read", "a planned event as JSON Schema"),
    Route("GET", "/sources/{source_id}/events", plans.inbox, "events.read", "what a source sends, against its plan"),
    Route("GET", "/sources/{source_id}/events/one", plans.observed, "events.read", "one event: properties, samples, violations"),
    Route("POST", "/events/find", events.find, "events.read", "where the event of a message id, a number, a quarantine number or a batch came in"),
    Route("GET", "/events/{place}", events.shown, "events.read", "one event from the request to what came of it, personal data hidden"),
    Route("POST", "/events/{place}/reveal", events.reveal, "people.reveal", "the same with what came in clear; noted in the audit log"),
    Route("GET", "/quarantine", quarantine.listed, "events.read", "events that could not be used"),
    Route("POST", "/quarantine/search", quarantine.search, "events.read", "the same by a filter, also by content"),
    Route("GET", "/quarantine/overview", quarantine.overview, "events.read", "how many wait, by reason and day"),
    Route("GET", "/quarantine/events/{event_id}", quarantine.shown, "events.read", "one of them with its history"),
    Route("POST", "/quarantine/preview", quarantine.preview, "events.replay", "what a fix would make of them"),
    Route("POST", "/quarantine/replay", quarantine.replay, "events.replay", "send them through the door again"),
    Route("POST", "/quarantine/discard", quarantine.discard, "events.replay", "decide that they are not needed"),
    Route("GET", "/quarantine/runs", quarantine.runs, "events.read", "decisions on many events"),
    Route("GET", "/quarantine/runs/{run_id}", quarantine.run, "events.read", "how far one of them is"),
    Route("POST", "/quarantine/runs/{run_id}/stop", quarantine.stop, "events.replay", "end one where it is"),
    Route("POST", "/imports", imports.upload, "imports.run", "keep a file, sent as the body, for an import"),
    Route("GET", "/imports", imports.listed, "imports.run", "imports, newest first"),
    Route("GET", "/imports/{import_id}", imports.shown, "imports.run", "one import: state, progress, counts"),
    Route("GET", "/imports/{import_id}/examined", imports.examined, "imports.run", "what a file seems to be, and a proposed mapping"),
    Route("POST", "/imports/{import_id}/mapping", imports.describe, "imports.run", "save the mapping of a draft"),
    Route("POST", "/imports/{import_id}/try", imports.try_out, "imports.run", "a dry run over the whole file"),
    Route("POST", "/imports/{import_id}/start", imports.begin, "imports.run", "bring the file in, or go on where it stopped"),
    Route("GET", "/imports/{import_id}/refused-rows", imports.refused_rows, "imports.run", "the refused rows with their reasons, as CSV"),
    Route("POST", "/imports/{import_id}/undo", imports.undo, "imports.run", "take an import back, or count what would go"),
    Route("POST", "/imports/{import_id}/discard", imports.discard, "imports.run", "drop a draft and its file"),
)
