//! A real Prometheus that scrapes every second.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::process::{Process, Program};
use crate::{http, port, tools, wait};

/// Prometheus is up within a second; the rest is room for a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(40);

/// Several scrapes of one second each, on a busy machine.
const SCRAPE_DEADLINE: Duration = Duration::from_secs(30);

/// Exemplars are looked for in all of the time that a test can have lasted.
const EXEMPLARS_SINCE: &str = "0";
const EXEMPLARS_UNTIL: &str = "9999999999";

/// A Prometheus of its own. Killed when dropped.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    client: reqwest::Client,
    port: u16,
}

/// One series of an instant query.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// All labels, `__name__` among them where the expression keeps it.
    pub labels: BTreeMap<String, String>,
    /// The value; may be NaN or infinite.
    pub value: f64,
}

/// One exemplar of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Labels of the series that it belongs to.
    pub series: BTreeMap<String, String>,
    /// Its own labels, `trace_id` among them.
    pub labels: BTreeMap<String, String>,
    /// The observed value.
    pub value: f64,
}

/// Starts Prometheus, which scrapes `/metrics` of each `(job, "HOST:PORT")` every
/// second, and waits until it answers.
///
/// # Errors
/// When it is not installed or does not start.
pub async fn prometheus(targets: &[(&str, &str)]) -> anyhow::Result<Prometheus> {
    let port = port::free()?;
    let program = Program::new("prometheus", tools::prometheus()?)?;
    let config = program.directory().join("prometheus.yml");
    std::fs::write(&config, configuration(targets)).context("the configuration of Prometheus")?;
    let data = program.directory().join("data");
    let process = program
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", data.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args([
            "--enable-feature=exemplar-storage",
            "--web.enable-remote-write-receiver",
        ])
        .start()?;
    let prometheus = Prometheus {
        process,
        client: http::client()?,
        port,
    };
    prometheus.ready().await?;
    Ok(prometheus)
}

impl Prometheus {
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The process, for its id, its log and signals.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Evaluates an expression now. No data is an empty list.
    ///
    /// # Errors
    /// When Prometheus refuses the expression, or it yields no vector.
    pub async fn query(&self, promql: &str) -> anyhow::Result<Vec<Series>> {
        let reply = self.get("query", &[("query", promql)]).await?;
        let vector: wire::Vector = serde_json::from_value(reply)
            .with_context(|| format!("{promql} yields no instant vector"))?;
        vector.result.into_iter().map(Series::try_from).collect()
    }

    /// Evaluates an expression again and again until it yields data, which takes
    /// a scrape or two.
    ///
    /// # Errors
    /// When it yields none within 30 seconds.
    pub async fn query_until_found(&self, promql: &str) -> anyhow::Result<Vec<Series>> {
        wait::until(&format!("data of {promql}"), SCRAPE_DEADLINE, async || {
            let found = self.query(promql).await?;
            ensure!(!found.is_empty(), "no series");
            Ok(found)
        })
        .await
    }

    /// The exemplars of the series that an expression selects. None is an empty
    /// list.
    ///
    /// # Errors
    /// When Prometheus refuses the expression.
    pub async fn exemplars(&self, promql: &str) -> anyhow::Result<Vec<Exemplar>> {
        let span = [
            ("query", promql),
            ("start", EXEMPLARS_SINCE),
            ("end", EXEMPLARS_UNTIL),
        ];
        let reply = self.get("query_exemplars", &span).await?;
        let groups: Vec<wire::ExemplarGroup> = serde_json::from_value(reply)?;
        groups
            .into_iter()
            .flat_map(wire::ExemplarGroup::into_exemplars)
            .collect()
    }

    async fn get(&self, call: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/{call}", self.url());
        let reply: wire::Reply = http::get_json(&self.client, &url, query).await?;
        Ok(reply.data)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let url = format!("{}/-/ready", self.url());
        self.process
            .ready(START_DEADLINE, async || {
                let status = self.client.get(&url).send().await?.status();
                ensure!(status.is_success(), "readiness answers {status}");
                Ok(())
            })
            .await
    }
}

/// JSON is YAML, and quotes whatever a target's name contains.
fn configuration(targets: &[(&str, &str)]) -> String {
    let jobs: Vec<Value> = targets
        .iter()
        .map(|(job, address)| json!({"job_name": job, "static_configs": [{"targets": [address]}]}))
        .collect();
    json!({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs})
        .to_string()
}

/// The JSON of Prometheus' HTTP API, which spells numbers as strings.
mod wire {
    use super::{BTreeMap, Context, Deserialize, Exemplar, Series, Value};

    #[derive(Deserialize)]
    pub(super) struct Reply {
        pub(super) data: Value,
    }

    #[derive(Deserialize)]
    pub(super) struct Vector {
        pub(super) result: Vec<Sample>,
    }

    #[derive(Deserialize)]
    pub(super) struct Sample {
        metric: BTreeMap<String, String>,
        value: (f64, String),
    }

    impl TryFrom<Sample> for Series {
        type Error = anyhow::Error;

        fn try_from(sample: Sample) -> anyhow::Result<Self> {
            Ok(Self {
                labels: sample.metric,
                value: number(&sample.value.1)?,
            })
        }
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct ExemplarGroup {
        series_labels: BTreeMap<String, String>,
        exemplars: Vec<Found>,
    }

    #[derive(Deserialize)]
    struct Found {
        labels: BTreeMap<String, String>,
        value: String,
    }

    impl ExemplarGroup {
        pub(super) fn into_exemplars(self) -> impl Iterator<Item = anyhow::Result<Exemplar>> {
            let series = self.series_labels;
            self.exemplars.into_iter().map(move |found| {
                let value = number(&found.value)?;
                Ok(Exemplar {
                    series: series.clone(),
                    labels: found.labels,
                    value,
                })
            })
        }
    }

    /// Rust reads `NaN`, `+Inf` and `-Inf` as Prometheus writes them.
    fn number(text: &str) -> anyhow::Result<f64> {
        text.parse()
            .with_context(|| format!("{text:?} is no number"))
    }
}
