//! `/audit`: who changed what, and whether the log of it is as it was written.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::page;
use crate::app::App;
use crate::audit::list::{self, AuditBody, AuditQuery};
use crate::audit::verify::AuditStateBody;
use crate::problems;

/// What may have become of a call.
const OUTCOMES: [&str; 4] = ["done", "refused", "failed", "abandoned"];

/// Digits of a hash in the table.
const SHOWN_OF_HASH: usize = 8;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    state: AuditStateBody,
    rows: Vec<Row>,
    user: String,
    action: String,
    object: String,
    /// Words, and whether one is chosen.
    outcomes: Vec<(&'static str, bool)>,
    from: String,
    to: String,
    /// The filter as an address has it, each part with `&` before it; empty without one.
    filter: String,
    next: Option<u64>,
}

/// A record, and the hashes of its object as a table has room for them, with the whole ones.
struct Row {
    record: AuditBody,
    before: (String, String),
    after: (String, String),
}

/// The page of the audit log.
pub(super) async fn audit(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<AuditQuery>,
) -> Result<Response, Problem> {
    let found = list::page(&app, &caller.tenant, &query).await?;
    let state = app.store.verify_audit().await;
    let filter = query.filter();
    let chosen = query.outcome.unwrap_or_default();
    page(&AuditPage {
        state: state.map_err(problems::from_store)?.into(),
        rows: found.records.into_iter().map(row).collect(),
        next: found.next,
        user: query.user.unwrap_or_default(),
        action: query.action.unwrap_or_default(),
        object: query.object.unwrap_or_default(),
        outcomes: OUTCOMES.map(|word| (word, word == chosen)).into(),
        from: query.from.unwrap_or_default(),
        to: query.to.unwrap_or_default(),
        filter,
    })
}

fn row(record: AuditBody) -> Row {
    let shown = |hash: Option<&String>| match hash {
        None => ("–".to_owned(), String::new()),
        Some(hash) => (hash.chars().take(SHOWN_OF_HASH).collect(), hash.clone()),
    };
    Row {
        before: shown(record.object_before.as_ref()),
        after: shown(record.object_after.as_ref()),
        record,
    }
}
