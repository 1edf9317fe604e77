//! Breaks a stack of its own on purpose, under load, and says what its users saw.
//!
//! A [`Plan`] names a hypothesis about the steady state, a load, faults on a time line, and what
//! must hold meanwhile and afterwards. [`run`] starts the `stack` that the plan needs, has the
//! performance service put the `load` on it, sends `probes` of its own that tell each answer
//! apart, keeps a `ledger` of every write and of what was acknowledged, causes the `faults`, and
//! holds what is stored in the end against the ledger. `judgement` makes a [`Report`] of it.
//!
//! It touches no process that it did not start, and ends all that it started: in order at the end
//! and at an interrupt, by SIGKILL when a step panics or the process itself is killed.

mod api;
mod faults;
mod judgement;
mod ledger;
mod load;
mod machine;
mod metrics;
mod plan;
mod probes;
mod report;
mod run;
mod samples;
mod stack;

pub use judgement::{Judged, Verdict};
pub use plan::Plan;
pub use report::Report;
pub use run::{Places, run};
