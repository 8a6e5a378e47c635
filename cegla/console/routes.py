"""The one table of routes: method, path, handler, permission. A permission with a dot is one of `govern.PERMISSIONS`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

from cegla.console.screens import (
    accounts,
    analysers,
    campaigns,
    door,
    duplicates,
    events,
    gallery,
    identity,
    imports,
    inbox,
    links,
    mailbox,
    messages,
    people,
    person,
    public,
    quarantine,
    reports,
    segments,
    settings,
    sources,
    timeline,
    today,
    trails,
    webhooks,
)
from cegla.console.visit import Visit

PUBLIC = "public"  #: anybody
ONE_CLICK = "one-click"  #: anybody, and the address itself is the proof: recipients' links
SIGNED_IN = "signed-in"  #: every user


@dataclass(frozen=True)
class Route:
    """One row: who may reach which handler, and how."""

    method: Literal["GET", "POST"]
    path: str
    handler: Callable[[Visit], Response]
    permission: str


ROUTES = (
    Route("GET", "/sign-in", door.show_sign_in, PUBLIC),
    Route("POST", "/sign-in", door.sign_in, PUBLIC),
    Route("POST", "/sign-out", door.sign_out, SIGNED_IN),
    Route("POST", "/appearance", door.choose_appearance, PUBLIC),
    Route("GET", "/", today.show, "reports.read"),
    Route("GET", "/events", events.show, "events.read"),
    Route("GET", "/events/volumes", inbox.show, "events.read"),
    Route("GET", "/events/one", inbox.show_event, "events.read"),
    Route("POST", "/events/amend", inbox.amend, "sources.edit"),
    Route("GET", "/events/quarantine", quarantine.show, "events.read"),
    Route("POST", "/events/quarantine", quarantine.search, "people.reveal"),
    Route("POST", "/events/quarantine/replay", quarantine.decide, "events.replay"),
    Route("POST", "/events/quarantine/runs/{id}/stop", quarantine.stop, "events.replay"),
    Route("GET", "/events/quarantine/{id}", quarantine.show_one, "events.read"),
    Route("GET", "/events/find", trails.show_find, "events.read"),
    Route("POST", "/events/find", trails.find, "events.read"),
    Route("GET", "/events/{id}", trails.show, "events.read"),
    Route("POST", "/events/{id}", trails.reveal, "people.reveal"),
    Route("GET", "/people", people.show, "people.read"),
    Route("POST", "/people", people.search, "people.read"),
    Route("GET", "/people/{id}", person.show, "people.read"),
    Route("POST", "/people/{id}", person.reveal, "people.reveal"),
    Route("GET", "/people/{id}/timeline", timeline.show, "people.read"),
    Route("POST", "/people/{id}/export", person.export, "people.requests"),
    Route("GET", "/people/{id}/erase", person.show_erase, "people.requests"),
    Route("POST", "/people/{id}/erase", person.erase, "people.requests"),
    Route("GET", "/analysers", analysers.show, "reports.read"),
    Route("POST", "/analysers", analysers.switch, "settings.edit"),
    Route("GET", "/analysers/{trait}", analysers.trait, "people.read"),
    Route("GET", "/duplicates", duplicates.show, "people.read"),
    Route("POST", "/duplicates", duplicates.find, "people.link"),
    Route("GET", "/duplicates/{id}", duplicates.show_one, "people.read"),
    Route("POST", "/duplicates/{id}", duplicates.reveal, "people.reveal"),
    Route("POST", "/duplicates/{id}/decide", duplicates.decide, "people.link"),
    Route("GET", "/people/{id}/links", links.show, "people.read"),
    Route("GET", "/links/{id}/undo", links.show_undo, "people.link"),
    Route("POST", "/links/{id}/undo", links.undo, "people.link"),
    Route("GET", "/identity", identity.show, "people.read"),
    Route("POST", "/identity", identity.change, "settings.read"),
    Route("GET", "/accounts", accounts.show, "people.read"),
    Route("POST", "/accounts", accounts.search, "people.read"),
    Route("GET", "/accounts/{id}", accounts.show_one, "people.read"),
    Route("GET", "/segments", segments.show, "segments.read"),
    Route("GET", "/segments/new", segments.show_new, "segments.edit"),
    Route("POST", "/segments/form", segments.change, "segments.edit"),
    Route("GET", "/segments/{id}", segments.show_one, "segments.read"),
    Route("GET", "/segments/{id}/edit", segments.show_edit, "segments.edit"),
    Route("GET", "/segments/{id}/why", segments.show_why, "people.read"),
    Route("GET", "/imports", imports.show, "sources.read"),
    Route("POST", "/imports", imports.upload, "imports.run"),
    Route("GET", "/imports/{id}", imports.show_one, "sources.read"),
    Route("POST", "/imports/{id}", imports.change, "imports.run"),
    Route("GET", "/imports/{id}/refused", imports.refused, "imports.run"),
    Route("POST", "/imports/{id}/resume", imports.resume, "imports.run"),
    Route("POST", "/imports/{id}/undo", imports.undo, "imports.run"),
    Route("POST", "/imports/{id}/discard", imports.discard, "imports.run"),
    Route("GET", "/sources", sources.show, "sources.read"),
    Route("POST", "/sources", sources.add, "sources.edit"),
    Route("GET", "/sources/{id}/plan", inbox.show_plan, "events.read"),
    Route("POST", "/sources/{id}/plan", inbox.save_plan, "sources.edit"),
    Route("GET", "/sources/{id}", sources.show_one, "sources.read"),
    Route("POST", "/sources/{id}", sources.change, "sources.edit"),
    Route("POST", "/sources/{id}/keys", sources.change_keys, "sources.edit"),
    Route("GET", "/sources/webhooks/new", webhooks.show_new, "sources.edit"),
    Route("POST", "/sources/webhooks/new", webhooks.add, "sources.edit"),
    Route("GET", "/sources/{id}/webhook", webhooks.show, "sources.read"),
    Route("POST", "/sources/{id}/webhook", webhooks.save, "sources.edit"),
    Route("POST", "/sources/{id}/webhook/try", webhooks.try_out, "sources.read"),
    Route("POST", "/sources/{id}/webhook/replay", webhooks.replay, "events.replay"),
    Route("GET", "/campaigns", campaigns.show, "campaigns.read"),
    Route("GET", "/campaigns/new", campaigns.show_new, "campaigns.edit"),
    Route("POST", "/campaigns/form", campaigns.save, "campaigns.edit"),
    Route("GET", "/campaigns/{id}", campaigns.show_one, "campaigns.read"),
    Route("GET", "/campaigns/{id}/edit", campaigns.show_edit, "campaigns.edit"),
    Route("POST", "/campaigns/{id}/preview", campaigns.preview, "people.reveal"),
    Route("GET", "/campaigns/{id}/preview/{person}", campaigns.show_preview_body, "people.reveal"),
    Route("POST", "/campaigns/{id}/test", campaigns.send_test, "campaigns.edit"),
    Route("GET", "/campaigns/{id}/audience", campaigns.show_audience, "campaigns.read"),
    Route("GET", "/campaigns/{id}/send", campaigns.show_send, "campaigns.send"),
    Route("POST", "/campaigns/{id}/send", campaigns.send, "campaigns.send"),
    Route("GET", "/campaigns/{id}/report", reports.show, "campaigns.read"),
    Route("POST", "/campaigns/{id}/steer", campaigns.steer, "campaigns.send"),
    Route("GET", "/messages/{id}", messages.show, "people.reveal"),
    Route("GET", "/r/{token}", public.follow_link, PUBLIC),
    Route("GET", "/u/{token}", public.show_unsubscribe, PUBLIC),
    Route("POST", "/u/{token}", public.unsubscribe, ONE_CLICK),
    Route("GET", "/mailbox", mailbox.show, "campaigns.read"),
    Route("GET", "/mailbox/{name}/body", mailbox.show_body, "campaigns.read"),
    Route("GET", "/settings", settings.show, SIGNED_IN),
    Route("GET", "/settings/data", settings.show_data, SIGNED_IN),
    Route("POST", "/settings/password", settings.change_password, SIGNED_IN),
    Route("POST", "/settings/users", settings.add_user, "settings.edit"),
    Route("GET", "/ui", gallery.show, SIGNED_IN),
)
