//! Telemetry about telemetry.

use super::metrics_family;

metrics_family! {
    family TELEMETRY_FAMILY;

    TELEMETRY_DROPPED_SPANS = Counter "bookstore.telemetry.dropped_spans" as "bookstore_telemetry_dropped_spans_total",
        "{span}", ["exporter", "reason"], &[],
        "Spans that a collector did not get (queue_full, export_failed), or that found no room until their request's end (tail_full).";
    EXEMPLARS_DANGLING_RATIO = Gauge "bookstore.exemplars.dangling_ratio" as "bookstore_exemplars_dangling_ratio",
        "1", [], &[],
        "Share of the last 200 exemplars' traces that the trace store does not have; NaN while it does not answer.";
}
