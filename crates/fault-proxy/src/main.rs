//! The fault proxy as a process, controlled over HTTP on loopback.

use std::{process::ExitCode, sync::Arc};

use fault_proxy::{FaultProxy, ProcessConfig, control};
use service_defaults::{
    health::Health,
    process::{self, ProcessInfo, RunError},
    serve::{ServeConfig, serve},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const INFO: ProcessInfo = ProcessInfo {
    name: "fault-proxy",
    version: env!("CARGO_PKG_VERSION"),
    about: "A TCP proxy that delays, throttles, cuts, silences, resets or refuses connections.",
};

fn main() -> ExitCode {
    process::run(&INFO, ProcessConfig::read, |config| config.control, run)
}

async fn run(config: ProcessConfig, shutdown: CancellationToken) -> Result<(), RunError> {
    let proxy = FaultProxy::start_on(config.address, config.upstream.to_string())
        .map_err(|error| format!("cannot listen on {}: {error}", config.address))?;
    let listener = TcpListener::bind(config.control)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.control))?;
    let health = Health::start(Vec::new(), shutdown.clone());
    let router = control::router(Arc::new(proxy)).merge(health.router());
    serve(listener, router, ServeConfig::default(), shutdown).await;
    Ok(())
}
