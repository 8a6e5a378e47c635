"""The whole chain from outbox rows to a mail server that takes everything: rendered, signed, durable, pipelined; beside the obvious stack.

    ours      outbox rows ──► gate ──► Liquid ──► MIME ──► DKIM (RSA-2048) ──► pipelined SMTP ──► sink, every group committed to PostgreSQL
    obvious   the same letters by python-liquid, EmailMessage, dkimpy and smtplib, without any database

The letter is a personal newsletter of about 30 KB with eight products. The sink is a C program (`smtp-sink` of the Debian package
postfix, named by SMTP_SINK), else one of our own on uvloop, and the result says which. A core's worth is what the sender, its processes for
templates and signatures and PostgreSQL used of processor time together, from the second round on: the first starts the processes and tries
which way through the processor signs faster. The signatures alone, made one after the other, are the limit that no sender can pass.
"""

import argparse
import json
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import psutil
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench.crashes import free_port
from bench.result import Result
from cegla.activate import actions as activate
from cegla.activate.sending import GROUP
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.segment import actions as segment
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.consent import Basis

GOAL_PER_CORE, GOAL_TIMES = 800, 10
SENDER = "Sklep <sklep@example.pl>"
WORDS = "Zażółć gęślą jaźń. " * 20
PRODUCTS = [{"name": f"Kubek ceramiczny numer {number}", "price": 39.9 + number, "words": WORDS} for number in range(8)]
PRODUCT = """<mj-section><mj-column><mj-text>{{ p.name }}: {{ p.price | money }}</mj-text><mj-text>{{ p.words }}</mj-text>
<mj-button href="https://sklep.example/p">Zobacz</mj-button></mj-column></mj-section>"""
LETTER = f"""<mjml><mj-body><mj-section><mj-column><mj-text>Cześć {{{{ person.first_name | default: "Ty" }}}}!</mj-text></mj-column></mj-section>
<mj-raw>{{% for p in content.products %}}</mj-raw>{PRODUCT}<mj-raw>{{% endfor %}}</mj-raw>
<mj-section><mj-column><mj-text><a href="{{{{ unsubscribe_url }}}}">Wypisz się</a></mj-text></mj-column></mj-section></mj-body></mjml>"""
SINK = """
import asyncio, sys, uvloop
class Sink(asyncio.Protocol):
    def connection_made(self, transport): self.t, self.buf, self.data = transport, b"", False; transport.write(b"220 sink ESMTP\\r\\n")
    def data_received(self, got):
        self.buf += got; out = []
        while True:
            if self.data:
                end = self.buf.find(b"\\r\\n.\\r\\n")
                if end < 0: break
                self.buf, self.data = self.buf[end + 5 :], False; out.append(b"250 ok\\r\\n"); continue
            line, found, rest = self.buf.partition(b"\\r\\n")
            if not found: break
            self.buf = rest; word = line[:4].upper()
            if word == b"EHLO": out.append(b"250-sink\\r\\n250 PIPELINING\\r\\n")
            elif word == b"DATA": self.data = True; out.append(b"354 go\\r\\n")
            elif word == b"QUIT": out.append(b"221 bye\\r\\n"); self.t.write(b"".join(out)); self.t.close(); return
            else: out.append(b"250 ok\\r\\n")
        self.t.write(b"".join(out))
async def main():
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
uvloop.run(main())
"""


@contextmanager
def sink() -> Any:
    """A server that takes every letter: (port, what it is)."""
    port = free_port()
    program = os.environ.get("SMTP_SINK") or shutil.which("smtp-sink")
    if program:
        command, name = [program, "-c", f"127.0.0.1:{port}", "200"], "smtp-sink of postfix"
        if os.geteuid() == 0:
            command[1:1] = ["-u", "nobody"]
    else:
        command, name = [sys.executable, "-c", SINK, str(port)], "a sink of our own on uvloop (no smtp-sink found)"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                smtplib.SMTP("127.0.0.1", port).quit()
                break
            except OSError:
                time.sleep(0.05)
        yield port, name
    finally:
        process.kill()
        process.wait()


def prepare(ws: Workspace, people: int, outlet: activate.Outlet) -> int:
    """A campaign to so many people who agreed, launched."""
    now = ws.clock()
    agreed = {"categoryPreferences": {"marketing_email": True}}
    events = [
        {
            "type": "track", "event": "Order Completed", "userId": f"u{number}", "messageId": f"o{number}", "timestamp": now.isoformat(),
            "context": {"traits": {"email": f"u{number}@example{number % 50}.pl", "first_name": f"Żaneta{number}"}, "consent": agreed},
            "properties": {"order_id": f"o{number}", "total": 10, "currency": "PLN"},
        }
        for number in range(people)
    ]  # fmt: skip
    with ws.transaction() as conn:
        source, _ = collect.add_source(conn, "shop", "server", Basis.CONTRACT, now)
        for start in range(0, people, 500):
            collect.write_down(conn, source.id, [_body(events[start : start + 500])], now)
        key = activate.dkim.make(conn, ws.keys, "example.pl", now)
        activate.dkim.use(conn, "example.pl", key.selector, now)
    Intake(ws).drain()
    with ws.transaction() as conn:
        buyers = segment.save(conn, "Buyers", {"op": "did", "event": "Order Completed", "at_least": 1, "days": 90}, now)
        words = {"name": "Newsletter", "subject": "Nowości dla {{ person.first_name | default: 'Ciebie' }}", "mjml": LETTER, "sender": SENDER}
        words["holdout_percent"] = 0
        saved = activate.save_campaign(conn, {**words, "segment_id": buyers.id, "content": {"products": PRODUCTS}}, now, outlet)
    activate.launch(ws, saved.id)
    with ws.pool.connection() as conn:  # what the database does by itself within a minute of a large intake
        conn.autocommit = True
        conn.execute("analyze resolve.identities, resolve.edges, govern.decisions, activate.messages, profile.declared")
        conn.autocommit = False
    return saved.id


def _body(events: list[dict[str, Any]]) -> bytes:
    return json.dumps({"batch": events}).encode()


PARTS = (("sink", "sink"), ("cegla.activate.signing", "signatures"), ("cegla.activate.templating", "templates"))  #: by a word of the command


def cpu() -> Counter[str]:
    """Seconds of processor time of this process, the sender, and by what each of its children is for."""
    me = psutil.Process()
    used = Counter({"sender": sum(me.cpu_times()[:2])})
    for process in me.children(recursive=True):
        try:
            command = " ".join(process.cmdline())
            used[next((name for word, name in PARTS if word in command), "PostgreSQL")] += sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    del used["sink"]
    return used


def signature_seconds(count: int = 400) -> float:
    """Processor seconds of one RSA-2048 signature, with nothing around it."""
    key, padded = rsa.generate_private_key(public_exponent=65537, key_size=2048), padding.PKCS1v15()
    began = time.process_time()
    for _ in range(count):
        key.sign(b"a letter's headers" * 50, padded, hashes.SHA256())
    return (time.process_time() - began) / count


@dataclass(frozen=True)
class Run:
    """A campaign that went out: seconds by the clock and of processors by part, letters, the sink's name, a letter, bytes the outbox keeps for each."""

    wall: float
    parts: Counter[str]
    sent: int
    sink: str
    letter: bytes
    kept_bytes: float
    signature: float  #: processor seconds of a bare signature, in the same run

    @property
    def used(self) -> float:
        """Seconds of processor time together."""
        return self.parts.total()


def ours(people: int) -> Run:
    """Send a campaign to so many people."""
    with tempfile.TemporaryDirectory() as folder, sink() as (port, name):
        settings = Settings.model_validate({
            "data_dir": folder, "app": {"public_url": "https://cegla.example"}, "returns": {"domain": "bounce.example.pl"},
            "smtp": {"host": "127.0.0.1", "port": port, "sender": SENDER, "messages_per_minute": 10_000_000},
        })  # fmt: skip
        with open_workspace(settings) as ws, activate.Outlet(ws) as outlet:
            campaign_id = prepare(ws, people, outlet)
            letters: list[bytes] = []
            submit = outlet.mailer.submit
            outlet.mailer.submit = lambda given: (letters or letters.append(given[0].content), submit(given))[1]  # type: ignore[method-assign]
            activate.deliver(ws, ws.clock(), outlet)
            with ws.transaction() as conn:
                before = activate.campaign(conn, campaign_id).counts.get("sent", 0)
            bare, wall, used = signature_seconds(), time.perf_counter(), cpu()
            while activate.deliver(ws, ws.clock(), outlet).more:
                pass
            wall, used = time.perf_counter() - wall, cpu() - used
            with ws.transaction() as conn:
                sent = activate.campaign(conn, campaign_id).counts.get("sent", 0)
                size = conn.execute("select pg_total_relation_size('activate.messages')").fetchone()
        if sent != people:
            raise RuntimeError(f"{people - sent} of {people} letters did not leave")
        return Run(wall, used, sent - before, name, letters[0], size[0] / people if size else 0.0, bare)


def obvious(count: int, html: str) -> float:
    """Processor seconds a message of python-liquid, EmailMessage, dkimpy and smtplib."""
    import dkim
    from cryptography.hazmat.primitives import serialization
    from liquid import Environment

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    environment = Environment()
    environment.add_filter("money", lambda amount: f"{amount:.2f} zł")
    template = environment.from_string(html)
    with sink() as (port, _), smtplib.SMTP("127.0.0.1", port) as smtp:
        began = time.process_time()
        for number in range(count):
            body = template.render(person={"first_name": f"Żaneta{number}"}, content={"products": PRODUCTS}, unsubscribe_url="https://cegla.example/u/x")
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = SENDER, f"u{number}@example.pl", "Nowości"
            message["Message-ID"], message["Date"] = f"<{number}@example.pl>", datetime.now(UTC)
            message.set_content("Cześć")
            message.add_alternative(body, subtype="html")
            raw = message.as_bytes()
            headers = [name.lower().encode() for name, _ in message.items()]
            signed = dkim.sign(raw, b"s", b"example.pl", private, canonicalize=(b"relaxed", b"relaxed"), include_headers=headers) + raw
            smtp.sendmail("sklep@example.pl", [f"u{number}@example.pl"], signed)
        return (time.process_time() - began) / count


def main(options: list[str]) -> list[Result]:
    """Measure both; `--people` says how many of ours, `--peer` how many of theirs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=6_000)
    parser.add_argument("--peer", type=int, default=150)
    wanted = parser.parse_args(options)
    run = ours(wanted.people)
    wall, used, sent, name, letter = run.wall, run.used, run.sent, run.sink, run.letter
    parts = ", ".join(f"{part} {seconds / sent * 1e3:.3f}" for part, seconds in run.parts.most_common())
    html = activate_html()
    theirs = obvious(wanted.peer, html)
    per_core, size = sent / used, len(letter)
    times = per_core * theirs
    how = f"{sent:,} letters of {size / 1000:.0f} kB on the wire, RSA-2048, {name}; groups of {GROUP} committed; ms of processor a letter: {parts}"
    return [
        Result("sending, whole chain, a core", per_core, "messages/s", f"≥ {GOAL_PER_CORE}", per_core >= GOAL_PER_CORE, how),
        Result("an RSA-2048 signature alone, a core", 1 / run.signature, "signatures/s", "shown", True, "the physical limit, measured between rounds"),
        Result("sending, whole chain, by the clock", sent / wall, "messages/s", "shown", True, f"{wall:.1f} s on this machine, with whatever else ran"),
        Result("the obvious stack, a core", 1 / theirs, "messages/s", "shown", True, f"python-liquid, EmailMessage, dkimpy, smtplib; {wanted.peer} letters"),
        Result("ours against the obvious stack", times, "times", f"≥ {GOAL_TIMES}", times >= GOAL_TIMES, "processor time a message, same run"),
    ]


def activate_html() -> str:
    """The newsletter compiled to HTML with its Liquid."""
    from cegla.activate.renderer import Renderer

    with Renderer() as renderer:
        return renderer.compile(LETTER)
