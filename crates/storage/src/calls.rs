//! The same care for every call to a store: a turn, a deadline, a span, a metric.

use std::{future::Future, sync::Arc};

use instrumentation::{
    catalogue::{
        DB_CLIENT_CONNECTION_COUNT, DB_CLIENT_CONNECTION_PENDING_REQUESTS,
        DB_CLIENT_CONNECTION_WAIT_TIME, DB_CLIENT_OPERATION_DURATION,
    },
    client_span,
};
use metrics::{Gauge, Histogram};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tracing::Instrument as _;

use crate::{StorageError, StoreLimits};

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert,
    InsertMany,
    Get,
    List,
    Search,
    Replace,
    Delete,
    Ping,
}

/// Places for calls to one store, shared by its collections.
#[derive(Clone)]
pub(crate) struct Places {
    system: &'static str,
    turns: Arc<Semaphore>,
    waiting: Gauge,
    wait_time: Histogram,
    /// `None` for a queue, whose places are no connections.
    connections: Option<Connections>,
}

/// How many connections are at work, and how many are not.
#[derive(Clone)]
struct Connections {
    used: Gauge,
    idle: Gauge,
}

/// A call that waits for its place until this is dropped, also when its caller leaves.
struct Waiting<'a> {
    places: &'a Places,
    asked: Instant,
}

/// A call with its deadline, which several questions to the store may share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    operation: Operation,
    deadline: Instant,
}

/// The calls to one collection.
pub(crate) struct Calls {
    collection: &'static str,
    reads: Places,
    writes: Places,
    limits: StoreLimits,
    answered: [Histogram; Operation::ALL.len()],
}

impl Operation {
    const ALL: [Self; 8] = [
        Self::Insert,
        Self::InsertMany,
        Self::Get,
        Self::List,
        Self::Search,
        Self::Replace,
        Self::Delete,
        Self::Ping,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::InsertMany => "insert_many",
            Self::Get => "get",
            Self::List => "list",
            Self::Search => "search",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Ping => "ping",
        }
    }

    fn writes(self) -> bool {
        match self {
            Self::Insert | Self::InsertMany | Self::Replace | Self::Delete => true,
            Self::Get | Self::List | Self::Search | Self::Ping => false,
        }
    }
}

impl Places {
    /// `count` connections to `system`, each for one call at a time.
    pub(crate) fn connections(system: &'static str, count: u32) -> Self {
        let gauge = |state| {
            DB_CLIENT_CONNECTION_COUNT.gauge(&[("db.system.name", system), ("state", state)])
        };
        let (used, idle) = (gauge("used"), gauge("idle"));
        used.increment(0.0);
        idle.increment(f64::from(count));
        Self {
            connections: Some(Connections { used, idle }),
            ..Self::queue(system, usize::try_from(count).unwrap_or(usize::MAX))
        }
    }

    /// A queue of `length` calls to `system`, which serves them as it can.
    pub(crate) fn queue(system: &'static str, length: usize) -> Self {
        let labels = [("db.system.name", system)];
        Self {
            system,
            turns: Arc::new(Semaphore::new(length)),
            waiting: DB_CLIENT_CONNECTION_PENDING_REQUESTS.gauge(&labels),
            wait_time: DB_CLIENT_CONNECTION_WAIT_TIME.histogram(&labels),
            connections: None,
        }
    }

    async fn turn(&self, until: Instant) -> Result<Turn, StorageError> {
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(Turn::new(permit, self.connections.clone()));
        }
        let waiting = Waiting::new(self);
        let permit = timeout_at(until, Arc::clone(&self.turns).acquire_owned()).await;
        drop(waiting);
        match permit {
            Ok(Ok(permit)) => Ok(Turn::new(permit, self.connections.clone())),
            Ok(Err(_)) => Err(StorageError::Unavailable("the store is shut down".into())),
            Err(_) => Err(StorageError::Overloaded),
        }
    }
}

impl<'a> Waiting<'a> {
    fn new(places: &'a Places) -> Self {
        places.waiting.increment(1.0);
        Self {
            places,
            asked: Instant::now(),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.places.waiting.decrement(1.0);
        self.places.wait_time.record(self.asked.elapsed());
    }
}

/// A place that is taken until this is dropped.
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
    connections: Option<Connections>,
}

impl Turn {
    fn new(permit: OwnedSemaphorePermit, connections: Option<Connections>) -> Self {
        if let Some(connections) = &connections {
            connections.idle.decrement(1.0);
            connections.used.increment(1.0);
        }
        Self {
            _permit: permit,
            connections,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(connections) = &self.connections {
            connections.used.decrement(1.0);
            connections.idle.increment(1.0);
        }
    }
}

impl Calls {
    pub(crate) fn new(
        collection: &'static str,
        reads: Places,
        writes: Places,
        limits: StoreLimits,
    ) -> Self {
        let system = reads.system;
        let answered = Operation::ALL.map(|operation| duration(system, operation, collection, ""));
        Self {
            collection,
            reads,
            writes,
            limits,
            answered,
        }
    }

    /// A call from this moment on.
    pub(crate) fn begin(&self, operation: Operation) -> Call {
        let longest = if operation == Operation::InsertMany {
            self.limits.bulk
        } else {
            self.limits.call
        };
        let deadline = Instant::now() + longest;
        Call {
            operation,
            deadline,
        }
    }

    /// [`Calls::run_in`] for a call of its own.
    pub(crate) async fn run<T, F>(
        &self,
        operation: Operation,
        start: impl FnOnce(Turn, Instant) -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        self.run_in(self.begin(operation), start).await
    }

    /// Asks the store what `start` asks once it is its turn, until the call's deadline.
    ///
    /// The question keeps its [`Turn`] for as long as it burdens the store, which may be longer
    /// than the caller waits.
    pub(crate) async fn run_in<T, F>(
        &self,
        call: Call,
        start: impl FnOnce(Turn, Instant) -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        let operation = call.operation;
        let system = self.reads.system;
        let span = client_span!(
            "storage",
            otel.name = format!("{} {}", operation.name(), self.collection),
            "db.system.name" = system,
            "db.operation.name" = operation.name(),
            "db.collection.name" = self.collection,
            "error.type" = tracing::field::Empty
        );
        let began = Instant::now();
        let result = self.attempt(call, start).instrument(span.clone()).await;
        let seconds = began.elapsed().as_secs_f64();
        match result.as_ref().map_err(StorageError::kind) {
            Ok(_) | Err("") => self.answered[operation as usize].record(seconds),
            Err(kind) => {
                span.record("error.type", kind);
                duration(system, operation, self.collection, kind).record(seconds);
            }
        }
        result
    }

    async fn attempt<T, F>(
        &self,
        Call {
            operation,
            deadline,
        }: Call,
        start: impl FnOnce(Turn, Instant) -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        let write = operation.writes();
        let patience = deadline.min(Instant::now() + self.limits.turn);
        let turn = self.places(operation).turn(patience).await?;
        match timeout_at(deadline, start(turn, deadline)).await {
            // From here on the store may have done what it then failed to acknowledge.
            Ok(Err(StorageError::Unavailable(reason))) if write => {
                Err(StorageError::OutcomeUnknown(reason))
            }
            Ok(result) => result,
            Err(_) => Err(StorageError::Timeout { write }),
        }
    }

    fn places(&self, operation: Operation) -> &Places {
        if operation.writes() {
            &self.writes
        } else {
            &self.reads
        }
    }
}

fn duration(
    system: &'static str,
    operation: Operation,
    collection: &'static str,
    error: &'static str,
) -> Histogram {
    DB_CLIENT_OPERATION_DURATION.histogram(&[
        ("db.system.name", system),
        ("db.operation.name", operation.name()),
        ("db.collection.name", collection),
        ("error.type", error),
    ])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::time::timeout;

    use super::*;

    const PATIENT: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn places_are_counted_until_they_are_given_back() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let text = recorder.handle();
        let connections = || Places::connections("x", 1);
        let places = metrics::with_local_recorder(&recorder, connections);
        let are = |pending: u8, used: u8, idle: u8| {
            let text = text.render();
            for (series, value) in [
                ("pending_requests{db_system_name=\"x\"}", pending),
                ("count{db_system_name=\"x\",state=\"used\"}", used),
                ("count{db_system_name=\"x\",state=\"idle\"}", idle),
            ] {
                let line = format!("db_client_connection_{series} {value}\n");
                assert!(text.contains(&line), "{line}{text}");
            }
        };
        let turn = places.turn(Instant::now()).await.unwrap();
        let mut waiting = Box::pin(places.turn(Instant::now() + PATIENT));
        assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
        are(1, 1, 0);
        drop(waiting);
        are(0, 1, 0);
        drop(turn);
        are(0, 0, 1);
    }

    #[tokio::test]
    async fn places_in_a_queue_are_no_connections() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let queue = || Places::queue("x", 10);
        let places = metrics::with_local_recorder(&recorder, queue);
        let turn = places.turn(Instant::now()).await.unwrap();
        let text = recorder.handle().render();
        assert!(!text.contains("db_client_connection_count"), "{text}");
        drop(turn);
    }
}
