//! A real Jaeger: spans go in by OTLP and are read back as a user reads them.

mod trace;

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

pub use self::trace::{Span, Trace};
use crate::process::{Process, Program};
use crate::{http, port, tools, wait};

/// Jaeger is up within two seconds; the rest is room for a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(40);

/// A span waits for its batch (5 s by OpenTelemetry's default) before it is
/// exported.
const TRACE_DEADLINE: Duration = Duration::from_secs(30);

/// A Jaeger of its own with traces in memory. Killed when dropped.
#[derive(Debug)]
pub struct Jaeger {
    process: Process,
    client: reqwest::Client,
    ports: Ports,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    otlp_grpc: u16,
    otlp_http: u16,
    query_http: u16,
    query_grpc: u16,
}

/// Starts Jaeger and waits until it answers.
///
/// # Errors
/// When it is not installed or does not start.
pub async fn jaeger() -> anyhow::Result<Jaeger> {
    let ports = Ports {
        otlp_grpc: port::free()?,
        otlp_http: port::free()?,
        query_http: port::free()?,
        query_grpc: port::free()?,
    };
    let program = Program::new("jaeger", tools::jaeger()?)?;
    let config = program.directory().join("config.yaml");
    std::fs::write(&config, configuration(ports)).context("the configuration of Jaeger")?;
    let process = program
        .arg("--config")
        .arg(format!("file:{}", config.display()))
        // Jaeger traces itself and would send that to whoever listens on 4317.
        .env("OTEL_TRACES_SAMPLER", "always_off")
        .start()?;
    let jaeger = Jaeger {
        process,
        client: http::client()?,
        ports,
    };
    jaeger.ready().await?;
    Ok(jaeger)
}

impl Jaeger {
    /// Where OTLP over gRPC goes, for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn otlp_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.otlp_grpc)
    }

    /// Where OTLP over HTTP goes; `/v1/traces` takes spans.
    #[must_use]
    pub fn otlp_http_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.otlp_http)
    }

    /// The query API and its page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.query_http)
    }

    /// The process, for its id, its log and signals.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Starts it again with no trace, at the same addresses.
    ///
    /// # Errors
    /// When it does not end or start.
    pub async fn empty(&self) -> anyhow::Result<()> {
        self.process.start_again()?;
        self.ready().await
    }

    /// The trace with this id (32 hex digits) as soon as any of its spans has
    /// arrived.
    ///
    /// # Errors
    /// When none arrives within 30 seconds.
    pub async fn trace(&self, trace_id: &str) -> anyhow::Result<Trace> {
        self.trace_where(trace_id, "has a span", |trace| !trace.spans.is_empty())
            .await
    }

    /// The trace as soon as it satisfies `condition`, which `what` names. Spans
    /// arrive in batches, so a trace grows.
    ///
    /// # Errors
    /// When it does not within 30 seconds: lists the spans that are there.
    pub async fn trace_where(
        &self,
        trace_id: &str,
        what: &str,
        condition: impl Fn(&Trace) -> bool,
    ) -> anyhow::Result<Trace> {
        let goal = format!("trace {trace_id} {what}");
        wait::until(&goal, TRACE_DEADLINE, async || {
            let trace = self.read(trace_id).await?;
            ensure!(
                condition(&trace),
                "it has the spans {:?}",
                trace.span_names()
            );
            Ok(trace)
        })
        .await
    }

    /// The trace as far as it has arrived.
    ///
    /// # Errors
    /// When nothing of it has.
    pub async fn read(&self, trace_id: &str) -> anyhow::Result<Trace> {
        let url = format!("{}/api/traces/{trace_id}", self.url());
        let reply: trace::Reply = http::get_json(&self.client, &url, &[]).await?;
        let found = reply.data.unwrap_or_default().into_iter().next();
        Ok(found.context("Jaeger answered without a trace")?.into())
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let url = format!("{}/api/services", self.url());
        let intake = self.ports.otlp_grpc;
        self.process
            .ready(START_DEADLINE, async || {
                drop(tokio::net::TcpStream::connect(("127.0.0.1", intake)).await?);
                http::get_json::<Value>(&self.client, &url, &[])
                    .await
                    .map(drop)
            })
            .await
    }
}

/// Our own Jaeger in `monitoring/jaeger/config.yaml`, with free ports, less
/// memory and without what a test does not read.
fn configuration(ports: Ports) -> String {
    let Ports {
        otlp_grpc,
        otlp_http,
        query_http,
        query_grpc,
    } = ports;
    format!(
        "\
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
extensions:
  jaeger_query:
    storage: {{traces: memory}}
    http: {{endpoint: \"127.0.0.1:{query_http}\"}}
    grpc: {{endpoint: \"127.0.0.1:{query_grpc}\"}}
  jaeger_storage:
    backends: {{memory: {{memory: {{max_traces: 30000}}}}}}
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: \"127.0.0.1:{otlp_grpc}\"}}
      http: {{endpoint: \"127.0.0.1:{otlp_http}\"}}
exporters:
  jaeger_storage_exporter: {{trace_storage: memory}}
"
    )
}
