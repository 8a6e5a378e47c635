"""The installation itself: does it live, can it commit, how far is intake, what needs a person."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import psycopg
from fastapi import Request

from cegla.activate import actions as activate
from cegla.analyse import actions as analyse
from cegla.api.call import Call, Opened
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage import nights
from cegla.storage.batches import lacking_batches, last_committed, last_refreshed
from cegla.storage.migrations import lacking
from cegla.storage.postgres import DURABLE, durability, server_clock
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.installation import DatabaseAway, DiskFull, WarehouseDamaged
from cegla.vocabulary.text import Text

LEAST_FREE_SHARE = 0.05
LONGEST_LAG_SECONDS = 60.0
LONGEST_APART_SECONDS = 5.0
READY_PATIENCE_SECONDS = 2.0  #: who asks whether we are ready does not wait for long


@dataclass(frozen=True)
class Finding:
    """What a check saw: whether it is well, and the figure or word that shows it."""

    ok: bool
    seen: str


@dataclass(frozen=True)
class Check:
    """One thing the doctor looks at."""

    key: str
    label: Text
    todo: Text
    look: Callable[[Call], Finding]
    advice: bool = False  #: worth saying, but an installation without it is well


def health() -> Any:
    """The process lives."""
    return {"alive": True}


def ready(request: Request) -> Any:
    """It can commit and has room to do so. Raises DatabaseAway or DiskFull."""
    ws: Workspace = request.app.state.ws
    with ws.transaction(READY_PATIENCE_SECONDS) as conn:
        if unmade := lacking(conn):
            raise DatabaseAway(where="storage.migrations", seen=", ".join(unmade))
        collect.prove_commit(conn)
    with ws.transaction() as conn:
        lag = max((one.lag_seconds for one in collect.standing(conn)), default=0.0)
        counted, batch = collect.balance(conn), last_committed(conn)
    if _free_share(ws) < LEAST_FREE_SHARE:
        raise DiskFull(where=str(ws.settings.data_dir))
    history = ws.warehouse.last_batch()
    return {
        "ready": True, "migrations": "done", "lag_seconds": lag, "lags": lag > LONGEST_LAG_SECONDS, "history_batch": history, "batch": batch.number,
        "adds_up": counted.holds if counted else None, "counted_at": counted and counted.checked_at,
    }  # fmt: skip


def status(call: Opened) -> Any:
    """Counts, and how far intake is: everything sent is in the history when `waiting` and `lag_seconds` are 0, and in profiles
    and segments too when `refreshed` has caught up with `batch`."""
    with call.ws.transaction() as conn:
        standing = collect.standing(conn)
        counts = {"people": resolve.links.count_people(conn), "segments": len(segment.segments(conn)), "campaigns": len(activate.campaigns(conn))}
        batch, refreshed = last_committed(conn), last_refreshed(conn)
        counted = collect.balance(conn)
        in_quarantine = sum(repair.figures.waiting(conn).values())
    totals: dict[str, int] = {name: sum(getattr(one, name) for one in standing) for name in ("accepted", "applied", "repeated", "quarantined", "waiting")}
    lag = max((one.lag_seconds for one in standing), default=0.0)
    return {
        "version": version("cegla"),
        "as_of": call.now,
        "events": totals | {"in_quarantine": in_quarantine},
        "lag_seconds": lag,
        "adds_up": all(one.adds_up for one in standing) and (counted is None or counted.holds),
        "balance": counted,
        "gone": max((one.gone for one in standing), default=0),
        "batch": batch.number,
        "refreshed": refreshed,
        **counts,
    }


def today(call: Opened) -> Any:
    """Today against the same weekday a week ago."""
    return analyse.today(call.ws, call.now)


def doctor(call: Opened) -> Any:
    """Look at everything that can be wrong with an installation and say what to do about it."""
    findings = [(check, _looked(check, call)) for check in CHECKS]
    rows = [
        {"check": check.key, "label": check.label, "ok": found.ok, "seen": found.seen, "todo": None if found.ok else check.todo} for check, found in findings
    ]
    return {"ok": all(found.ok or check.advice for check, found in findings), "checks": rows}


def _looked(check: Check, call: Call) -> Finding:
    """One check; what it cannot look at needs a person, and does not hide the others."""
    try:
        return check.look(call)
    except (CeglaError, psycopg.Error, OSError) as error:
        return Finding(False, error.code if isinstance(error, CeglaError) else type(error).__name__)


def _database(call: Call) -> Finding:
    """The settings that decide whether what is committed stays, all of them and not only the first wrong one."""
    with call.ws.transaction() as conn:
        found = durability(conn)
    wrong = {name: value for name, value in found.items() if value != DURABLE[name]}
    return Finding(not wrong, ", ".join(f"{name}={value}" for name, value in (wrong or found).items()))


def _migrations(call: Call) -> Finding:
    with call.ws.transaction() as conn:
        unmade = lacking(conn)
    return Finding(not unmade, ", ".join(unmade) or "done")


def _clock(call: Call) -> Finding:
    """PostgreSQL's clock against this machine's; half of the way there and back is taken off."""
    with call.ws.transaction() as conn:
        asked = datetime.now(UTC)
        theirs = server_clock(conn)
        answered = datetime.now(UTC)
    apart = abs((theirs - (asked + (answered - asked) / 2)).total_seconds())
    return Finding(apart <= LONGEST_APART_SECONDS, f"{apart:.2f} s")


def _conservation(call: Call) -> Finding:
    """Counted now, not read from the last time."""
    with call.ws.transaction() as conn:
        counted = collect.check_balance(conn, call.ws.settings.data_dir, call.now)
    return Finding(counted.holds, "; ".join(counted.findings[:5]) or "accepted = applied + repeated + quarantined + ignored + waiting")


def _chain(call: Call) -> Finding:
    """The heads outside PostgreSQL against what it holds."""
    with call.ws.transaction() as conn:
        collect.look_at_heads(conn, call.ws.settings.data_dir, call.now)
        gone = max((one.gone for one in collect.standing(conn)), default=0)
    return Finding(not gone, str(gone))


def _lag(call: Call) -> Finding:
    with call.ws.transaction() as conn:
        lag = max((one.lag_seconds for one in collect.standing(conn)), default=0.0)
    return Finding(lag <= LONGEST_LAG_SECONDS, f"{lag:.1f} s")


def _history(call: Call) -> Finding:
    """The whole warehouse, read once; what is found wrong has the app start anew and mend it."""
    try:
        call.ws.warehouse.verify()
    except WarehouseDamaged as error:
        return Finding(False, error.seen)
    return Finding(True, str(call.ws.warehouse.last_batch()))


def _committed(call: Call) -> Finding:
    """Batches that PostgreSQL committed against the newest that the warehouse has; asked in this order, a batch under way is only ahead."""
    with call.ws.transaction() as conn:
        last = last_committed(conn).number
        behind = lacking_batches(conn, min(call.ws.warehouse.last_batch(), last))
    return Finding(not behind, str(behind))


def _audit(call: Call) -> Finding:
    with call.ws.transaction() as conn:
        broken = govern.first_broken_audit(conn)
    return Finding(broken is None, "whole" if broken is None else f"row {broken}")


def _night(call: Call) -> Finding:
    """The steps of the night's work that were tried more than once and are still not done."""
    with call.ws.transaction() as conn:
        failing = [step.name for step in nights.steps(conn) if step.done_at is None and step.attempts > 1]
    return Finding(not failing, ", ".join(failing) or "-")


def _disk(call: Call) -> Finding:
    share = _free_share(call.ws)
    return Finding(share >= LEAST_FREE_SHARE, f"{share:.0%}")


def _keys(call: Call) -> Finding:
    directory = call.ws.settings.data_dir / "keys"
    open_files = [file.name for file in [directory, *directory.glob("*")] if file.exists() and file.stat().st_mode & 0o077]
    return Finding(not open_files, ", ".join(open_files) or "0600")


def _deliverability(call: Call) -> Finding:
    with call.ws.transaction() as conn:
        found = activate.standing.alarms(conn, call.now)
    return Finding(not found, ", ".join(one.label for one in found) or "fine")


def _mail(call: Call) -> Finding:
    smtp = call.ws.settings.smtp
    return Finding(bool(smtp.host), f"{smtp.host}:{smtp.port}" if smtp.host else "-")


def _free_share(ws: Workspace) -> float:
    usage = shutil.disk_usage(ws.settings.data_dir if ws.settings.data_dir.exists() else ws.settings.data_dir.parent)
    return usage.free / usage.total


CHECKS = (
    Check(
        "database",
        Text("PostgreSQL zapisuje trwale", "PostgreSQL keeps what it commits"),
        Text("Włącz wskazane ustawienie.", "Turn the setting on."),
        _database,
    ),
    Check(
        "migrations",
        Text("Baza ma wszystko, czego ta wersja potrzebuje", "The database has all that this version needs"),
        Text("Uruchom ponownie cegla up: brakujące migracje wykonają się same.", "Start cegla up again: missing migrations run by themselves."),
        _migrations,
    ),
    Check(
        "clock",
        Text("Zegary bazy i tego komputera się zgadzają", "The clocks of the database and of this machine agree"),
        Text("Włącz NTP na obu komputerach.", "Turn on NTP on both machines."),
        _clock,
    ),
    Check(
        "conservation",
        Text("Żadne zdarzenie nie zginęło", "No event was lost"),
        Text("Obejrzyj źródło na stronie Źródła.", "Look at the source on the Sources page."),
        _conservation,
    ),
    Check(
        "chain",
        Text("Potwierdzone żądania, których brakuje", "Acknowledged requests that are missing"),
        Text(
            "Baza wróciła do wcześniejszego stanu albo jest uszkodzona: sprawdź dysk i dziennik bazy, porównaj z kopią zapasową.",
            "The store went back to an earlier point or is damaged: check the disk and the store's log, and compare with a backup.",
        ),
        _chain,
    ),
    Check("lag", Text("Przyjmowanie nadąża", "Intake keeps up"), Text("Sprawdź dziennik aplikacji.", "Look into the log of the app."), _lag),
    Check(
        "history",
        Text("Historia czyta się w całości (ostatnia partia)", "The whole history can be read (newest batch)"),
        Text(
            "Sprawdź dysk. W ciągu minuty aplikacja zacznie od nowa, odłoży uszkodzony plik i zapisze historię od nowa.",
            "Check the disk. Within a minute the app starts anew, sets the damaged file aside and writes the history again.",
        ),
        _history,
    ),
    Check(
        "batches",
        Text("Partie, których brakuje w historii", "Batches that the history lacks"),
        Text("Uruchom Ceglę ponownie: brakujące partie zapiszą się od nowa.", "Start Cegla again: the missing batches are written anew."),
        _committed,
    ),
    Check("audit", Text("Dziennik działań jest cały", "The audit log is whole"), Text("Porównaj z kopią zapasową.", "Compare with a backup."), _audit),
    Check(
        "night",
        Text("Kroki nocnej pracy, które się nie udały", "Steps of the night's work that failed"),
        Text("Sprawdź dziennik aplikacji; krok zostanie powtórzony.", "Look into the log of the app; the step is tried again."),
        _night,
    ),
    Check("disk", Text("Jest miejsce na dysku", "There is room on the disk"), Text("Zwolnij miejsce.", "Free some space."), _disk),
    Check(
        "keys",
        Text("Klucze widzi tylko właściciel", "Only the owner can read the keys"),
        Text("Zmień prawa plików na 0600.", "Set the files' mode to 0600."),
        _keys,
    ),
    Check(
        "deliverability",
        Text("Skargi i odbicia są daleko od granic", "Complaints and bounces are far from their limits"),
        Text("Obejrzyj Kampanie → Dostarczalność i zwolnij.", "Look at Campaigns → Deliverability, and slow down."),
        _deliverability,
        advice=True,
    ),
    Check("mail", Text("Serwer poczty jest ustawiony", "A mail server is set"), Text("Ustaw smtp.host.", "Set smtp.host."), _mail, advice=True),
)
