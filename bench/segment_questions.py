"""Twenty segments that marketers ask for, each with the same question written by hand in DuckDB SQL; and the history they are asked of."""

from dataclasses import dataclass
from typing import Any

PERSON = "coalesce(m.mapped_person, e.identity_id)"
PAST = "from events e left join derived.main.identity_map m on e.identity_id = m.mapped_identity where not e.is_bot and e.occurred_at <= $now"
PURCHASE, ADDED, VIEWED = "e.name = 'Order Completed'", "e.name = 'Product Added'", "e.name = 'Product Viewed'"
TAKEN_BACK = "e.name in ('Order Refunded', 'Order Cancelled')"
ORDERS = f"count(distinct e.order_id) filter ({PURCHASE}) + count(*) filter ({PURCHASE} and e.order_id is null)"


@dataclass(frozen=True)
class Asked:
    """One question: its name, the rule, and the SQL; $now and, with RFM, the bounds of the scale are parameters."""

    name: str
    rule: dict[str, Any]
    sql: str


def _ago(days: int) -> str:
    return f"$now - interval {days} day"


def _grouped(where: str, having: str) -> str:
    """People by what they did."""
    return f"select {PERSON} as person_id {PAST}{f' and {where}' if where else ''} group by 1 having {having}"


def _favourite(column: str, wanted: str, other: str = "true") -> str:
    """People whose most frequent value over their visits is this one; of equals the last one counts, then the last by alphabet."""
    return f"""
        select person_id from (
            select person_id, arg_max(value, {{'times': times, 'last': last, 'value': value}}) as favourite from (
                select person_id, value, count(*) as times, max(began) as last from (
                    select {PERSON} as person_id, e.session_id, min(e.occurred_at) as began, max(e.{column}) filter ({other}) as value
                    {PAST} and e.session_id is not null group by 1, 2
                ) where value is not null group by 1, 2
            ) group by 1
        ) where favourite = '{wanted}'"""


def _sequence(first: str, then: str, decided: str, frame: str) -> str:
    """People by what stands nearest to an event among those of both kinds; `frame` is the window of the nearest one."""
    return f"""
        select person_id from (
            select person_id, name, occurred_at, {frame} over (partition by person_id order by epoch_us(occurred_at) {{range}}) as near from (
                select {PERSON} as person_id, e.name, e.occurred_at {PAST} and e.name in ('{first}', '{then}')
            )
        ) where {decided} group by 1"""


def _all(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"all": list(rules)}


_ORDERED: dict[str, Any] = {"op": "did", "event": "Order Completed"}
_BEFORE, _BEHIND = "range between unbounded preceding and 1 preceding", "range between 1 following and unbounded following"
_REVENUE = f"coalesce(sum(e.value_micros) filter ({PURCHASE} or {TAKEN_BACK}), 0)"
_LAST = f"max(e.occurred_at) filter ({PURCHASE})"

QUESTIONS: tuple[Asked, ...] = (
    Asked("bought 3 times in 90 days for over 500",
        _all({**_ORDERED, "at_least": 3, "days": 90}, {"op": "total_over", "event": "Order Completed", "more_than": 500, "days": 90}),
        _grouped(f"{PURCHASE} and e.occurred_at > {_ago(90)}", "count(*) >= 3 and sum(e.value_micros) > 500000000")),
    Asked("first seen in the last 7 days", {"op": "trait_within_days", "trait": "first_seen", "days": 7},
        _grouped("", f"min(e.occurred_at) >= {_ago(7)}")),
    Asked("viewed red things 3 times in 30 days",
        {"op": "did", "event": "Product Viewed", "at_least": 3, "days": 30, "where": [{"property": "color", "is": "red"}]},
        _grouped(f"{VIEWED} and e.occurred_at > {_ago(30)} and json_extract_string(e.properties, '/color') = 'red'", "count(*) >= 3")),
    Asked("no order in 60 days", {"op": "did_not", "event": "Order Completed", "days": 60},
        _grouped("", f"count(*) filter ({PURCHASE} and e.occurred_at > {_ago(60)}) = 0")),
    Asked("spent over 2,000", {"op": "trait_over", "trait": "monetary", "value": 2000},
        _grouped(f"({PURCHASE} or {TAKEN_BACK})", "sum(e.value_micros) > 2000000000")),
    Asked("from Poland, on a phone",
        _all({"op": "trait_is", "trait": "country", "value": "PL"}, {"op": "trait_is", "trait": "device", "value": "phone"}),
        f"select person_id from ({_favourite('country', 'PL')}) semi join "
        f"""({_favourite('device_type', 'phone', "e.device_type not in ('unknown', 'server', 'bot')")}) using (person_id)"""),
    Asked("RFM: champions", {"op": "rfm_group", "groups": ["champions"]},
        _grouped(f"({PURCHASE} or {TAKEN_BACK})",
            f"({ORDERS}) >= greatest(2, $often) and {_LAST} > $recently and {_REVENUE} >= $dear")),
    Asked("life cycle: won back", {"op": "life_cycle", "groups": ["won_back"]},
        _grouped(PURCHASE, f"max(e.occurred_at) > {_ago(90)} and min(e.occurred_at) <= {_ago(270)} and min(e.occurred_at) <= {_ago(30)} "
            f"and count(*) filter (e.occurred_at > {_ago(270)} and e.occurred_at <= {_ago(90)}) = 0")),
    Asked("first order in the last 30 days", {"op": "first_did_within", "event": "Order Completed", "days": 30},
        _grouped(PURCHASE, f"min(e.occurred_at) > {_ago(30)}")),
    Asked("last order over 60 days ago", {"op": "last_did_before", "event": "Order Completed", "days": 60},
        _grouped(PURCHASE, f"max(e.occurred_at) < {_ago(60)}")),
    Asked("put into the cart and bought nothing for 2 hours, 30 days",
        {"op": "did_without_then", "event": "Product Added", "within": "2h", "then": "Order Completed", "days": 30},
        _sequence("Product Added", "Order Completed",
            f"name = 'Product Added' and occurred_at > {_ago(30)} and occurred_at <= $now - interval 2 hour "
            "and (near is null or near - epoch_us(occurred_at) > 7200000000)",
            "min(case when name = 'Order Completed' then epoch_us(occurred_at) end)").replace("{range}", _BEHIND)),
    Asked("viewed and bought within a day, 30 days",
        {"op": "did_then", "event": "Product Viewed", "within": "1d", "then": "Order Completed", "days": 30},
        _sequence("Product Viewed", "Order Completed",
            f"name = 'Order Completed' and occurred_at > {_ago(30)} and epoch_us(occurred_at) - near <= 86400000000",
            "max(case when name = 'Product Viewed' then epoch_us(occurred_at) end)").replace("{range}", _BEFORE)),
    Asked("active on 5 days of 30", {"op": "active_days", "at_least": 5, "days": 30},
        _grouped(f"e.occurred_at > {_ago(30)}", "count(distinct e.local_at::date) >= 5")),
    Asked("looks at night, 3 times in 90 days",
        {"op": "did_at_hours", "event": "Page Viewed", "from_hour": 22, "to_hour": 6, "at_least": 3, "days": 90},
        _grouped(f"e.name = 'Page Viewed' and e.occurred_at > {_ago(90)} and (hour(e.local_at) >= 22 or hour(e.local_at) < 6)", "count(*) >= 3")),
    Asked("buys at weekends", {"op": "did_on_weekdays", "event": "Order Completed", "weekdays": [6, 7], "at_least": 2},
        _grouped(f"{PURCHASE} and isodow(e.local_at) in (6, 7)", "count(*) >= 2")),
    Asked("average basket over 300", {"op": "trait_over", "trait": "average_basket", "value": 300},
        _grouped(PURCHASE, f"sum(e.value_micros) // nullif({ORDERS}, 0) > 300000000")),
    Asked("bought from a category twice in 180 days", {"op": "bought_category", "category": "c7", "at_least": 2, "days": 180},
        f"""select coalesce(m.mapped_person, l.identity_id) as person_id
            from order_lines l left join derived.main.identity_map m on l.identity_id = m.mapped_identity
            where l.name = 'Order Completed' and l.category = 'c7' and l.occurred_at > {_ago(180)} and l.occurred_at <= $now
                and l.event_id in (select event_id from events where not is_bot and occurred_at <= $now)
            group by 1 having count(distinct l.event_id) >= 2"""),
    Asked("viewed 5 different prices in 30 days",
        {"op": "distinct_over", "event": "Product Viewed", "property": "price", "at_least": 5, "days": 30},
        _grouped(f"{VIEWED} and e.occurred_at > {_ago(30)}", "count(distinct json_extract_string(e.properties, '/price')) >= 5")),
    Asked("left a cart, 7 days", {"op": "abandoned_cart", "after": "3h", "days": 7},
        f"""with carts as (
                select {PERSON} as person_id, max(e.occurred_at) filter ({ADDED} and e.occurred_at > {_ago(7)}) as added,
                    max(e.occurred_at) filter ({PURCHASE}) as bought
                {PAST} and ({ADDED} or {PURCHASE}) group by 1)
            select person_id from carts where added <= $now - interval 3 hour and (bought is null or bought < added)"""),
    Asked("10 visits or more", {"op": "trait_over", "trait": "visit_count", "value": 9},
        _grouped("e.session_id is not null", "count(distinct e.session_id) > 9")),
)  # fmt: skip

#: a year of traffic, eight events a visit: one event in sixteen is an order with two lines, a tenth of the identities belong to another person
EVENTS = """
insert into events (batch, event_id, source_id, identity_id, kind, name, occurred_at, received_at, local_at, session_id, order_id, value_micros, currency,
    page_path, device_type, country, language, is_bot, properties)
select 1, i, 1, who, case when kind < 10 then 'page' else 'track' end,
    case when kind < 10 then 'Page Viewed' when kind < 14 then 'Product Viewed' when kind = 14 then 'Product Added' else 'Order Completed' end,
    moment, moment, moment + interval 1 hour, i >> 3, case when kind = 15 then 'o' || i end,
    case when kind = 15 then (20 + hash(i, 3) % 400) * 1000000 end, case when kind = 15 then 'PLN' end,
    '/p/' || hash(i, 4) % 500, ['phone', 'desktop', 'tablet'][1 + (hash(who) % 3)::int], ['PL', 'PL', 'DE'][1 + (hash(who, 1) % 3)::int], 'pl', false,
    '{"color":"' || ['red', 'green', 'blue'][1 + (hash(i, 5) % 3)::int] || '","price":' || hash(i, 4) % 500 || '}'
from (
    select i, 1 + floor($people * pow((hash(i >> 3) % 1000003) / 1000003.0, 2))::bigint as who, hash(i, 1) % 16 as kind,
        $now::timestamp - to_microseconds(((1.0 - i::double / $events) * 31536000000000)::bigint) as moment
    from range($first, $last) rows (i)
)
"""
LINES = """
insert into order_lines (batch, event_id, identity_id, name, occurred_at, product_id, product, category, quantity, price_micros, value_micros)
select batch, event_id, identity_id, name, occurred_at, 'p' || hash(event_id, n) % 500, 'Produkt ' || hash(event_id, n) % 500,
    'c' || hash(event_id, n) % 20, 1, value_micros // 2, value_micros // 2
from events, range(2) lines (n) where name = 'Order Completed' and event_id >= $first and event_id < $last
"""
