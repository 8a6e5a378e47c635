"""A simulated base whose truth is known: who goes to an office, works at home or by shifts, where each lives and works, which devices are for what.

Made in DuckDB as columns, so that a million people with forty million events take minutes. Noise is mixed in: default points of the address
database, lines it puts into another powiat, visits by the mobile network alone, and relays of which every second is not known for one.
Everything follows from the numbers of people, so the truth (`truth`) is a formula, and the same numbers give the same base.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from cegla.reference.places import poland
from cegla.storage.history_file import DUCKDB_TYPES
from cegla.storage.warehouse import TABLES, Warehouse

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SESSION_EVENTS = 4
DAYS_TOGETHER = 6
MOBILE_ONLY, DEFAULT_POINT, RELAYED = 35, 28, 10  #: percent of visits
MISPLACED = 4  #: percent of fixed lines that the address database puts into another powiat, always the same one
REMOTE, SHIFTS, IDLE = 20, 15, 15  #: percent of people who work at home, by shifts, not at all; the rest go to an office

#: Who a person is, as a formula of the number; `dice(n, salt)` is a number of 0 to 99.
MACROS = """
create temp macro dice(n, salt) as (hash(n, salt) % 100)::int;
create temp macro kind_of(p) as case when dice(p, 101) < {remote} then 'remote' when dice(p, 101) < {remote} + {shifts} then 'shifts'
    when dice(p, 101) < {remote} + {shifts} + {idle} then 'idle' else 'office' end;
create temp macro home_of(p) as (hash(p, 102) % {powiats})::int;
create temp macro shown_home_of(p) as ((home_of(p) + case when dice(p, 120) < {misplaced} then 7 else 0 end) % {powiats})::int;
create temp macro work_of(p) as ((home_of(p) + 1 + hash(p, 103) % ({powiats} - 1)) % {powiats})::int;
create temp macro shown_work_of(p) as ((work_of(p) + case when dice(p, 121) < {misplaced} then 11 else 0 end) % {powiats})::int;
"""
#: One row a visit: who, when (wall clock), at home or at work, on which line and device.
VISITS = """
create temp table visits as
with drawn as (
    select p as person, s as visit, kind_of(p) as kind, 1 + (hash(p, s, 1) % $days)::int as ago, dice(hash(p, s), 2) as slot, hash(p, s, 3) % 60 as minute
    from range(1, $people + 1) people (p), range($visits) visits (s) where 1 + (hash(p, s, 1) % $days)::int between $first and $last
), placed as (
    select *, ($now::timestamp - to_days(ago))::date as day, extract(isodow from ($now::timestamp - to_days(ago))) < 6 as workday from drawn
), timed as (
    select *, kind = 'office' and workday and slot < 50 as at_work,
        case when kind = 'office' and workday and slot < 50 then 9 + hash(person, visit, 4) % 8
            when kind = 'shifts' then case when slot < 50 then hash(person, visit, 4) % 5 else 14 + hash(person, visit, 4) % 8 end
            when workday and slot < 70 and kind <> 'remote' then 6 + hash(person, visit, 4) % 2
            when kind = 'remote' then 8 + hash(person, visit, 4) % 13 else 18 + hash(person, visit, 4) % 5 end as hour
    from placed
)
select *, day + to_hours(hour::int) + to_minutes(minute::int) as local_at, dice(hash(person, visit), 6) < {mobile} as is_mobile,
    dice(hash(person, visit), 7) < {default_point} as at_default_point, dice(hash(person, visit), 8) < {relayed} as is_relayed
from timed
"""
EVENTS = """
insert into events (batch, event_id, source_id, identity_id, kind, name, occurred_at, received_at, local_at, session_id, order_id, value_micros, currency,
    page_path, page_title, referrer_kind, referrer_name, device_type, os, browser, device_brand, device_model, country, voivodeship, powiat, city, timezone,
    place_source, asn, network_kind, is_datacentre, is_proxy, language, is_bot, properties, data_version)
select $batch, id, 1, person, case when act < 6 then 'page' else 'track' end, name, moment - interval 1 hour, moment - interval 1 hour, moment, id >> 2,
    case when name = 'Order Completed' then 'o' || id end, case when name = 'Order Completed' then (20 + hash(id, 3) % 400) * 1000000 end,
    case when name = 'Order Completed' then 'PLN' end, '/' || section || '/' || hash(id, 4) % 40, section || ' ' || hash(id, 4) % 40,
    case when place = 0 then ['direct', 'search', 'social'][1 + (hash(visit, person) % 3)::int] end,
    case when place = 0 then [null, 'Google', 'Facebook'][1 + (hash(visit, person) % 3)::int] end,
    device.type, device.os, device.browser, device.brand, device.model, 'PL', case when known then terc[1:2] end, case when known then terc end,
    case when known then town end, 'Europe/Warsaw', 'ip', case when is_mobile then 12912 when at_work then 8374 else 5617 end,
    case when is_mobile then 'mobile' when at_work and dice(person, 110) < 60 then 'business' else 'fixed' end, false,
    is_relayed and dice(hash(person, visit), 9) < 50, 'pl', false,
    '{{"section":"' || section || '","seconds":' || hash(id, 5) % 90 || ',"scroll_depth":' || hash(id, 6) % 100
        || case when name = 'Products Searched' then ',"query":"' || section || ' cena","results":' || hash(id, 7) % 9 else '' end || '}}', '2026-11'
from (
    select v.*, e as place, (v.person * $visits + v.visit) * {each} + e + 1 as id, v.local_at + to_seconds(e * 45) as moment,
        hash(v.person, v.visit, e) % 10 as act, not (v.is_mobile or v.at_default_point) as known,
        p.terc, p.town, {section} as section,
        case when v.at_work then case when hash(v.person, v.visit, 9) % 3 = 0
            then {{'type': 'phone', 'os': 'iOS', 'browser': 'Safari', 'brand': 'Apple', 'model': 'iPhone'}}
            else {{'type': 'desktop', 'os': 'Windows', 'browser': 'Edge', 'brand': null, 'model': null}} end
            else {{'type': 'phone', 'os': 'Android', 'browser': 'Chrome', 'brand': 'Samsung', 'model': 'Galaxy A54 5G'}} end as device,
        case when hash(v.person, v.visit, e) % 10 < 6 then 'Page Viewed' when hash(v.person, v.visit, e) % 10 = 6 then 'Product Added'
            when hash(v.person, v.visit, e) % 10 = 7 then 'Products Searched' when hash(v.person, v.visit, e) % 20 = 8 then 'Order Completed'
            else 'Product Viewed' end as name
    from visits v, range({each}) parts (e), powiats p
    where p.number = case when v.is_relayed then (hash(v.person, v.visit, 10) % {powiats})::int
        when v.at_work then shown_work_of(v.person) else shown_home_of(v.person) end
)
"""
LINES = """
insert into order_lines (batch, event_id, identity_id, name, occurred_at, product_id, product, category, quantity, price_micros, value_micros)
select $batch, event_id, identity_id, name, occurred_at, 'p' || hash(event_id, 11) % 500, 'Produkt ' || hash(event_id, 11) % 500,
    json_extract_string(properties, '/section'),
    1, (10 + hash(event_id, 12) % 300) * 1000000, (10 + hash(event_id, 12) % 300) * 1000000
from events where name in ('Product Viewed', 'Product Added', 'Order Completed') and batch = $batch
"""
SECTIONS = ("Rowery", "Ogród", "Elektronika", "Kuchnia", "Dom", "Sport", "Książki", "Drukarki", "Meble biurowe", "Oprogramowanie")
#: What is looked at at work is of the last three kinds in three visits of four.
SECTION = f"""(['{"','".join(SECTIONS)}'])[1 + (case when v.at_work and hash(v.person, v.visit, 12) % 4 > 0 then 7 + hash(v.person, 13) % 3
    else (hash(v.person, 14) + hash(v.person, v.visit, 15) % 2) % 7 end)::int]"""


def filled(folder: Path, people: int, events_each: int, days: int = 90) -> Warehouse:
    """A warehouse with these people, numbered from 1, and their histories."""
    path = folder / "people.duckdb"
    visits = max(events_each // SESSION_EVENTS, 1)
    powiats = sorted(poland().powiats)
    words: dict[str, Any] = {"powiats": len(powiats), "remote": REMOTE, "shifts": SHIFTS, "idle": IDLE, "mobile": MOBILE_ONLY, "relayed": RELAYED}
    words |= {"misplaced": MISPLACED, "default_point": DEFAULT_POINT, "each": SESSION_EVENTS, "section": SECTION}
    with duckdb.connect(str(path)) as maker:
        for name, schema in TABLES.items():
            maker.execute(f"create table {name} ({', '.join(f'{column.name} {DUCKDB_TYPES[column.type]}' for column in schema)})")
        maker.execute("create temp table powiats (number int, terc varchar, town varchar)")
        maker.executemany("insert into powiats values (?, ?, ?)", [(number, code, poland().powiats[code].name) for number, code in enumerate(powiats)])
        for statement in filter(str.strip, MACROS.format(**words).split(";")):
            maker.execute(statement)
        for batch, last in enumerate(range(days, 0, -DAYS_TOGETHER), 1):  # by time, as a history is written, so that nobody lies together
            span = {"first": max(last - DAYS_TOGETHER + 1, 1), "last": last, "people": people, "visits": visits, "days": days}
            maker.execute(VISITS.format(**words), span | {"now": NOW.replace(tzinfo=None)})
            maker.execute(EVENTS.format(**words), {"visits": visits, "batch": batch})
            maker.execute(LINES, {"batch": batch})
            maker.execute("drop table visits")
    return Warehouse(path)


def truth(people: int) -> list[tuple[int, str, str, str | None]]:
    """(person, kind, powiat of home, powiat of work: None unless it is another) of everybody."""
    powiats = sorted(poland().powiats)
    words = {"powiats": len(powiats), "remote": REMOTE, "shifts": SHIFTS, "idle": IDLE, "misplaced": MISPLACED}
    with duckdb.connect() as maker:
        for statement in filter(str.strip, MACROS.format(**words).split(";")):
            maker.execute(statement)
        rows = maker.execute("select p, kind_of(p), home_of(p), work_of(p) from range(1, $last) people (p)", {"last": people + 1}).fetchall()
    return [(person, kind, powiats[home], powiats[work] if kind == "office" else None) for person, kind, home, work in rows]
