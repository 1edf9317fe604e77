//! The LLM simulator as a process.

use std::process::ExitCode;

use axum::Router;
use instrumentation::{
    Telemetry,
    http::{HttpTelemetry, RouteClass},
};
use llm_simulator::{ProcessConfig, Recorder, Simulator, options};
use service_defaults::{
    environment::Environment,
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

/// Of sysexits.h: the command line is wrong.
const EX_USAGE: u8 = 64;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let invocation = match options::read(&given, Environment::of_process()) {
        Ok(invocation) => invocation,
        Err(reason) => return refuse(&reason),
    };
    process::run_as(
        invocation,
        &INFO,
        |env| ProcessConfig::read(env, INFO.version),
        |config| config.address,
        run,
    )
}

#[expect(clippy::print_stderr, reason = "the command line's own answer")]
fn refuse(reason: &str) -> ExitCode {
    eprintln!("{}: {reason}", INFO.name);
    ExitCode::from(EX_USAGE)
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
    let complete = |router: Router| {
        with_defaults(router.merge(health.router()), measured, telemetry.metrics())
    };
    match config.record {
        Some(record) => {
            let router = complete(Recorder::open(&record)?.router());
            tracing::info!(address = %config.address, "recording");
            serve(listener, router, ServeConfig::default(), shutdown).await;
        }
        None => {
            let simulator = Simulator::build(config.simulator);
            let router = complete(simulator.router());
            tracing::info!(address = %config.address, "simulating");
            let listener = simulator.listen(listener)?;
            serve(listener, router, ServeConfig::default(), shutdown).await;
        }
    }
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
