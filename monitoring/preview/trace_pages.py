"""Pages of traces for a Jaeger that has none: a trace with its log lines, and a search.

They are made here, of Jaeger's answers, and need no script. The addresses are those of Jaeger's own
pages, so that every link to these leads here as well: /trace/ID, /search?service=….
"""

import json
import sys
import urllib.parse
from collections.abc import Iterable
from html import escape
from http import HTTPStatus
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "deploy" / "scripts"))

import log_lines  # noqa: E402
import tracing  # noqa: E402

# What a search may ask for; the rest of an address is dropped.
ASKED = ("service", "operation", "start", "end", "lookback", "minDuration", "maxDuration", "tags", "limit")
# Jaeger gives the newest; the longest of them come first.
MAX_FOUND = 100
NUMBERS = {"Begin", "Took", "Spans", "Failed"}
# A request has some ten.
MAX_LINES = 300
# A deeper span is as far to the right.
MAX_DEPTH = 12


def trace_page(jaeger: str, logs: log_lines.Source | None, performance: str, trace_id: str) -> tuple[HTTPStatus, bytes]:
    """A trace: each span after its parent, with times, tokens and dollars, and its log lines below."""
    try:
        spans = tracing.fetched(jaeger, tracing.checked(trace_id))
    except tracing.Failure as reason:
        return status_of(reason), page("No trace", paragraph(str(reason)))
    if not spans:
        reason = f"Jaeger does not have the trace {trace_id}: it was not kept, is not there yet, or has given way to later ones."
        return HTTPStatus.NOT_FOUND, page("No trace", paragraph(reason) + log_part(logs, trace_id, None))
    began, ended = tracing.extent(spans)
    told = f"{tracing.moment(began)} UTC, {milliseconds(ended - began)}, {len(spans)} spans"
    head = paragraph(f"{trace_id}: {told}") + "".join(map(paragraph, tracing.sums(spans))) + of_test(spans, performance)
    return HTTPStatus.OK, page(f"Trace {trace_id[:8]}", head + span_table(spans, began, ended) + log_part(logs, trace_id, (began, ended)))


def of_test(spans: list[tracing.Span], performance: str) -> str:
    """The way to the load test whose request it was."""
    test = next((str(span["tags"]["test.id"]) for span in spans if "test.id" in span["tags"]), "")
    return f'<p>A request of <a href="{escape(performance)}/runs/{escape(urllib.parse.quote(test))}">this load test</a>.</p>' if test else ""


def span_table(spans: list[tracing.Span], began: int, ended: int) -> str:
    rows = "".join(span_row(depth, span, began, max(ended - began, 1)) for depth, span in tracing.tree(spans))
    return wide("Spans", ("Span", "Service", "Begin", "Took", "When", "What"), rows)


def span_row(depth: int, span: tracing.Span, began: int, whole: int) -> str:
    """One line; its bar is a picture, since the policy lets no style in."""
    left, width = (span["startTime"] - began) / whole * 100, max(span["duration"] / whole * 100, 0.5)
    failed = ' class="failed"' if span["tags"].get("error") in (True, "true") else ""
    bar = f'<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect x="{left:.2f}" width="{width:.2f}" height="1"/></svg>'
    facts = escape("; ".join(tracing.facts(span)))
    return (
        f'<tr{failed}><th scope="row" class="depth{min(depth, MAX_DEPTH)}">{escape(span["operationName"])}</th><td>{escape(span["service"])}</td>'
        f'<td class="number">{milliseconds(span["startTime"] - began)}</td><td class="number">{milliseconds(span["duration"])}</td><td>{bar}</td><td class="facts">{facts}</td></tr>'
    )


def log_part(logs: log_lines.Source | None, trace_id: str, moments: log_lines.Moments) -> str:
    """The lines of all processes, where they can be read from here."""
    head = "<h2>Log lines</h2>"
    if logs is None:
        return head + f"<p><code>make trace-logs ID={escape(trace_id)}</code> prints them.</p>"
    try:
        lines = list(tracing.told(trace_id, logs(trace_id, moments)))
    except tracing.Failure as reason:
        return head + paragraph(f"{reason}.")
    more = paragraph(f"The first {MAX_LINES} of {len(lines)}.") if len(lines) > MAX_LINES else ""
    text = escape("\n".join(lines[:MAX_LINES]))
    return f'{head}{more}<pre class="wide" tabindex="0" role="region" aria-label="Log lines">{text}</pre>'


def search_page(jaeger: str, query: str) -> tuple[HTTPStatus, bytes]:
    """The traces that a search finds, the longest first."""
    given = dict(urllib.parse.parse_qsl(query))
    asked = {name: given[name] for name in ASKED if given.get(name)}
    limit = asked.get("limit", str(MAX_FOUND))
    if not (limit.isascii() and limit.isdigit() and 0 < int(limit[:9]) <= MAX_FOUND):
        return HTTPStatus.BAD_REQUEST, page("No search", paragraph(f"limit={limit}: a number from 1 to {MAX_FOUND}"))
    asked = {"service": "bookstore-api", **asked, "limit": limit}
    try:
        found = [tracing.named(one) for one in tracing.asked(jaeger, f"/api/traces?{urllib.parse.urlencode(asked)}")]
    except tracing.Failure as reason:
        return status_of(reason), page("No search", paragraph(str(reason)))
    said = paragraph(f"Asked for: {conditions(asked)}. Of the newest, the longest come first.")
    if not found:
        return HTTPStatus.OK, page("No traces", said + paragraph("Nothing that was kept is like that; quick and successful requests are kept in shares (docs/tracing.md)."))
    found.sort(key=lambda spans: -tracing.took(spans))
    rows = "".join(map(found_row, found))
    return HTTPStatus.OK, page(f"{len(found)} traces", said + wide("Traces", ("Request", "Service", "Began, UTC", "Took", "Spans", "Failed", "Kept for"), rows))


def found_row(spans: list[tracing.Span]) -> str:
    _, root = next(tracing.tree(spans))
    failed = sum(span["tags"].get("error") in (True, "true") for span in spans)
    kept = next((str(span["tags"]["bookstore.trace.kept_for"]) for span in spans if "bookstore.trace.kept_for" in span["tags"]), "")
    return (
        f'<tr><th scope="row"><a href="/trace/{escape(root["traceID"])}">{escape(root["operationName"])}</a></th><td>{escape(root["service"])}</td>'
        f'<td>{tracing.moment(root["startTime"])}</td><td class="number">{milliseconds(tracing.took(spans))}</td>'
        f'<td class="number">{len(spans)}</td><td class="number">{failed}</td><td>{escape(kept)}</td></tr>'
    )


def status_of(reason: tracing.Failure) -> HTTPStatus:
    return HTTPStatus.BAD_REQUEST if isinstance(reason, tracing.WrongQuestion) else HTTPStatus.BAD_GATEWAY


def conditions(asked: dict[str, str]) -> str:
    """A search in words."""
    def one(name: str, value: str) -> str:
        if name in ("start", "end") and value.isascii() and value.isdigit():
            return f"{name} {tracing.moment(int(value[:18]))} UTC"
        if name == "tags":
            try:
                return ", ".join(f"{key} = {wanted}" for key, wanted in json.loads(value).items())
            except (ValueError, AttributeError):
                return f"tags {value}"
        return f"{name} {value}"
    return ", ".join(one(name, value) for name, value in asked.items())


def milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1e3:,.1f} ms"


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def wide(name: str, heads: Iterable[str], rows: str) -> str:
    """A table that scrolls inside of itself on a narrow screen."""
    head = "".join(f'<th scope="col"{" class=number" if one in NUMBERS else ""}>{one}</th>' for one in heads)
    return f'<div class="wide" tabindex="0" role="region" aria-label="{name}"><table class="plain"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def page(title: str, body: str) -> bytes:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/style.css"></head>'
        f'<body><header><h1>{escape(title)}</h1><nav><a href="/d/overview">Dashboards</a> <a href="/search?lookback=1h">Traces of an hour</a></nav></header>'
        f"<main>{body}</main></body></html>\n"
    ).encode()
