"""PromQL from the few things that differ, and what panels on several dashboards share."""

from .builder import DOTS_ONLY, UNTRACED, Panel, Query, Variable

# Prometheus' spelling of the labels.
PROVIDER = "gen_ai_provider_name"
MODEL = "gen_ai_request_model"

BY_PROVIDER = f'{PROVIDER}=~"$provider"'
BY_MODEL = f'{BY_PROVIDER},{MODEL}=~"$model"'
BY_TENANT = f'{BY_MODEL},tenant=~"$tenant"'
BY_SERVICE = 'job=~"$service",instance=~"$instance"'
# The routes of the API; those of other services are not what users ask.
API = 'job="bookstore-api",http_route=~"$route"'

REAL = 'simulated="false"'
SIMULATED = 'simulated="true"'
# Server errors of a route.
FAILED_REQUEST = 'http_response_status_code=~"5.."'
# Those, and streams that fail after their head said 200; of requests whose client did not leave.
FAILED, STAYED = 'error_type!~"|cancelled"', 'error_type!="cancelled"'

# A counter of 10^-12 USD: dollars.
PICO = "1e12"
# Nothing should be above 0, or is worth a look.
ANY = ((1e-9, "red"),)
SOME = ((1e-9, "yellow"),)
# Shares of failures: ten times what the objectives let be, and a tenth of all.
MANY_ERRORS = ((0.005, "yellow"), (0.05, "red"))

# Bounds of latency and cost are bucket bounds of the histograms, so that the line is where the data is exact.
SLOW_CALL = ((5.12, "yellow"), (10.24, "red"))
SLOW_FIRST_TOKEN = ((0.64, "yellow"), (1.28, "red"))
DEAR_CALL = ((0.016384, "yellow"), (0.262144, "red"))

HTTP = "http_server_request_duration_seconds"
CALL = "gen_ai_client_operation_duration_seconds"
FIRST = "gen_ai_client_operation_time_to_first_chunk_seconds"
STORE = "db_client_operation_duration_seconds"
COST = "bookstore_gen_ai_cost_pico_usd_total"


def rate(metric: str, labels: str = "") -> str:
    """Growth of a counter per second."""
    return f"rate({metric}{{{labels}}}[$__rate_interval])"


def grown(metric: str, labels: str = "") -> str:
    """Growth of a counter in the range shown, with what it had when it first appeared: a counter that
    comes with its first event has no increase by it."""
    selected = f"{metric}{{{labels}}}"
    return f"(({selected} unless {selected} offset $__range) or increase({selected}[$__range]))"


def per_second(metric: str, labels: str, by: str) -> str:
    """Growth per second by labels."""
    return f"sum by ({by}) ({rate(metric, labels)})"


def quantile(point: int, metric: str, labels: str, by: str, legend: str) -> Query:
    """A percentile of a histogram, merged over its series and never averaged."""
    grouped = f"le, {by}" if by else "le"
    expr = f"histogram_quantile({point / 100:g}, sum by ({grouped}) ({rate(metric + '_bucket', labels)}))"
    return Query(expr, legend, exemplar=not metric.startswith(UNTRACED))


def quantiles(metric: str, labels: str, by: str, legend: str, points: tuple[int, ...]) -> tuple[Query, ...]:
    """Several percentiles of a histogram."""
    return tuple(quantile(point, metric, labels, by, f"p{point} {legend}") for point in points)


def dots(metric: str, labels: str = "") -> Query:
    """The exemplars of a histogram beside a recorded series or a mean, which have none: it draws no line."""
    return Query(f"{metric}_bucket{{{labels}}}{DOTS_ONLY}", "", exemplar=True)


def mean(metric: str, labels: str, by: str) -> str:
    """The mean of a histogram's values; nothing where there were none."""
    return f"{per_second(metric + '_sum', labels, by)} / ({per_second(metric + '_count', labels, by)} > 0)"


def share_of(bad: str, valid: str, by: str) -> str:
    """Bad of valid events, of two rates; 0, not nothing, where all were good."""
    total = f"sum by ({by}) ({valid})"
    return f"(sum by ({by}) ({bad}) or {total} * 0) / ({total} > 0)"


def within(metric: str, labels: str, bound: str, by: str) -> str:
    """The share of a histogram's values up to one of its bounds."""
    # Prometheus 3 writes whole bounds as 10.0.
    spelled = f'le=~"{bound}|{bound}[.]0"' if bound.isdigit() else f'le="{bound}"'
    return f"{per_second(metric + '_bucket', f'{labels},{spelled}', by)} / ({per_second(metric + '_count', labels, by)} > 0)"


def series(id: int, title: str, description: str, unit: str, expr: str, legend: str, beside: tuple[Query, ...] = (), dotted: bool = False, **more) -> Panel:
    """A panel with one query that draws lines, which have exemplars themselves (`dotted`) or dots beside them."""
    return Panel(id, title, description, unit, (Query(expr, legend, exemplar=dotted), *beside), **more)


def stat(id: int, title: str, description: str, unit: str, expr: str, legend: str, **more) -> Panel:
    """A number."""
    return series(id, title, description, unit, expr, legend, kind="stat", **{"width": 6, **more})


SERVICE_VARIABLES = (
    Variable("service", "Service", "label_values(up, job)"),
    Variable("instance", "Instance", 'label_values(up{job=~"$service"}, instance)'),
)
ROUTE_VARIABLE = Variable("route", "Route", f'label_values({HTTP}_count{{job="bookstore-api"}}, http_route)')
PROVIDER_VARIABLE = Variable("provider", "Provider", f"label_values(bookstore_gen_ai_attempts_total, {PROVIDER})")
MODEL_VARIABLES = (
    PROVIDER_VARIABLE,
    Variable("model", "Model", f"label_values(bookstore_gen_ai_attempts_total{{{BY_PROVIDER}}}, {MODEL})"),
)
TENANT_VARIABLE = Variable("tenant", "Tenant", f"label_values({COST}, tenant)")
