//! The LLM layer against the simulator and against servers that misbehave.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows test functions, but not what they are made of"
)]

mod budgets;
mod bulkhead;
mod circuit;
mod conformance;
mod counts;
mod departures;
mod dialects;
mod fallback;
mod faults;
mod fixture;
mod ledger;
mod ledger_stores;
mod listening;
mod price_file;
mod price_terms;
mod prices;
mod redaction;
mod registry;
mod requests;
mod resilience;
mod responder;
mod retries;
mod scripted;
mod service_tiers;
mod shared;
mod shared_cost;
mod stream_errors;
mod telemetry;
