"""When each alert fires: a table for test_rules.py.

An objective's case is a function from the share of bad events to what its series grow by in a step;
any other alert has its series in promtool's notation.
"""

from dataclasses import dataclass, field
from typing import Callable

# Events in a step of the objectives' cases.
EVENTS = 100_000
ANTHROPIC = 'gen_ai_provider_name="anthropic"'
MODEL = f'{ANTHROPIC},gen_ai_request_model="sonnet"'


@dataclass(frozen=True)
class Objective:
    """An objective whose burn rate alerts. `grown(share, step)`: growth by series; `step` is a
    second's worth of dollars of the allowance times the seconds of a step."""

    alert: str
    service: str
    slo: str
    # What may be bad.
    budget: float
    team: str
    grown: Callable[[float, float], dict[str, float]]
    # With $value as the ratio, in percent.
    summary: str
    labels: dict[str, str] = field(default_factory=dict)
    pages: bool = True
    gauge: bool = False
    # Held against time, not against other events.
    pace: bool = False


@dataclass(frozen=True)
class Case:
    """An alert that is not one of an objective. Times are promtool's; the series begin at 0."""

    alert: str
    interval: str
    quiet: dict[str, str]
    faulty: dict[str, str]
    fires_at: str
    resolved_at: str
    labels: dict[str, str]
    summary: str


def requests(route_class: str, bad: str, good: str = 'http_response_status_code="200"') -> Callable[[float, float], dict[str, float]]:
    name = f'http_server_request_duration_seconds_count{{job="bookstore-api",route_class="{route_class}",'
    return lambda share, _: {f"{name}{good}}}": EVENTS * (1 - share), f"{name}{bad}}}": EVENTS * share}


def slower(metric: str, labels: str, bound: str) -> Callable[[float, float], dict[str, float]]:
    """Events beyond a bound of their histogram."""
    comma = "," if labels else ""
    return lambda share, _: {
        f"{metric}_count{{{labels}}}": EVENTS,
        f'{metric}_bucket{{{labels}{comma}le="{bound}"}}': EVENTS * (1 - share),
    }


def summaries(share: float, _: float) -> dict[str, float]:
    """Half of the failures are streams that failed after their head had said 200."""
    name = 'http_server_request_duration_seconds_count{job="bookstore-api",route_class="ai",http_response_status_code='
    return {
        f'{name}"200"}}': EVENTS * (1 - share),
        f'{name}"502",error_type="502"}}': EVENTS * share / 2,
        f'{name}"200",error_type="504"}}': EVENTS * share / 2,
        # Whoever leaves is neither served nor failed.
        f'{name}"499",error_type="cancelled"}}': EVENTS,
    }


def provider(share: float, _: float) -> dict[str, float]:
    """A third of the failures are attempts that the circuit did not let through."""
    return {
        f"gen_ai_client_operation_duration_seconds_count{{{MODEL}}}": EVENTS * (1 - share),
        f'gen_ai_client_operation_duration_seconds_count{{{MODEL},error_type="upstream"}}': EVENTS * share * 2 / 3,
        f'bookstore_gen_ai_refusals_total{{{ANTHROPIC},reason="circuit_open"}}': EVENTS * share / 3,
        # Neither is the provider's fault.
        f'gen_ai_client_operation_duration_seconds_count{{{MODEL},error_type="cancelled"}}': EVENTS,
        f'bookstore_gen_ai_refusals_total{{{ANTHROPIC},reason="retry_budget"}}': EVENTS,
    }


HTTP = "http_server_request_duration_seconds"
OBJECTIVES = (
    Objective("CatalogueFails", "bookstore-api", "catalogue-availability", 0.001, "catalogue",
              requests("catalogue", 'http_response_status_code="500",error_type="500"'),
              "{} of the requests for books and authors fail; 0.1% may."),
    Objective("SummariesFail", "bookstore-api", "ai-availability", 0.005, "ai", summaries,
              "{} of the requests for summaries fail; 0.5% may."),
    Objective("CatalogueSlow", "bookstore-api", "catalogue-latency", 0.01, "catalogue",
              slower(HTTP, 'job="bookstore-api",route_class="catalogue"', "0.05"),
              "{} of the requests for books and authors take longer than 50 ms; 1% may."),
    Objective("SummariesSlow", "bookstore-api", "ai-latency", 0.05, "ai",
              slower(HTTP, 'job="bookstore-api",route_class="ai"', "10"),
              "{} of the requests for summaries take longer than 10 s; 5% may."),
    Objective("ProviderFails", "models", "provider-errors", 0.01, "ai", provider,
              "{} of the attempts at anthropic fail; 1% may.", {"gen_ai_provider_name": "anthropic"}),
    Objective("FirstTokenSlow", "models", "time-to-first-token", 0.05, "ai",
              slower("gen_ai_client_operation_time_to_first_chunk_seconds", MODEL, "1.28"),
              "{} of the answers of anthropic begin later than 1.28 s; 5% may.", {"gen_ai_provider_name": "anthropic"}),
    Objective("SpendingTooFast", "money", "spend", 0.01, "ai",
              lambda share, step: {f'bookstore_gen_ai_spend_pico_usd_total{{{ANTHROPIC},simulated="false"}}': share * 100 * step * 1e12},
              "In the time in which 1% of the allowance of real dollars may be spent, {} of it is.", {"simulated": "false"}, pace=True),
    Objective("RequestsTooDear", "money", "cost-per-request", 0.01, "ai",
              slower("bookstore_gen_ai_request_cost_usd", f'{ANTHROPIC},simulated="true"', "0.016384"),
              "{} of the requests to models cost more than $0.016384; 1% may.", {"simulated": "true"}),
    Objective("ScrapesFail", "telemetry", "scrapes", 0.001, "platform",
              lambda share, _: {'up{job="bookstore-api"}': 1 - share, 'up{job="prometheus"}': 0},
              "{} of the scrapes of our services fail; 0.1% may.", pages=False, gauge=True),
)

UP = 'up{job="bookstore-api",instance="127.0.0.1:7002"}'
DROPPED = 'bookstore_telemetry_dropped_spans_total{job="bookstore-api",exporter="otlp_grpc",reason="export_failed"}'
DANGLING = 'bookstore_exemplars_dangling_ratio{job="bookstore-api"}'
LOOK_UPS = 'bookstore_exemplars_look_ups_total{job="bookstore-api",outcome='
LOST_LINES = 'bookstore_telemetry_dropped_log_lines_total{job="bookstore-api"}'
BOTH_UP = {UP: "1x60", 'up{job="performance-service"}': "1x60"}
STORE_CIRCUIT = 'bookstore_store_circuit_state{job="bookstore-api",instance="127.0.0.1:7002",db_system_name="mongodb"}'
SPENT = 'bookstore_budget_spent_usd{tenant="acme",period="day",simulated="false"}'
LIMIT = 'bookstore_budget_limit_usd{tenant="acme",period="day",simulated="false"}'
PAID = f'{{{ANTHROPIC},simulated="false"}}'
LOOKED_UP = 'bookstore_cache_requests_total{cache_name="book",cache_level="l1",outcome='


def unknown(steps: int) -> str:
    """promtool repeats numbers only."""
    return " ".join(["NaN"] * steps)


CASES = (
    Case("TargetDown", "15s", {UP: "1x40"}, {UP: "1x8 0x16 1x16"}, "4m", "8m",
         {"job": "bookstore-api", "instance": "127.0.0.1:7002", "severity": "page", "team": "platform"},
         "bookstore-api at 127.0.0.1:7002 has not answered for a minute."),
    Case("TargetMissing", "1m", BOTH_UP,
         {**BOTH_UP, 'up{job="performance-service"}': "1x5 stale _x20 1x30"}, "20m", "40m",
         {"job": "performance-service", "severity": "ticket", "team": "platform"},
         "performance-service is no target of Prometheus any more: 1 job is missing."),
    Case("RulesFail", "1m", {'prometheus_rule_evaluation_failures_total{rule_group="money"}': "3x60"},
         {'prometheus_rule_evaluation_failures_total{rule_group="money"}': "3x5 3+1x20 23x40"}, "20m", "40m",
         {"rule_group": "money", "severity": "ticket", "team": "platform"},
         "5 evaluations of money failed within 5 minutes; its alerts are blind."),
    Case("SpansDropped", "1m", {DROPPED: "7x60"}, {DROPPED: "0x5 10+10x20 210x40"}, "20m", "40m",
         {"job": "bookstore-api", "exporter": "otlp_grpc", "reason": "export_failed", "severity": "ticket", "team": "platform"},
         "bookstore-api dropped 50 spans within 5 minutes (export_failed otlp_grpc); requests went on, their traces have holes."),
    Case("ExemplarsDangle", "1m", {DANGLING: "0.01x60"}, {DANGLING: "0x5 0.25x25 0x30"}, "20m", "45m",
         {"job": "bookstore-api", "severity": "ticket", "team": "platform"},
         "25% of the last exemplars of bookstore-api lead to traces that are not there."),
    # Who looks nothing up has had no answer either; a look-up that fails now and then is none.
    Case("TraceStoreAway", "1m", {LOOK_UPS + '"failed"}': "0+1x60", LOOK_UPS + '"found"}': "0+800x60", DANGLING: unknown(60)},
         {LOOK_UPS + '"failed"}': "0x5 4+4x40 164x40", LOOK_UPS + '"found"}': "0+800x5 4000x40 4800+800x40"}, "28m", "60m",
         {"job": "bookstore-api", "severity": "ticket", "team": "platform"},
         "bookstore-api has had no answer from the trace store for 10 minutes (20 look-ups failed in the last 5); clicks on charts end nowhere."),
    Case("LogLinesDropped", "1m", {LOST_LINES: "7x60"}, {LOST_LINES: "0x5 10+10x20 210x40"}, "20m", "40m",
         {"job": "bookstore-api", "severity": "ticket", "team": "platform"},
         "bookstore-api dropped 50 log lines within 5 minutes: whoever reads them is too slow. Requests went on."),
    Case("TooManySeries", "1m", {'scrape_samples_post_metric_relabeling{job="bookstore-api"}': "40000x60"},
         {'scrape_samples_post_metric_relabeling{job="bookstore-api"}': "40001x20 900x40"}, "15m", "30m",
         {"job": "bookstore-api", "severity": "ticket", "team": "platform"},
         "bookstore-api shows 40001 series; from 50000 on it is not scraped at all."),
    Case("CircuitOpen", "15s", {f"bookstore_gen_ai_circuit_state{{{ANTHROPIC}}}": "0x8 2x4 0x8 2x4 1 0x40"},
         {f"bookstore_gen_ai_circuit_state{{{ANTHROPIC}}}": "0x4 2x20 1 0x40"}, "5m", "8m",
         {"gen_ai_provider_name": "anthropic", "severity": "ticket", "team": "ai"},
         "The circuit of anthropic has not been closed for 3 minutes (state 2: 1 half open, 2 open)."),
    # A circuit that a probe closes soon is none; one that opens again at once is as good as open.
    Case("StoreAway", "15s", {STORE_CIRCUIT: "0x8 1x2 0x40"}, {STORE_CIRCUIT: "0x4 1x5 0 1x10 0x60"}, "4m", "12m",
         {"job": "bookstore-api", "instance": "127.0.0.1:7002", "db_system_name": "mongodb", "severity": "page", "team": "catalogue"},
         "mongodb does not answer bookstore-api at 127.0.0.1:7002, which leaves it alone (circuit state 1): what is in no cache is refused with 503."),
    Case("ModelQueueFull", "1m", {f'bookstore_gen_ai_refusals_total{{{ANTHROPIC},reason="circuit_open"}}': "0+5x60"},
         # It is not there before the first refusal.
         {f'bookstore_gen_ai_refusals_total{{{ANTHROPIC},reason="overloaded"}}': "_x10 7x60"}, "12m", "30m",
         {"gen_ai_provider_name": "anthropic", "severity": "ticket", "team": "ai"},
         "7 calls found no place and no room in the queue of anthropic within 5 minutes."),
    # Neither with a break, nor after a restart that found a queue.
    Case("RunsWait", "1m", {'performance_queue_depth{instance="a"}': "3x25 0 3x25 0 3x30", 'performance_queue_depth{instance="b"}': "_x26 3x60"},
         {"performance_queue_depth{}": "0 3x50 0x30"}, "45m", "55m",
         {"severity": "ticket", "team": "platform"},
         "3 or more load tests have waited for 30 minutes without a break."),
    Case("CacheHitsFall", "1m", {LOOKED_UP + '"hit"}': "0+90x1600", LOOKED_UP + '"miss"}': "0+10x1600"},
         {LOOKED_UP + '"hit"}': "0+90x1440 129600+30x60 131400+90x100", LOOKED_UP + '"miss"}': "0+10x1440 14400+70x60 18600+10x100"},
         "1490m", "1550m", {"cache_name": "book", "severity": "ticket", "team": "catalogue"},
         "30% of the look-ups in book are hits; yesterday it was more than 90% × 0.7."),
    Case("UnpricedCalls", "1m", {f"bookstore_gen_ai_unpriced_calls_total{{{MODEL}}}": "4x90"},
         {f"bookstore_gen_ai_unpriced_calls_total{{{MODEL}}}": "_x30 1x60"}, "32m", "60m",
         {"gen_ai_provider_name": "anthropic", "gen_ai_request_model": "sonnet", "severity": "ticket", "team": "ai"},
         "Calls of sonnet at anthropic that have no price: 1 within 15 minutes. What they cost is in no sum."),
    # A dollar a minute is 1,440 by midnight.
    Case("BudgetEndsEarly", "1m", {SPENT: "0+1x300", LIMIT: "1500x300"},
         {SPENT: "0+1x150 150x150", LIMIT: "720x300"}, "120m", "260m",
         {"tenant": "acme", "period": "day", "simulated": "false", "severity": "ticket", "team": "ai"},
         "At the pace of now, acme will have spent 200% of its budget by the end of the day."),
    Case("BudgetSpent", "1m", {SPENT: "94x60", LIMIT: "100x60"}, {SPENT: "97x30 0x30", LIMIT: "100x60"}, "20m", "40m",
         {"tenant": "acme", "period": "day", "simulated": "false", "severity": "page", "team": "ai"},
         "acme has spent 97% of its budget of the day; at 100% its calls are refused."),
    Case("RequestsTwiceAsDear", "1m",
         {f"bookstore_gen_ai_request_cost_usd_sum{PAID}": "0+1x1440 1440+1.5x300", f"bookstore_gen_ai_request_cost_usd_count{PAID}": "0+10x1740"},
         {f"bookstore_gen_ai_request_cost_usd_sum{PAID}": "0+1x1440 1440+3x120 1800+1x180", f"bookstore_gen_ai_request_cost_usd_count{PAID}": "0+10x1740"},
         "1540m", "1680m", {"gen_ai_provider_name": "anthropic", "simulated": "false", "severity": "ticket", "team": "ai"},
         "A request to anthropic costs 3 times what it cost at this hour yesterday, with all of its attempts."),
)
