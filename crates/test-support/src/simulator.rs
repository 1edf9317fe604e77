//! Our LLM simulator, within the test's process.

use std::net::Ipv4Addr;

use anyhow::Context;
use llm_simulator::{Running, Simulator, SimulatorConfig};
use tokio::net::TcpListener;

/// Serves a simulator that answers without delay on a free loopback port.
///
/// It lives on the runtime of the test that starts it, so tests do not share it,
/// and ends when the value is dropped.
///
/// # Errors
/// When no port can be bound.
pub async fn simulator() -> anyhow::Result<Running> {
    simulator_with(SimulatorConfig::instant()).await
}

/// Serves a simulator with this seed and pace.
///
/// # Errors
/// When no port can be bound.
pub async fn simulator_with(config: SimulatorConfig) -> anyhow::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Simulator::build(config)
        .spawn(listener)
        .context("the simulator cannot serve")
}
