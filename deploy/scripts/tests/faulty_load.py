#!/usr/bin/env python3
"""A bit of everything that panels show, for SECONDS: faulty_load.py SECONDS

Readers, writers, summaries by every provider, repeated ones, streamed ones; providers that answer
429 and 500, that are slow and that break off; a model without a price, a budget that ends, ratings,
wrong requests. BOOKSTORE_URL and SIMULATOR_URL name the stack. What is refused is what is wanted;
what cannot be sent at all is a failure.
"""

import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

API, SIMULATOR = os.environ["BOOKSTORE_URL"], os.environ["SIMULATOR_URL"]
REQUEST_SECONDS = 70
PROVIDERS = ("claude", "openai", "ollama", "bedrock", "lmstudio")
FAULTS = {"rules": [
    {"dialect": "anthropic", "probability": 0.2, "fault": {"status": {"code": 429, "retryAfter": "0"}}},
    {"dialect": "anthropic", "probability": 0.6, "fault": {"status": {"code": 500}}},
    {"dialect": "openai", "probability": 0.2, "fault": {"slow": {"factor": 3}}},
    # What no other attempt mends: the users of a load test see it.
    {"dialect": "openai", "probability": 0.4, "streamed": True, "fault": {"status": {"code": 400}}},
    {"dialect": "ollama", "probability": 0.2, "streamed": True, "fault": {"cut": {"afterTokens": 5}}},
]}
BUDGETED = "frugal"
PAUSE_SECONDS = 0.1


def main() -> int:
    until = time.monotonic() + float(sys.argv[1])
    send(API, "POST", "/seed-data")
    books = [book["id"] for book in send(API, "GET", "/api/v1/books")["books"]]
    send(SIMULATOR, "PUT", "/control/faults", FAULTS)
    # Enough for some calls; who counts may be away.
    tried(API, "PUT", f"/api/v1/llm/budgets/{BUDGETED}", {"dayUsd": "0.01", "monthUsd": 1})
    send(API, "POST", "/seed-data", tenant=BUDGETED)
    own = [book["id"] for book in send(API, "GET", "/api/v1/books", tenant=BUDGETED)["books"]]
    works = [(work, books) for work in (readers, librarians, summaries, summaries, repeated, burst, unpriced)] + [(frugal, own)]
    workers = [threading.Thread(target=repeat, args=(until, work, books)) for work, books in works]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    send(SIMULATOR, "PUT", "/control/faults", {"rules": []})
    return 0


def repeat(until: float, work, books: list[str]) -> None:
    turn = 0
    while time.monotonic() < until:
        work(books, turn)
        turn += 1
        time.sleep(PAUSE_SECONDS)


def readers(books: list[str], turn: int) -> None:
    book = books[turn % len(books)]
    for path in ("/api/v1/books", f"/api/v1/books/{book}", "/api/v1/authors", "/api/v1/books/search?query=the", "/api/v1/books/search?query=nosuchword"):
        tried(API, "GET", path)


def librarians(_: list[str], turn: int) -> None:
    made = send(API, "POST", "/api/v1/books", {"title": f"Load {turn}", "author": "An Author"})
    path = f"/api/v1/books/{made['id']}"
    tried(API, "PATCH", path, {"title": f"Load {turn}, again"})
    tried(API, "DELETE", path)
    tried(API, "GET", path)


def summaries(books: list[str], turn: int) -> None:
    path = f"/api/v1/books/{books[turn % len(books)]}/generate-summary"
    provider = PROVIDERS[turn % len(PROVIDERS)]
    tried(API, "POST", f"{path}?provider={provider}&refresh=true", stream=turn % 2 == 0)
    # Who names none has a fallback.
    tried(API, "POST", f"{path}?refresh=true")


def repeated(books: list[str], turn: int) -> None:
    """Answers that are there already, and ratings of them."""
    path = f"/api/v1/books/{books[turn % 2]}"
    tried(API, "POST", f"{path}/generate-summary?provider=openai")
    tried(API, "POST", f"{path}/summary/feedback", {"rating": "up" if turn % 3 else "down"}, user=f"user-{turn}")


def burst(books: list[str], turn: int) -> None:
    """More calls at once than there are places, and several that ask for the same."""
    if turn % 50 == 0:
        threads = [
            threading.Thread(target=tried, args=(API, "POST", f"/api/v1/books/{books[number % len(books)]}/generate-summary?provider=bedrock&refresh=true"))
            for number in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def unpriced(books: list[str], turn: int) -> None:
    tried(API, "POST", f"/api/v1/books/{books[turn % len(books)]}/generate-summary?refresh=true&provider=openai&model=nobody-knows-it")


def frugal(books: list[str], turn: int) -> None:
    """Until the money ends."""
    tried(API, "POST", f"/api/v1/books/{books[turn % len(books)]}/generate-summary?refresh=true&provider=openai", tenant=BUDGETED)


def tried(base: str, method: str, path: str, body=None, **more) -> None:
    """Sends; a refusal will do."""
    try:
        send(base, method, path, body, **more)
    except urllib.error.HTTPError as refusal:
        refusal.close()


def send(base: str, method: str, path: str, body=None, stream: bool = False, tenant: str = "", user: str = ""):
    request = urllib.request.Request(base + path, method=method)
    for name, value in (("X-Tenant-Name", tenant), ("X-User-Id", user), ("Accept", "text/event-stream" if stream else "")):
        if value:
            request.add_header(name, value)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:
        text = reply.read()
    return None if stream else json.loads(text or b"null")


if __name__ == "__main__":
    sys.exit(main())
