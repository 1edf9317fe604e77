//! Looks at the process and its runtime once a second.

use std::time::{Duration, Instant};

use metrics::{Counter, Gauge};
use procfs::process::Process;
use tokio::runtime::Handle;

use crate::{MetricSources, catalogue};

/// The families that are on; those that are off have no series.
pub(crate) struct ProcessMetrics {
    process: Option<ProcessLook>,
    runtime: Option<RuntimeLook>,
}

struct ProcessLook {
    started: Instant,
    cpu_user: Counter,
    cpu_system: Counter,
    memory: Gauge,
    descriptors: Gauge,
    threads: Gauge,
    uptime: Gauge,
}

/// Handles of the runtime, and what the last look saw.
struct RuntimeLook {
    looked: Instant,
    busy: Duration,
    workers: Gauge,
    tasks: Gauge,
    queue: Gauge,
    busy_ratio: Gauge,
}

impl ProcessMetrics {
    pub(crate) fn new(sources: MetricSources) -> Self {
        Self {
            process: sources.process.then(ProcessLook::new),
            runtime: sources.runtime.then(RuntimeLook::new),
        }
    }

    pub(crate) fn observe(&mut self) {
        if let Some(process) = &self.process {
            process.observe();
        }
        if let Some(runtime) = &mut self.runtime {
            runtime.observe();
        }
    }
}

impl ProcessLook {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            cpu_user: catalogue::PROCESS_CPU_TIME.counter(&[("cpu.mode", "user")]),
            cpu_system: catalogue::PROCESS_CPU_TIME.counter(&[("cpu.mode", "system")]),
            memory: catalogue::PROCESS_MEMORY_USAGE.gauge(&[]),
            descriptors: catalogue::PROCESS_OPEN_FILE_DESCRIPTOR_COUNT.gauge(&[]),
            threads: catalogue::PROCESS_THREAD_COUNT.gauge(&[]),
            uptime: catalogue::PROCESS_UPTIME.gauge(&[]),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are doubles; counts stay far below 2^53"
    )]
    fn observe(&self) {
        self.uptime.set(self.started.elapsed().as_secs_f64());
        let Ok(process) = Process::myself() else {
            return;
        };
        if let Ok(stat) = process.stat() {
            let ticks = procfs::ticks_per_second().max(1);
            self.cpu_user.absolute(stat.utime / ticks);
            self.cpu_system.absolute(stat.stime / ticks);
            self.memory.set((stat.rss * procfs::page_size()) as f64);
            self.threads.set(stat.num_threads as f64);
        }
        if let Ok(count) = process.fd_count() {
            self.descriptors.set(count as f64);
        }
    }
}

impl RuntimeLook {
    fn new() -> Self {
        Self {
            looked: Instant::now(),
            busy: Duration::ZERO,
            workers: catalogue::TOKIO_WORKERS.gauge(&[]),
            tasks: catalogue::TOKIO_ALIVE_TASKS.gauge(&[]),
            queue: catalogue::TOKIO_QUEUE_DEPTH.gauge(&[]),
            busy_ratio: catalogue::TOKIO_BUSY_RATIO.gauge(&[]),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are doubles; counts stay far below 2^53"
    )]
    fn observe(&mut self) {
        let now = Instant::now();
        let runtime = Handle::current().metrics();
        let workers = runtime.num_workers();
        self.workers.set(workers as f64);
        self.tasks.set(runtime.num_alive_tasks() as f64);
        self.queue.set(runtime.global_queue_depth() as f64);
        let busy: Duration = (0..workers)
            .map(|w| runtime.worker_total_busy_duration(w))
            .sum();
        let available = (now - self.looked).as_secs_f64() * workers as f64;
        if available > 0.0 {
            let used = busy.saturating_sub(self.busy).as_secs_f64();
            self.busy_ratio.set((used / available).min(1.0));
        }
        (self.looked, self.busy) = (now, busy);
    }
}
