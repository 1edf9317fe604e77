//! The simulator over HTTP, as a client meets it.
#![expect(
    clippy::unwrap_used,
    reason = "in a test of a server every failure is the test's"
)]

mod anthropic;
mod bedrock;
mod client;
mod control;
mod control_port;
mod event_stream;
mod faults;
mod invoice;
mod keys;
mod library;
mod limits;
mod metrics;
mod ollama;
mod openai;
mod page;
mod recorded_secrets;
mod replayed_calls;
mod responses;
mod service_tiers;
mod wire_faults;
