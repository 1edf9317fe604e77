//! What telemetry needs to know; read from the environment by the process.

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For a person at a terminal.
    Pretty,
}

/// Settings of [`crate::Telemetry::start`].
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// `service.name`.
    pub service_name: String,
    /// `service.version`.
    pub service_version: &'static str,
    /// `deployment.environment.name`; empty when unknown.
    pub environment: String,
    /// OTLP gRPC endpoint; `None` exports no traces.
    pub otlp_endpoint: Option<String>,
    /// Filter of log lines, in `RUST_LOG`'s syntax.
    pub log_filter: String,
    /// How log lines look.
    pub log_format: LogFormat,
}
