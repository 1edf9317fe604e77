//! The command line as its users meet it: the real binary, the real service, real k6.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cancel;
mod capacity;
mod chaos;
mod command;
mod forecast;
mod gate;
mod judge;
mod run;
mod usage;
