//! The simulator over HTTP, as a client meets it.
#![expect(
    clippy::unwrap_used,
    reason = "in a test of a server every failure is the test's"
)]

mod anthropic;
mod client;
mod control;
mod faults;
mod metrics;
mod ollama;
mod openai;
mod responses;
mod wire_faults;
