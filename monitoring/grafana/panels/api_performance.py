"""The dashboard "API performance": which route is slow, since when, and for whom."""

from .builder import Dashboard, Panel, Query, Row
from .queries import API, HTTP, ROUTE_VARIABLE, dots, mean, per_second, quantile, quantiles, series, within

CATALOGUE = f'{API},route_class="catalogue"'
# Bounds of the histogram; the objective of the catalogue is 50 ms.
SLOW = ((0.025, "yellow"), (0.05, "red"))

SPEED = Row(100, "Speed", (
    Panel(1, "Latency by route", "Median and p95 of a whole request.", "s",
          quantiles(HTTP, API, "http_route", "{{http_route}}", (50, 95)), width=12, thresholds=SLOW, links=("errors-and-diagnostics",)),
    Panel(2, "The slowest of 100", "p99 by route: what one user of a hundred waits for.", "s",
          (quantile(99, HTTP, API, "http_route", "{{http_route}}"),), width=12, thresholds=SLOW),
    series(3, "Within 50 ms", "Share of the catalogue's requests that meet the objective; 99 % must.", "percentunit",
           within(HTTP, CATALOGUE, "0.05", "http_route"), "{{http_route}}", links=("slo-and-budgets",), thresholds=((0.99, "green"),), base="red"),
    series(4, "Mean by method", "The mean hides the slow ones, but moves when all become slower.", "s",
           mean(HTTP, API, "http_request_method"), "{{http_request_method}}", beside=(dots(HTTP, API),)),
    Panel(5, "The same by status", "p95 by status: failures that are quick are refusals, slow ones timeouts.", "s",
          (quantile(95, HTTP, API, "http_response_status_code", "{{http_response_status_code}}"),)),
))

LOAD = Row(101, "Load", (
    series(6, "Requests by route", "Per second.", "reqps", per_second(f"{HTTP}_count", API, "http_route"), "{{http_route}}"),
    series(7, "Requests by method", "Per second. Writes empty caches.", "reqps",
           per_second(f"{HTTP}_count", API, "http_request_method"), "{{http_request_method}}"),
    series(8, "Where the time goes", "Seconds spent per second, by route: a cheap route that is asked often may be the dearest.", "s",
           per_second(f"{HTTP}_sum", API, "http_route"), "{{http_route}}", stacked=True, beside=(dots(HTTP, API),)),
    series(9, "Under way by route", "Requests that are being served now. A line that only rises is a route that hangs.", "short",
           f"sum by (http_route) (http_server_active_requests{{{API}}})", "{{http_route}}", zero="requests end between two scrapes"),
    Panel(10, "All routes", "p50, p95 and p99 of everything that the API answers, scrapes among it.", "s",
          quantiles(HTTP, 'job="bookstore-api"', "", "all", (50, 95, 99))),
    series(11, "p99 by kind of route, five minutes", "The recorded series, for long ranges.", "s",
           "route_class:http_server_request_duration_seconds:p99_rate5m", "{{route_class}}", thresholds=((0.05, "yellow"), (10, "red")), beside=(dots(HTTP, API),)),
))

DASHBOARD = Dashboard(
    uid="api-performance",
    title="API performance",
    description="Which route is slow, since when, and under which load.",
    variables=(ROUTE_VARIABLE,),
    rows=(SPEED, LOAD),
)
