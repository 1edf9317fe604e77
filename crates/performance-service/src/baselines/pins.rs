//! Pins: the runs of a version are kept although another one is in force.

use performance_store::{BaselineName, RunStore};
use service_defaults::problem::Problem;
use tenancy::Principal;

use super::administrators_only;
use crate::problems;

/// Pins a version, or takes its pin away; what is so already stays so.
///
/// # Errors
/// 403 without the role admin, 404 for a version that is not kept or has no runs, 409 when its runs
/// are gone, 429 beyond the most pins of a tenant.
pub(crate) async fn pin(
    store: &RunStore,
    caller: &Principal,
    (name, version): (&BaselineName, u64),
    pinned: bool,
) -> Result<(), Problem> {
    administrators_only(caller)?;
    let put = if pinned {
        store.pin_baseline(name, version).await
    } else {
        store.unpin_baseline(name, version).await
    };
    put.map_err(problems::from_change)
}
