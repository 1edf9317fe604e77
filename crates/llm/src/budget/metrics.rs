//! Limits and what is spent of them, as gauges.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use instrumentation::catalogue::{BUDGET_LIMIT, BUDGET_RESERVED, BUDGET_SPENT};
use money::PicoUsd;
use tenancy::TenantId;

use super::{BudgetLimits, Budgets};

/// Accounts that are asked at once: enough that slow ones do not stop the round.
const AT_ONCE: usize = 16;

/// Tenant, period, and whether the money is simulated.
type Series = (TenantId, &'static str, bool);

/// The series that have a value.
#[derive(Debug, Default)]
pub(super) struct Shown(HashSet<Series>);

impl Shown {
    /// Brings the series of every limit up to date, and empties those of limits that are gone. What
    /// cannot be asked for keeps its value.
    pub(super) async fn update(&mut self, budgets: &Budgets) {
        let all = budgets.all();
        let limited: HashSet<Series> = all
            .iter()
            .flat_map(|(tenant, limits)| series(tenant, limits))
            .map(|(series, _)| series)
            .collect();
        for gone in self.0.difference(&limited) {
            // A gauge cannot be taken away; this is the value of what has none.
            show(gone, [f64::NAN; 3]);
        }
        self.0 = limited;
        let accounts = all.iter().flat_map(|one| [(one, false), (one, true)]);
        stream::iter(accounts)
            .for_each_concurrent(AT_ONCE, async |((tenant, limits), simulated)| {
                show_account(budgets, tenant, limits, simulated).await;
            })
            .await;
    }
}

/// The series of a tenant's limits, each with its limit.
fn series(tenant: &TenantId, limits: &BudgetLimits) -> Vec<(Series, PicoUsd)> {
    let periods = [("day", limits.day), ("month", limits.month)];
    let limited = periods
        .into_iter()
        .filter_map(|(period, limit)| Some((period, limit?)));
    limited
        .flat_map(|(period, limit)| [(period, limit, false), (period, limit, true)])
        .map(|(period, limit, simulated)| ((tenant.clone(), period, simulated), limit))
        .collect()
}

async fn show_account(
    budgets: &Budgets,
    tenant: &TenantId,
    limits: &BudgetLimits,
    simulated: bool,
) {
    let Ok(standing) = budgets.standing(tenant, simulated).await else {
        return;
    };
    let usd = PicoUsd::approximate_usd;
    for (series, limit) in series(tenant, limits) {
        let spent = match series.1 {
            "day" => standing.day_spent,
            _ => standing.month_spent,
        };
        if series.2 == simulated {
            show(&series, [usd(limit), usd(spent), usd(standing.reserved)]);
        }
    }
}

/// Limit, spent and reserved, in dollars.
fn show((tenant, period, simulated): &Series, [limit, spent, reserved]: [f64; 3]) {
    let labels = [
        ("tenant", tenant.as_str()),
        ("period", *period),
        ("simulated", if *simulated { "true" } else { "false" }),
    ];
    BUDGET_LIMIT.gauge(&labels).set(limit);
    BUDGET_SPENT.gauge(&labels).set(spent);
    BUDGET_RESERVED.gauge(&labels).set(reserved);
}
