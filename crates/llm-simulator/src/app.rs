//! The process: a simulator, or a recorder in its place.

use std::net::SocketAddr;

use axum::Router;
use instrumentation::{
    Telemetry,
    http::{HttpTelemetry, RouteClass},
};
use service_defaults::{
    health::Health,
    process::RunError,
    router::with_defaults,
    serve::{ServeConfig, serve},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{ProcessConfig, Recorder, Simulator};

/// Serves what the configuration asks for until the token is cancelled.
///
/// # Errors
/// Telemetry, the address or the library cannot be used.
pub async fn serve_until(
    config: ProcessConfig,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let telemetry = Telemetry::start(&config.telemetry.telemetry)?;
    let listener = bind(config.address).await?;
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
            let controls = match config.control_address {
                Some(address) => Some(bind(address).await?),
                None => None,
            };
            tracing::info!(address = %config.address, "simulating");
            let models = serve(
                simulator.listen(listener)?,
                complete(simulator.router()),
                ServeConfig::default(),
                shutdown.clone(),
            );
            let controls = async {
                if let Some(listener) = controls {
                    let router = complete(simulator.control_router());
                    serve(listener, router, ServeConfig::default(), shutdown).await;
                }
            };
            tokio::join!(models, controls);
        }
    }
    telemetry.shutdown().await;
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, RunError> {
    let listener = TcpListener::bind(address).await;
    Ok(listener.map_err(|error| format!("cannot listen on {address}: {error}"))?)
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
