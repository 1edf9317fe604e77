"""A Prometheus of its own, for tests."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# It is up within a second; the rest is room for a busy machine.
START_SECONDS = 60
# Where its alerts lead to traces.
TRACE_PAGES = "http://127.0.0.1:1"


@contextlib.contextmanager
def running(config: Path) -> Iterator[str]:
    """Its address; its data lie beside the configuration, and it ends with the block."""
    prometheus = shutil.which("prometheus")
    assert prometheus, "prometheus is missing: run `make setup`"
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [
        prometheus, f"--config.file={config}", f"--storage.tsdb.path={config.parent / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=1s",
        "--enable-feature=expand-external-labels",
    ]
    environment = {**os.environ, "TRACE_PAGES": TRACE_PAGES}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            until_ready(url, process)
            yield url
        finally:
            process.terminate()


def until_ready(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None and time.monotonic() < deadline, "Prometheus does not start"
            time.sleep(0.1)


def asked(url: str) -> dict[str, Any]:
    """The JSON behind an address."""
    with urllib.request.urlopen(url, timeout=5) as reply:
        return json.load(reply)
