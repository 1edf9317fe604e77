//! What telemetry costs: the same API with all of it, and with none.

use anyhow::ensure;
use http::{StatusCode, header::ACCEPT};
use reqwest::Response;
use test_support::{http::client, jaeger};

use crate::{api::Api, cores::Cores, options::Options, reads::contest, row::Bar};

/// By the share of requests whose traces are recorded.
const MEASURES: [(&str, &str, f64); 2] = [
    ("telemetry at 1 %, GET one book", "catalogue=0.01", 0.85),
    ("telemetry at 100 %, GET one book", "catalogue=1", 0.7),
];

/// Neither spans nor metrics nor log lines.
const OFF: [(&str, &str); 3] = [
    ("OTEL_SDK_DISABLED", "true"),
    ("BOOKSTORE_TRACE_SAMPLING", "catalogue=0,ai=0,ops=0"),
    ("RUST_LOG", "off"),
];

/// Reads that the first level answers, the quickest there are, so that telemetry weighs most.
pub(crate) async fn cost(cores: &Cores, options: &Options) -> anyhow::Result<()> {
    for (measure, sampling, bar) in MEASURES {
        if !options.wants(measure) {
            continue;
        }
        let collector = jaeger().await?;
        let (endpoint, query) = (collector.otlp_endpoint(), collector.url());
        let settings = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("BOOKSTORE_TRACE_QUERY", &query),
            ("BOOKSTORE_TRACE_SAMPLING", sampling),
        ];
        let (on, off) = (
            Api::start(cores, &settings).await?,
            Api::start(cores, &OFF).await?,
        );
        let (with, _) = on.one_book().await?;
        let (without, _) = off.one_book().await?;
        let (with, without) = (on.reads(&with), off.reads(&without));
        contest(measure, Bar::AtLeast(bar), (&with, &without), options).await?;
        ensure!(has_exemplars(&on).await?, "no trace was recorded");
        let metrics = metrics(&off).await?.status();
        ensure!(metrics == StatusCode::NOT_FOUND, "telemetry was not off");
    }
    Ok(())
}

async fn metrics(api: &Api) -> anyhow::Result<Response> {
    let metrics = client()?.get(api.url("/metrics"));
    let metrics = metrics.header(ACCEPT, "application/openmetrics-text");
    Ok(metrics.send().await?)
}

async fn has_exemplars(api: &Api) -> anyhow::Result<bool> {
    let text = metrics(api).await?.error_for_status()?.text().await?;
    Ok(text.contains("# {trace_id="))
}
