//! Every failure of the parts as a problem document, in one place.

use std::time::Duration;

use load_runner::options::InvalidField;
use performance_store::StoreError;
use service_defaults::problem::{FieldError, Problem};

use crate::tenant_limits;

/// When a full queue is worth another try: a smoke run takes about this long.
const QUEUE_RETRY: Duration = Duration::from_secs(30);

/// When a store that does not answer is worth another try.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// The problem behind a failure of the store; unexpected ones are logged here.
#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
pub(crate) fn from_store(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound => no_such_run(),
        StoreError::Moved { actual } => Problem::conflict(format!("the run is {actual}")),
        StoreError::Absent { .. } => Problem::not_found(error.to_string()),
        StoreError::TooMany { what, limit } => tenant_limits::as_many_as_kept(what, limit),
        StoreError::RunGone { .. } => {
            Problem::conflict(error.to_string()).with_kind("runs-removed")
        }
        StoreError::Superseded | StoreError::Pinned | StoreError::Exists { .. } => {
            Problem::conflict(error.to_string())
        }
        StoreError::QueueFull { .. } => {
            Problem::too_many_requests(error.to_string(), QUEUE_RETRY).with_kind("queue-full")
        }
        StoreError::TenantQueueFull { waiting, limit } => tenant_limits::queue_full(waiting, limit),
        StoreError::DailyLoad { used, allowed } => tenant_limits::day_used_up(used, allowed),
        StoreError::RunTooLarge { .. } | StoreError::DiskFull => {
            Problem::insufficient_storage(error.to_string())
        }
        StoreError::Timeout | StoreError::Unavailable(_) => {
            tracing::error!("the run store failed: {error}");
            Problem::unavailable("the run store does not answer", STORE_RETRY)
        }
        StoreError::InUse { .. } | StoreError::Refused(_) | StoreError::Corrupt(_) => {
            tracing::error!("the run store failed: {error}");
            Problem::internal()
        }
    }
}

/// The problem behind a change that failed. One that timed out may have happened all the same,
/// so that nobody is told to try again: that could start a second load.
pub(crate) fn from_change(error: StoreError) -> Problem {
    match error {
        StoreError::Timeout => {
            tracing::error!("the run store failed: {error}");
            Problem::gateway_timeout(
                "the run store did not answer in time: whether the change was made is unknown; \
                 the list of runs shows it",
            )
            .with_kind("outcome-unknown")
        }
        other => from_store(other),
    }
}

/// The tenant has no run with this id.
pub(crate) fn no_such_run() -> Problem {
    Problem::not_found("there is no such run")
}

/// Fields of a plan that are refused.
pub(crate) fn from_fields(fields: Vec<InvalidField>) -> Problem {
    let errors = fields
        .into_iter()
        .map(|InvalidField { field, reason }| FieldError::new(field, reason))
        .collect();
    Problem::invalid(errors)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http::{StatusCode, header};

    use super::*;

    #[test]
    fn only_what_certainly_did_not_happen_may_be_tried_again() {
        for (problem, status, retry) in [
            (
                from_change(StoreError::Timeout),
                StatusCode::GATEWAY_TIMEOUT,
                false,
            ),
            (
                from_store(StoreError::Timeout),
                StatusCode::SERVICE_UNAVAILABLE,
                true,
            ),
        ] {
            let response = problem.into_response();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), retry);
        }
    }
}
