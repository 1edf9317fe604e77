//! Starts the real tools that tests talk to: Redis, a server of the `MongoDB`
//! protocol, k6, Jaeger, Prometheus; and our own simulator and fault proxy.
//!
//! A dev-dependency only. Each started thing binds a free loopback port, keeps
//! its files in a temporary directory of its own, and is gone when its value is
//! dropped, also when the test panics or the test process is killed. A missing
//! tool is an error that names `make setup`, never a test that was not run.
//!
//! [`wait`], [`port`], [`tools`] and [`process`] are those of the crate that starts servers for
//! everybody; the rest is one tool each.

pub use local_servers::{FerretDb, Redis, ferretdb, port, process, redis, redis_with, tools, wait};

pub mod access;
pub mod bench;
pub mod conventions;
pub mod exposition;
pub mod http;

pub mod jaeger;
pub mod load_target;
pub mod performance_service;
pub mod prometheus;

mod container_engine;
mod simulator;

pub use crate::container_engine::{ContainerEngine, container_engine};
pub use crate::jaeger::{Jaeger, jaeger};
pub use crate::prometheus::{Prometheus, prometheus};
pub use crate::simulator::{simulator, simulator_with};

/// For the types that [`fault_proxy()`] gives; a crate's tests depend on this
/// crate only.
pub use ::fault_proxy;
/// For the types that [`simulator()`] gives.
pub use ::llm_simulator;

use anyhow::Context;

/// Starts our fault proxy on a free loopback port, before an upstream `host:port`.
/// It passes everything until it is told otherwise, and ends when it is dropped.
///
/// # Errors
/// When no port can be bound.
pub fn fault_proxy(upstream: impl Into<String>) -> anyhow::Result<fault_proxy::FaultProxy> {
    fault_proxy::FaultProxy::start(upstream).context("the fault proxy cannot start")
}
