//! Budgets of tenants.

use super::metrics_family;

metrics_family! {
    family BUDGET_FAMILY;

    BUDGET_LIMIT = Gauge "bookstore.budget.limit" as "bookstore_budget_limit_usd",
        "USD", ["tenant", "period", "simulated"], &[],
        "What a tenant may spend in a period (day, month).";
    BUDGET_SPENT = Gauge "bookstore.budget.spent" as "bookstore_budget_spent_usd",
        "USD", ["tenant", "period", "simulated"], &[],
        "What a tenant with a budget has spent in the present period.";
    BUDGET_RESERVED = Gauge "bookstore.budget.reserved" as "bookstore_budget_reserved_usd",
        "USD", ["tenant", "period", "simulated"], &[],
        "What is reserved for attempts under way.";
    BUDGET_REFUSALS = Counter "bookstore.budget.refusals" as "bookstore_budget_refusals_total",
        "{call}", ["gen_ai.provider.name", "limit"], &[],
        "Attempts refused or cut off, by limit (day, month, requests, tokens, unpriced, unavailable).";
}
