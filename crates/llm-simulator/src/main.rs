//! The LLM simulator as a process.

use std::process::ExitCode;

use instrumentation::{
    Telemetry,
    http::{HttpTelemetry, RouteClass},
};
use llm_simulator::{ProcessConfig, Simulator};
use service_defaults::{
    health::Health,
    process::{self, ProcessInfo, RunError},
    router::with_defaults,
    serve::{ServeConfig, serve},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const INFO: ProcessInfo = ProcessInfo {
    name: "llm-simulator",
    version: env!("CARGO_PKG_VERSION"),
    about: "Simulates model servers: the vendors' protocols on one port.",
};

fn main() -> ExitCode {
    process::run(
        &INFO,
        |env| ProcessConfig::read(env, INFO.version),
        |config| config.address,
        run,
    )
}

async fn run(config: ProcessConfig, shutdown: CancellationToken) -> Result<(), RunError> {
    let telemetry = Telemetry::start(&config.telemetry.telemetry)?;
    let listener = TcpListener::bind(config.address)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.address))?;
    let measured = HttpTelemetry {
        classify,
        sampling: config.telemetry.sampling,
    };
    let health = Health::start(Vec::new(), shutdown.clone());
    let simulator = Simulator::build(config.simulator);
    let listener = simulator.listen(listener)?;
    let router = simulator.router().merge(health.router());
    let router = with_defaults(router, measured, telemetry.metrics());
    tracing::info!(address = %config.address, "simulating");
    serve(listener, router, ServeConfig::default(), shutdown).await;
    telemetry.shutdown().await;
    Ok(())
}

fn classify(route: &str) -> RouteClass {
    match route {
        "/v1/messages"
        | "/v1/chat/completions"
        | "/v1/responses"
        | "/lmstudio/v1/chat/completions"
        | "/lmstudio/v1/responses"
        | "/api/chat"
        | "/api/generate"
        | "/model/{model}/converse"
        | "/model/{model}/converse-stream"
        | "/model/{model}/invoke"
        | "/model/{model}/invoke-with-response-stream" => RouteClass::Ai,
        _ => RouteClass::Ops,
    }
}
