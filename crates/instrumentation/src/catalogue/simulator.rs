//! The model server's side of a call, as the simulator sees it.

use super::metrics_family;
use crate::buckets::{MODEL_DURATION, SERVER_FIRST_TOKEN, SERVER_TOKEN};

metrics_family! {
    family SIMULATOR_FAMILY;

    GEN_AI_SERVER_REQUEST_DURATION = Histogram "gen_ai.server.request.duration" as "gen_ai_server_request_duration_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "error.type"], MODEL_DURATION,
        "Time from a model request's arrival to the end of its answer.";
    GEN_AI_SERVER_TIME_TO_FIRST_TOKEN = Histogram "gen_ai.server.time_to_first_token" as "gen_ai_server_time_to_first_token_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"], SERVER_FIRST_TOKEN,
        "Time from a model request's arrival to the first token of a whole answer.";
    GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN = Histogram "gen_ai.server.time_per_output_token" as "gen_ai_server_time_per_output_token_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"], SERVER_TOKEN,
        "Mean time of the tokens after the first one of a whole answer.";
    SIMULATOR_FAULTS = Counter "simulator.faults" as "simulator_faults_total",
        "{fault}", ["gen_ai.provider.name", "fault"], &[],
        "Calls and connections that a fault rule hit, by fault (status, cut, silence …).";
    SIMULATOR_INVOICE = Counter "simulator.invoice" as "simulator_invoice_pico_usd_total",
        "pUSD", ["gen_ai.provider.name", "gen_ai.request.model"], &[],
        "What the simulator charges for its calls, in units of 1e-12 USD.";
    SIMULATOR_UNPRICED_CALLS = Counter "simulator.unpriced_calls" as "simulator_unpriced_calls_total",
        "{call}", ["gen_ai.provider.name", "gen_ai.request.model"], &[],
        "Calls of the simulator whose model has no price on its list.";
}
