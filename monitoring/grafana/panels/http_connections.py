"""The dashboard "HTTP and connections": what goes over the wire, in and out."""

from .builder import Dashboard, Panel, Row
from .queries import BY_SERVICE, SERVICE_VARIABLES, SOME, per_second, quantile, quantiles, series

CLIENT = "http_client_request_duration_seconds"

IN = Row(100, "In", (
    series(1, "Under way by service", "Requests that each service is answering now.", "short",
           f"sum by (job) (http_server_active_requests{{{BY_SERVICE}}})", "{{job}}", zero="requests end between two scrapes"),
    series(2, "Bytes sent", "Of reply bodies, per second.", "Bps",
           per_second("http_server_response_body_size_bytes_sum", BY_SERVICE, "job"), "{{job}}"),
    series(3, "Bytes received", "Of request bodies whose length was announced, per second.", "Bps",
           per_second("http_server_request_body_size_bytes_sum", BY_SERVICE, "job"), "{{job}}"),
    Panel(4, "Size of replies", "p95 by route.", "bytes",
          (quantile(95, "http_server_response_body_size_bytes", BY_SERVICE, "http_route", "{{http_route}}"),), width=12),
    Panel(5, "Size of requests", "p95 by route, of bodies whose length was announced.", "bytes",
          (quantile(95, "http_server_request_body_size_bytes", BY_SERVICE, "http_route", "{{http_route}}"),), width=12),
))

OUT = Row(101, "Out", (
    series(6, "Requests to others", "Per second, by server.", "reqps", per_second(f"{CLIENT}_count", BY_SERVICE, "server_address"), "{{server_address}}"),
    Panel(7, "Until others reply", "Median and p95 of the time to the head of the reply.", "s",
          quantiles(CLIENT, BY_SERVICE, "server_address", "{{server_address}}", (50, 95)), links=("llm-latency-and-reliability",), thresholds=((1, "yellow"), (5, "red"))),
    series(8, "No reply", "Requests to others per second that ended without a status: refused connections, timeouts, resets.", "reqps",
           per_second(f"{CLIENT}_count", f'{BY_SERVICE},http_response_status_code="0"', "server_address"), "{{server_address}}", thresholds=SOME),
))

DASHBOARD = Dashboard(
    uid="http-and-connections",
    title="HTTP and connections",
    description="What goes over the wire, in and out, and how much of it.",
    variables=SERVICE_VARIABLES,
    rows=(IN, OUT),
)
