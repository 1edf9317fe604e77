//! load-runner with real k6, both versions, against a target that counts what reaches it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod conformance;
#[cfg(feature = "container-tests")]
mod containers;
mod csv;
mod ending;
mod guard;
mod lab;
mod reading;
mod requested;
mod results;
mod sandbox;
mod supervision;
mod target;

use lab::Lab;

conformance::conforms!(one_process_v1, crate::Lab::open, V1, 1);
conformance::conforms!(one_process_v2, crate::Lab::open, V2, 1);
conformance::conforms!(two_processes_v1, crate::Lab::open, V1, 2);
conformance::conforms!(two_processes_v2, crate::Lab::open, V2, 2);
