//! k6's REST interface, as far as starting needs it.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::process::excerpt;

/// k6 answers on loopback within milliseconds.
const DEADLINE: Duration = Duration::from_millis(500);

/// Setup may take k6's own 60 s, or what the script sets.
const SETUP_DEADLINE: Duration = Duration::from_secs(120);

/// k6's numbers for it, as observed on v1.8.1 and v2.2.0; below them it is not ready.
const PAUSED: [u32; 2] = [4, 5];

/// Talks to the k6 on one port. There is no authentication: k6 listens on loopback only.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    client: Client,
    url: String,
}

#[derive(Debug, Deserialize)]
struct Answer<T> {
    data: Resource<T>,
}

#[derive(Debug, Deserialize)]
struct Resource<T> {
    attributes: T,
}

#[derive(Debug, Deserialize)]
struct Status {
    status: u32,
}

/// What setup returned; absent when it returned nothing, or there is none.
#[derive(Debug, Deserialize)]
struct Setup {
    data: Option<Box<RawValue>>,
}

impl Rest {
    pub(crate) fn new(client: Client, port: u16) -> Self {
        Self {
            client,
            url: format!("http://127.0.0.1:{port}/v1"),
        }
    }

    /// Whether k6 has made its virtual users and waits for the start. An error means that it
    /// does not listen yet.
    pub(crate) async fn is_ready(&self) -> Result<bool, reqwest::Error> {
        let response = self
            .client
            .get(self.at("status"))
            .timeout(DEADLINE)
            .send()
            .await?;
        let answer: Answer<Status> = response.error_for_status()?.json().await?;
        Ok(PAUSED.contains(&answer.data.attributes.status))
    }

    /// Lets a paused run begin.
    pub(crate) async fn begin(&self) -> Result<(), reqwest::Error> {
        const BODY: &str =
            r#"{"data":{"type":"status","id":"default","attributes":{"paused":false}}}"#;
        let request = self
            .client
            .patch(self.at("status"))
            .header(CONTENT_TYPE, "application/json");
        request
            .body(BODY)
            .timeout(DEADLINE)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// Runs the script's setup and gives what it returned. The error is k6's.
    pub(crate) async fn run_setup(&self) -> Result<Option<Box<RawValue>>, String> {
        let request = self.client.post(self.at("setup")).timeout(SETUP_DEADLINE);
        let answer: Answer<Setup> = serde_json::from_str(&answered(request).await?)
            .map_err(|error| format!("k6's answer cannot be read: {error}"))?;
        Ok(answer.data.attributes.data)
    }

    /// Gives a k6 what the setup of another returned.
    pub(crate) async fn set_setup(&self, value: &RawValue) -> Result<(), String> {
        let request = self.client.put(self.at("setup")).timeout(DEADLINE);
        answered(request.body(value.get().to_owned())).await?;
        Ok(())
    }

    fn at(&self, resource: &str) -> String {
        format!("{}/{resource}", self.url)
    }
}

/// Sends a request; gives the answer's text, also as the error.
async fn answered(request: RequestBuilder) -> Result<String, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| error.to_string())?;
    if status.is_success() {
        Ok(text)
    } else {
        Err(excerpt(text.as_bytes()))
    }
}
