//! load-runner with real k6, both versions, against a target that counts what reaches it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod conformance;
mod ending;
mod guard;
mod lab;
mod reading;
mod requested;
mod results;
mod sandbox;
mod supervision;
mod target;
