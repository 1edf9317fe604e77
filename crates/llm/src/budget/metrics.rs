//! Limits and what is spent of them, as gauges.

use instrumentation::catalogue::{BUDGET_LIMIT, BUDGET_RESERVED, BUDGET_SPENT};
use money::PicoUsd;

use super::Budgets;

/// Brings the series of every tenant with limits up to date.
pub(super) async fn show(budgets: &Budgets) {
    for (tenant, limits) in budgets.all() {
        for (simulated, word) in [(false, "false"), (true, "true")] {
            let Ok(standing) = budgets.standing(&tenant, simulated).await else {
                return;
            };
            for (period, limit, spent) in [
                ("day", limits.day, standing.day_spent),
                ("month", limits.month, standing.month_spent),
            ] {
                let Some(limit) = limit else { continue };
                let labels = [
                    ("tenant", tenant.as_str()),
                    ("period", period),
                    ("simulated", word),
                ];
                let usd = PicoUsd::approximate_usd;
                BUDGET_LIMIT.gauge(&labels).set(usd(limit));
                BUDGET_SPENT.gauge(&labels).set(usd(spent));
                BUDGET_RESERVED.gauge(&labels).set(usd(standing.reserved));
            }
        }
    }
}
