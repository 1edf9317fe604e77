//! k6's REST interface, as far as starting needs it.

use std::time::Duration;

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

/// k6 answers on loopback within milliseconds.
const DEADLINE: Duration = Duration::from_millis(500);

/// k6's numbers for it, as observed on v1.8.1 and v2.2.0; below them it is not ready.
const PAUSED: [u32; 2] = [4, 5];

/// Talks to the k6 on one port. There is no authentication: k6 listens on loopback only.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    client: Client,
    url: String,
}

#[derive(Debug, Deserialize)]
struct Answer {
    data: Resource,
}

#[derive(Debug, Deserialize)]
struct Resource {
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    status: u32,
}

impl Rest {
    pub(crate) fn new(client: Client, port: u16) -> Self {
        Self {
            client,
            url: format!("http://127.0.0.1:{port}/v1/status"),
        }
    }

    /// Whether k6 has made its virtual users and waits for the start. An error means that it
    /// does not listen yet.
    pub(crate) async fn is_ready(&self) -> Result<bool, reqwest::Error> {
        let response = self.client.get(&self.url).timeout(DEADLINE).send().await?;
        let answer: Answer = response.error_for_status()?.json().await?;
        Ok(PAUSED.contains(&answer.data.attributes.status))
    }

    /// Lets a paused run begin.
    pub(crate) async fn begin(&self) -> Result<(), reqwest::Error> {
        const BODY: &str =
            r#"{"data":{"type":"status","id":"default","attributes":{"paused":false}}}"#;
        let request = self
            .client
            .patch(&self.url)
            .header(CONTENT_TYPE, "application/json");
        request
            .body(BODY)
            .timeout(DEADLINE)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }
}
