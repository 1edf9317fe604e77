//! Starts and ends telemetry for a process.

use std::{io::IsTerminal, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use tokio::task::JoinHandle;
use tonic::transport::Endpoint;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    LogFormat, MetricsText, TelemetryConfig,
    json_log::JsonLog,
    metrics_export::{install, spawn_upkeep},
};

/// Lines that wait for a slow terminal or pipe before new ones are dropped.
const LOG_QUEUE_LINES: usize = 8_192;

/// Finished spans that wait for the collector before new ones are dropped.
const SPAN_QUEUE: usize = 8_192;

/// Spans of one export.
const SPAN_BATCH: usize = 512;

/// How long a finished span waits for company.
const SPAN_DELAY: Duration = Duration::from_millis(500);

/// How long one export may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter cannot be read.
    #[error("RUST_LOG: {0}")]
    Filter(String),
    /// The collector's address cannot be used.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Endpoint(String),
    /// Telemetry was started before in this process.
    #[error("telemetry runs already in this process")]
    AlreadyStarted,
}

/// The process' telemetry; lives as long as the process serves.
pub struct Telemetry {
    metrics: MetricsText,
    upkeep: JoinHandle<()>,
    provider: Option<SdkTracerProvider>,
    log_guard: WorkerGuard,
}

impl Telemetry {
    /// Starts logs, metrics and traces. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Settings that cannot be used, or a second start in one process.
    pub fn start(config: &TelemetryConfig) -> Result<Self, TelemetryError> {
        let (writer, log_guard) = NonBlockingBuilder::default()
            .buffered_lines_limit(LOG_QUEUE_LINES)
            .finish(std::io::stdout());
        let filter = || {
            EnvFilter::try_new(&config.log_filter)
                .map_err(|error| TelemetryError::Filter(error.to_string()))
        };
        let (json, pretty) = match config.log_format {
            LogFormat::Json => {
                let layer = JsonLog::new(config.service_name.clone(), writer);
                (Some(layer.with_filter(filter()?)), None)
            }
            LogFormat::Pretty => {
                let layer = tracing_subscriber::fmt::layer()
                    .with_ansi(std::io::stdout().is_terminal())
                    .with_writer(writer);
                (None, Some(layer.with_filter(filter()?)))
            }
        };
        let provider = config
            .otlp_endpoint
            .as_deref()
            .map(|url| provider(config, url))
            .transpose()?;
        let traces = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("bookstore"))
                .with_location(false)
                .with_threads(false)
                .with_tracked_inactivity(false)
                // Whoever needs the context of the current span asks the span for it.
                .with_context_activation(false)
                .with_filter(
                    filter_fn(|metadata| metadata.is_span() && is_ours(metadata.target()))
                        // Without it every disabled event of every crate is looked at.
                        .with_max_level_hint(LevelFilter::INFO),
                )
        });
        tracing_subscriber::registry()
            .with(traces)
            .with(json)
            .with(pretty)
            .try_init()
            .map_err(|_| TelemetryError::AlreadyStarted)?;
        let metrics = install().ok_or(TelemetryError::AlreadyStarted)?;
        let upkeep = spawn_upkeep(metrics.clone());
        Ok(Self {
            metrics,
            upkeep,
            provider,
            log_guard,
        })
    }

    /// Renders what `/metrics` shows.
    #[must_use]
    pub fn metrics(&self) -> MetricsText {
        self.metrics.clone()
    }

    /// Exports what is still queued, for at most a few seconds, and ends.
    pub async fn shutdown(self) {
        self.upkeep.abort();
        if let Some(provider) = self.provider {
            let flush =
                tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(EXPORT_TIMEOUT));
            if !matches!(flush.await, Ok(Ok(()))) {
                tracing::warn!("the last spans could not be exported");
            }
        }
        // Dropping the guard writes the queued log lines.
        drop(self.log_guard);
    }
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

fn provider(config: &TelemetryConfig, url: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let unusable =
        |error: &dyn std::fmt::Display| TelemetryError::Endpoint(format!("{url}: {error}"));
    // Connecting lazily lets the process start, and go on, without a collector.
    let channel = Endpoint::from_shared(url.to_owned())
        .map_err(|error| unusable(&error))?
        .connect_timeout(EXPORT_TIMEOUT)
        .timeout(EXPORT_TIMEOUT)
        .connect_lazy();
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_channel(channel)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| unusable(&error))?;
    let batch = BatchConfigBuilder::default()
        .with_max_queue_size(SPAN_QUEUE)
        .with_max_export_batch_size(SPAN_BATCH)
        .with_scheduled_delay(SPAN_DELAY)
        .build();
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", config.service_name.clone()),
            KeyValue::new("service.version", config.service_version),
            KeyValue::new("deployment.environment.name", config.environment.clone()),
        ])
        .build();
    // Only a sampled request opens spans (see the HTTP layer), so each span that exists is kept.
    Ok(SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(resource)
        .with_span_processor(
            BatchSpanProcessor::builder(exporter)
                .with_batch_config(batch)
                .build(),
        )
        .build())
}
