"""The simulator that the tests talk to, and its controls."""

import json
import os
import urllib.request

URL = os.environ["SIMULATOR_URL"]
# The keys that the simulator was told of.
KEY = os.environ["SDK_TEST_KEY"]
ACCESS_KEY = os.environ["SDK_TEST_ACCESS_KEY"]
SECRET = os.environ["SDK_TEST_SECRET"]
PROMPT = "Hello, world!"


def _send(method: str, path: str, document: object = None) -> bytes:
    body = None if document is None else json.dumps(document).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(URL + path, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.read()


def reset() -> None:
    _send("POST", "/control/reset")


def fail_with(status: int) -> None:
    """Every call from now on gets this status."""
    _send("PUT", "/control/faults", {"rules": [{"fault": {"status": {"code": status}}}]})


def last_call() -> dict:
    """The last call, as the simulator saw it."""
    return json.loads(_send("GET", "/control/calls?limit=1"))["calls"][0]
