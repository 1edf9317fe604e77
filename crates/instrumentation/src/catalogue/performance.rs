//! Runs of load tests.

use super::metrics_family;
use crate::buckets::{DURATION, QUEUE_WAIT};

metrics_family! {
    family PERFORMANCE_FAMILY;

    PERFORMANCE_RUNS = Counter "performance.runs" as "performance_runs_total",
        "{run}", ["scenario", "verdict"], &[],
        "Runs that ended, by scenario and verdict.";
    PERFORMANCE_RUNS_ACTIVE = Gauge "performance.runs.active" as "performance_runs_active",
        "{run}", [], &[],
        "Runs under way.";
    PERFORMANCE_QUEUE_DEPTH = Gauge "performance.queue.depth" as "performance_queue_depth",
        "{run}", [], &[],
        "Runs that wait for their turn.";
    PERFORMANCE_QUEUE_WAIT = Histogram "performance.queue.wait" as "performance_queue_wait_seconds",
        "s", [], QUEUE_WAIT,
        "Time that runs waited for their turn.";
    PERFORMANCE_VERDICT_DURATION = Histogram "performance.verdict.duration" as "performance_verdict_duration_seconds",
        "s", [], DURATION,
        "Time that it took to judge a run whose load was over.";
    PERFORMANCE_EVENTS_SUBSCRIBERS = Gauge "performance.events.subscribers" as "performance_events_subscribers",
        "{subscriber}", [], &[],
        "Watchers of runs at this moment, by server-sent events or WebSocket.";
    PERFORMANCE_RUN_SPEND = Counter "performance.run.spend" as "performance_run_spend_pico_usd_total",
        "pUSD", ["simulated"], &[],
        "Cost of the model calls of runs that ended, in units of 1e-12 USD.";
    PERFORMANCE_BUDGET_STOPS = Counter "performance.budget.stops" as "performance_budget_stops_total",
        "{run}", ["simulated"], &[],
        "Runs that were stopped because they reached their cap.";
    PERFORMANCE_INGEST_SAMPLES = Counter "performance.ingest.samples" as "performance_ingest_samples_total",
        "{sample}", [], &[],
        "Samples read from the load generator.";
    PERFORMANCE_INGEST_LAG = Gauge "performance.ingest.lag" as "performance_ingest_lag_seconds",
        "s", [], &[],
        "Age of the newest sample that was read.";
    PERFORMANCE_WEBHOOK_ATTEMPTS = Counter "performance.webhook.attempts" as "performance_webhook_attempts_total",
        "{attempt}", ["outcome"], &[],
        "Messages sent to webhooks, by what became of the delivery.";
    PERFORMANCE_REMOTE_WRITES = Counter "performance.remote_write.requests" as "performance_remote_write_requests_total",
        "{request}", ["outcome"], &[],
        "Seconds of runs on their way to Prometheus, by outcome (written, refused, failed, skipped).";
    PERFORMANCE_STORAGE_SIZE = Gauge "performance.storage.size" as "performance_storage_size_bytes",
        "By", ["kind"], &[],
        "What is kept: the database, and the files of runs; looked at each hour.";
}
