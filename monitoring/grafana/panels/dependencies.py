"""The dashboard "Dependencies": MongoDB, SQLite, Redis, and the caches before them."""

from .builder import Dashboard, Panel, Row
from .queries import BY_SERVICE, SERVICE_VARIABLES, STORE, per_second, quantile, quantiles, rate, series, share_of

SYSTEM = "{{db_system_name}}"
LOOKED_UP = "bookstore_cache_requests_total"
SLOW = ((0.01, "yellow"), (0.1, "red"))

STORES = Row(100, "Stores", (
    series(1, "Calls", "Per second, by store and operation.", "ops",
           per_second(f"{STORE}_count", BY_SERVICE, "db_system_name, db_operation_name"), SYSTEM + " {{db_operation_name}}"),
    Panel(2, "Latency of stores", "Median and p95, waiting for a connection included.", "s",
          quantiles(STORE, BY_SERVICE, "db_system_name", SYSTEM, (50, 95)), thresholds=SLOW, links=("api-performance",)),
    Panel(3, "Latency by collection", "p99 of the calls for each collection: the one that lacks an index stands out.", "s",
          (quantile(99, STORE, f'{BY_SERVICE},db_collection_name!=""', "db_collection_name", "{{db_collection_name}}"),), thresholds=SLOW, links=("api-performance",)),
    series(4, "Share of calls that fail", "By store.", "percentunit",
           share_of(rate(f"{STORE}_count", f'{BY_SERVICE},error_type!=""'), rate(f"{STORE}_count", BY_SERVICE), "db_system_name"), SYSTEM,
           thresholds=((0.001, "yellow"), (0.01, "red")), links=("errors-and-diagnostics",)),
    series(5, "Connections", "Places for calls, used and idle.", "short",
           f"sum by (db_system_name, state) (db_client_connection_count{{{BY_SERVICE}}})", SYSTEM + " {{state}}"),
    series(6, "Calls that wait", "For a place. More than none for long means that the store is the limit.", "short",
           f"sum by (db_system_name) (db_client_connection_pending_requests{{{BY_SERVICE}}})", SYSTEM, zero="nobody waits while the store keeps up", thresholds=((1, "yellow"), (10, "red"))),
    Panel(7, "Wait for a place", "p95 of the wait alone.", "s",
          (quantile(95, "db_client_connection_wait_time_seconds", BY_SERVICE, "db_system_name", SYSTEM),), thresholds=SLOW),
    series(14, "Stores left alone", "1 while a store does not answer, so that calls are refused at once and probes alone ask it.", "short",
           f"max by (db_system_name) (bookstore_store_circuit_state{{{BY_SERVICE}}})", SYSTEM, thresholds=((1, "red"),), links=("errors-and-diagnostics",),
           empty="the books of the check lie in SQLite, which has no circuit"),
))

CACHES = Row(101, "Caches", (
    series(8, "Hits of the first level", "Share of the look-ups that the process answers by itself.", "percentunit",
           share_of(rate(LOOKED_UP, f'{BY_SERVICE},cache_level="l1",outcome="hit"'), rate(LOOKED_UP, f'{BY_SERVICE},cache_level="l1"'), "cache_name"), "{{cache_name}}"),
    series(9, "Look-ups", "Per second, by level and outcome; a bypass is a Redis that is away.", "ops",
           per_second(LOOKED_UP, BY_SERVICE, "cache_level, outcome"), "{{cache_level}} {{outcome}}"),
    series(10, "Look-ups of summaries", "Per second. A miss of the store is a call to the model.", "ops",
           per_second(LOOKED_UP, f'{BY_SERVICE},cache_name=~"summar.*"', "cache_level, outcome"), "{{cache_level}} {{outcome}}", links=("llm-cost-and-tokens",)),
    series(11, "Size of the first level", "Bytes, by cache.", "bytes", f"sum by (cache_name) (bookstore_cache_size_bytes{{{BY_SERVICE}}})", "{{cache_name}}"),
    series(12, "Entries of the first level", "By cache.", "short", f"sum by (cache_name) (bookstore_cache_entries{{{BY_SERVICE}}})", "{{cache_name}}"),
    series(13, "Evictions", "Entries per second that were dropped for want of room.", "ops",
           per_second("bookstore_cache_evictions_total", BY_SERVICE, "cache_name"), "{{cache_name}}"),
))

DASHBOARD = Dashboard(
    uid="dependencies",
    title="Dependencies",
    description="MongoDB, SQLite and Redis, and the caches before them.",
    variables=SERVICE_VARIABLES,
    rows=(STORES, CACHES),
)
