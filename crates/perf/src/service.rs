//! The performance service, as its contract says.

mod bodies;
mod events;
mod reply;
mod searches;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use service_defaults::http_client::{self, HttpClientConfig};
use url::Url;

pub(crate) use self::bodies::{Baseline, BaselineName, Compared, Comparison, Run};
#[cfg(test)]
pub(crate) use self::events::Cost;
pub(crate) use self::events::{Event, Point};
pub(crate) use self::searches::{Search, SearchRun};
use crate::failure::Failure;
use crate::settings::Settings;

const FAMILY: &str = "/api/v1/performancetest";

/// Of a whole call. The slowest, a comparison of many runs, takes seconds.
const CALL: Duration = Duration::from_secs(30);

/// The service answers when k6 has ended, which it gives ten seconds and its teardown's time.
const CANCEL: Duration = Duration::from_secs(60);

/// Without a byte from the service; its streams say something every 15 s.
const SILENCE: Duration = Duration::from_secs(60);

/// Where calls go.
#[derive(Debug)]
pub(crate) struct Service {
    client: Client,
    /// Without a slash at its end.
    base: String,
    token: Option<SecretString>,
}

impl Service {
    /// # Errors
    /// The TLS roots cannot be loaded.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Failure> {
        let config = HttpClientConfig {
            read: SILENCE,
            total: None,
            idle_connections: 2,
            ..HttpClientConfig::default()
        };
        let client = http_client::build(&config)
            .map_err(|error| Failure::Broken(format!("no HTTP client: {error}")))?;
        Ok(Self {
            client,
            base: settings.url.as_str().trim_end_matches('/').to_owned(),
            token: settings.token.clone(),
        })
    }

    /// The page of a run.
    pub(crate) fn page(&self, id: &str) -> String {
        format!("{}/runs/{id}", self.base)
    }

    /// One run with its results.
    pub(crate) async fn run(&self, id: &str) -> Result<Run, Failure> {
        self.get(&format!("{FAMILY}/{id}"), &[]).await
    }

    /// The newest runs of a test or of all, newest first, without their results.
    pub(crate) async fn runs(&self, test: Option<&str>, limit: u32) -> Result<Vec<Run>, Failure> {
        let limit = limit.to_string();
        let query = [
            ("limit", limit.as_str()),
            ("test", test.unwrap_or_default()),
        ];
        self.get(&format!("{FAMILY}/tests"), &query).await
    }

    /// The run of a number, without its results; `None` when there is none.
    pub(crate) async fn numbered(&self, number: u64) -> Result<Option<Run>, Failure> {
        let above = number.saturating_add(1).to_string();
        let query = [("before", above.as_str()), ("limit", "1")];
        let found: Vec<Run> = self.get(&format!("{FAMILY}/tests"), &query).await?;
        Ok(found.into_iter().find(|run| run.number == number))
    }

    /// Queues a run.
    pub(crate) async fn start(&self, body: &Value) -> Result<Run, Failure> {
        self.post(&format!("{FAMILY}/start"), body).await
    }

    /// What a run would take.
    pub(crate) async fn forecast(&self, body: &Value) -> Result<Value, Failure> {
        self.post(&format!("{FAMILY}/forecast"), body).await
    }

    /// The schedules, by name.
    pub(crate) async fn schedules(&self) -> Result<Value, Failure> {
        self.get(&format!("{FAMILY}/schedules"), &[]).await
    }

    /// Stops a run and waits until it has ended. One that is over already is as good.
    pub(crate) async fn cancel(&self, id: &str) -> Result<(), Failure> {
        let path = format!("{FAMILY}/{id}/cancel");
        let request = self.request(Method::POST, &path, &[])?.timeout(CANCEL);
        match self.text_of(&path, request).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused { status, .. }) if status == StatusCode::CONFLICT => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// A report of a run that is over.
    pub(crate) async fn report(&self, id: &str, format: &str) -> Result<String, Failure> {
        self.exported(id, &[("format", format)]).await
    }

    /// The same in Markdown, beside nothing: for whoever compares it himself.
    pub(crate) async fn report_alone(&self, id: &str) -> Result<String, Failure> {
        let query = [("format", "markdown"), ("comparison", "none")];
        self.exported(id, &query).await
    }

    async fn exported(&self, id: &str, query: &[(&str, &str)]) -> Result<String, Failure> {
        let path = format!("{FAMILY}/{id}/export");
        let request = self.request(Method::GET, &path, query)?;
        self.text_of(&path, request.timeout(CALL)).await
    }

    /// Candidates against references: ids with commas between, or `baseline`.
    pub(crate) async fn compare(
        &self,
        reference: &str,
        candidate: &str,
    ) -> Result<Compared, Failure> {
        let query = [("reference", reference), ("candidate", candidate)];
        self.get(&format!("{FAMILY}/compare"), &query).await
    }

    /// The baselines in force.
    pub(crate) async fn baselines(&self) -> Result<Vec<Baseline>, Failure> {
        self.get(&format!("{FAMILY}/baselines"), &[]).await
    }

    /// All versions of a baseline, newest first.
    pub(crate) async fn versions(&self, of: &BaselineName) -> Result<Vec<Baseline>, Failure> {
        self.get(&format!("{FAMILY}/baselines/versions"), &of.address())
            .await
    }

    /// Establishes a baseline or replaces the one in force.
    pub(crate) async fn establish(&self, body: &Value) -> Result<Baseline, Failure> {
        self.post(&format!("{FAMILY}/baselines"), body).await
    }

    /// Puts an earlier version of a baseline in force again.
    pub(crate) async fn roll_back(&self, body: &Value) -> Result<Baseline, Failure> {
        self.post(&format!("{FAMILY}/baselines/rollback"), body)
            .await
    }

    /// Takes a baseline out of force.
    pub(crate) async fn withdraw(
        &self,
        of: &BaselineName,
        reason: &str,
    ) -> Result<Baseline, Failure> {
        let path = format!("{FAMILY}/baselines");
        let [test, environment, scenario] = of.address();
        let query = [test, environment, scenario, ("reason", reason)];
        let request = self.request(Method::DELETE, &path, &query)?.timeout(CALL);
        read(&path, &self.text_of(&path, request).await?)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let request = self.request(Method::GET, path, query)?.timeout(CALL);
        read(path, &self.text_of(path, request).await?)
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Failure> {
        let request = self.request(Method::POST, path, &[])?.timeout(CALL);
        read(path, &self.text_of(path, request.json(body)).await?)
    }

    async fn text_of(&self, path: &str, request: RequestBuilder) -> Result<String, Failure> {
        let reply = request.send().await.map_err(|error| self.lost(&error))?;
        reply::text(path, reply)
            .await?
            .map_err(|error| self.lost(&error))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, Failure> {
        let address = format!("{}{path}", self.base);
        let url = if query.is_empty() {
            Url::parse(&address)
        } else {
            Url::parse_with_params(&address, query)
        };
        let url = url.map_err(|error| Failure::Usage(format!("{address}: {error}")))?;
        let request = self.client.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        })
    }

    fn lost(&self, error: &reqwest::Error) -> Failure {
        Failure::Unreachable {
            address: self.base.clone(),
            reason: reply::cause(error),
        }
    }
}

fn read<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::Broken(format!(
            "{path} answered what this version cannot read: {error}"
        ))
    })
}
