//! `/api/v1/llm`: what model calls were made, what they cost, what they would have cost.
#![expect(unused_qualifications, reason = "utoipa's macro writes full paths")]

mod budgets;
mod costs;
mod csv;
mod entries;
mod filter;
mod recost;

use std::time::Duration;

use jiff::Timestamp;
use llm::{LedgerGroup, ProviderName, day_or_moment};
use service_defaults::problem::Problem;
use tenancy::{Principal, Role, TenantId};
use tokio::time::timeout;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// How long a reader waits for the rows of calls that have just ended. The writer is done within
/// milliseconds, unless its store is down.
const CATCH_UP: Duration = Duration::from_millis(500);

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(entries::ledger))
        .routes(routes!(costs::costs))
        .routes(routes!(recost::recost))
        .routes(routes!(budgets::list_budgets))
        .routes(routes!(budgets::get_budget, budgets::put_budget))
}

/// Waits until the rows of calls whose answers were given are there to be read.
pub(crate) async fn catch_up(app: &AppState) {
    // What is not written by then is missing from the reply, not from the ledger.
    let _late = timeout(CATCH_UP, app.ledger.flush()).await;
}

/// The one tenant whose attempts a caller sees; none where an administrator sees those of all.
fn own_tenant(caller: &Principal, group: LedgerGroup) -> Option<TenantId> {
    let sees_all = group == LedgerGroup::Tenant && caller.role == Role::Admin;
    (!sees_all).then(|| caller.tenant.clone())
}

/// Reads what a list is added up by.
fn read_group(text: &str) -> Result<LedgerGroup, Problem> {
    let mut groups = LedgerGroup::ALL.into_iter();
    groups.find(|group| group.as_str() == text).ok_or_else(|| {
        let words = LedgerGroup::ALL.map(LedgerGroup::as_str).join(", ");
        Problem::invalid_field("by", format!("must be one of {words}"))
    })
}

fn read_provider(field: &str, text: &str) -> Result<ProviderName, Problem> {
    text.parse()
        .map_err(|error: llm::UnknownProvider| Problem::invalid_field(field, error.to_string()))
}

/// Reads an instant, or a day for its beginning in UTC.
fn read_time(field: &str, text: &str) -> Result<Timestamp, Problem> {
    day_or_moment(text).ok_or_else(|| {
        Problem::invalid_field(
            field,
            "must be an RFC 3339 time, or a date for its beginning in UTC",
        )
    })
}
