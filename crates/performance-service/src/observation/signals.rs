//! The expressions behind the signals of a target. Metrics are those of the catalogue.

use instrumentation::catalogue::{self, Metric};
use load_analysis::resources::Signal;

/// CPU time is counted in whole seconds, of which a shorter time has too few.
const LEAST_CPU_WINDOW: u32 = 10;

/// Points that a rate is made of, so that one missed scrape leaves no gap.
const SCRAPES_PER_WINDOW: u32 = 4;

/// Selects the series of one target.
pub(super) struct Selector {
    /// Its `instance` label: host and port.
    instance: String,
    /// Seconds between two scrapes.
    scrape: u32,
}

impl Selector {
    pub(super) fn new(instance: &str, scrape: u32) -> Self {
        // The instance is host and port of an address that was parsed; quotes have no place in it.
        Self {
            instance: instance.replace(['"', '\\', '\n'], ""),
            scrape,
        }
    }

    /// The scrapes of a target in two minutes.
    pub(super) fn scrapes(instance: &str) -> String {
        let selector = Self::new(instance, 0);
        format!("up{{{}}}[2m]", selector.labels())
    }

    /// Every signal with its expression. What a target does not have yields no series.
    pub(super) fn expressions(&self) -> Vec<(Signal, String)> {
        let mut expressions = self.of_process();
        expressions.extend(self.of_stores());
        expressions.extend(self.of_models());
        expressions
    }

    fn of_process(&self) -> Vec<(Signal, String)> {
        let requests = &catalogue::HTTP_SERVER_REQUEST_DURATION;
        let descriptors = &catalogue::PROCESS_OPEN_FILE_DESCRIPTOR_COUNT;
        let gauge = |metric: &Metric| self.gauge(metric, "");
        vec![
            (Signal::Cpu, self.cpu()),
            (Signal::WorkersBusy, gauge(&catalogue::TOKIO_BUSY_RATIO)),
            (Signal::TasksWaiting, gauge(&catalogue::TOKIO_QUEUE_DEPTH)),
            (Signal::Memory, gauge(&catalogue::PROCESS_MEMORY_USAGE)),
            (Signal::Threads, gauge(&catalogue::PROCESS_THREAD_COUNT)),
            (Signal::Descriptors, gauge(descriptors)),
            (Signal::RequestsBusy, self.seconds(requests, "")),
        ]
    }

    fn of_stores(&self) -> Vec<(Signal, String)> {
        let system = "db_system_name";
        let calls = &catalogue::DB_CLIENT_OPERATION_DURATION;
        let waits = &catalogue::DB_CLIENT_CONNECTION_WAIT_TIME;
        vec![
            (Signal::StoreBusy, self.seconds(calls, system)),
            (Signal::StoreP95, self.p95(calls, system)),
            (Signal::PoolBusy, self.seconds(waits, system)),
            (Signal::CacheHits, self.cache_hits()),
        ]
    }

    fn of_models(&self) -> Vec<(Signal, String)> {
        let provider = "gen_ai_provider_name";
        let calls = &catalogue::GEN_AI_CLIENT_OPERATION_DURATION;
        let first = &catalogue::GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK;
        let queue = &catalogue::GEN_AI_QUEUE_DURATION;
        let backoff = &catalogue::GEN_AI_BACKOFF_DURATION;
        let refusals = self.rate(&catalogue::GEN_AI_REFUSALS, "gen_ai_provider_name, reason");
        let circuit = self.gauge(&catalogue::GEN_AI_CIRCUIT_STATE, provider);
        vec![
            (Signal::ModelBusy, self.seconds(calls, provider)),
            (Signal::ModelFirstChunkP95, self.p95(first, provider)),
            (Signal::ModelQueueBusy, self.seconds(queue, provider)),
            (Signal::ModelBackoffBusy, self.seconds(backoff, provider)),
            (Signal::ModelRefusals, refusals),
            (Signal::Circuit, circuit),
        ]
    }

    /// Seconds that rates are made over.
    pub(super) const fn window(&self) -> u32 {
        self.scrape * SCRAPES_PER_WINDOW
    }

    /// The largest of a gauge.
    fn gauge(&self, metric: &Metric, by: &str) -> String {
        format!("max by ({by}) ({}{{{}}})", metric.prometheus, self.labels())
    }

    /// Seconds spent per second.
    fn seconds(&self, metric: &Metric, by: &str) -> String {
        self.rate_of(&format!("{}_sum", metric.prometheus), by)
    }

    fn rate(&self, metric: &Metric, by: &str) -> String {
        self.rate_of(metric.prometheus, by)
    }

    fn rate_of(&self, series: &str, by: &str) -> String {
        let (labels, window) = (self.labels(), self.window());
        format!("sum by ({by}) (rate({series}{{{labels}}}[{window}s]))")
    }

    fn p95(&self, metric: &Metric, by: &str) -> String {
        let buckets = self.rate_of(
            &format!("{}_bucket", metric.prometheus),
            &format!("le, {by}"),
        );
        format!("histogram_quantile(0.95, {buckets})")
    }

    fn cpu(&self) -> String {
        let window = self.window().max(LEAST_CPU_WINDOW);
        let metric = catalogue::PROCESS_CPU_TIME.prometheus;
        format!("sum(rate({metric}{{{}}}[{window}s]))", self.labels())
    }

    /// What a level answered, of what it was asked.
    fn cache_hits(&self) -> String {
        let metric = catalogue::BOOKSTORE_CACHE_REQUESTS.prometheus;
        let (labels, window) = (self.labels(), self.window());
        let rate = |outcome: &str| {
            format!(
                "sum by (cache_name, cache_level) \
                 (rate({metric}{{{labels},cache_level=~\"l1|l2\"{outcome}}}[{window}s]))"
            )
        };
        format!("{} / {}", rate(",outcome!~\"miss|bypass\""), rate(""))
    }

    fn labels(&self) -> String {
        format!("instance=\"{}\"", self.instance)
    }
}
