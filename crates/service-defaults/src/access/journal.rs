//! What a service writes down of the calls that change something.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use futures_util::future::BoxFuture;
use http::{Method, StatusCode, header};
use tenancy::Principal;
use tokio::task::JoinHandle;

/// Longest object: an address of the API with its identifiers.
const MAX_OBJECT_BYTES: usize = 256;

/// Keeps records. A record is kept before its answer is given.
pub trait Journal: Send + Sync {
    /// Keeps a record, or says in the log that it could not.
    fn keep(&self, record: Record) -> BoxFuture<'static, ()>;
}

/// A call that changes something, or tried to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who called; nobody known when it was refused for that.
    pub principal: Option<Principal>,
    /// Method and path with names in braces.
    pub action: String,
    /// What was made, else what was called, without the query.
    pub object: String,
    /// The answer's status; none when the caller left before.
    pub status: Option<StatusCode>,
    /// The request's id.
    pub request_id: String,
}

/// A record that waits for its status. When it is dropped before, the caller has left.
pub(super) struct Pending {
    journal: Arc<dyn Journal>,
    record: Option<Record>,
}

/// Whether a call with this method changes something.
pub(super) fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl Pending {
    pub(super) fn new(
        journal: Arc<dyn Journal>,
        request: &Request,
        principal: Option<Principal>,
    ) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map_or("", MatchedPath::as_str);
        let identity = instrumentation::request::current();
        let record = Record {
            principal,
            action: format!("{} {route}", request.method()),
            object: cut(request.uri().path()),
            status: None,
            request_id: identity.map_or_else(String::new, |one| one.request_id().to_owned()),
        };
        Self {
            journal,
            record: Some(record),
        }
    }

    /// Keeps the record of a call that was answered. Where nobody was asked who they are, the
    /// answer may say so. What is kept is kept also when the caller leaves meanwhile.
    pub(super) fn answered(mut self, response: &Response) -> Option<JoinHandle<()>> {
        let mut record = self.record.take()?;
        record.status = Some(response.status());
        let location = response.headers().get(header::LOCATION);
        let made = location.and_then(|location| location.to_str().ok());
        if let Some(made) = made {
            record.object = cut(made);
        }
        let named = || response.extensions().get::<Principal>().cloned();
        record.principal = record.principal.or_else(named);
        Some(tokio::spawn(self.journal.keep(record)))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(record) = self.record.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(self.journal.keep(record));
        }
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_OBJECT_BYTES);
    text.get(..end).unwrap_or(text).to_owned()
}
