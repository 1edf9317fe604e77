"""The dashboard "Errors and diagnostics": what fails, and whose fault it is."""

from .builder import Dashboard, Row
from .queries import ANY, API, BY_SERVICE, FAILED, FAILED_REQUEST, HTTP, MANY_ERRORS, PROVIDER, ROUTE_VARIABLE, SERVICE_VARIABLES, SOME, STAYED, STORE, per_second, rate, series, share_of

OURS = Row(100, "What users get", (
    series(1, "Failures", "Requests per second that ended with 5xx, by route and status.", "reqps",
           per_second(f"{HTTP}_count", f"{API},{FAILED_REQUEST}", "http_route, http_response_status_code"),
           "{{http_route}} {{http_response_status_code}}", links=("llm-latency-and-reliability",), thresholds=ANY),
    series(2, "Share of failures by route", "5xx, and streams that fail after their head; clients that leave do not count. The budgets are 0.1 % for books and authors, "
           "0.5 % for summaries.", "percentunit",
           share_of(rate(f"{HTTP}_count", f"{API},{FAILED}"), rate(f"{HTTP}_count", f"{API},{STAYED}"), "http_route"), "{{http_route}}",
           thresholds=MANY_ERRORS, links=("slo-and-budgets",)),
    series(3, "Refusals", "Requests per second that were wrong (4xx), by status: 402 budget, 409 and 412 conflicts, 429 and 503 too many.", "reqps",
           per_second(f"{HTTP}_count", f'{API},http_response_status_code=~"4.."', "http_response_status_code"), "{{http_response_status_code}}"),
    series(4, "Failures by service", "5xx per second of each service.", "reqps",
           per_second(f"{HTTP}_count", f"{BY_SERVICE},{FAILED_REQUEST}", "job"), "{{job}}", thresholds=ANY),
    series(11, "Failures after the head", "Streams per second whose head said 200 and that failed then: by the status that they would have had, or body where they broke off.", "reqps",
           per_second(f"{HTTP}_count", f'{API},http_response_status_code=~"2..",error_type!~"|cancelled"', "http_route, error_type"),
           "{{http_route}} {{error_type}}", links=("llm-latency-and-reliability",),
           empty="a series begins with its first failure, and few streams of the check fail", thresholds=ANY),
))

CAUSES = Row(101, "Causes", (
    series(5, "Stores that fail", "Calls per second to MongoDB, SQLite and Redis that failed, by the kind of failure.", "ops",
           per_second(f"{STORE}_count", 'error_type!=""', "db_system_name, error_type"), "{{db_system_name}} {{error_type}}", links=("dependencies",), thresholds=ANY),
    series(6, "Providers that fail", "Attempts per second that failed, by provider and outcome (failed, partial: broke off).", "ops",
           per_second("bookstore_gen_ai_attempts_total", 'outcome=~"failed|partial"', f"{PROVIDER}, outcome"),
           f"{{{{{PROVIDER}}}}} {{{{outcome}}}}", links=("llm-latency-and-reliability",), thresholds=SOME),
    series(7, "Outside servers by status", "Replies per second to our own requests, other than 2xx; 0: no reply.", "ops",
           per_second("http_client_request_duration_seconds_count", 'http_response_status_code!~"2.."', "server_address, http_response_status_code"),
           "{{server_address}} {{http_response_status_code}}", thresholds=SOME),
    series(8, "Attempts not made", "Refused by this process per second: open circuit, no place, no budget for retries.", "ops",
           per_second("bookstore_gen_ai_refusals_total", "", "reason"), "{{reason}}", thresholds=SOME),
    series(9, "Answers that fail a check", "Answers of models per second by the check that they failed, or passed, at the first try and at the repair.", "ops",
           per_second("bookstore_summaries_output_checks_total", "", "check, answer"), "{{check}} {{answer}}"),
    series(10, "Rules that fail", "Evaluations of alerts and recorded series that failed within five minutes: an alert that fails is blind.", "short",
           "sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[5m]))", "{{rule_group}}", zero="no rule fails", thresholds=ANY),
))

DASHBOARD = Dashboard(
    uid="errors-and-diagnostics",
    title="Errors and diagnostics",
    description="What fails, what users get, and whose fault it is.",
    variables=(*SERVICE_VARIABLES, ROUTE_VARIABLE),
    rows=(OURS, CAUSES),
)
