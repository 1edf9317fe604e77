//! Calls outwards over HTTP: always with time limits, never through a proxy or a redirect.

mod connect_time;

use std::time::{Duration, Instant};

use instrumentation::{catalogue, propagation};
use reqwest::{Client, Request, Response, redirect::Policy};

pub use connect_time::ConnectTime;

/// Limits of a client.
#[derive(Debug, Clone, Copy)]
pub struct HttpClientConfig {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// Between two reads of a reply.
    pub read: Duration,
    /// Of a whole call; `None` where the caller sets its own, as for streams.
    pub total: Option<Duration>,
    /// Connections kept open per host.
    pub idle_connections: usize,
}

impl Default for HttpClientConfig {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            read: Duration::from_secs(15),
            total: Some(Duration::from_secs(30)),
            idle_connections: 64,
        }
    }
}

/// Builds a client. No proxy is taken from the environment and no redirect is followed: both would
/// send a request, with its key, to an address that no setting names.
///
/// # Errors
/// The TLS roots cannot be loaded.
pub fn build(config: &HttpClientConfig) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .tcp_nodelay(true)
        .connect_timeout(config.connect)
        .read_timeout(config.read)
        .pool_max_idle_per_host(config.idle_connections)
        .pool_idle_timeout(Duration::from_secs(60))
        .connector_layer(connect_time::TimedConnections)
        .user_agent(concat!("bookstore/", env!("CARGO_PKG_VERSION")));
    if let Some(total) = config.total {
        builder = builder.timeout(total);
    }
    builder.build()
}

/// Sends a request within the current trace and measures the time to the reply's head. A reply
/// whose connection was opened for it carries a [`ConnectTime`] among its extensions.
///
/// # Errors
/// No reply: refused, timed out, broken off.
pub async fn send(client: &Client, mut request: Request) -> Result<Response, reqwest::Error> {
    propagation::inject(request.headers_mut());
    let address = request.url().host_str().unwrap_or("").to_owned();
    let method = request.method().clone();
    let started = Instant::now();
    let (mut result, connect_time) = connect_time::observed(client.execute(request)).await;
    if let (Ok(response), Some(connect_time)) = (&mut result, connect_time) {
        response.extensions_mut().insert(connect_time);
    }
    let status = result
        .as_ref()
        .map_or(0, |response| response.status().as_u16());
    catalogue::HTTP_CLIENT_REQUEST_DURATION
        .histogram(&[
            ("server.address", &address),
            ("http.request.method", method.as_str()),
            ("http.response.status_code", &status.to_string()),
        ])
        .record(started.elapsed().as_secs_f64());
    result
}
