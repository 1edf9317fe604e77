//! What telemetry needs to know; read from the environment by the process.

use tonic::transport::Endpoint;
use tracing_subscriber::EnvFilter;

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

impl TelemetryConfig {
    /// Whether the filter of log lines can be read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_log_filter(&self) -> Result<(), String> {
        match EnvFilter::try_new(&self.log_filter) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether spans could be sent to the collector's address.
    ///
    /// # Errors
    /// What an address must be. It may carry credentials, so it is not repeated.
    pub fn check_otlp_endpoint(&self) -> Result<(), String> {
        let Some(url) = &self.otlp_endpoint else {
            return Ok(());
        };
        let scheme = Endpoint::from_shared(url.clone())
            .ok()
            .and_then(|endpoint| endpoint.uri().scheme_str().map(str::to_owned));
        match scheme.as_deref() {
            Some("http") => Ok(()),
            _ => Err("must be an address such as http://127.0.0.1:4317".to_owned()),
        }
    }
}
