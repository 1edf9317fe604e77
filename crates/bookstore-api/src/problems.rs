//! Every failure of the layers below as a problem document.

use std::time::Duration;

use llm::{BudgetRefusal, FullQueue, LedgerError, LimitKind, LlmError};
use money::format_usd;
use service_defaults::problem::{FieldError, Problem};
use storage::StorageError;

/// When to come back after the store was down: its checks run once a second.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// When to come back after a provider failed without saying so itself.
const PROVIDER_RETRY: Duration = Duration::from_secs(5);

/// When to come back for a provider that the operator has not set up.
const SETUP_RETRY: Duration = Duration::from_secs(60);

/// An identifier that cannot be one.
pub(crate) fn malformed_id() -> Problem {
    Problem::invalid_field("id", "must be 24 hexadecimal digits")
}

/// There is no entity with the identifier.
pub(crate) fn no_such(singular: &str) -> Problem {
    Problem::not_found(format!("there is no {singular} with this id"))
}

/// A failure of the store.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn storage_problem(error: StorageError) -> Problem {
    match error {
        StorageError::NotFound => Problem::not_found("there is nothing with this id"),
        StorageError::VersionConflict => {
            Problem::precondition_failed("it has changed since the version that If-Match names")
        }
        StorageError::Duplicate { .. } => {
            Problem::conflict("another book has this ISBN").with_kind("duplicate-isbn")
        }
        StorageError::Unavailable(ref reason) => {
            tracing::warn!("the store is unavailable: {reason}");
            Problem::unavailable("the store is not available", STORE_RETRY)
        }
        // Its opening was logged; each refusal would fill the log.
        StorageError::CircuitOpen => {
            Problem::unavailable("the store is not available", STORE_RETRY)
        }
        StorageError::Overloaded => {
            Problem::unavailable("the store has too much to do", STORE_RETRY)
        }
        StorageError::Full => Problem::insufficient_storage("the store has no room left"),
        StorageError::Timeout { write: false } => {
            Problem::unavailable("the store did not answer in time", STORE_RETRY)
        }
        StorageError::OutcomeUnknown(ref reason) => {
            tracing::warn!("the store failed during a write: {reason}");
            outcome_unknown("the store failed: whether the change was made is unknown")
        }
        StorageError::Timeout { write: true } => outcome_unknown(
            "the store did not answer in time: whether the change was made is unknown",
        ),
        StorageError::Corrupt(ref reason) => {
            tracing::error!("stored data is unreadable: {reason}");
            Problem::internal()
        }
    }
}

/// A write that may have been done. It has no `Retry-After`: look first, then decide.
fn outcome_unknown(detail: &'static str) -> Problem {
    Problem::gateway_timeout(detail).with_kind("outcome-unknown")
}

/// A failure of the store over many entities.
pub(crate) fn bulk_problem(error: StorageError) -> Problem {
    match error {
        StorageError::Duplicate { index } => {
            Problem::conflict(format!("[{index}].isbn is the ISBN of another book"))
                .with_kind("duplicate-isbn")
                .with_extension("index", index)
        }
        other => storage_problem(other),
    }
}

/// A failure of a model call. The provider's own words go to the log, not to the client.
pub(crate) fn llm_problem(provider: &str, error: &LlmError) -> Problem {
    let retry = error.retry_after().unwrap_or(PROVIDER_RETRY);
    if !matches!(error, LlmError::NotConfigured { .. }) {
        tracing::warn!(
            "error.type" = error.error_type(),
            provider,
            "a model call failed: {error}"
        );
    }
    match error {
        LlmError::NotConfigured { .. } => not_configured(provider),
        LlmError::RateLimited { .. } => {
            Problem::unavailable(format!("{provider} limits our calls for now"), retry)
                .with_kind("provider-rate-limited")
        }
        LlmError::CircuitOpen { .. } => {
            Problem::unavailable(format!("{provider} has failed too often"), retry)
                .with_kind("circuit-open")
        }
        LlmError::Overloaded { queue, .. } => full_queue(provider, *queue, retry),
        LlmError::Budget(refusal) => budget_problem(refusal),
        LlmError::Timeout(_) => {
            Problem::gateway_timeout(format!("{provider} did not answer in time"))
        }
        LlmError::Rejected { .. } => {
            Problem::bad_gateway(format!("{provider} refused the request"))
        }
        LlmError::Unreachable { .. } => {
            Problem::bad_gateway(format!("{provider} cannot be reached"))
        }
        LlmError::Upstream { .. } | LlmError::Interrupted { .. } | LlmError::Malformed { .. } => {
            Problem::bad_gateway(format!("{provider} failed"))
        }
    }
}

/// A call that this process cannot take now. What is not the provider's is not told of it.
fn full_queue(provider: &str, queue: FullQueue, retry: Duration) -> Problem {
    match queue {
        FullQueue::Provider => {
            Problem::unavailable(format!("too many calls of {provider} are under way"), retry)
                .with_kind("overloaded")
        }
        FullQueue::Ledger => {
            Problem::unavailable("the ledger of model calls has too much to write", retry)
                .with_kind("ledger-full")
        }
        FullQueue::Answers => {
            Problem::unavailable("too many summaries are being made", retry).with_kind("overloaded")
        }
    }
}

/// A call that the tenant's budget does not allow, with what is left and when there is more.
fn budget_problem(refusal: &BudgetRefusal) -> Problem {
    match refusal {
        BudgetRefusal::Reached {
            limit,
            allowed,
            left,
            retry_after,
            ..
        } => {
            let detail = format!("the limit of {limit} is reached");
            let problem = Problem::too_many_requests(detail, *retry_after)
                .with_extension("limit", limit.as_str());
            match limit {
                LimitKind::Day | LimitKind::Month => problem
                    .with_kind("budget-exceeded")
                    .with_extension("allowedPicoUsd", *allowed)
                    .with_extension("leftPicoUsd", *left)
                    .with_extension("leftUsd", format_usd(i128::from(*left))),
                LimitKind::Requests | LimitKind::Tokens => problem
                    .with_kind("rate-limit-exceeded")
                    .with_extension("allowed", *allowed)
                    .with_extension("left", *left),
            }
        }
        BudgetRefusal::Unpriced => Problem::forbidden(
            "the model has no known price, and what this tenant spends is limited",
        )
        .with_kind("model-unpriced"),
        BudgetRefusal::Unavailable { retry_after } => {
            Problem::unavailable("the budget cannot be checked for now", *retry_after)
                .with_kind("budget-unavailable")
        }
    }
}

/// A failure of the ledger.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn ledger_problem(error: LedgerError) -> Problem {
    match error {
        LedgerError::Corrupt(_) | LedgerError::TooNew { .. } | LedgerError::Directory(_) => {
            tracing::error!("the ledger is unreadable: {error}");
            Problem::internal()
        }
        LedgerError::Database(_)
        | LedgerError::Server(_)
        | LedgerError::Late
        | LedgerError::Closed => {
            tracing::warn!("the ledger is unavailable: {error}");
            Problem::unavailable("the ledger is not available", STORE_RETRY)
        }
    }
}

/// A model whose answers were no summaries, also when it was told why.
pub(crate) fn output_rejected(provider: &str, check: &'static str, reason: &str) -> Problem {
    tracing::warn!(provider, check, "a model's answer was rejected twice");
    Problem::bad_gateway(format!("the answer of {provider} cannot be used: {reason}"))
        .with_kind("output-rejected")
        .with_extension("check", check)
}

/// A provider without its key or address.
pub(crate) fn not_configured(provider: &str) -> Problem {
    Problem::unavailable(
        format!("provider {provider} is not configured"),
        SETUP_RETRY,
    )
    .with_kind("provider-not-configured")
}

/// The process ends before the answer does; another one may be up in a moment.
pub(crate) fn shutting_down() -> Problem {
    Problem::unavailable("the service is shutting down", PROVIDER_RETRY).with_kind("shutting-down")
}

/// A provider that nobody knows.
pub(crate) fn unknown_provider(available: &[&str]) -> Problem {
    let reason = format!("must be one of {}", available.join(", "));
    Problem::invalid(vec![FieldError::new("provider", reason)]).with_message(format!(
        "Unknown provider. Available providers: {}",
        available.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ledger_is_no_fault_of_the_provider() {
        let told = |queue| {
            let retry_after = Duration::from_secs(3);
            let error = LlmError::Overloaded { queue, retry_after };
            let document = llm_problem("claude", &error).to_json();
            assert_eq!(document["status"], 503);
            (document["type"].to_string(), document["detail"].to_string())
        };
        let (kind, detail) = told(FullQueue::Ledger);
        assert!(kind.contains("ledger-full") && !detail.contains("claude"));
        let (kind, detail) = told(FullQueue::Provider);
        assert!(kind.contains("overloaded") && detail.contains("claude"));
        assert!(told(FullQueue::Answers).0.contains("overloaded"));
    }
}
