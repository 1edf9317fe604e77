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

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    state: AuditStateBody,
    records: Vec<AuditBody>,
    user: String,
    /// Words, and whether one is chosen.
    outcomes: Vec<(&'static str, bool)>,
    outcome: String,
    next: Option<u64>,
}

/// The page of the audit log.
pub(super) async fn audit(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<AuditQuery>,
) -> Result<Response, Problem> {
    let found = list::page(&app, &caller.tenant, &query).await?;
    let state = app.store.verify_audit().await;
    let chosen = query.outcome.unwrap_or_default();
    page(&AuditPage {
        state: state.map_err(problems::from_store)?.into(),
        records: found.records,
        next: found.next,
        user: query.user.unwrap_or_default(),
        outcomes: OUTCOMES.map(|word| (word, word == chosen)).into(),
        outcome: chosen,
    })
}
