"""What demonstrations have in common: steps that are checked, and requests that must succeed."""

import json
import urllib.error
import urllib.request


class Failure(Exception):
    """A step that did not show what it should."""


def title(text: str) -> None:
    print(f"\n--- {text}", flush=True)


def expect(condition, reason: str) -> None:
    if not condition:
        raise Failure(reason)


def exchange(request: urllib.request.Request, seconds: float, body=None, refusable: bool = False):
    """Headers and document of the answer within so many seconds; a refusable request may be answered by a problem."""
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as reply:
            return reply.headers, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        if refusable and error.headers.get_content_type() == "application/problem+json":
            return error.headers, json.loads(text)
        raise Failure(f"{request.get_method()} {request.full_url} answered {error.code}: {text[:500]}") from error
    except OSError as error:
        raise Failure(f"{request.get_method()} {request.full_url}: {error}") from error
