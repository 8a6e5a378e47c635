"""Logs of telephone switchboards: many lines, one call, one event, however often it is imported."""

from pathlib import Path

import pytest
import yaml

from cegla.collect import tables
from cegla.collect.examining import examine
from cegla.collect.rules.calls import message_ids
from cegla.collect.rules.mapping import FileForm, read_mapping
from cegla.collect.rules.occurrences import Occurrences
from cegla.collect.rules.rows import plan_events, read_sheet
from cegla.collect.rules.switchboard import COLUMNS, kind_of

CDR = '''"","+48600100200","100","from-trunk","""Anna"" <+48600100200>","PJSIP/trunk-00000012","PJSIP/201-00000013","Queue","sales,t","2025-11-25 16:20:00","","2025-11-25 16:20:15",15,0,"NO ANSWER","DOCUMENTATION","1764084000.34",""
"","+48600100200","100","from-trunk","""Anna"" <+48600100200>","PJSIP/trunk-00000012","PJSIP/202-00000014","Queue","sales,t","2025-11-25 16:20:00","2025-11-25 16:20:15","2025-11-25 16:23:04",184,169,"ANSWERED","DOCUMENTATION","1764084000.34",""
"","201","600 300 400","internal","""Doradca"" <201>","PJSIP/201-00000015","PJSIP/trunk-00000016","Dial","PJSIP/trunk","2025-11-25 16:30:00","","2025-11-25 16:30:20",20,0,"NO ANSWER","DOCUMENTATION","1764084600.36",""
"","201","202","internal","""Doradca"" <201>","PJSIP/201-00000017","PJSIP/202-00000018","Dial","PJSIP/202","2025-11-25 16:40:00","","2025-11-25 16:40:20",20,0,"BUSY","DOCUMENTATION","1764085200.38",""
'''
NAMED = '''calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,uniqueid,userfield,did
2025-11-25 16:20:00,"""Anna"" <600100200>",600100200,100,from-did-direct,SIP/trunk-0000000a,SIP/201-0000000b,Dial,SIP/201,184,172,ANSWERED,3,,1764084000.34,,221000000
'''
CUSTOM = '''"""Anna"" <+48600100200>","+48600100200","100","from-pstn","SIP/trunk-0000000a","SIP/201-0000000b","Dial","SIP/201","2025-11-25 16:20:00","2025-11-25 16:20:12","2025-11-25 16:23:04","184","172","ANSWERED","DOCUMENTATION","","1764084000.34","","7"
'''
QUEUE = """1764083990|NONE|NONE|NONE|QUEUESTART|
1764084000|1764083999.40|sales|NONE|ENTERQUEUE||+48600100200|1
1764084005|1764083999.40|sales|PJSIP/201|RINGNOANSWER|5000
1764084010|NONE|sales|PJSIP/203|PAUSE|lunch
1764084012|1764083999.40|sales|PJSIP/202|CONNECT|12|1764084006.41|6
1764084184|1764083999.40|sales|PJSIP/202|COMPLETECALLER|12|172|1
1764084200|1764084190.42|sales|NONE|ENTERQUEUE||+48600300400|2
1764084230|1764084190.42|sales|NONE|EXITWITHTIMEOUT|1|2|30
1764084231|1764084190.42|night|NONE|ENTERQUEUE||+48600300400|1
1764084260|1764084190.42|night|NONE|ABANDON|1|2|29
"""


def calls(tmp_path: Path, name: str, text: str) -> list[dict[str, str | None]]:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    form = examine(file, name).form
    return [row for part in tables.parts(file, form) for row in part.texts.to_pylist()]


@pytest.mark.parametrize(
    ("text", "kind"),
    [(CDR, "asterisk_cdr"), (NAMED, "asterisk_cdr"), (CUSTOM, "asterisk_cdr"), (QUEUE, "asterisk_queue_log"), ("a,b,c\n1,2,3\n", None), ("", None)],
    ids=["csv", "named", "custom", "queue", "other", "empty"],
)
def test_logs_are_known_by_what_they_hold(text: str, kind: str | None) -> None:
    assert kind_of(text) == kind


def test_a_call_that_rang_two_advisers_is_one_row_with_who_answered(tmp_path: Path) -> None:
    first, outbound, inside = calls(tmp_path, "Master.csv", CDR)
    assert first == dict(zip(COLUMNS, ("1764084000.34", "+48600100200", "inbound", "202", "sales", "answered", "2025-11-25 16:20:00", "2025-11-25 16:23:04", "15", "169", "184", None), strict=True))
    assert (outbound["phone"], outbound["direction"], outbound["adviser"], outbound["outcome"]) == ("600300400", "outbound", "201", "no_answer")
    assert inside["phone"] is None  # two extensions: nobody from outside


@pytest.mark.parametrize("text", [NAMED, CUSTOM], ids=["named", "custom"])
def test_columns_are_told_by_their_names_or_by_where_the_outcome_stands(tmp_path: Path, text: str) -> None:
    (call,) = calls(tmp_path, "Master.csv", text)
    assert (call["call_id"], str(call["phone"])[-9:], call["outcome"], call["talk_seconds"], call["ended_at"]) == ("1764084000.34", "600100200", "answered", "172", "2025-11-25 16:23:04")


def test_a_queue_log_gives_the_number_and_what_became_of_each_call(tmp_path: Path) -> None:
    answered, abandoned = calls(tmp_path, "queue_log", QUEUE)
    assert answered == dict(zip(COLUMNS, ("1764083999.40", "+48600100200", "inbound", "202", "sales", "answered", "1764084000", "1764084184", "12", "172", None, "caller"), strict=True))
    assert (abandoned["phone"], abandoned["outcome"], abandoned["queue"], abandoned["wait_seconds"]) == ("+48600300400", "abandoned", "night", "29")


def test_a_line_that_is_none_is_told_and_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / "queue_log"
    file.write_text(QUEUE + "nonsense\n")
    (part,) = tables.parts(file, FileForm.model_validate({"format": "asterisk_queue_log"}))
    assert [(error.row, error.seen) for error in part.broken] == [(11, "nonsense")]
    assert part.texts.num_rows == 2


def test_a_call_is_one_event_however_often_its_log_is_imported(tmp_path: Path) -> None:
    ids: list[list[str]] = []
    for name, text in (("queue_log", QUEUE), ("queue_log.1", QUEUE[QUEUE.index("1764084200") :])):  # the second begins where the first call had ended
        file = tmp_path / name
        file.write_text(text)
        mapping = read_mapping(examine(file, name).mapping | {"acquired": {"from": "our switchboard", "date": "2025-11-26"}}, name)
        (part,) = tables.parts(file, mapping.file)
        plan = plan_events(read_sheet(part.texts, part.numbers, mapping), mapping, Occurrences(), lambda kind, value: str(value))
        ids.append(message_ids(mapping.name, plan.keys).to_pylist())
    assert ids == [["asterisk-queue-log:1764083999.40", "asterisk-queue-log:1764084190.42"], ["asterisk-queue-log:1764084190.42"]]


@pytest.mark.parametrize(("name", "text"), [("Master.csv", CDR), ("queue_log", QUEUE)], ids=["cdr", "queue"])
def test_the_proposed_mapping_needs_nothing_but_where_the_list_is_from(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    examined = examine(file, name)
    mapping = read_mapping(examined.mapping | {"acquired": {"from": "our switchboard", "date": "2025-11-26"}}, name)
    assert mapping.event == "Call Ended"
    assert mapping.group_by == ("call_id",)  # so that its number, not its row, makes the event's id
    assert not examined.questions
    assert {guess.name: guess.form.type for guess in examined.columns if guess.form.type != "text"} == {
        "ended_at": "time", "started_at": "time", "wait_seconds": "integer", "talk_seconds": "integer", "duration_seconds": "integer",
    }  # fmt: skip
    assert "&" not in yaml.safe_dump(examined.mapping)  # no part twice: an alias would be refused
