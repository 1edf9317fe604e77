//! A reply, and what every problem document has.

use anyhow::{Context, bail, ensure};
use http::HeaderMap;
use reqwest::Response;
use serde_json::Value;

/// A whole reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A problem document (RFC 9457) that has all its members.
#[derive(Debug)]
pub(crate) struct Problem(pub(crate) Value);

impl Reply {
    /// Reads a reply to its end.
    pub(crate) async fn read(response: Response) -> anyhow::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    /// This reply, if it has the status.
    pub(crate) fn expect(&self, status: u16) -> anyhow::Result<&Self> {
        ensure!(
            self.status == status,
            "expected {status}, got {}: {}",
            self.status,
            self.text()
        );
        Ok(self)
    }

    /// A header's text; empty without one.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }

    /// The trace id in `traceresponse`.
    pub(crate) fn trace_id(&self) -> anyhow::Result<&str> {
        let header = self.header("traceresponse");
        let id = header.split('-').nth(1);
        id.with_context(|| format!("traceresponse is {header:?}"))
    }

    /// The problem document, which must have this status and every member.
    pub(crate) fn problem(&self, status: u16) -> anyhow::Result<Problem> {
        self.expect(status)?;
        let content_type = self.header("content-type");
        ensure!(
            content_type == "application/problem+json",
            "a failure of type {content_type:?}: {}",
            self.text()
        );
        let problem = Problem(self.json()?);
        for member in ["type", "title", "detail", "instance", "traceId", "message"] {
            ensure!(
                !problem.member(member).is_empty(),
                "no {member}: {problem:?}"
            );
        }
        ensure!(problem.0["status"] == status, "{problem:?}");
        ensure!(
            problem.member("instance") == self.header("x-request-id"),
            "instance is not X-Request-Id: {problem:?}"
        );
        ensure!(
            problem.member("traceId") == self.trace_id()?,
            "traceId is not that of traceresponse: {problem:?}"
        );
        Ok(problem)
    }
}

impl Problem {
    /// A member that is a text; empty without one.
    pub(crate) fn member(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or("")
    }

    /// Whether `errors` has reasons for this field.
    pub(crate) fn names(&self, field: &str) -> anyhow::Result<()> {
        let reasons = self.0["errors"][field].as_array();
        let told = reasons.is_some_and(|reasons| {
            !reasons.is_empty()
                && reasons
                    .iter()
                    .all(|reason| reason.as_str().is_some_and(|text| !text.is_empty()))
        });
        if !told {
            bail!("errors does not name {field}: {self:?}");
        }
        Ok(())
    }
}
