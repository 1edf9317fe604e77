//! The service as its users meet it: the real binary, real k6, a target that counts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod audit;
mod baselines;
mod bottlenecks;
mod budgets;
mod cancel;
mod capacity;
mod comparisons;
mod configured_tests;
mod documents;
mod evidence;
mod faults;
mod forecasts;
mod generation;
mod idempotency;
mod interrupted;
mod killed;
mod lifecycle;
mod limits;
mod live;
mod live_money;
mod login;
mod new_run;
mod pages;
mod paid_target;
mod processes;
mod production;
mod queue;
mod redaction;
mod refusals;
mod relay;
mod reports;
mod retention;
mod sandbox;
mod saved_scripts;
mod schedules;
mod search;
mod settings;
mod tenant_limits;
mod test_service;
mod web_socket;
mod webhook_receiver;
mod webhooks;
mod window;
