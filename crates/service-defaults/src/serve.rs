//! The accept loop: `axum::serve` has no defence against slow headers and silent connections.

mod head_timer;
mod listener;

pub use listener::{Label, Listener};

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderValue, Version, header::CONNECTION};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt};

use head_timer::HeadTimer;

/// How long a reply may wait for its client to take some of it.
const WRITE: Duration = Duration::from_secs(30);

/// How long a connection without a request is kept once the shutdown has begun: one may be on its
/// way. Its answer, and any other from then on, says that the connection closes.
const LAST_CALL: Duration = Duration::from_millis(250);

/// Bytes of a request's head that are buffered; hyper's 400 kB would let a connection hold ten times
/// what any client sends. Twice hyper's longest address, so that a longer one is told from a long
/// header.
const MAX_HEAD: usize = 128 * 1_024;

/// Limits of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ServeConfig {
    /// Connections at once; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// How long a new connection may take until its first request's head is complete.
    pub first_request: Duration,
    /// How long a kept connection may be without a new request, or take for a further head. Longer than the think
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

/// Serves `service` on `listener` until `shutdown`, then finishes what was begun. Errors of single
/// connections concern only them.
pub async fn serve<L, S>(listener: L, service: S, config: ServeConfig, shutdown: CancellationToken)
where
    L: Listener,
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let places = Arc::new(Semaphore::new(config.max_connections));
    let connections = Connections {
        service,
        config,
        shutdown: shutdown.clone(),
        tasks: TaskTracker::new(),
    };
    while let Some(place) = shutdown
        .run_until_cancelled(Arc::clone(&places).acquire_owned())
        .await
    {
        let Ok(place) = place else { break };
        let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await else {
            break;
        };
        match accepted {
            Ok((stream, label)) => connections.spawn(stream, label, place),
            Err(error) if is_connection_error(&error) => {}
            Err(error) => {
                // Out of file descriptors: wait for some to be closed instead of spinning.
                tracing::error!("no connection can be accepted: {error}");
                pause().await;
            }
        }
    }
    connections.spawn_waiting(&listener, &places).await;
    drop(listener);
    connections.tasks.close();
    if timeout(config.drain, connections.tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            "requests were cut off after {} s of draining",
            config.drain.as_secs()
        );
    }
}

/// The connections of a listener, each in a task of its own.
struct Connections<S> {
    service: S,
    config: ServeConfig,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl<S> Connections<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    /// Takes the connections that clients had opened when the shutdown began: the kernel has
    /// acknowledged them, and closing the listener would reset them.
    async fn spawn_waiting<L: Listener>(&self, listener: &L, places: &Arc<Semaphore>) {
        while let Ok(place) = Arc::clone(places).try_acquire_owned() {
            tokio::select! {
                biased;
                // Without a budget: running out of it would look as if nobody waited.
                accepted = tokio::task::unconstrained(listener.accept()) => match accepted {
                    Ok((stream, label)) => self.spawn(stream, label, place),
                    Err(_) => return,
                },
                () = std::future::ready(()) => return,
            }
        }
    }

    fn spawn<T>(&self, stream: T, label: impl Label, place: OwnedSemaphorePermit)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let requests = Arc::new(Requests::default());
        let seen = Arc::clone(&requests);
        let service = self.service.clone();
        let service = service.map_request(move |mut request: http::Request<Incoming>| {
            seen.note(request.version());
            label.put_on(request.extensions_mut());
            request.map(Body::new)
        });
        let (answered, closing) = (Arc::clone(&requests), self.shutdown.clone());
        let service = service.map_response(move |mut response: Response| {
            if closing.is_cancelled() && !answered.multiplexed.load(Ordering::Relaxed) {
                let headers = response.headers_mut();
                let close = HeaderValue::from_static("close");
                headers.entry(CONNECTION).or_insert(close);
            }
            response
        });
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE));
        let stream = TokioIo::new(Box::pin(stream));
        let connection = protocols(self.config.idle)
            .serve_connection_with_upgrades(stream, TowerToHyperService::new(service))
            .into_owned();
        let (config, shutdown) = (self.config, self.shutdown.clone());
        self.tasks.spawn(async move {
            let _place = place;
            tokio::pin!(connection);
            // A connection that is told to end before its first request drops it unread, so it is
            // told after that one.
            let begun = tokio::select! {
                biased;
                result = &mut connection => Some(result),
                () = requests.first.notified() => None,
                () = no_request(config.first_request, &shutdown) => return,
            };
            let ended = match begun {
                Some(result) => result,
                None => tokio::select! {
                    biased;
                    result = &mut connection => result,
                    () = requests.end(config.idle, &shutdown) => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                },
            };
            if let Err(error) = ended {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }
}

/// The requests of one connection.
#[derive(Default)]
struct Requests {
    count: AtomicU64,
    first: Notify,
    /// HTTP/2 says by frames of its own that a connection closes.
    multiplexed: AtomicBool,
}

impl Requests {
    fn note(&self, version: Version) {
        let multiplexed = version == Version::HTTP_2;
        self.multiplexed.store(multiplexed, Ordering::Relaxed);
        if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
            self.first.notify_one();
        }
    }

    /// Waits until no request has come for `idle`, or for the last call after the shutdown began:
    /// then the connection finishes what it has and takes no more. HTTP/2 has no such limit of its
    /// own.
    async fn end(&self, idle: Duration, shutdown: &CancellationToken) {
        let mut seen = 0;
        loop {
            let count = self.count.load(Ordering::Relaxed);
            if count == seen {
                return;
            }
            if timeout(idle, shutdown.cancelled()).await.is_ok() {
                return last_call().await;
            }
            seen = count;
        }
    }
}

/// HTTP/1.1 and HTTP/2, with the limits of a kept connection.
fn protocols(idle: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(HeadTimer::default())
        .header_read_timeout(idle)
        .max_buf_size(MAX_HEAD)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(idle)
        .max_concurrent_streams(200);
    builder
}

/// Ends when a connection has had its time for its first request, which a shutdown shortens.
async fn no_request(limit: Duration, shutdown: &CancellationToken) {
    let waited = timeout(limit, shutdown.cancelled()).await;
    if waited.is_ok() {
        last_call().await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a request that never comes is no event"
)]
async fn last_call() {
    tokio::time::sleep(LAST_CALL).await;
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
