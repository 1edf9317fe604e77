//! Searches for a capacity.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CANCEL, FAMILY, Service};
use crate::failure::Failure;

/// A search.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Search {
    pub(crate) search_id: String,
    pub(crate) test_name: String,
    pub(crate) status: String,
    pub(crate) probes: Vec<SearchRun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One run of a search.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchRun {
    pub(crate) number: u64,
    pub(crate) rate: f64,
    pub(crate) purpose: String,
    pub(crate) level: String,
    pub(crate) reasons: Vec<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// What came of a search.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<f64>,
    pub(crate) sentence: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Search {
    pub(crate) fn is_over(&self) -> bool {
        self.status != "Searching"
    }
}

impl Service {
    /// The page of a search.
    pub(crate) fn search_page(&self, id: &str) -> String {
        format!("{}/capacity/{id}", self.base)
    }

    /// Starts a search.
    pub(crate) async fn search(&self, body: &Value) -> Result<Search, Failure> {
        self.post(&format!("{FAMILY}/capacity"), body).await
    }

    /// A search with its runs so far.
    pub(crate) async fn searched(&self, id: &str) -> Result<Search, Failure> {
        self.get(&format!("{FAMILY}/capacity/{id}"), &[]).await
    }

    /// Stops a search and its run.
    pub(crate) async fn stop_search(&self, id: &str) -> Result<(), Failure> {
        let path = format!("{FAMILY}/capacity/{id}/cancel");
        let request = self.request(Method::POST, &path, &[])?.timeout(CANCEL);
        self.text_of(&path, request).await.map(drop)
    }
}
