//! The least that can answer: axum as its documentation shows it.

use std::{net::SocketAddr, path::Path};

use anyhow::Context;
use axum::{Router, extract::State, routing::get};
use bytes::Bytes;
use deadpool_redis::redis::{AsyncCommands, Client, aio::MultiplexedConnection};
use http::{HeaderName, StatusCode, header};
use tokio::net::TcpListener;

/// Where the value lies that the bare handler reads from Redis.
pub(crate) const KEY: &str = "bench:book";

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// Serves the bytes of a file.
pub(crate) async fn serve_bytes(address: SocketAddr, file: &Path) -> anyhow::Result<()> {
    let bytes = Bytes::from(std::fs::read(file).context("the bytes to serve")?);
    let handler = async |State(bytes): State<Bytes>| (JSON, bytes);
    serve(
        address,
        Router::new()
            .route(crate::reads::ROUTE, get(handler))
            .with_state(bytes),
    )
    .await
}

/// Serves what lies in Redis, read anew for each request over one multiplexed connection.
pub(crate) async fn serve_redis(address: SocketAddr, url: &str) -> anyhow::Result<()> {
    let client = Client::open(url)?;
    let connection = client.get_multiplexed_async_connection().await?;
    let router = Router::new()
        .route(crate::reads::ROUTE, get(from_redis))
        .with_state(connection);
    serve(address, router).await
}

async fn from_redis(
    State(mut connection): State<MultiplexedConnection>,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), StatusCode> {
    let found: Result<Vec<u8>, _> = connection.get(KEY).await;
    let bytes = found.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok((JSON, bytes))
}

async fn serve(address: SocketAddr, router: Router) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await?;
    Ok(axum::serve(listener, router).await?)
}
