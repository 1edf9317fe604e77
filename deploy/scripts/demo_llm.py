#!/usr/bin/env python3
"""Shows what the LLM layer does, at the addresses of the environment.

Every step says what it shows and what to look at, and is checked: the exit code
is 0 when all showed what they should, else 1. It works as a tenant of its own,
and takes back what it changes: the simulator's fault rules and that tenant's
budget. It refuses to run where a provider is real, since that costs money.
"""

import decimal
import json
import os
import sys
import time
import urllib.request

from demonstration import Failure, exchange, expect, title

API = os.environ.get("BOOKSTORE_URL", "http://127.0.0.1:7002")
SIMULATOR = os.environ.get("SIMULATOR_URL", "http://127.0.0.1:7010")
JAEGER = os.environ.get("JAEGER_URL", "http://127.0.0.1:16686")
TENANT = "demo-llm"
PROVIDERS = ("claude", "openai", "ollama", "bedrock", "lmstudio")
# Longer than the deadline of a whole model call.
REQUEST_SECONDS = 70
# Circuits try again after 1 s, and after at most 30 s.
CIRCUIT_SECONDS = 45
# Calls after which a circuit must have opened: five faults in a row do it.
CALLS_TO_OPEN = 8
# Tokens that a stream may write before it must ask its budget for more.
TOKENS_AT_ONCE = 64
DOLLAR = decimal.Decimal(10) ** 12


def main() -> int:
    try:
        book = prepare()
        try:
            each_provider(book)
            trace = a_broken_provider(book)
            circuits(book)
            budget(book)
            ledger()
            recost()
        finally:
            take_back()
    except Failure as reason:
        print(f"FAILED: {reason}", file=sys.stderr)
        return 1
    print(f"""
All steps showed what they should. Look at
  {API}/api/v1/llm/costs?by=provider   with the header X-Tenant-Name: {TENANT}
  {JAEGER}/api/traces/{trace}   the fallback, attempt by attempt, where Jaeger runs
  {SIMULATOR}/   the calls as the providers saw them, and their invoice""")
    return 0


def prepare() -> str:
    """The path of a book that is there."""
    title("The stack answers, and every provider is simulated")
    real = [one["name"] for one in get(API, "/api/v1/books/llm-providers")["providers"] if not one["simulated"]]
    expect(not real, f"these providers are real, and cost money: {', '.join(real)}")
    take_back()
    send(API, "POST", "/seed-data")
    return f"/api/v1/books/{get(API, '/api/v1/books')['books'][0]['id']}"


def take_back() -> None:
    send(SIMULATOR, "PUT", "/control/faults", {"rules": []})
    send(API, "PUT", f"/api/v1/llm/budgets/{TENANT}", {})


def each_provider(book: str) -> None:
    title("Each provider answers, in one piece and as a stream")
    for provider in PROVIDERS:
        _, whole = summary(book, f"provider={provider}&refresh=true")
        expect(whole.get("provider") == provider, f"{provider} did not answer: {whole}")
        events = stream(book, f"provider={provider}&refresh=true")
        names = [name for name, _ in events]
        expect(names[0] == "summary.start" and names[-1] == "summary.done", f"{provider} streamed {names}")
        done = events[-1][1]
        print(f"  {provider:<9} {whole['model']:<22} {whole['cost']['usd']:>14} USD in one piece,"
              f" {done['cost']['usd']:>14} USD in {names.count('summary.delta')} pieces")


def a_broken_provider(book: str) -> str:
    title("Claude fails: who named no provider is answered by the next one")
    send(SIMULATOR, "PUT", "/control/faults",
         {"rules": [{"dialect": "anthropic", "fault": {"status": {"code": 500}}}]})
    headers, answer = summary(book, "refresh=true")
    expect(answer.get("fallbackFrom") == "claude",
           f"no fallback from claude (LLM_PROVIDER=claude LLM_FALLBACK=openai are needed: make stop first): {answer}")
    print(f"  asked claude, answered by {answer['provider']}; the reply says fallbackFrom={answer['fallbackFrom']}")
    _, refused = summary(book, "provider=claude&refresh=true")
    expect("status" in refused, f"claude was named, and somebody answered: {refused}")
    print(f"  who names claude gets {refused['status']}: {refused['detail']}")
    return headers["traceresponse"].split("-")[1]


def circuits(book: str) -> None:
    title("Its circuit opens, and closes when it is well again")
    for call in range(CALLS_TO_OPEN):
        if circuit() != "closed":
            break
        summary(book, "provider=claude&refresh=true")
    expect(circuit() != "closed", "the circuit stays closed")
    print(f"  after {call} more calls the circuit is {circuit()}; calls are refused without asking claude")
    send(SIMULATOR, "PUT", "/control/faults", {"rules": []})
    deadline = time.monotonic() + CIRCUIT_SECONDS
    while circuit() != "closed":
        expect(time.monotonic() < deadline, f"the circuit stays {circuit()}")
        summary(book, "provider=claude&refresh=true")
        time.sleep(0.2)
    print("  claude is well again: one call tried it, and the circuit is closed")


def circuit() -> str:
    providers = get(API, "/api/v1/books/llm-providers")["providers"]
    return next(one["circuit"] for one in providers if one["name"] == "claude")


def budget(book: str) -> None:
    title("A budget cuts a stream off in the middle")
    path = f"/api/v1/llm/budgets/{TENANT}"
    last = get(API, "/api/v1/llm/ledger?provider=claude&outcome=succeeded&pageSize=1")["attempts"][0]
    token = last["outputPicoUsd"] // last["outputTokens"]
    # Enough for the prompt and the first pieces, not for the next ones.
    room = last["inputPicoUsd"] * 3 // 2 + (TOKENS_AT_ONCE + 2) * token
    spent = send(API, "PUT", path, {"dayUsd": 1_000_000})["simulated"]["spentTodayUsd"]
    limit = decimal.Decimal(spent) + decimal.Decimal(room) / DOLLAR
    send(API, "PUT", path, {"dayUsd": format(limit, "f")})
    events = stream(book, "provider=claude&refresh=true")
    name, problem = events[-1]
    pieces = [name for name, _ in events].count("summary.delta")
    expect(name == "summary.error" and problem["type"].endswith("/budget-exceeded") and pieces,
           f"the stream was not cut off: {events[-1]}")
    print(f"  after {pieces} pieces: {problem['detail']}")
    cut = get(API, "/api/v1/llm/ledger?pageSize=1")["attempts"][0]
    expect((cut["outcome"], cut["errorType"], cut["usageSource"]) == ("partial", "budget", "estimated"),
           f"the ledger has {cut}")
    print(f"  booked up to there: {cut['outputTokens']} tokens, {cut['costUsd']} USD, marked as {cut['usageSource']}")
    send(API, "PUT", path, {})


def ledger() -> None:
    title("Every attempt is in the ledger; the sums are by provider")
    page = get(API, "/api/v1/llm/ledger?pageSize=6")
    for row in page["attempts"]:
        print(f"  {row['at'][:19]} {row['provider']:<9} attempt {row['attempt']} {row['outcome']:<10}"
              f" {row['inputTokens']:>5} in {row['outputTokens']:>5} out {row['costUsd']:>14} USD")
    costs = get(API, "/api/v1/llm/costs?by=provider")
    groups = {group["key"]: group for group in costs["groups"]}
    expect(set(PROVIDERS) <= set(groups), f"the costs lack a provider: {sorted(groups)}")
    for name, group in sorted(groups.items()):
        print(f"  {name:<9} {group['attempts']:>5} attempts {group['costUsd']:>14} USD")
    total = sum(group["costPicoUsd"] for group in groups.values())
    expect(total == costs["totals"]["simulated"]["costPicoUsd"], f"the sums differ: {costs}")
    expect(costs["totals"]["real"]["attempts"] == 0, "simulated money is among real money")


def recost() -> None:
    title("What the same traffic would have cost on another model")
    body = {"filter": {"model": "claude-sonnet-5-5"}, "model": "claude-opus-5"}
    total = send(API, "POST", "/api/v1/llm/recost", body)["totals"]["simulated"]
    difference = total["recostedPicoUsd"] - total["bookedPicoUsd"]
    expect(difference == total["differencePicoUsd"] > 0, f"the difference is wrong: {total}")
    print(f"  claude-sonnet-5-5 {total['bookedPicoUsd']} pico-dollars,"
          f" claude-opus-5 {total['recostedPicoUsd']}: {total['differenceUsd']} USD more")


def summary(book: str, query: str):
    """Headers and body of a summary in one piece; a refusal has a `status` in its body."""
    return exchange(prepared(API, "POST", f"{book}/generate-summary?{query}"), REQUEST_SECONDS, refusable=True)


def stream(book: str, query: str) -> list:
    """Names and data of all events of a summary."""
    request = prepared(API, "POST", f"{book}/generate-summary?{query}")
    request.add_header("Accept", "text/event-stream")
    events, name = [], ""
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:
            for line in reply:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    events.append((name, json.loads(value)))
    except OSError as error:
        raise Failure(f"{request.full_url}: {error}") from error
    expect(events, f"{request.full_url} streamed nothing")
    return events


def get(base: str, path: str):
    return send(base, "GET", path)


def send(base: str, method: str, path: str, body=None):
    return exchange(prepared(base, method, path), REQUEST_SECONDS, body)[1]


def prepared(base: str, method: str, path: str) -> urllib.request.Request:
    return urllib.request.Request(f"{base}{path}", method=method, headers={"X-Tenant-Name": TENANT})


if __name__ == "__main__":
    sys.exit(main())
