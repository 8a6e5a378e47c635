"""A ClickHouse server for the tests: ClickHouse's own engine (chDB) behind the part of its HTTP interface that its Python client speaks.

The server itself is no package of PyPI. So what is real here is the client, the wire, the formats and the engine that answers; the door is ours.
`python -m tests.contracts.engines.server FOLDER` prints its port.
"""

import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

OF_THE_DOOR = {"query", "database", "user", "password", "default_format", "session_id", "query_id", "compress", "client_protocol_version", "wait_end_of_query"}


@contextmanager
def server(folder: Path) -> Generator[str]:
    """The address of a server that ends with the block."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", __name__, str(folder)], stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            yield f"clickhouse://127.0.0.1:{int(process.stdout.readline())}/default"
        finally:
            process.terminate()
            process.wait(timeout=30)


class Door(BaseHTTPRequestHandler):
    """One request: a statement in the address or in the body; rows to insert follow it."""

    session: Any
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        told = f"{asked['query']}\n".encode() + body if "query" in asked else body
        statement, rows = told.decode("utf-8", "replace"), b""
        if told[:6].lower() == b"insert" and b" FORMAT " in told.partition(b"\n")[0]:  # the rows begin behind the line
            head, _, rows = told.partition(b"\n")
            statement = head.decode()
        settings = {name: value for name, value in asked.items() if name not in OF_THE_DOOR}
        try:
            self._answer(200, self._run(statement, rows, settings, asked.get("default_format", "TabSeparated")))
        except RuntimeError as error:  # which is what chDB raises
            self._answer(500, str(error).encode(), {"X-ClickHouse-Exception-Code": "1"})

    do_GET = do_POST  # noqa: N815 - named by http.server

    def _run(self, statement: str, rows: bytes, settings: dict[str, str], otherwise: str) -> bytes:
        if rows:
            head, _, kind = statement.rpartition(" FORMAT ")
            with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
                file.write(rows)
                file.flush()
                return self.session.query(f"{head.strip()} select * from file('{file.name}', {kind.strip()})").bytes()
        held = ", ".join(f"{name} = '{value}'" for name, value in settings.items())
        if held and statement.lstrip().lower().startswith(("select", "with")):
            statement += f" SETTINGS {held}"
        return self.session.query(statement, otherwise).bytes()

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), "X-ClickHouse-Timezone": "UTC", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        sys.stderr.write(f"{format % args}\n")


def serve(folder: str) -> None:
    """One request at a time, until the process is ended."""
    from chdb import session

    Door.session = session.Session(f"{folder}/data")
    with HTTPServer(("127.0.0.1", 0), Door) as door:
        print(door.server_port, flush=True)
        door.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1])
