//! What load generators measure, as it is written to Prometheus while a run goes on: k6's own
//! metrics, their times in seconds. `/metrics` shows none of it.
//!
//! This is the one place where an identifier is a label: these series live as long as their run.

use super::metrics_family;
use crate::buckets::{DURATION, MODEL_DURATION};

metrics_family! {
    family LOAD_FAMILY;

    LOAD_ACTIVE = Gauge "k6.run.active" as "k6_run_active",
        "1", ["test.id", "scenario"], &[],
        "1 while a run puts load on its target.";
    LOAD_VERDICT = Gauge "k6.run.verdict" as "k6_run_verdict",
        "1", ["test.id", "scenario", "verdict"], &[],
        "1 for a quarter of a minute when a run is judged.";
    LOAD_USERS = Gauge "k6.vus" as "k6_vus",
        "{user}", ["test.id", "scenario"], &[],
        "Virtual users.";
    LOAD_ITERATIONS = Counter "k6.iterations" as "k6_iterations_total",
        "{iteration}", ["test.id", "scenario", "k6.scenario"], &[],
        "Iterations that ended.";
    LOAD_DROPPED_ITERATIONS = Counter "k6.dropped_iterations" as "k6_dropped_iterations_total",
        "{iteration}", ["test.id", "scenario", "k6.scenario"], &[],
        "Iterations that were due and that no user was free for.";
    LOAD_REQUESTS = Counter "k6.http_reqs" as "k6_http_reqs_total",
        "{request}", ["test.id", "scenario", "k6.scenario", "route_class", "status"], &[],
        "Requests that ended; status 0 without an answer.";
    LOAD_FAILED_REQUESTS = Counter "k6.http_req_failed" as "k6_http_req_failed_total",
        "{request}", ["test.id", "scenario", "k6.scenario", "route_class"], &[],
        "Requests whose answer was none that the script expects.";
    LOAD_REQUEST_DURATION = Histogram "k6.http_req_duration" as "k6_http_req_duration_seconds",
        "s", ["test.id", "scenario", "k6.scenario", "route_class"], DURATION,
        "Time of a request as its user sees it, without the connecting.";
    LOAD_CHECKS = Counter "k6.checks" as "k6_checks_total",
        "{check}", ["test.id", "scenario", "k6.scenario", "result"], &[],
        "Checks of the script by result (pass, fail).";
    LOAD_DATA_RECEIVED = Counter "k6.data_received" as "k6_data_received_bytes_total",
        "By", ["test.id", "scenario", "k6.scenario"], &[],
        "Bytes of answers.";
    LOAD_FIRST_TOKEN = Histogram "k6.ai_ttft" as "k6_ai_ttft_seconds",
        "s", ["test.id", "scenario", "k6.scenario", "provider"], MODEL_DURATION,
        "Time to the first token of an answer, as its user sees it.";
    LOAD_TOKENS = Counter "k6.ai_tokens" as "k6_ai_tokens_total",
        "{token}", ["test.id", "scenario", "provider", "token.kind"], &[],
        "Tokens of the answers that users got, by kind (input, output).";
    LOAD_COST = Counter "k6.ai_cost" as "k6_ai_cost_pico_usd_total",
        "pUSD", ["test.id", "scenario", "provider", "simulated"], &[],
        "Cost of the answers that users got, in units of 1e-12 USD.";
}
