//! Telemetry about telemetry.

use super::metrics_family;

metrics_family! {
    family TELEMETRY_FAMILY;

    TELEMETRY_DROPPED_SPANS = Counter "bookstore.telemetry.dropped_spans" as "bookstore_telemetry_dropped_spans_total",
        "{span}", ["exporter", "reason"], &[],
        "Spans that a collector did not get (queue_full, export_failed), or that found no room until their request's end (tail_full).";
    TELEMETRY_DROPPED_LOG_LINES = Counter "bookstore.telemetry.dropped_log_lines" as "bookstore_telemetry_dropped_log_lines_total",
        "{line}", [], &[],
        "Log lines that found no room, since who reads them is slower than who writes them.";
    EXEMPLARS_DANGLING_RATIO = Gauge "bookstore.exemplars.dangling_ratio" as "bookstore_exemplars_dangling_ratio",
        "1", [], &[],
        "Share of the 200 late exemplars' traces that were looked up and that the trace store does not have; NaN until there are any, and while it does not answer.";
    EXEMPLARS_LOOK_UPS = Counter "bookstore.exemplars.look_ups" as "bookstore_exemplars_look_ups_total",
        "{look_up}", ["outcome"], &[],
        "Traces of exemplars looked up in the trace store, by outcome (found, missing, failed).";
}
