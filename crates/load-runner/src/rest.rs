//! k6's REST interface, as far as starting and watching need it.

use std::time::Duration;

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::runner::{GeneratorStatus, Phase};

/// k6 answers on loopback within milliseconds, also under load. A stop waits for this at most.
const DEADLINE: Duration = Duration::from_millis(500);

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
    vus: Option<u32>,
    #[serde(rename = "vus-max")]
    vus_max: Option<u32>,
    tainted: bool,
}

impl Rest {
    pub(crate) fn new(client: Client, port: u16) -> Self {
        Self {
            client,
            url: format!("http://127.0.0.1:{port}/v1/status"),
        }
    }

    /// What k6 does right now. An error means that it does not listen: not yet, or no more.
    pub(crate) async fn status(&self) -> Result<GeneratorStatus, reqwest::Error> {
        let response = self.client.get(&self.url).timeout(DEADLINE).send().await?;
        let answer: Answer = response.error_for_status()?.json().await?;
        let attributes = answer.data.attributes;
        Ok(GeneratorStatus {
            phase: phase(attributes.status),
            virtual_users: attributes.vus.unwrap_or(0),
            max_virtual_users: attributes.vus_max.unwrap_or(0),
            tainted: attributes.tainted,
        })
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

/// k6's numbers, as observed on v1.8.1 and v2.2.0; below 4 it is not ready yet.
const fn phase(status: u32) -> Phase {
    match status {
        0..=3 => Phase::Preparing,
        4 | 5 => Phase::Paused,
        6 => Phase::SetUp,
        7 => Phase::Running,
        8 => Phase::TearDown,
        _ => Phase::Ending,
    }
}
