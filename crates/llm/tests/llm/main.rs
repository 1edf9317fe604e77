//! The LLM layer against the simulator and against servers that misbehave.

mod conformance;
mod faults;
mod fixture;
mod ledger;
mod prices;
mod registry;
mod responder;
mod retries;
mod telemetry;
