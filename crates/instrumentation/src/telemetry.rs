//! Starts and ends telemetry for a process.

use std::{io::IsTerminal, time::Duration};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::task::JoinHandle;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    LogFormat, MetricsText, TelemetryConfig, catalogue, exemplar_check,
    json_log::JsonLog,
    log_loss::LogLoss,
    log_queue::{LogGuard, LogQueue},
    metrics_export::{install, spawn_upkeep},
    traces,
};

/// How long the end of the process waits for the last spans.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter cannot be read.
    #[error("RUST_LOG: {0}")]
    Filter(String),
    /// The address of a collector, or of the trace store, cannot be used.
    #[error("a collector of traces: {0}")]
    Endpoint(String),
    /// The system gives no thread for the log.
    #[error("the log: {0}")]
    Log(#[from] std::io::Error),
    /// Telemetry was started before in this process.
    #[error("telemetry runs already in this process")]
    AlreadyStarted,
}

/// The process' telemetry; lives as long as the process serves.
pub struct Telemetry {
    /// None where they are turned off.
    metrics: Option<MetricsText>,
    jobs: Vec<JoinHandle<()>>,
    log_guard: LogGuard,
}

impl Telemetry {
    /// Starts logs, metrics and traces. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Settings that cannot be used, or a second start in one process.
    pub fn start(config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let (queue, log_guard) = LogQueue::start(std::io::stdout())?;
        let log = log(config, queue.clone())?;
        config.switches.set();
        // First, for what traces count.
        let metrics = match config.switches.metrics {
            Some(_) => Some(install().ok_or(TelemetryError::AlreadyStarted)?),
            None => None,
        };
        let spans = traces::start(config)?.as_ref().map(span_layer);
        tracing_subscriber::registry()
            .with(spans)
            .with(log)
            .try_init()
            .map_err(|_| TelemetryError::AlreadyStarted)?;
        let jobs = match &metrics {
            Some(text) => jobs(text, config, queue)?,
            None => Vec::new(),
        };
        Ok(Self {
            metrics,
            jobs,
            log_guard,
        })
    }

    /// Renders what `/metrics` shows; `None` where metrics are turned off.
    #[must_use]
    pub fn metrics(&self) -> Option<MetricsText> {
        self.metrics.clone()
    }

    /// Exports what is still queued, for at most a few seconds, and ends.
    pub async fn shutdown(self) {
        for job in self.jobs {
            job.abort();
        }
        if let Some(traces) = traces::current()
            && !traces.flush(FLUSH_TIMEOUT).await
        {
            tracing::warn!("the last spans could not be exported");
        }
        // Dropping the guard writes the queued log lines.
        drop(self.log_guard);
    }
}

/// What goes on beside the process' work while it counts.
fn jobs(
    text: &MetricsText,
    config: &TelemetryConfig,
    queue: LogQueue,
) -> Result<Vec<JoinHandle<()>>, TelemetryError> {
    let sources = config.switches.metrics;
    let version = [("service.version", config.service_version)];
    catalogue::BUILD_INFO.gauge(&version).set(1.0);
    let mut jobs: Vec<_> = sources
        .map(|sources| spawn_upkeep(text.clone(), sources, LogLoss::new(queue)))
        .into_iter()
        .collect();
    if let Some(url) = config.trace_query_url().map_err(TelemetryError::Endpoint)? {
        let job = exemplar_check::spawn(url, text.exemplars());
        jobs.push(job.map_err(|error| TelemetryError::Endpoint(error.to_string()))?);
    }
    Ok(jobs)
}

/// A layer over others.
type BoxedLayer<S> = Box<dyn Layer<S> + Send + Sync>;

/// Log lines as the configuration wants them.
fn log<S>(config: &TelemetryConfig, queue: LogQueue) -> Result<BoxedLayer<S>, TelemetryError>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|error| TelemetryError::Filter(error.to_string()))?
        // Without the hint, every disabled event of every crate is looked at.
        .and(filter_fn(has_no_credentials).with_max_level_hint(LevelFilter::TRACE));
    Ok(match config.log_format {
        LogFormat::Json => JsonLog::new(config.service_name.clone(), queue)
            .with_filter(filter)
            .boxed(),
        LogFormat::Pretty => tracing_subscriber::fmt::layer()
            .with_ansi(std::io::stdout().is_terminal())
            .with_writer(queue)
            .with_filter(filter)
            .boxed(),
    })
}

/// Bedrock's SDK writes the access key's name into its debug lines.
fn has_no_credentials(line: &Metadata<'_>) -> bool {
    *line.level() <= Level::INFO || !line.target().starts_with("aws_")
}

/// Our spans, as the provider wants them.
fn span_layer(provider: &SdkTracerProvider) -> BoxedLayer<Registry> {
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(traces::TRACER))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        // Whoever needs the context of the current span asks the span for it.
        .with_context_activation(false)
        .with_filter(
            filter_fn(|metadata| metadata.is_span() && is_ours(metadata.target()))
                // Without it every disabled event of every crate is looked at.
                .with_max_level_hint(LevelFilter::INFO),
        )
        .boxed()
}

/// Spans of other crates (HTTP/2 frames, TLS) would make a trace unreadable and feed the exporter
/// with its own calls.
fn is_ours(target: &str) -> bool {
    const OURS: [&str; 11] = [
        "instrumentation",
        "service_defaults",
        "storage",
        "llm",
        "bookstore_api",
        "performance_",
        "load_runner",
        "llm_simulator",
        "fault_proxy",
        "load_analysis",
        "test_support",
    ];
    OURS.iter().any(|prefix| target.starts_with(prefix))
}
