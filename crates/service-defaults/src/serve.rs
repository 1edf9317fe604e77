//! The accept loop: `axum::serve` has no defence against slow headers and silent connections.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

/// Limits of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ServeConfig {
    /// Connections at once; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// How long a new connection may take until its first request's head is complete.
    pub first_request: Duration,
    /// How long a kept connection may be silent, or take for a further head. Longer than the think
    /// time of a patient client, whose next request would otherwise meet a closing connection.
    pub idle: Duration,
    /// How long requests under way may take after the shutdown began.
    pub drain: Duration,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            first_request: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            drain: Duration::from_secs(30),
        }
    }
}

/// Serves `service` on `listener` until `shutdown`, then finishes what was begun.
///
/// # Errors
/// The listener broke. Errors of single connections concern only them.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    config: ServeConfig,
    shutdown: CancellationToken,
) -> io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let places = Arc::new(Semaphore::new(config.max_connections));
    let graceful = GracefulShutdown::new();
    while let Some(place) = shutdown
        .run_until_cancelled(Arc::clone(&places).acquire_owned())
        .await
    {
        let Ok(place) = place else { break };
        let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await else {
            break;
        };
        match accepted {
            Ok((stream, _)) => spawn(stream, service.clone(), &config, &graceful, place),
            Err(error) if is_connection_error(&error) => {}
            Err(error) => {
                // Out of file descriptors: wait for some to be closed instead of spinning.
                tracing::error!("no connection can be accepted: {error}");
                pause().await;
            }
        }
    }
    accept_pending(&listener, &service, &config, &graceful, &places).await;
    drop(listener);
    if tokio::time::timeout(config.drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            "requests were cut off after {} s of draining",
            config.drain.as_secs()
        );
    }
    Ok(())
}

/// Takes the connections that clients had opened when the shutdown began: the kernel has
/// acknowledged them, and closing the listener would reset them.
async fn accept_pending<S>(
    listener: &TcpListener,
    service: &S,
    config: &ServeConfig,
    graceful: &GracefulShutdown,
    places: &Arc<Semaphore>,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    while let Ok(place) = Arc::clone(places).try_acquire_owned() {
        tokio::select! {
            biased;
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => spawn(stream, service.clone(), config, graceful, place),
                Err(_) => return,
            },
            () = std::future::ready(()) => return,
        }
    }
}

fn spawn<S>(
    stream: TcpStream,
    service: S,
    config: &ServeConfig,
    graceful: &GracefulShutdown,
    place: OwnedSemaphorePermit,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    // Without this a small last packet waits for the peer's delayed acknowledgement: 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY: {error}");
    }
    let first_request = Arc::new(Notify::new());
    let seen = Arc::clone(&first_request);
    let service = service.map_request(move |request: http::Request<Incoming>| {
        seen.notify_one();
        request.map(Body::new)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.idle)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(config.idle)
        .max_concurrent_streams(200);
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    let connection = graceful.watch(connection.into_owned());
    let limit = config.first_request;
    tokio::spawn(async move {
        let _place = place;
        tokio::pin!(connection);
        let answered = tokio::select! {
            result = &mut connection => Some(result),
            seen = tokio::time::timeout(limit, first_request.notified()) => match seen {
                Ok(()) => None,
                Err(_) => return,
            },
        };
        let result = match answered {
            Some(result) => result,
            None => connection.await,
        };
        if let Err(error) = result {
            tracing::debug!("a connection ended early: {error}");
        }
    });
}

fn is_connection_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no event for a free file descriptor"
)]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}
