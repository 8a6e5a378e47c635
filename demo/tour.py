"""The tour: named steps over one installation, each timed and told in a sentence with its figures."""

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cegla.activate import actions as activate
from cegla.segment import actions as segment
from cegla.vocabulary.text import Language
from cegla.weather import actions as weather
from demo import office_worker, sky, words
from demo.calls import calls_about
from demo.clicks import clicks_on
from demo.installation import ApiRefused, Installation
from demo.sending import LiveTraffic
from demo.simulator import SCANNER
from demo.truth import TruePerson

HERE = Path(__file__).parent
FULL_RETAIL = HERE.parents[1] / "shared" / "data" / "online_retail.csv.gz"
SAMPLE_RETAIL = HERE / "data" / "online_retail_sample.csv.gz"
LIVE_SECONDS = 6.0
BUYERS = {"op": "did", "event": "Order Completed", "at_least": 1, "days": 60}
ONE_CLICK = "List-Unsubscribe=One-Click"
CAMPAIGN_SECONDS = 60.0
IMPORT_SECONDS = 300.0
CLICK_SECONDS = 40.0
PASSERS_BY = 9
SENSITIVE = ("place", "wealth")  #: off until somebody sets a purpose
SUBJECT = '{{ person.first_name | default: "Dzień dobry" }}, nowości prosto z pieca'


class Tour:
    """Walks an installation through everything the demonstration shows."""

    def __init__(self, installation: Installation, console: Console) -> None:
        self.at, self.console = installation, console
        self.language: Language = installation.options.language
        self.began = time.perf_counter()
        self.live: LiveTraffic | None = None
        self.campaign_id: int | None = None
        self.opened = 0  #: links that readers opened who did not agree to being measured
        self.importing: subprocess.Popen[str] | None = None

    def steps(self) -> list[Callable[[], None]]:
        """What is done, in order."""
        return [
            *(self.begin_import, self.open_shop, self.end_import, self.take_in, self.score, self.analyse),
            *(self.make_segments, self.send_campaign, self.answer_mail, self.go_live, self.count_clicks),
        ]

    def walk(self) -> None:
        """Do every step."""
        for step in self.steps():
            self.began = time.perf_counter()
            step()

    def stop(self) -> None:
        """End what the tour itself started."""
        if self.live is not None:
            self.live.stop()
        if self.importing is not None and self.importing.poll() is None:
            self.importing.terminate()
            self.importing.communicate()

    def tell(self, text: words.Text, **facts: Any) -> None:
        """One line of what was done."""
        seconds = f"[dim]({time.perf_counter() - self.began:.1f} s)[/dim]"
        self.console.print(f"[green]✓[/green] {text.say(self.language, **facts)} {seconds}", highlight=False, soft_wrap=True)

    # history ---------------------------------------------------------------------------------------------------------

    def begin_import(self) -> None:
        """Online Retail, the whole file when it lies beside the project, by the `cegla import` command, while the shop opens."""
        if not self.at.once("retail"):
            return
        wanted = self.at.options.retail
        self.retail = FULL_RETAIL if wanted == "full" or (wanted == "auto" and FULL_RETAIL.exists()) else SAMPLE_RETAIL
        self.importing = self.at.command("import", str(self.retail), "--map", str(HERE / "online_retail.yaml"), "--json")

    def open_shop(self) -> None:
        """The simulated shop's past, sent in batches to the real collector."""
        self.at.simulate()
        self.at.connect_shop()
        if not self.at.once("shop"):
            return
        until, seed = self.at.memory.until, self.at.memory.seed
        past = self.at.simulation.between(self.at.memory.started_at, until)
        history = [*past, *clicks_on(past, seed), *calls_about(past, seed, until), *office_worker.stream(until)]
        with self._progress() as bar:
            task = bar.add_task(words.SENDING.say(self.language), total=len(history))
            self.at.collector.send_all(history, lambda done: bar.update(task, completed=done))
        self.at.forget_history()
        sent = self.at.collector.delivered
        self.tell(words.SENT, events=_number(sent.events), requests=_number(sent.requests), retries=sent.retries, people=len(self.at.simulation.truth.people))

    def end_import(self) -> None:
        """Wait for the command, which ends when everything it wrote is in the profiles."""
        if self.importing is None:
            return
        with self._progress() as bar:
            bar.add_task(words.IMPORTING.say(self.language), total=None)
            said, complaint = self.importing.communicate(timeout=IMPORT_SECONDS)
        if self.importing.returncode:
            raise ApiRefused(complaint.strip() or said.strip())
        result = json.loads(said)
        facts = {name: _number(result[name]) for name in ("rows", "errors", "events")}
        self.tell(words.IMPORTED, file=self.retail.name, total=_money(Decimal(result["total"]), "GBP"), **facts)

    def take_in(self) -> None:
        """Wait until profiles hold everything that was accepted."""
        with self._progress() as bar:
            task, most = bar.add_task(words.TAKING_IN.say(self.language), total=None), 1

            def show(waiting: int) -> None:
                nonlocal most
                most = max(most, waiting)
                bar.update(task, completed=most - waiting, total=most)

            status = self.at.wait_for_intake(show)
        events = {name: _number(count) for name, count in status["events"].items()}
        whole = (words.WHOLE if status["adds_up"] else words.NOT_WHOLE).say(self.language)
        self.tell(words.TAKEN_IN, people=_number(status["people"]), whole=whole, **events)

    def score(self) -> None:
        """Compare some people with the truth that the simulator kept to itself."""
        if not self.at.once("score"):
            return  # live orders came on top since
        truth = self.at.simulation.truth
        orders: dict[int, int] = {}
        for order in truth.orders.values():
            if order.at < self.at.memory.until:
                orders[order.person] = orders.get(order.person, 0) + 1
        chosen = [truth.people[number] for number in sorted(orders)][:40]
        right = sum(self._orders_found(person) == orders[person.number] for person in chosen)
        self.tell(words.SCORED, right=right, of=len(chosen))

    def analyse(self) -> None:
        """The first round of the analysers over everybody, which an installation without a demonstration does by itself within minutes."""
        if not self.at.once("analysers"):
            return
        for sensitive in SENSITIVE:
            self.at.api.post(f"/analysers/{sensitive}/switch", {"on": True, "purpose": "profiling"})
        self._look_at_the_sky()
        on = [one["analyser"] for one in self.at.api.get("/analysers")["analysers"] if one["on"]]
        with self._progress() as bar:
            task = bar.add_task(words.ANALYSING.say(self.language), total=None)
            for asked in self.at.api.post("/analysers/run", {"analysers": on, "full": True})["runs"]:
                while (now := self.at.api.get(f"/analysers/runs/{asked['id']}"))["finished_at"] is None:
                    bar.update(task, total=now["people"] or None, completed=now["done"])
                    self.at.api.post("/analysers/work")
        found = self.at.api.get("/analysers")["analysers"]
        known = {one["analyser"]: _number(one["known"]) for one in found}
        self.tell(words.ANALYSED, on=len(on), of=len(found), people=_number(now["people"]), device=known["device"], place=known["geo"], rhythm=known["rhythm"])

    def _look_at_the_sky(self) -> None:
        """The weather where the office worker lives and works, as if a provider had told it."""
        until = self.at.memory.until
        begun = [(powiat, (until - timedelta(days=office_worker.DAYS)).date()) for powiat in (office_worker.HOME_POWIAT, office_worker.WORK_POWIAT)]
        with sky.client() as client:
            weather.fetch(self.at.ws.transaction, sky.SETTINGS, weather.wanted(begun, until), until, client)

    def _orders_found(self, person: TruePerson) -> int | None:
        try:
            found = self.at.api.post("/people/look-up", {"value": person.email, "type": "email"})
            shown = self.at.api.get(f"/people/{found['person']}")
        except ApiRefused:
            return None  # not known to the shop: counted as wrong
        traits = {row["trait"]["key"]: row["trait"]["value"] for row in shown["traits"]}
        return traits.get("order_count")

    # segments and a campaign -----------------------------------------------------------------------------------------

    def make_segments(self) -> None:
        """The ready-made RFM groups, and one of our own, whose saving also counts all the others."""
        with self.at.ws.transaction() as conn:
            segment.install_ready_made(conn, self.at.ws.clock())
        name = words.BUYERS_NAME.say(self.language)
        saved = self.at.api.post("/segments", {"name": name, "rule": BUYERS, "key": "demo.buyers"})
        self.segment_id = saved["id"]
        count = self.at.api.post("/segments/count", {"rule": BUYERS})
        self.tell(words.SEGMENTED, segments=len(self.at.api.get("/segments")["segments"]), name=name, members=_number(count["members"]))

    def send_campaign(self) -> None:
        """One real campaign to the buyers, through the consent gate, to the local mail server."""
        if not self.at.once("campaign"):
            return
        mjml = (HERE / "campaign.mjml").read_text(encoding="utf-8")
        body = {"name": "Jesienne nowości z pieca", "segment_id": self.segment_id, "subject": SUBJECT, "mjml": mjml, "holdout_percent": 0}
        saved = self.at.api.post("/campaigns", body)
        self.campaign_id = saved["id"]
        audience = self.at.api.get(f"/campaigns/{self.campaign_id}/audience")
        self.at.api.post(f"/campaigns/{self.campaign_id}/launch")
        deadline = time.monotonic() + CAMPAIGN_SECONDS
        while (now := self.at.api.get(f"/campaigns/{self.campaign_id}"))["state"] == "sending" and time.monotonic() < deadline:
            time.sleep(0.2)
        reasons = ", ".join(f"{reason} {count}" for reason, count in audience["reasons"].items() if count)
        facts = {"members": audience["members"], "reachable": audience["reachable"], "reasons": reasons or "-"}
        self.tell(words.CAMPAIGN_SENT, state=now["state"], messages=len(self.at.mailbox.files()), **facts)

    def answer_mail(self) -> None:
        """Do what recipients would do: one who agreed to being measured opens a link, some others do, and one unsubscribes with one click."""
        if not self.at.once("answers"):
            return
        messages = self.at.mailbox.messages()
        links = {message["To"]: links_of(message) for message in messages}
        everybodys = {link for link, letters in Counter(link for some in links.values() for link in some).items() if letters > 1}
        browsers = (sent.user_agent for sent in self.at.simulation.stream if sent.user_agent.startswith("Mozilla"))
        agents = [agent for agent in dict.fromkeys(browsers) if agent != SCANNER and "bot" not in agent.lower()]
        personal = ((to, link) for to, some in links.items() for link in some if link not in everybodys)
        clicked = next((to for to, link in personal if _open(link, agents[0])), "–")
        nobodys = (some[0] for some in links.values() if some and some[0] in everybodys)
        self.opened = sum(_open(link, agent) for link, agent in zip(nobodys, agents[1 : PASSERS_BY + 1], strict=False))
        left = next((message["To"] for message in messages if message["To"] != clicked and self._unsubscribe(message)), "–")
        self.at.wait_for_intake()
        self.tell(words.ANSWERED, clicked=clicked, opened=self.opened, left=left)

    def _unsubscribe(self, message: EmailMessage) -> bool:
        address = re.search(r"<(http[^>]+)>", message.get("List-Unsubscribe", ""))
        if address is None:
            return False
        return httpx.post(address.group(1), content=ONE_CLICK, headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=10).is_success

    # live ------------------------------------------------------------------------------------------------------------

    def go_live(self) -> None:
        """The shop goes on in the present, one event a request."""
        before = self.at.collector.delivered.events
        self.at.forget_history()
        self.live = LiveTraffic(self.at.collector, self.at.simulation.stream, self.at.options.events_a_second)
        self.live.start()
        slowest, end = 0.0, time.monotonic() + LIVE_SECONDS
        while time.monotonic() < end:
            slowest = max(slowest, self.at.api.get("/status")["lag_seconds"])
            time.sleep(0.25)
        self.at.memory.save()
        self.tell(words.LIVE, events=self.at.collector.delivered.events - before, seconds=f"{LIVE_SECONDS:.0f}", lag=f"{slowest:.1f}")

    def count_clicks(self) -> None:
        """What the campaign's report says of clicks, once they had time to show that they are people's."""
        if self.campaign_id is None or not self.at.once("clicks"):
            return
        deadline = time.monotonic() + CLICK_SECONDS
        while sum((counted := self._clicks()).values()) < self.opened and time.monotonic() < deadline:
            time.sleep(0.5)
        self.tell(words.CLICKS, clicks=sum(counted.values()), links=len(counted), campaign=self.campaign_id)

    def _clicks(self) -> dict[str, int]:
        """How often each link of the campaign was followed by whom nobody may know."""
        with self.at.ws.transaction() as conn:
            return {url: clicks for _, url, clicks in activate.reporting.links(conn, self.campaign_id or 0) if clicks}

    def farewell(self, seconds: float) -> None:
        """Where it is, how to get in, and what to try."""
        running = self.at.running
        login = words.LOGIN.say(self.language, password=running.first_password) if running.first_password else words.OLD_LOGIN.say(self.language)
        example = next(iter(self.at.simulation.truth.known()), None)
        command = words.SEND_COMMAND.format(key=self.at.memory.keys["site"], collector=running.collector_url, event=words.OWN_EVENT)
        facts = {"url": running.app_url, "command": command, "email": example.email if example else "-", "campaign": self.campaign_id or 1}
        lines = [f"[bold]{running.app_url}[/bold]   {login}", "", words.FIVE.say(self.language)]
        lines += [f"  {number}. {text.say(self.language, **facts)}" for number, text in enumerate(words.TRY, 1)]
        title = words.READY.say(self.language, seconds=f"{seconds:.0f}")
        self.console.rule(f"[bold green]{title}")
        for line in lines:
            self.console.print(line, highlight=False, soft_wrap=True)

    def _progress(self) -> Progress:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)


def _number(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _money(value: Decimal, currency: str) -> str:
    return f"{value:,.2f}".replace(",", "\u202f") + f" {currency}"


def links_of(message: EmailMessage) -> list[str]:
    """The links of a letter that are measured or counted, in order; the last may be the one for scanners, which nobody sees."""
    part = message.get_body(("html",))
    found = [unescape(link) for link in re.findall(r'href="([^"]+/r/[^"]+)"', part.get_content())] if part else []
    return list(dict.fromkeys(found))


def _open(link: str, agent: str) -> bool:
    return httpx.get(link, headers={"User-Agent": agent}, follow_redirects=False, timeout=10).is_redirect
