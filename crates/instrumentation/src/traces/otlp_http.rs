//! OTLP over HTTP, for collectors that want a header with a key.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>. The exporter of the SDK would take
//! more headers from the environment, and send the key of one collector to all.

use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{
        common::tonic::ResourceAttributesWithSchema,
        trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{Resource, trace::SpanData};
use prost::Message;
use reqwest::{
    Client, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect::Policy,
};

use super::queue::EXPORT_TIMEOUT;
use crate::{OtlpHttpCollector, TelemetryError};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// One collector. Its headers, which may be keys, are marked so that nothing shows them.
pub(super) struct OtlpHttp {
    name: &'static str,
    client: Client,
    url: Url,
    headers: HeaderMap,
    resource: ResourceAttributesWithSchema,
}

impl OtlpHttp {
    pub(super) fn new(
        collector: &OtlpHttpCollector,
        resource: &Resource,
    ) -> Result<Self, TelemetryError> {
        let url = collector.traces_url().map_err(TelemetryError::Endpoint)?;
        let headers = collector.header_map().map_err(TelemetryError::Endpoint)?;
        // Neither a proxy nor a redirect: both would send a key to where no setting says. HTTP/1.1,
        // since an export that fails then takes its connection along.
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .http1_only()
            .timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(|error| TelemetryError::Endpoint(error.to_string()))?;
        Ok(Self {
            name: collector.name,
            client,
            url,
            headers,
            resource: resource.into(),
        })
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) async fn export(&self, spans: Vec<SpanData>) -> Result<(), String> {
        let body = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(spans, &self.resource),
        };
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, PROTOBUF)
            .body(body.encode_to_vec());
        // The address may have credentials.
        let reply = request.send().await;
        let status = reply
            .map_err(|error| error.without_url().to_string())?
            .status();
        match status.is_success() {
            true => Ok(()),
            false => Err(format!("answered with {status}")),
        }
    }
}
