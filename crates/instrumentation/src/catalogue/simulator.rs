//! The model server's side of a call, as the simulator sees it.

use super::metrics_family;
use crate::buckets::{MODEL_DURATION, SERVER_FIRST_TOKEN, SERVER_TOKEN};

metrics_family! {
    family SIMULATOR_FAMILY;

    GEN_AI_SERVER_REQUEST_DURATION = Histogram "gen_ai.server.request.duration" as "gen_ai_server_request_duration_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "error.type"], MODEL_DURATION,
        "Time of one call as the model server sees it.";
    GEN_AI_SERVER_TIME_TO_FIRST_TOKEN = Histogram "gen_ai.server.time_to_first_token" as "gen_ai_server_time_to_first_token_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"], SERVER_FIRST_TOKEN,
        "Time until the model server had its first token.";
    GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN = Histogram "gen_ai.server.time_per_output_token" as "gen_ai_server_time_per_output_token_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"], SERVER_TOKEN,
        "Time per token after the first one.";
    SIMULATOR_FAULTS = Counter "simulator.faults" as "simulator_faults_total",
        "{fault}", ["kind"], &[],
        "Faults that the simulator played by rule.";
}
