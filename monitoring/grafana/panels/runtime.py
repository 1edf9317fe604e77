"""The dashboard "Runtime": the processes themselves."""

from .builder import Dashboard, Row
from .queries import ANY, BY_SERVICE, SERVICE_VARIABLES, per_second, series, stat

PROCESS = Row(100, "Process", (
    series(1, "Processor", "Cores in use, by mode. The counter has whole seconds, so short ranges are jagged.", "short",
           per_second("process_cpu_time_seconds_total", BY_SERVICE, "job, cpu_mode"), "{{job}} {{cpu_mode}}"),
    series(2, "Memory", "Resident bytes.", "bytes", f"process_memory_usage_bytes{{{BY_SERVICE}}}", "{{job}}"),
    series(3, "Open files", "Descriptors, connections among them.", "short", f"process_open_file_descriptor_count{{{BY_SERVICE}}}", "{{job}}"),
    series(4, "Threads", "Of the whole process.", "short", f"process_thread_count{{{BY_SERVICE}}}", "{{job}}"),
    stat(5, "Up for", "Time since the start.", "s", f"process_uptime_seconds{{{BY_SERVICE}}}", "{{job}}", width=8),
    stat(6, "Restarts", "Starts within the range shown, beyond the first.", "short",
         f"resets(process_uptime_seconds{{{BY_SERVICE}}}[$__range])", "{{job}}", width=8, thresholds=((1, "yellow"), (3, "red"))),
    stat(18, "Instances by version", "More than one version of a service: a deploy is under way, or has stopped half way.", "short",
         f"count by (job, service_version) (bookstore_build_info{{{BY_SERVICE}}})", "{{job}} {{service_version}}", width=8),
))

TOKIO = Row(101, "Tokio", (
    series(7, "Busy workers", "Share of the workers' time that was spent in tasks. Near 1, the processor is the limit.", "percentunit",
           f"tokio_busy_ratio{{{BY_SERVICE}}}", "{{job}}", thresholds=((0.8, "yellow"), (0.95, "red"))),
    series(8, "Tasks", "That have not ended. A line that only rises is a leak.", "short", f"tokio_alive_tasks{{{BY_SERVICE}}}", "{{job}}"),
    series(9, "Waiting tasks", "In the runtime's shared queue.", "short", f"tokio_global_queue_depth{{{BY_SERVICE}}}", "{{job}}", zero="tasks are taken at once", thresholds=((1, "yellow"), (100, "red"))),
    stat(10, "Workers", "Threads of the runtime.", "short", f"tokio_workers{{{BY_SERVICE}}}", "{{job}}", width=8),
))

SCRAPES = Row(102, "What Prometheus sees", (
    series(11, "Time of a scrape", "By target; near the timeout, the target is short of processor time.", "s",
           f"scrape_duration_seconds{{{BY_SERVICE}}}", "{{job}}", thresholds=((2, "yellow"), (10, "red")),
           untraced="Prometheus sends no trace with a scrape"),
    series(12, "Series", "By target; 50,000 are the limit. A line that only rises is a label without a bound.", "short",
           f"scrape_samples_post_metric_relabeling{{{BY_SERVICE}}}", "{{job}}", thresholds=((40000, "yellow"), (50000, "red"))),
    series(13, "Exemplars", "That Prometheus keeps, to open traces by.", "short", "prometheus_tsdb_exemplar_exemplars_in_storage", "exemplars"),
))

TRACES = Row(103, "Traces", (
    series(14, "Spans dropped", "By what they were dropped for: a collector that does not take them (export_failed) or is too slow (queue_full), "
           "or too many requests that wait for their end (tail_full). Requests go on without them.", "short",
           per_second("bookstore_telemetry_dropped_spans_total", BY_SERVICE, "job, exporter, reason"), "{{job}} {{exporter}} {{reason}}",
           thresholds=ANY, zero="the collector takes all"),
    series(15, "Exemplars that lead nowhere", "Share of the traces behind the last 200 exemplars that the trace store does not have. Above 0, "
           "clicks on a chart end in 'not found'.", "percentunit",
           f"bookstore_exemplars_dangling_ratio{{{BY_SERVICE}}}", "{{job}}", thresholds=((0.005, "yellow"), (0.05, "red")), zero="every trace is there"),
    series(16, "Exemplars looked up", "Traces of exemplars that were looked for in the trace store, by what came of it: failed means that it did not answer.",
           "short", per_second("bookstore_exemplars_look_ups_total", BY_SERVICE, "job, outcome"), "{{job}} {{outcome}}"),
    series(17, "Log lines dropped", "Lines for which there was no room, since whoever reads them is too slow. Requests go on without them.", "short",
           per_second("bookstore_telemetry_dropped_log_lines_total", BY_SERVICE, "job"), "{{job}}", thresholds=ANY, zero="the reader takes all"),
))

DASHBOARD = Dashboard(
    uid="runtime",
    title="Runtime",
    description="The processes themselves: processor, memory, tasks.",
    variables=SERVICE_VARIABLES,
    rows=(PROCESS, TOKIO, SCRAPES, TRACES),
)
