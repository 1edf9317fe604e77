//! Prometheus' HTTP API, as far as series of a run need it.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

/// The longest that one query may take; Prometheus answers in milliseconds.
const QUERY_DEADLINE: Duration = Duration::from_secs(3);

/// Bytes of one answer: 600 points of some series are a tenth of it.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A Prometheus that scrapes the target.
#[derive(Debug, Clone)]
pub(super) struct Prometheus {
    client: Client,
    address: Url,
}

/// A time to look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeSpan {
    /// Seconds since the Unix epoch.
    pub(super) start: i64,
    /// The same, included.
    pub(super) end: i64,
    /// Seconds between two points.
    pub(super) step: u32,
}

/// A series: its labels, and its points as seconds since the Unix epoch with a value.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) points: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Data<T>,
}

#[derive(Deserialize)]
struct Data<T> {
    result: Vec<T>,
}

#[derive(Deserialize)]
struct Matrix {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

impl Prometheus {
    pub(super) const fn new(client: Client, address: Url) -> Self {
        Self { client, address }
    }

    /// An expression over time.
    pub(super) async fn range(&self, query: &str, span: TimeSpan) -> Result<Vec<Range>, String> {
        let parameters = [
            ("query", query),
            ("start", &span.start.to_string()),
            ("end", &span.end.to_string()),
            ("step", &span.step.to_string()),
        ];
        let found: Vec<Matrix> = self.get("query_range", &parameters).await?;
        // Prometheus writes NaN and infinities as words, which are no points.
        let point = |(at, text): (f64, String)| {
            let value: f64 = text.parse().ok()?;
            value.is_finite().then_some((at, value))
        };
        let range = |series: Matrix| Range {
            labels: series.metric,
            points: series.values.into_iter().filter_map(point).collect(),
        };
        Ok(found.into_iter().map(range).collect())
    }

    /// When the samples of a selector over a time, such as `up[1m]`, were taken until then.
    pub(super) async fn sample_times(
        &self,
        selector: &str,
        until: i64,
    ) -> Result<Vec<f64>, String> {
        let parameters = [("query", selector), ("time", &until.to_string())];
        let found: Vec<Matrix> = self.get("query", &parameters).await?;
        let first = found.into_iter().next();
        let values = first.map(|series| series.values).unwrap_or_default();
        Ok(values.into_iter().map(|(at, _)| at).collect())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        call: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<T>, String> {
        let mut url = self.address.clone();
        let path = format!("{}/api/v1/{call}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.query_pairs_mut().extend_pairs(parameters);
        let sent = self.client.get(url).timeout(QUERY_DEADLINE).send().await;
        let mut reply = sent.map_err(|error| error.without_url().to_string())?;
        let mut body = Vec::new();
        while let Some(part) = reply
            .chunk()
            .await
            .map_err(|error| error.without_url().to_string())?
        {
            body.extend_from_slice(&part);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(format!("an answer is longer than {MAX_ANSWER_BYTES} bytes"));
            }
        }
        if !reply.status().is_success() {
            return Err(format!("it answers {}", reply.status().as_u16()));
        }
        let answer: Answer<T> = serde_json::from_slice(&body)
            .map_err(|error| format!("an answer is not that of Prometheus: {error}"))?;
        Ok(answer.data.result)
    }
}
