//! The collectors that spans are sent to.

use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SpanData, SpanExporter as _},
};
use tonic::transport::Endpoint;

use super::{otlp_http::OtlpHttp, queue::EXPORT_TIMEOUT};
use crate::{TelemetryConfig, TelemetryError};

/// One collector.
pub(super) enum Destination {
    /// OTLP over gRPC.
    Grpc(Box<OtlpGrpc>),
    /// OTLP over HTTP.
    Http(Box<OtlpHttp>),
}

/// A collector that takes OTLP over gRPC.
pub(super) struct OtlpGrpc {
    endpoint: Endpoint,
    resource: Resource,
    exporter: SpanExporter,
}

impl Destination {
    /// All that the configuration names.
    ///
    /// # Errors
    /// An address cannot be used.
    pub(super) fn all(
        config: &TelemetryConfig,
        resource: &Resource,
    ) -> Result<Vec<Self>, TelemetryError> {
        let mut all = Vec::new();
        if let Some(url) = &config.otlp_endpoint {
            all.push(Self::Grpc(Box::new(OtlpGrpc::new(url, resource)?)));
        }
        for collector in &config.otlp_http {
            all.push(Self::Http(Box::new(OtlpHttp::new(collector, resource)?)));
        }
        Ok(all)
    }

    /// As the metrics call it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Grpc(_) => "otlp_grpc",
            Self::Http(http) => http.name(),
        }
    }

    /// Sends spans; the error is fit for the log.
    pub(super) async fn export(&self, spans: Vec<SpanData>) -> Result<(), String> {
        match self {
            Self::Grpc(grpc) => {
                let exported = grpc.exporter.export(spans).await;
                exported.map_err(|error| error.to_string())
            }
            Self::Http(http) => http.export(spans).await,
        }
    }

    /// Lets go of the connection over which an export failed: one whose other end is gone without a
    /// word would swallow the next ones too, for a quarter of an hour.
    pub(super) fn reconnect(&mut self) {
        if let Self::Grpc(grpc) = self
            && let Ok(exporter) = connect(&grpc.endpoint, &grpc.resource)
        {
            grpc.exporter = exporter;
        }
    }
}

impl OtlpGrpc {
    fn new(url: &str, resource: &Resource) -> Result<Self, TelemetryError> {
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|error| TelemetryError::Endpoint(error.to_string()))?
            .connect_timeout(EXPORT_TIMEOUT)
            .timeout(EXPORT_TIMEOUT);
        let exporter = connect(&endpoint, resource)
            .map_err(|error| TelemetryError::Endpoint(error.to_string()))?;
        Ok(Self {
            endpoint,
            resource: resource.clone(),
            exporter,
        })
    }
}

/// Connecting lazily lets the process start, and go on, without a collector.
fn connect(endpoint: &Endpoint, resource: &Resource) -> Result<SpanExporter, ExporterBuildError> {
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_channel(endpoint.connect_lazy())
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    exporter.set_resource(resource);
    Ok(exporter)
}
