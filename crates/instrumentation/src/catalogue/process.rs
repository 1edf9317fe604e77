//! The process itself.

use super::metrics_family;

metrics_family! {
    family PROCESS_FAMILY;

    PROCESS_CPU_TIME = Counter "process.cpu.time" as "process_cpu_time_seconds_total",
        "s", ["cpu.mode"], &[],
        "Processor time used, whole seconds.";
    PROCESS_MEMORY_USAGE = Gauge "process.memory.usage" as "process_memory_usage_bytes",
        "By", [], &[],
        "Resident memory.";
    PROCESS_OPEN_FILE_DESCRIPTOR_COUNT = Gauge "process.open_file_descriptor.count" as "process_open_file_descriptor_count",
        "{file_descriptor}", [], &[],
        "Open file descriptors.";
    PROCESS_THREAD_COUNT = Gauge "process.thread.count" as "process_thread_count",
        "{thread}", [], &[],
        "Threads.";
    PROCESS_UPTIME = Gauge "process.uptime" as "process_uptime_seconds",
        "s", [], &[],
        "Time since the start.";
    BUILD_INFO = Gauge "bookstore.build.info" as "bookstore_build_info",
        "1", ["service.version"], &[],
        "1; the label tells which version runs.";
    TOKIO_WORKERS = Gauge "tokio.workers" as "tokio_workers",
        "{thread}", [], &[],
        "Worker threads of the runtime.";
    TOKIO_ALIVE_TASKS = Gauge "tokio.alive_tasks" as "tokio_alive_tasks",
        "{task}", [], &[],
        "Tasks that have not ended.";
    TOKIO_QUEUE_DEPTH = Gauge "tokio.global_queue.depth" as "tokio_global_queue_depth",
        "{task}", [], &[],
        "Tasks that wait in the runtime's shared queue.";
    TOKIO_BUSY_RATIO = Gauge "tokio.busy_ratio" as "tokio_busy_ratio",
        "1", [], &[],
        "Share of the workers' time since the last look that was spent in tasks.";
}
