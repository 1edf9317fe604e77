//! The API as users reach it.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use service_defaults::http_client::{self, HttpClientConfig};

use crate::samples::Answer;

/// A user gives up then; longer than every deadline of the API's but that of a silent model.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Of what is read of an answer.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Probes and the ledger's books are a tenant of their own, whom the load does not touch.
const TENANT: &str = "chaos";

/// Its address, and how it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
}

impl Api {
    /// # Errors
    /// No HTTP client can be made.
    pub(crate) fn new(base: &str) -> anyhow::Result<Self> {
        let config = HttpClientConfig {
            total: Some(PATIENCE),
            read: PATIENCE,
            ..HttpClientConfig::default()
        };
        Ok(Self {
            client: http_client::build(&config).context("an HTTP client")?,
            base: base.to_owned(),
        })
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.prepared(self.client.get(format!("{}{path}", self.base)))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.base));
        self.prepared(request).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.client.put(format!("{}{path}", self.base));
        self.prepared(request).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.client.patch(format!("{}{path}", self.base));
        self.prepared(request).json(body)
    }

    fn prepared(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("x-tenant-name", TENANT)
    }

    /// A request for a summary that no earlier one answers, of the vendor that the API chooses.
    pub(crate) fn summary(&self, book: &str, streamed: bool) -> RequestBuilder {
        let path = format!("/api/v1/books/{book}/generate-summary?refresh=true");
        let request = self.client.post(format!("{}{path}", self.base));
        let request = self.prepared(request);
        if streamed {
            request.header("accept", "text/event-stream")
        } else {
            request
        }
    }

    /// Stores a book and gives its id.
    ///
    /// # Errors
    /// The API does not store it.
    pub(crate) async fn create(&self, title: &str) -> anyhow::Result<String> {
        let reply = self.post("/api/v1/books", &book(title)).send().await?;
        let status = reply.status();
        let text = reply.text().await?;
        ensure!(
            status.as_u16() == 201,
            "POST /api/v1/books: {status} {text}"
        );
        let stored: Value = serde_json::from_str(&text)?;
        Ok(stored["id"].as_str().context("an id")?.to_owned())
    }

    /// Every book of the probes' tenant.
    ///
    /// # Errors
    /// The API does not answer, or what cannot be read.
    pub(crate) async fn all_books(&self) -> anyhow::Result<Vec<Value>> {
        let mut books = Vec::new();
        for page in 1.. {
            let path = format!("/api/v1/books?page={page}&pageSize=100");
            let reply = self.get(&path).send().await?.error_for_status()?;
            let list: Value = reply.json().await?;
            books.extend(list["books"].as_array().context("books")?.iter().cloned());
            if page >= list["totalPages"].as_u64().context("totalPages")? {
                break;
            }
        }
        Ok(books)
    }
}

/// A book with this title.
pub(crate) fn book(title: &str) -> Value {
    json!({
        "title": title,
        "author": "The ledger",
        "description": "A book that is written while things break.",
    })
}

/// The status of a reply that came whole.
pub(crate) async fn whole(request: RequestBuilder) -> Answer {
    match read(request).await {
        Ok((status, _)) => Answer::Status(status),
        Err(instead) => instead,
    }
}

/// A streamed summary: 200 only if it says that it is done.
pub(crate) async fn stream(request: RequestBuilder) -> Answer {
    match read(request).await {
        Ok((200, text)) if text.contains("event: summary.done") => Answer::Status(200),
        Ok((200, text)) if text.contains("event: summary.error") => Answer::StreamError,
        Ok((200, _)) => Answer::Nothing,
        Ok((status, _)) => Answer::Status(status),
        Err(instead) => instead,
    }
}

/// The status and the text of a reply, to its end; or what came in its place.
async fn read(request: RequestBuilder) -> Result<(u16, String), Answer> {
    let reply = request.send().await.map_err(|error| {
        if error.is_connect() {
            Answer::Unreached
        } else {
            Answer::Nothing
        }
    })?;
    let status = reply.status().as_u16();
    let mut text = Vec::new();
    let mut body = reply.bytes_stream();
    while let Some(piece) = body.next().await {
        text.extend_from_slice(&piece.map_err(|_| Answer::Nothing)?);
        if text.len() > MAX_ANSWER_BYTES {
            return Err(Answer::Nothing);
        }
    }
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}
