-- name: campaigns
-- Every campaign with its content, newest first.
select campaigns.id, name, segment_id, purpose, channel, sender, campaigns.version, holdout_percent, messages_per_minute, cap, state, created_at, changed_at,
    launched_at, finished_at, segment_name, segment_sentence_pl, segment_sentence_en, trouble, retry_at, contents.subject, contents.mjml, contents.content,
    coalesce((select jsonb_object_agg(counted.state, counted.n) from (
        select messages.state, count(*) as n from activate.messages where messages.campaign_id = campaigns.id group by messages.state
    ) as counted), '{}') as counts,
    coalesce((select jsonb_object_agg(left_out.reason, left_out.n) from (
        select reason, count(*) as n from activate.messages where messages.campaign_id = campaigns.id and messages.state = 'skipped' group by reason
    ) as left_out), '{}') as skipped,
    priority, offer, offer_days, goal,
    coalesce((select jsonb_agg(jsonb_build_object('key', one ->> 'key', 'version', other.version, 'share', (one ->> 'share')::integer,
        'subject', other.subject, 'mjml', other.mjml, 'text', other.text) order by one ->> 'key') from jsonb_array_elements(variants) as one
        join activate.contents other on other.campaign_id = campaigns.id and other.version = (one ->> 'version')::integer), '[]') as variants,
    send_at, clock, begins_at, test_percent, test_hours, winner, winner_why, winner_at, fires_at, contents.text
from activate.campaigns
join activate.contents on contents.campaign_id = campaigns.id and contents.version = campaigns.version
where cast(:id as integer) is null and kind = 'campaign' or campaigns.id = :id
order by campaigns.id desc;

-- name: add_campaign$
-- Begin a campaign as a draft and return its number.
insert into activate.campaigns
    (name, segment_id, purpose, channel, sender, version, holdout_percent, messages_per_minute, cap, priority, offer, offer_days, goal, state, created_at, changed_at)
values (:name, :segment_id, :purpose, :channel, :sender, 1, :holdout_percent, :messages_per_minute, :cap, :priority, :offer, :offer_days, :goal, 'draft', :now, :now)
returning id;

-- name: change_campaign$
-- Change a draft, begin a new version of its content and return that version's number.
update activate.campaigns
set name = :name, segment_id = :segment_id, purpose = :purpose, sender = :sender, holdout_percent = :holdout_percent,
    messages_per_minute = :messages_per_minute, cap = :cap, priority = :priority, offer = :offer, offer_days = :offer_days, goal = :goal,
    version = (select max(contents.version) from activate.contents where campaign_id = :id) + 1, changed_at = :now
where id = :id
returning version;

-- name: set_variants!
-- Say which versions are the campaign's variants.
update activate.campaigns set variants = :variants where id = :id;

-- name: set_timing!
-- Say when a campaign goes, and how much of its audience compares its variants.
update activate.campaigns
set send_at = cast(:send_at as timestamp), clock = :clock, test_percent = :test_percent, test_hours = :test_hours where id = :id;

-- name: schedule!
-- Put a campaign in the calendar.
update activate.campaigns set state = 'scheduled', begins_at = :begins_at where id = :id;

-- name: due_to_begin
-- Scheduled campaigns whose time has come, but for those that could not begin a moment ago.
select id from activate.campaigns
where state = 'scheduled' and begins_at <= :now and (retry_at is null or retry_at <= :now) order by begins_at, id;

-- name: not_begun!
-- Keep why a scheduled campaign could not begin, and when it is tried again.
update activate.campaigns set trouble = :trouble, retry_at = :retry_at where id = :id and state = 'scheduled';

-- name: skip_missed!
-- Skip what came due while a campaign was paused.
with changed as (
    update activate.messages set state = 'skipped', reason = 'missed', done_at = :now, waits = false, live = false
    where campaign_id = :campaign_id and waits and due_at <= :now and arm <> 'rest'
    returning id
)
insert into activate.to_tell (ids) select array_agg(id order by id) from changed having count(*) > 0;

-- name: spread_missed!
-- Spread what came due while a campaign was paused evenly over a span from now on.
update activate.messages set due_at = cast(:now as timestamptz) + place * cast(:span as interval)
from (
    select id, (row_number() over (order by due_at, id) - 1.0) / count(*) over () as place
    from activate.messages where campaign_id = :campaign_id and waits and due_at <= :now and arm <> 'rest'
) as missed
where messages.id = missed.id;

-- name: choose!
-- Choose a variant for the rest of a campaign's audience, which it is sent to from a moment on; the choice may be changed until then.
update activate.campaigns set winner = :winner, winner_why = :why, winner_at = :now, fires_at = :fires_at where id = :id;

-- name: give_rest!
-- The rest of a campaign's audience gets this version.
update activate.messages set version = :version, due_at = greatest(due_at, cast(:fires_at as timestamptz))
where campaign_id = :campaign_id and waits and arm = 'rest';

-- name: skip_rest!
-- The rest of a campaign's audience gets nothing.
with changed as (
    update activate.messages set state = 'skipped', reason = 'cancelled', done_at = :now, waits = false, live = false
    where campaign_id = :campaign_id and waits and arm = 'rest'
    returning id
)
insert into activate.to_tell (ids) select array_agg(id order by id) from changed having count(*) > 0;

-- name: to_choose
-- Campaigns at work of which a variant is to be chosen by now: hours after the test began (see Timing.lag).
select id from activate.campaigns
where state in ('sending', 'paused') and winner is null and test_percent > 0 and jsonb_array_length(variants) > 0
    and launched_at + interval '1 hour' * (test_hours + case when clock = 'usual' then 24 when clock = 'person' and send_at is not null then 14 else 0 end) <= :now
order by id;

-- name: add_content!
-- Keep one version of what a campaign says.
insert into activate.contents (campaign_id, version, subject, mjml, html, text, content, made_at)
values (:campaign_id, :version, :subject, :mjml, :html, :text, :content, :now);

-- name: content^
-- One version of what a campaign says, compiled.
select subject, html, text, content from activate.contents where campaign_id = :campaign_id and version = :version;

-- name: mentioning
-- Which campaigns say something that a pattern finds, in any version.
select distinct found.parts[1], campaigns.id, campaigns.name
from activate.contents join activate.campaigns on campaigns.id = contents.campaign_id,
    lateral regexp_matches(contents.html || contents.content::text, :pattern, 'g') as found (parts)
order by campaigns.name, campaigns.id;

-- name: hold_contents!
-- Nobody keeps what a campaign says until this transaction ends; what is being kept is waited for.
lock table activate.contents in share mode;

-- name: newest_content$
-- The newest version of what a campaign says, its variants included.
select max(version) from activate.contents where campaign_id = :campaign_id;

-- name: set_version!
-- A campaign says what this version says.
update activate.campaigns set version = :version, changed_at = :now where id = :id;

-- name: lock_campaign$
-- The state of a campaign, which nobody else changes until this transaction ends.
select state from activate.campaigns where id = :id for update;

-- name: start_campaign!
-- A campaign is launched: keep the segment as it is now.
update activate.campaigns
set state = 'sending', launched_at = :now, trouble = null, failures = 0, retry_at = null, segment_name = :segment_name,
    segment_rule = :segment_rule, segment_sentence_pl = :sentence_pl, segment_sentence_en = :sentence_en
where id = :id;

-- name: set_state!
-- Move a campaign to another state.
update activate.campaigns
set state = :state, finished_at = cast(:finished_at as timestamptz), trouble = null, failures = 0, retry_at = null
where id = :id;

-- name: launched_segment^
-- The rule a launched campaign chose its people by, and when.
select segment_rule, launched_at from activate.campaigns where id = :id;

-- name: contacts
-- What other campaigns gave each of these people under any of their addresses and what waits for them: in seven days, on their own calendar day on which
-- their message goes, of the same offer.
select theirs.person_id,
    count(*) filter (where gone and handed_at >= :week),
    count(*) filter (where state = 'decided'),
    count(*) filter (where gone and channel = :channel and (handed_at at time zone zone)::date = day),
    count(*) filter (where state = 'decided' and channel = :channel and (greatest(due_at, cast(:now as timestamptz)) at time zone zone)::date = day
        and (priority > :priority or priority = :priority and (launched_at, campaign_id) < (cast(:launched_at as timestamptz), cast(:campaign_id as integer)))),
    bool_or(offer <> '' and offer = :offer and (state = 'decided' or gone and handed_at >= :offer_since))
from unnest(cast(:people as bigint[]), cast(:identities as bigint[]), cast(:places as integer[])) as theirs (person_id, identity_id, place)
cross join lateral (select (cast(:zones as text[]))[place] as zone, (cast(:days as date[]))[place] as day) as clock
join (
    select identity_id, campaign_id, channel, messages.state, handed_at, due_at, priority, launched_at, offer, messages.state <> 'decided' as gone
    from activate.messages
    join activate.campaigns on campaigns.id = messages.campaign_id
    where campaign_id <> :campaign_id and purpose <> all(cast(:free as text[]))
        and (messages.state = 'decided' and campaigns.state in ('sending', 'paused')
            or messages.state in ('handing_off', 'sent', 'ambiguous') and handed_at >= :since)
) as others using (identity_id)
group by theirs.person_id;

-- name: limits
-- How often and when people may be written to, where somebody said so.
select channel, per_day, quiet_from, quiet_until from activate.limits;

-- name: set_limits!
-- Say how often and when people may be written to on a channel.
insert into activate.limits (channel, per_day, quiet_from, quiet_until, changed_at)
values (:channel, :per_day, cast(:quiet_from as time), cast(:quiet_until as time), :now)
on conflict (channel) do update set per_day = excluded.per_day, quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, changed_at = excluded.changed_at;

-- name: arms
-- Everybody who is in the comparison of a campaign, and whether their clicks were measured.
select arm, person_id, coalesce(identity_id, person_id), tracked from activate.messages where campaign_id = :campaign_id and arm <> '' order by id;

-- name: recent_for$
-- How many messages these identities were given since a moment.
select count(*) from activate.messages where identity_id = any(:ids) and handed_at >= :since and state in ('handing_off', 'sent', 'ambiguous');

-- name: given
-- Who of these people was handed a message of this campaign under any of their addresses.
select distinct theirs.person_id
from unnest(cast(:people as bigint[]), cast(:identities as bigint[])) as theirs (person_id, identity_id)
join activate.messages on messages.identity_id = theirs.identity_id
where campaign_id = :campaign_id and state in ('handing_off', 'sent', 'ambiguous');

-- name: add_messages!
-- Write outbox rows, once per campaign and person; who is left out is told of.
with added as (
    insert into activate.messages
        (campaign_id, person_id, identity_id, address, state, reason, version, arm, consent_record_id, consent_at, facts, destination, decided_at, due_at, done_at,
        waits, live)
    select :campaign_id, person_id, identity_id, address, case when reason is null then 'decided' else 'skipped' end, reason, version, arm,
        consent_record_id, consent_at, facts, destination, :now, due, case when reason is null then null else cast(:now as timestamptz) end,
        reason is null, reason is null
    from unnest(
        cast(:people as bigint[]), cast(:identities as bigint[]), cast(:addresses as text[]), cast(:reasons as text[]),
        cast(:records as bigint[]), cast(:times as timestamptz[]), cast(:facts as jsonb[]), cast(:destinations as text[]),
        cast(:versions as integer[]), cast(:arms as text[]), cast(:due as timestamptz[])
    ) as chosen (person_id, identity_id, address, reason, consent_record_id, consent_at, facts, destination, version, arm, due)
    on conflict do nothing
    returning id, reason
)
insert into activate.to_tell (ids) select array_agg(id order by id) from added where reason is not null having count(*) > 0;

-- name: due_campaigns
-- Campaigns that are sending and whose server is not to be left alone, the higher priority first; before them templates that single messages wait for.
select id, name, purpose, sender, messages_per_minute, failures, cap, priority, offer, offer_days, launched_at, kind = 'single', channel
from activate.campaigns
where state = 'sending' and (retry_at is null or retry_at <= :now)
    and (kind = 'campaign' or exists (select from activate.messages where campaign_id = campaigns.id and waits and due_at <= :now))
order by kind desc, priority desc, id;

-- name: due_messages
-- The next outbox rows of a campaign that may be handed over, of those next in turn (`walk`), but for those to closed destinations.
select id, person_id, identity_id, address, version, attempts, decided_at, destination, given
from (
    select messages.id, person_id, identity_id, address, messages.version, attempts, decided_at, destination, given, due_at
    from activate.messages
    join activate.campaigns on campaigns.id = messages.campaign_id
    where campaign_id = :campaign_id and waits and due_at <= :now and campaigns.state = 'sending' and (arm <> 'rest' or winner is not null)
    order by due_at, messages.id
    limit :walk
) as near
where destination <> all(cast(:closed as text[]))
order by due_at, id
limit :most;

-- name: due_elsewhere
-- The same, where those next in turn are for closed destinations: some for each of the others, without a look at what waits for the closed ones.
with recursive places as (
    (select destination from activate.messages where campaign_id = :campaign_id and waits order by destination limit 1)
    union all
    select (
        select further.destination from activate.messages as further
        where campaign_id = :campaign_id and waits and further.destination > places.destination order by further.destination limit 1
    )
    from places where places.destination is not null
)
select due.id, person_id, identity_id, address, due.version, attempts, decided_at, due.destination, given
from places
join activate.campaigns on campaigns.id = :campaign_id and campaigns.state = 'sending'
cross join lateral (
    select * from activate.messages
    where campaign_id = campaigns.id and waits and destination = places.destination and due_at <= :now and (arm <> 'rest' or winner is not null)
    order by due_at, messages.id limit :each
) as due
where places.destination <> all(cast(:closed as text[]))
order by due_at, due.id
limit :most;

-- name: waiting$
-- Whether a campaign still has messages to hand over, now or later.
select exists (select from activate.messages where campaign_id = :campaign_id and waits);

-- name: begin_hand_off
-- The last word before the servers get messages: it holds for rows that wait in a campaign that is sending, and they are returned.
with begun as (
    update activate.messages
    set state = 'handing_off', waits = false, handed_at = :now, attempts = attempts + 1, tracked = given.tracked,
        consent_record_id = coalesce(given.record_id, consent_record_id), consent_at = coalesce(given.at, consent_at)
    from unnest(cast(:ids as bigint[]), cast(:tracked as boolean[]), cast(:records as bigint[]), cast(:times as timestamptz[])) as given (id, tracked, record_id, at)
    where messages.id = given.id and waits and exists (select from activate.campaigns where campaigns.id = campaign_id and campaigns.state = 'sending')
    returning messages.id
), held as (
    insert into activate.in_hand (ids) select array_agg(id) from begun having count(*) > 0
)
select id from begun;

-- name: end_messages!
-- What became of messages, to be told. Those that left by a server keep to their place in the table, so that no index changes.
with changed as (
    update activate.messages
    set state = ended.state, reason = ended.reason, reply = ended.reply, returned = ended.returned, done_at = :now
    from unnest(cast(:ids as bigint[]), cast(:states as text[]), cast(:reasons as text[]), cast(:replies as text[]), cast(:returned as text[]))
        as ended (id, state, reason, reply, returned)
    where messages.id = ended.id
)
insert into activate.to_tell (ids) values (cast(:ids as bigint[]));

-- name: end_message!
-- What became of one message.
update activate.messages set state = :state, reason = :reason, reply = :reply, done_at = :now where id = :id;

-- name: let_go!
-- Messages that are skipped wait no longer, and their addresses are free for others of the campaign.
update activate.messages set waits = false, live = false where id = any(cast(:ids as bigint[]));

-- name: landed!
-- Nothing is with the servers any more.
delete from activate.in_hand;

-- name: put_off!
-- Try messages again later.
update activate.messages
set state = 'decided', waits = true, attempts = later.attempts, reply = coalesce(later.reply, messages.reply), due_at = later.due_at, handed_at = null
from unnest(cast(:ids as bigint[]), cast(:attempts as integer[]), cast(:replies as text[]), cast(:times as timestamptz[])) as later (id, attempts, reply, due_at)
where messages.id = later.id;

-- name: attach!
-- The people of messages that were asked for before they were known.
update activate.messages set person_id = found.person_id, identity_id = found.identity_id
from unnest(cast(:ids as bigint[]), cast(:people as bigint[]), cast(:identities as bigint[])) as found (id, person_id, identity_id)
where messages.id = found.id;

-- name: save_template^
-- Make a template of messages to one person, or a new version of it; its number and version.
insert into activate.campaigns (name, segment_id, purpose, channel, sender, version, holdout_percent, cap, state, kind, created_at, changed_at)
values (:name, 0, 'service', 'email', :sender, 1, 0, 0, 'sending', 'single', :now, :now)
on conflict (name) where kind = 'single' do update set sender = excluded.sender, version = campaigns.version + 1, changed_at = excluded.changed_at
returning id, version;

-- name: templates
-- Every template of messages to one person, in its newest version.
select name, campaigns.version, subject, mjml, sender, changed_at
from activate.campaigns
join activate.contents on contents.campaign_id = campaigns.id and contents.version = campaigns.version
where kind = 'single' order by name;

-- name: template^
-- The number and the newest version of a template.
select id, version from activate.campaigns where kind = 'single' and name = :name;

-- name: add_single$
-- Write a message to one person down, once for its key; its number, or nothing when the key was used.
insert into activate.messages (campaign_id, person_id, identity_id, address, state, version, destination, key, given, trace, decided_at, due_at, waits)
values (:campaign_id, :person_id, :identity_id, :address, 'decided', :version, :destination, :key, :given, :trace, :now, :now, true)
on conflict do nothing
returning id;

-- name: single^
-- A message to one person by its key.
select id, state, reason, decided_at, done_at, address, given from activate.messages where campaign_id = :campaign_id and key = :key;

-- name: interrupted!
-- Messages that a sender which is no more was handing over: nobody knows, so they are ambiguous, and that is told.
with held as (
    delete from activate.in_hand returning ids
), left_over as (
    update activate.messages set state = 'ambiguous', done_at = :now
    where id in (select unnest(ids) from held) and state = 'handing_off'
    returning id
)
insert into activate.to_tell (ids) select array[id] from left_over;

-- name: cancel_messages!
-- Skip everything that still waits in a campaign.
with changed as (
    update activate.messages set state = 'skipped', reason = 'cancelled', done_at = :now, waits = false, live = false
    where campaign_id = :campaign_id and waits
    returning id
)
insert into activate.to_tell (ids) select array_agg(id order by id) from changed having count(*) > 0;

-- name: tell
-- Messages whose end was not told yet: their events go to the inbox in the same transaction. Whole groups, at least one.
with going as (
    delete from activate.to_tell where id in (
        select id from (select id, sum(cardinality(ids)) over (order by id) - cardinality(ids) as before from activate.to_tell) as counted where before < :most
    )
    returning ids
)
select messages.id, campaign_id, campaigns.name, campaigns.purpose, reason, address, messages.state, done_at, channel, messages.trace, identity_id
from going
cross join lateral unnest(ids) as one (id)
join activate.messages on messages.id = one.id
join activate.campaigns on campaigns.id = campaign_id
order by messages.id;

-- name: server_away!
-- The mail server is away: leave the campaign alone for a while.
update activate.campaigns set trouble = :trouble, failures = failures + 1, retry_at = :retry_at where id = :id;

-- name: server_back!
-- The mail server answers again.
update activate.campaigns set trouble = null, failures = 0, retry_at = null where id = :id;

-- name: bucket^
-- How many messages may go, as of when.
select tokens, at from activate.pace where key = :key;

-- name: set_bucket!
-- Keep how many messages may go.
insert into activate.pace (key, tokens, at) values (:key, :tokens, :at)
on conflict (key) do update set tokens = excluded.tokens, at = excluded.at;

-- name: add_link!
-- Give an address in a campaign a number, once; with the message that alone has it, if one does.
insert into activate.links (campaign_id, number, url, message_id)
select :campaign_id, coalesce(max(number), 0) + 1, cast(:url as text), cast(:message_id as bigint) from activate.links where campaign_id = :campaign_id
on conflict do nothing;

-- name: link_number^
-- The number of an address in a campaign, and the message that alone has it.
select number, message_id from activate.links where campaign_id = :campaign_id and url = :url;

-- name: share_link!
-- More than one message has a link.
update activate.links set message_id = null where campaign_id = :campaign_id and number = :number;

-- name: link_of_message^
-- Where a link of a message leads, and whose message it is; link 0 is the hidden one of each.
select case when cast(:number as integer) = 0 then :hidden else links.url end, messages.address, messages.identity_id, campaigns.channel, messages.campaign_id,
    campaigns.name, messages.handed_at, links.message_id is not null
from activate.messages
join activate.campaigns on campaigns.id = messages.campaign_id
left join activate.links on links.campaign_id = messages.campaign_id and links.number = :number
where messages.id = :id;

-- name: link_of_campaign^
-- Where a link of a campaign leads that is nobody's own, and the campaign's channel; link 0, which nobody sees, leads to where the first of them does.
select url, channel from activate.links join activate.campaigns on campaigns.id = campaign_id
where campaign_id = :campaign_id and message_id is null and url is not null and (number = :number or cast(:number as integer) = 0)
order by number limit 1;

-- name: tally!
-- More clicks on links of campaigns on a day, of nobody in particular.
insert into activate.tallies (campaign_id, number, day, clicks)
select campaign_id, number, day, count(*)
from unnest(cast(:campaigns as integer[]), cast(:numbers as integer[]), cast(:days as date[])) as clicked (campaign_id, number, day)
group by campaign_id, number, day
on conflict (campaign_id, number, day) do update set clicks = tallies.clicks + excluded.clicks;

-- name: pass_by!
-- Somebody opened a link of a campaign; what it was is judged when the clicks that belong to it had time to come.
insert into activate.passers_by (campaign_id, number, at, visitor) values (:campaign_id, :number, :now, :visitor);

-- name: passed_by
-- Clicks of passers-by whose first one had time enough, and those soon after it; they are taken out, to be counted.
with begun as (
    select campaign_id, visitor, min(at) as at from activate.passers_by group by campaign_id, visitor having min(at) <= :before limit :most
), gone as (
    delete from activate.passers_by using begun
    where passers_by.campaign_id = begun.campaign_id and passers_by.visitor = begun.visitor and passers_by.at <= begun.at + make_interval(secs => :held)
    returning passers_by.id, passers_by.campaign_id, passers_by.visitor, number, passers_by.at
)
select gone.campaign_id, visitor, number, at, (select count(*) from activate.links where links.campaign_id = gone.campaign_id and message_id is null)
from gone order by gone.campaign_id, visitor, gone.id;

-- name: tallies
-- How often each link of a campaign was followed by nobody in particular.
select number, sum(clicks)::bigint from activate.tallies where campaign_id = :campaign_id group by number;

-- name: hold_click!
-- A link of a message was opened; what it was is judged when those that belong to it had time to come.
insert into activate.clicks (message_id, link, at, machine) values (:message_id, :link, :now, :machine);

-- name: settled_clicks
-- Clicks on messages whose first one had time enough, and those soon after it (later ones are a visit of their own); they are taken out, to be told.
with begun as (
    select message_id, min(at) as at from activate.clicks group by message_id having min(at) <= :before limit :most
), gone as (
    delete from activate.clicks using begun
    where clicks.message_id = begun.message_id and clicks.at <= begun.at + make_interval(secs => :held)
    returning id, clicks.message_id, link, clicks.at, machine
)
select gone.message_id, link, at, machine, url, messages.address, messages.campaign_id, campaigns.name,
    (select count(*) from activate.links as its where its.campaign_id = messages.campaign_id and coalesce(its.message_id, messages.id) = messages.id)
from gone
join activate.messages on messages.id = message_id
join activate.campaigns on campaigns.id = messages.campaign_id
left join activate.links on links.campaign_id = messages.campaign_id and links.number = link
order by gone.message_id, gone.id;

-- name: clicks_of_person
-- The clicks of a person that were not told yet.
select message_id, link, at, machine from activate.clicks
where message_id in (select id from activate.messages where identity_id = any(:ids) or (identity_id is null and person_id = any(:ids)))
order by at;

-- name: links_of_person
-- The links that only a person's own messages have.
select message_id, number, url from activate.links
where message_id in (select id from activate.messages where identity_id = any(:ids) or (identity_id is null and person_id = any(:ids)))
order by message_id, number;

-- name: forget_links!
-- Take where the links that only a person's own messages have lead out.
update activate.links set url = null
where message_id in (select id from activate.messages where identity_id = any(:ids) or (identity_id is null and person_id = any(:ids)));

-- name: forget_clicks!
-- Take the clicks of a person that were not told yet out.
delete from activate.clicks
where message_id in (select id from activate.messages where identity_id = any(:ids) or (identity_id is null and person_id = any(:ids)));

-- name: messages
-- Outbox rows, newest first, of a campaign or a person, in a state or for a reason.
select messages.id, campaign_id, campaigns.name, person_id, identity_id, address, messages.state, reason, messages.version, consent_record_id, consent_at,
    tracked, attempts, reply, decided_at, handed_at, done_at, channel, trace
from activate.messages
join activate.campaigns on campaigns.id = messages.campaign_id
where (cast(:id as bigint) is null or messages.id = :id)
    and (cast(:trace_id as text) is null or trace is not null and substr(trace, 4, 32) = :trace_id)
    and (cast(:campaign_id as integer) is null or campaign_id = :campaign_id)
    and (cast(:people as bigint[]) is null or identity_id = any(:people) or identity_id is null and person_id = any(:people))
    and (cast(:state as text) is null or messages.state = :state or :state = 'chosen' and messages.state <> 'skipped')
    and (cast(:reason as text) is null or reason = :reason)
    and (cast(:arm as text) is null or arm = :arm)
    and (cast(:destination as text) is null or destination = :destination and address is not null)
    and (cast(:before as bigint) is null or messages.id < :before)
order by messages.id desc
limit :most;

-- name: campaign_places
-- Where a campaign's messages go, and what became of them, the most first.
select destination, count(*), count(*) filter (where state in ('sent', 'bounced')), count(*) filter (where state = 'bounced'), count(complained_at),
    count(*) filter (where waits)
from activate.messages where campaign_id = :campaign_id and destination <> '' and state <> 'skipped'
group by destination order by count(*) desc, destination;

-- name: calendar
-- Days of a calendar with the campaigns whose messages went or wait on them, and those that are scheduled for them.
select day, campaigns.id, campaigns.name, campaigns.state, first_at, messages
from (
    select (coalesce(handed_at, due_at) at time zone :zone)::date as day, campaign_id, min(coalesce(handed_at, due_at)) as first_at, count(*) as messages
    from activate.campaigns join activate.messages on campaign_id = campaigns.id
    where kind = 'campaign' and launched_at < cast(:last as date) + 2 and coalesce(finished_at, 'infinity') >= cast(:first as date) - 1
        and (waits or handed_at is not null)
    group by day, campaign_id
    union all
    select (begins_at at time zone :zone)::date, id, begins_at, null from activate.campaigns where state = 'scheduled'
) as found
join activate.campaigns on campaigns.id = campaign_id
where day between cast(:first as date) and cast(:last as date)
order by day, first_at, campaigns.id;

-- name: links_of
-- The links of a campaign by their numbers.
select number, url from activate.links where campaign_id = :campaign_id and url is not null order by number;

-- name: facts$
-- Why the person was in the segment, as kept with the message.
select facts from activate.messages where id = :id;

-- name: keep_facts!
-- Keep why the person was in the segment; the first answer stays.
update activate.messages set facts = :facts where id = :id and facts is null;

-- name: messages_of_person
-- Everything the outbox holds on a person.
select messages.id, campaigns.name as campaign, address, messages.state, reason, decided_at, handed_at, done_at, consent_record_id, consent_at, tracked, facts,
    contents.subject, given
from activate.messages
join activate.campaigns on campaigns.id = messages.campaign_id
left join activate.contents on contents.campaign_id = messages.campaign_id and contents.version = messages.version
where identity_id = any(:ids) or (identity_id is null and person_id = any(:ids))
order by messages.id;

-- name: forget_messages!
-- Take the person out of the outbox: the rows stay as numbers of their campaigns, tied to nobody.
update activate.messages
set person_id = -id, identity_id = null, address = null, facts = null, given = null, trace = null, reply = null, gateway_id = null, consent_record_id = null,
    consent_at = null, tracked = false,
    state = case when state = 'decided' then 'skipped' else state end,
    reason = case when state = 'decided' then 'cancelled' else reason end,
    done_at = coalesce(done_at, case when state = 'decided' then decided_at end), waits = false
where identity_id = any(:ids) or (identity_id is null and person_id = any(:ids));

-- name: become_only_sender$
-- Whether this session is the one that may hand messages over, until it lets go or ends.
select pg_try_advisory_lock(7236456);

-- name: let_others_send$
-- Let another session hand messages over.
select pg_advisory_unlock(7236456);

-- name: add_dkim_key!
-- Keep a new key; it signs nothing yet.
insert into activate.dkim_keys (domain, selector, algorithm, public, sealed, state, made_at)
values (:domain, :selector, :algorithm, :public, :sealed, 'new', :now);

-- name: dkim_keys
-- The keys of every domain, or of one; those at work first, then the newest.
select domain, selector, algorithm, public, state, made_at, signing_since, retired_at, sealed
from activate.dkim_keys
where cast(:domain as text) is null or domain = :domain
order by domain, case state when 'signing' then 0 when 'new' then 1 else 2 end, made_at desc, selector;

-- name: retire_dkim_keys!
-- Let the keys that sign for a domain with this algorithm rest.
update activate.dkim_keys set state = 'retired', retired_at = :now where domain = :domain and algorithm = :algorithm and state = 'signing';

-- name: let_dkim_key_sign!
-- Sign with this key from now on.
update activate.dkim_keys set state = 'signing', signing_since = :now, retired_at = null where domain = :domain and selector = :selector;

-- name: delete_dkim_key!
-- Forget a key that does not sign.
delete from activate.dkim_keys where domain = :domain and selector = :selector and state <> 'signing';

-- name: keep_returned!
-- Keep a mail that came back about a message; one that came before changes nothing.
insert into activate.returns (message_id, digest, kind, reason, hard, status, reply, words, way, came_at)
values (:message_id, :digest, :kind, :reason, :hard, :status, :reply, :words, :way, :now)
on conflict do nothing;

-- name: note_bounce!
-- A message that was taken bounced after all.
update activate.messages set state = 'bounced', reason = :bounce, returned = :returned where id = :id and state in ('sent', 'ambiguous', 'bounced');

-- name: note_complaint!
-- The reader of a message complained to the mailbox provider.
update activate.messages set complained_at = coalesce(complained_at, :now) where id = :id;

-- name: returns_of_person
-- What came back about a person's messages.
select returns.message_id, kind, returns.reason, hard, status, returns.reply, words, way, came_at
from activate.returns
join activate.messages on messages.id = returns.message_id
where identity_id = any(:ids) or (identity_id is null and person_id = any(:ids))
order by came_at;

-- name: forget_returns!
-- Take the other side's words about a person out of what came back.
update activate.returns set words = ''
where message_id in (select id from activate.messages where identity_id = any(:ids) or (identity_id is null and person_id = any(:ids)));

-- name: destinations
-- What is set for destinations, and what they asked for.
select key, messages_per_minute, slow_until, suspended_until from activate.destinations;

-- name: slow_destination!
-- A destination asked for less until a moment; an earlier wish for longer stays.
insert into activate.destinations (key, slow_until, suspended_until, said, changed_at)
values (:key, case when :stop then null else cast(:until as timestamptz) end, case when :stop then cast(:until as timestamptz) end, :said, :now)
on conflict (key) do update
set slow_until = greatest(destinations.slow_until, excluded.slow_until), suspended_until = greatest(destinations.suspended_until, excluded.suspended_until),
    said = excluded.said, changed_at = excluded.changed_at;

-- name: set_speed!
-- Set how fast a destination may be written to, and forget what it asked for.
insert into activate.destinations (key, messages_per_minute, changed_at) values (:key, :messages_per_minute, :now)
on conflict (key) do update
set messages_per_minute = excluded.messages_per_minute, slow_until = null, suspended_until = null, said = '', changed_at = excluded.changed_at;

-- name: shown_destinations
-- Every destination that was written to in the last days, or that has something set, with its figures.
select coalesce(days.destination, destinations.key) as key, destinations.messages_per_minute, slow_until, suspended_until, coalesce(said, ''),
    coalesce(sent, 0), coalesce(bounced, 0), coalesce(complained, 0), coalesce(deferred, 0)
from (
    select destination, sum(sent) as sent, sum(bounced) as bounced, sum(complained) as complained, sum(deferred) as deferred
    from activate.sent_by_day where day >= :since group by destination
) as days
full join activate.destinations on destinations.key = days.destination
order by coalesce(sent, 0) desc, key;

-- name: count_day!
-- Add to what went to destinations on a day.
insert into activate.sent_by_day (day, domain, destination, sent, bounced, deferred)
select :day, :domain, destination, sent, bounced, deferred
from unnest(cast(:destinations as text[]), cast(:sent as integer[]), cast(:bounced as integer[]), cast(:deferred as integer[]))
    as counted (destination, sent, bounced, deferred)
on conflict (day, domain, destination) do update
set sent = sent_by_day.sent + excluded.sent, bounced = sent_by_day.bounced + excluded.bounced, deferred = sent_by_day.deferred + excluded.deferred;

-- name: count_back!
-- Add what came back later to the day it came.
insert into activate.sent_by_day (day, domain, destination, bounced, complained) values (:day, :domain, :destination, :bounced, :complained)
on conflict (day, domain, destination) do update
set bounced = sent_by_day.bounced + excluded.bounced, complained = sent_by_day.complained + excluded.complained;

-- name: days
-- What went to a destination under a sender's domain, day by day.
select day, sent, bounced, complained, deferred from activate.sent_by_day
where domain = :domain and destination = :destination and day >= :since order by day;

-- name: destinations_today
-- Where mail of a sender's domain went today.
select destination from activate.sent_by_day where domain = :domain and day = :day;

-- name: warm_up^
-- The warm-up plan of a sender's domain.
select first_day, growth_percent, most, started_on from activate.warmups where domain = :domain;

-- name: warm_ups
-- Every warm-up plan.
select domain, first_day, growth_percent, most, started_on from activate.warmups order by domain;

-- name: set_warm_up!
-- Begin, or change, a warm-up plan.
insert into activate.warmups (domain, first_day, growth_percent, most, started_on) values (:domain, :first_day, :growth_percent, :most, :started_on)
on conflict (domain) do update set first_day = excluded.first_day, growth_percent = excluded.growth_percent, most = excluded.most;

-- name: end_warm_up!
-- The domain is warm.
delete from activate.warmups where domain = :domain;

-- name: settle_ambiguous$
-- The operator's word on messages of which nobody knows: taken as sent, which is told, or sent again.
with changed as (
    update activate.messages
    set state = case when :again then 'decided' else 'sent' end, done_at = case when :again then null else done_at end,
        handed_at = case when :again then null else handed_at end, due_at = :now, waits = cast(:again as boolean)
    where campaign_id = :campaign_id and state = 'ambiguous'
    returning id
), told as (
    insert into activate.to_tell (ids) select array_agg(id order by id) from changed where not cast(:again as boolean) having count(*) > 0
)
select count(*) from changed;

-- name: subscriptions_of
-- The newest subscription of each of these browsers: its number and its push service's host.
select distinct on (identity_id) identity_id, id, host from activate.push_subscriptions where identity_id = any(:ids) order by identity_id, id desc;

-- name: identities_of_subscriptions
-- Which browser each subscription is of.
select id, identity_id from activate.push_subscriptions where id = any(:ids);

-- name: gateway^
-- The gateway of a channel.
select channel, provider, url, sender, sealed, part_micros, messages_per_minute, changed_at from activate.gateways where channel = :channel;

-- name: gateways
-- Every gateway that is set.
select channel, provider, url, sender, sealed, part_micros, messages_per_minute, changed_at from activate.gateways order by channel;

-- name: gateway_by_token^
-- The gateway whose receipts come to an address.
select channel, provider, url, sender, sealed, part_micros, messages_per_minute, changed_at from activate.gateways where token_hash = :token_hash;

-- name: save_gateway!
-- Put a gateway at work for its channel.
insert into activate.gateways (channel, provider, url, sender, sealed, token_hash, part_micros, messages_per_minute, changed_at)
values (:channel, :provider, :url, :sender, :sealed, :token_hash, :part_micros, :messages_per_minute, :now)
on conflict (channel) do update set provider = excluded.provider, url = excluded.url, sender = excluded.sender, sealed = excluded.sealed,
    token_hash = excluded.token_hash, part_micros = excluded.part_micros, messages_per_minute = excluded.messages_per_minute, changed_at = excluded.changed_at;

-- name: drop_gateway!
-- Forget the gateway of a channel.
delete from activate.gateways where channel = :channel;

-- name: keep_gateway_numbers!
-- Keep the numbers that a gateway gave messages.
update activate.messages set gateway_id = given.number
from unnest(cast(:ids as bigint[]), cast(:numbers as text[])) as given (id, number)
where messages.id = given.id;

-- name: message_by_number$
-- The message that a gateway of a channel gave this number.
select messages.id from activate.messages
join activate.campaigns on campaigns.id = messages.campaign_id
where gateway_id = :number and channel = :channel order by messages.id desc limit 1;

-- name: last_to$
-- The last message of a channel that a number was handed.
select messages.id from activate.messages
join activate.campaigns on campaigns.id = messages.campaign_id
where address = :address and position('@' in address) = 0 and channel = :channel and handed_at is not null order by handed_at desc limit 1;

-- name: push_key^
-- The key that browsers subscribe under.
select public, sealed from activate.push_keys order by id limit 1;

-- name: add_push_key!
-- Keep the key that browsers subscribe under, if there is none yet.
insert into activate.push_keys (public, sealed, made_at) select :public, :sealed, :now where not exists (select from activate.push_keys);

-- name: subscribe$
-- Keep the subscription of a browser; its number.
insert into activate.push_subscriptions (identity_id, endpoint, public, secret, host, made_at, seen_at)
values (:identity_id, :endpoint, :public, :secret, :host, :now, :now)
on conflict (endpoint) do update set identity_id = excluded.identity_id, public = excluded.public, secret = excluded.secret, seen_at = excluded.seen_at
returning id;

-- name: unsubscribe_browser!
-- Forget the subscription with an endpoint.
delete from activate.push_subscriptions where endpoint = :endpoint;

-- name: subscription^
-- Where a subscribed browser is written to, and its keys.
select endpoint, public, secret from activate.push_subscriptions where id = :id;

-- name: forget_subscription!
-- Forget a subscription.
delete from activate.push_subscriptions where id = :id;

-- name: count_subscriptions
-- How many browsers are subscribed at each push service.
select host, count(*) from activate.push_subscriptions group by host order by count(*) desc, host;

-- name: subscriptions_of_person
-- The browsers of a person that may be written to.
select id, endpoint, host, made_at, seen_at from activate.push_subscriptions where identity_id = any(:ids) order by id;

-- name: forget_subscriptions!
-- Forget the browsers of a person.
delete from activate.push_subscriptions where identity_id = any(:ids);

-- name: keep_look!
-- Keep what was found at our domains and servers; only the last look counts.
insert into activate.looks (id, found, at) values (1, :found, :now) on conflict (id) do update set found = excluded.found, at = excluded.at;

-- name: last_look^
-- What was found at the last look.
select found, at from activate.looks;

-- name: senders
-- Everybody that e-mail was to leave as.
select distinct sender from activate.campaigns where channel = 'email' and sender <> '' order by sender;

-- name: mail_signals
-- What each destination made of our mail in the last days, and what it asks for. Text and push messages leave as no domain and do not count.
select days.destination, slow_until, suspended_until, coalesce(said, ''), sent, bounced, complained, deferred
from (
    select destination, sum(sent) as sent, sum(bounced) as bounced, sum(complained) as complained, sum(deferred) as deferred
    from activate.sent_by_day where day >= :since and domain <> '' group by destination
) as days
left join activate.destinations on destinations.key = days.destination
order by sent desc, days.destination;
