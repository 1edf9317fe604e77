//! The API as its users meet it: the real binary over HTTP, with the real servers behind it.
//!
//! Cases of the contract run over both stores: each takes a [`caller::Caller`], which is a tenant
//! of its own at an API that many cases share. What breaks an API has one to itself.

mod caller;
mod reply;
mod test_api;
mod wire;

mod authors;
mod books;
mod bulk;
mod changes;
mod fields;
mod isbn;
mod lists;
mod same_origin;
mod search;
mod seed;

mod documents;
mod error_lab;
mod health;
mod tenants;

mod bad_bodies;
mod bad_requests;
mod naughty_strings;
mod raw_http;

mod access;
mod accounts;
mod billing_oracle;
mod budgets;
mod cache_events;
mod cardinality;
mod circuit;
mod collectors;
mod event_stream;
mod exemplars;
mod experiment_input;
mod experiments;
mod fallback;
mod gen_ai_conventions;
mod hand_driven_model;
mod kept_traces;
mod ledger_crash;
mod llm_fixture;
mod shared_traces;
mod summaries;
mod summary_cache;
mod summary_faults;
mod summary_keeping;
mod summary_leaving;
mod summary_prompts;
mod summary_repairs;
mod summary_sharing;
mod summary_streams;
mod telemetry;
mod telemetry_switches;

mod acknowledged;
mod command_line;
mod redis_outage;
mod shutdown;
mod slow_clients;
mod store_outage;
