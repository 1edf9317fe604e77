#!/usr/bin/env python3
"""Prints a trace: tracing.py spans TRACE_ID, or tracing.py logs ID with log lines on standard input.

Spans come from Jaeger's query API at JAEGER_URL, as a tree with times, tokens and dollars. Log
lines are those of a trace id, or of the traces of a request id. Ends with 1 where there are none.
"""

import datetime
import decimal
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any

JAEGER = os.environ.get("JAEGER_URL", "http://127.0.0.1:16686")
REQUEST_SECONDS = 10
# A finished span is there within a second; the rest is room for a busy machine.
ARRIVAL_SECONDS = 5
ARRIVAL_LOOK_SECONDS = 0.2
# Traces of this laboratory have some twenty spans.
MAX_REPLY_BYTES = 64 * 1024 * 1024
# Of a refusal.
MAX_REASON_BYTES = 300
DOLLAR = decimal.Decimal(10) ** 12
TOKENS = (
    ("input_tokens", "in"),
    ("cache_read.input_tokens", "from the cache"),
    ("cache_creation.input_tokens", "into the cache"),
    ("output_tokens", "out"),
    ("reasoning.output_tokens", "of them reasoning"),
)
# Fields of a log line that stand in front of the others.
FIRST = ("timestamp", "level", "service.name", "message", "trace_id", "span_id", "target")

Span = dict[str, Any]


class Failure(Exception):
    """What keeps a trace from being shown."""


class WrongQuestion(Failure):
    """The asker's own mistake."""


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["spans", trace_id]:
                show_spans(trace_id)
            case ["logs", wanted]:
                show_logs(wanted, sys.stdin)
            case _:
                raise Failure("usage: tracing.py spans TRACE_ID | logs ID <LOGS")
    except Failure as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 1
    return 0


def show_spans(trace_id: str) -> None:
    spans = arrived(checked(trace_id))
    began, _ = extent(spans)
    print(f"trace {trace_id}, {moment(began)} UTC, {len(spans)} spans")
    print(f"{'begin ms':>10} {'took ms':>10}  {'service':<20} span")
    for depth, span in tree(spans):
        begin, took = (span["startTime"] - began) / 1e3, span["duration"] / 1e3
        name = f"{'  ' * depth}{span['operationName']}"
        print(f"{begin:10.1f} {took:10.1f}  {span['service']:<20} {name:<46} {'; '.join(facts(span))}".rstrip())
    for line in sums(spans):
        print(line)


def checked(trace_id: str) -> str:
    """The id if it is one."""
    if not re.fullmatch("[0-9a-f]{32}", trace_id):
        raise WrongQuestion(f"{trace_id!r} is no trace id: 32 digits of 0-9a-f, as in traceresponse and in problem documents")
    return trace_id


def moment(microseconds: int) -> str:
    """A time of Jaeger's, in UTC."""
    return f"{datetime.datetime.fromtimestamp(microseconds / 1e6, datetime.timezone.utc):%Y-%m-%d %H:%M:%S}"


def arrived(trace_id: str) -> list[Span]:
    """The spans of a trace as soon as there are any."""
    until = time.monotonic() + ARRIVAL_SECONDS
    while not (spans := fetched(JAEGER, trace_id)):
        if time.monotonic() >= until:
            raise Failure(f"no span of {trace_id} is at {JAEGER}: its trace was not kept, or has been dropped there")
        time.sleep(ARRIVAL_LOOK_SECONDS)
    return spans


def fetched(jaeger: str, trace_id: str) -> list[Span]:
    """The spans of a trace; none where Jaeger has none."""
    return next((named(found) for found in asked(jaeger, f"/api/traces/{trace_id}")), [])


def asked(jaeger: str, path: str) -> list[dict[str, Any]]:
    """The traces that Jaeger answers with; none where it has none."""
    try:
        with urllib.request.urlopen(f"{jaeger}{path}", timeout=REQUEST_SECONDS) as reply:
            return json.loads(reply.read(MAX_REPLY_BYTES))["data"] or []
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        kind = WrongQuestion if error.code == 400 else Failure
        raise kind(f"{jaeger} answers {error.code}: {error.read(MAX_REASON_BYTES).decode(errors='replace').strip()}") from error
    except (OSError, ValueError, LookupError) as error:
        raise Failure(f"{jaeger} does not answer: {error}") from error


def named(found: dict[str, Any]) -> list[Span]:
    """The spans of a trace, with tags as a mapping, their service and their parent."""
    for span in found["spans"]:
        span["tags"] = {tag["key"]: tag["value"] for tag in span["tags"]}
        span["service"] = found["processes"][span["processID"]]["serviceName"]
        span["parent"] = next((one["spanID"] for one in span["references"] if one["refType"] == "CHILD_OF"), None)
    return found["spans"]


def extent(spans: list[Span]) -> tuple[int, int]:
    """When the first span began and the last one ended, in microseconds."""
    return min(span["startTime"] for span in spans), max(span["startTime"] + span["duration"] for span in spans)


def took(spans: list[Span]) -> int:
    """Microseconds of a whole trace."""
    began, ended = extent(spans)
    return ended - began


def tree(spans: list[Span]) -> Iterator[tuple[int, Span]]:
    """Each span after its parent, with its depth; whose parent is not there stands on top."""
    here = {span["spanID"] for span in spans}
    children: dict[str | None, list[Span]] = {}
    for span in sorted(spans, key=lambda one: one["startTime"]):
        children.setdefault(span["parent"] if span["parent"] in here else None, []).append(span)
    waiting = [(0, span) for span in reversed(children.get(None, []))]
    while waiting:
        depth, span = waiting.pop()
        yield depth, span
        waiting.extend((depth + 1, child) for child in reversed(children.get(span["spanID"], [])))


def facts(span: Span) -> Iterator[str]:
    """What a span says beside its times."""
    tags = span["tags"]
    for name in ("http.response.status_code", "db.system.name", "gen_ai.provider.name"):
        if name in tags:
            yield str(tags[name])
    if "bookstore.gen_ai.attempt" in tags:
        yield f"attempt {tags['bookstore.gen_ai.attempt']}"
    for name, label in (("bookstore.gen_ai.retry.reason", "after"), ("error.type", "error"), ("bookstore.trace.kept_for", "kept for")):
        if tags.get(name):
            yield f"{label} {tags[name]}"
    for name, label in (("bookstore.gen_ai.cached", "from the cache"), ("bookstore.gen_ai.coalesced", "shared")):
        if tags.get(name) in (True, "true"):
            yield label
    yield from looked_up(span.get("logs") or [])
    if "gen_ai.response.time_to_first_chunk" in tags:
        yield f"first token after {float(tags['gen_ai.response.time_to_first_chunk']) * 1e3:.1f} ms"
    counts = [f"{tags[f'gen_ai.usage.{name}']} {label}" for name, label in TOKENS if int(tags.get(f"gen_ai.usage.{name}", 0))]
    if counts:
        yield f"tokens {', '.join(counts)}"
    if "bookstore.gen_ai.cost.pico_usd" in tags:
        yield f"{dollars(int(tags['bookstore.gen_ai.cost.pico_usd']))}{' simulated' if simulated(tags) else ''}"
    elif counts:
        yield "unpriced"


def looked_up(events: list[dict[str, Any]]) -> Iterator[str]:
    """What a request found in caches, by cache, level by level."""
    found: dict[str, list[str]] = {}
    for event in sorted(events, key=lambda one: one["timestamp"]):
        fields = {field["key"]: field["value"] for field in event["fields"]}
        if fields.get("event") == "bookstore.cache.look_up":
            name, level, outcome = (str(fields[f"bookstore.cache.{part}"]) for part in ("name", "level", "outcome"))
            found.setdefault(name, []).append(f"{level} {outcome}")
    for name, outcomes in found.items():
        yield f"cache {name}: {', '.join(outcomes)}"


def simulated(tags: dict[str, Any]) -> bool:
    return tags.get("bookstore.gen_ai.simulated") in (True, "true")


def dollars(pico: int) -> str:
    return f"${decimal.Decimal(pico) / DOLLAR:f}"


def sums(spans: list[Span]) -> Iterator[str]:
    """What all attempts took; real and simulated money never meet."""
    for label, kind in (("real", False), ("simulated", True)):
        calls = [span["tags"] for span in spans if "gen_ai.operation.name" in span["tags"] and simulated(span["tags"]) == kind]
        if not calls:
            continue
        taken, given = (sum(int(tags.get(f"gen_ai.usage.{name}", 0)) for tags in calls) for name in ("input_tokens", "output_tokens"))
        cost = sum(int(tags.get("bookstore.gen_ai.cost.pico_usd", 0)) for tags in calls)
        yield f"{len(calls)} attempt{'' if len(calls) == 1 else 's'}, {label}: {taken} tokens in, {given} out, {dollars(cost)}"


def show_logs(wanted: str, lines: Iterable[str]) -> None:
    for line in told(wanted, lines):
        print(line)


def told(wanted: str, lines: Iterable[str]) -> Iterator[str]:
    """The lines of a trace, or of the traces of a request, by their time, as text."""
    read = [line for line in map(parsed, lines) if line]
    ids = {line.get("trace_id") for line in read if line.get("request.id") == wanted} - {None} | {wanted}
    found = [line for line in read if line.get("trace_id") in ids]
    if not found:
        raise Failure(f"no log line has the trace or request id {wanted!r}; quick, successful, unsampled reads are told with RUST_LOG=debug only")
    for line in sorted(found, key=lambda one: str(one.get("timestamp"))):
        head = (str(line.get(name, "")) for name in FIRST[:4])
        time, level, service, message = head
        rest = " ".join(f"{name}={value}" for name, value in line.items() if name not in FIRST and value not in ("", None))
        yield f"{time} {level:<5} {service:<20} {message}  span_id={line.get('span_id', '-')} {rest}".rstrip()


def parsed(line: str) -> dict[str, Any] | None:
    """A line of JSON; other programs write other lines."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
