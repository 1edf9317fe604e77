//! How long a call waited for its own connection to open.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tower::{Layer, Service};

tokio::task_local! {
    /// Where the connector of the running call writes. A connection is opened by the task that
    /// polls the call, so the connector finds the call without being told of it.
    static OPENED_IN: Arc<OnceLock<Duration>>;
}

/// The time that a reply's call took to open a connection: an extension of the response, absent
/// when a connection was used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectTime(pub Duration);

/// Runs `call`; beside its result stands the time to open a connection, if it opened one.
pub(super) async fn observed<T>(call: impl Future<Output = T>) -> (T, Option<ConnectTime>) {
    let opened_in = Arc::new(OnceLock::new());
    let result = OPENED_IN.scope(Arc::clone(&opened_in), call).await;
    (result, opened_in.get().copied().map(ConnectTime))
}

/// Times the connector below: name resolution, TCP and TLS.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimedConnections;

/// A connector that tells the call how long it took.
#[derive(Debug, Clone)]
pub(super) struct TimedConnector<S> {
    connector: S,
}

impl<S> Layer<S> for TimedConnections {
    type Service = TimedConnector<S>;

    fn layer(&self, connector: S) -> TimedConnector<S> {
        TimedConnector { connector }
    }
}

impl<S, Destination> Service<Destination> for TimedConnector<S>
where
    S: Service<Destination>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, destination: Destination) -> Self::Future {
        let opened_in = OPENED_IN.try_with(Arc::clone).ok();
        let begun = Instant::now();
        let opening = self.connector.call(destination);
        Box::pin(async move {
            let connection = opening.await?;
            if let Some(opened_in) = opened_in {
                opened_in.get_or_init(|| begun.elapsed());
            }
            Ok(connection)
        })
    }
}
