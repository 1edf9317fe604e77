//! What telemetry needs to know; read from the environment by the process.

use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use tonic::transport::Endpoint;
use tracing_subscriber::EnvFilter;

use crate::Switches;

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
    /// OTLP gRPC endpoint, if traces are sent to one.
    pub otlp_endpoint: Option<String>,
    /// Collectors that take OTLP over HTTP; every collector gets every trace that is kept.
    pub otlp_http: Vec<OtlpHttpCollector>,
    /// Jaeger's query API, where the job looks that checks what exemplars lead to; `None`: no job.
    pub trace_query: Option<String>,
    /// Filter of log lines, in `RUST_LOG`'s syntax.
    pub log_filter: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is turned off, left out or added.
    pub switches: Switches,
}

/// A collector that takes OTLP over HTTP.
#[derive(Debug, Clone)]
pub struct OtlpHttpCollector {
    /// As metrics call it.
    pub name: &'static str,
    /// Its base address, to which `/v1/traces` is added.
    pub endpoint: String,
    /// Headers of every request, such as `authorization`.
    pub headers: Vec<(String, SecretString)>,
}

impl OtlpHttpCollector {
    /// Where traces go.
    ///
    /// # Errors
    /// What an address must be. It may carry credentials, so it is not repeated.
    pub fn traces_url(&self) -> Result<Url, String> {
        let mut url = web_address(&self.endpoint)?;
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(url)
    }

    /// The headers, marked as secrets.
    ///
    /// # Errors
    /// The name of the one that cannot be sent; values are not repeated.
    pub fn header_map(&self) -> Result<HeaderMap, String> {
        let pairs = self.headers.iter().map(|(name, value)| {
            let unusable =
                |what: &str| format!("has a header {name:?} whose {what} cannot be sent");
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable("name"))?;
            let mut value =
                HeaderValue::from_str(value.expose_secret()).map_err(|_| unusable("value"))?;
            value.set_sensitive(true);
            Ok((key, value))
        });
        pairs.collect()
    }
}

/// An address of a web server.
fn web_address(text: &str) -> Result<Url, String> {
    const EXPECTED: &str = "must be an address such as http://127.0.0.1:4318";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    match (url.scheme(), url.has_host()) {
        ("http" | "https", true) => Ok(url),
        _ => Err(EXPECTED.to_owned()),
    }
}

impl TelemetryConfig {
    /// Where the trace with this id is looked up; `None` without an address.
    ///
    /// # Errors
    /// What an address must be.
    pub fn trace_query_url(&self) -> Result<Option<Url>, String> {
        self.trace_query.as_deref().map(web_address).transpose()
    }

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
