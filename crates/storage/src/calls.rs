//! The same care for every call to a store: a turn, a deadline, a span, a metric.

use std::{future::Future, sync::Arc, time::Duration};

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
    used: Gauge,
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
    /// `count` places for calls to `system`.
    pub(crate) fn new(system: &'static str, count: usize) -> Self {
        let labels = [("db.system.name", system)];
        Self {
            system,
            turns: Arc::new(Semaphore::new(count)),
            waiting: DB_CLIENT_CONNECTION_PENDING_REQUESTS.gauge(&labels),
            wait_time: DB_CLIENT_CONNECTION_WAIT_TIME.histogram(&labels),
            used: DB_CLIENT_CONNECTION_COUNT
                .gauge(&[("db.system.name", system), ("state", "used")]),
        }
    }

    async fn turn(&self, until: Instant) -> Result<Turn, StorageError> {
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(Turn::new(permit, self.used.clone()));
        }
        let asked = Instant::now();
        self.waiting.increment(1.0);
        let permit = timeout_at(until, Arc::clone(&self.turns).acquire_owned()).await;
        self.waiting.decrement(1.0);
        self.wait_time.record(asked.elapsed().as_secs_f64());
        match permit {
            Ok(Ok(permit)) => Ok(Turn::new(permit, self.used.clone())),
            Ok(Err(_)) => Err(StorageError::Unavailable("the store is shut down".into())),
            Err(_) => Err(StorageError::Overloaded),
        }
    }
}

/// A place that is taken until this is dropped.
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
    used: Gauge,
}

impl Turn {
    fn new(permit: OwnedSemaphorePermit, used: Gauge) -> Self {
        used.increment(1.0);
        Self {
            _permit: permit,
            used,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.used.decrement(1.0);
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

    /// Runs the call that `start` makes once it is its turn, until its deadline.
    ///
    /// The call keeps its [`Turn`] for as long as it burdens the store, which may be longer than
    /// the caller waits.
    pub(crate) async fn run<T, F>(
        &self,
        operation: Operation,
        start: impl FnOnce(Turn, Instant) -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
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
        let result = self
            .attempt(operation, began, start)
            .instrument(span.clone())
            .await;
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
        operation: Operation,
        began: Instant,
        start: impl FnOnce(Turn, Instant) -> F,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        let (places, deadline) = (self.places(operation), began + self.longest(operation));
        let turn = places.turn(began + self.limits.turn).await?;
        match timeout_at(deadline, start(turn, deadline)).await {
            Ok(result) => result,
            Err(_) => Err(StorageError::Timeout {
                write: operation.writes(),
            }),
        }
    }

    fn places(&self, operation: Operation) -> &Places {
        if operation.writes() {
            &self.writes
        } else {
            &self.reads
        }
    }

    fn longest(&self, operation: Operation) -> Duration {
        if operation == Operation::InsertMany {
            self.limits.bulk
        } else {
            self.limits.call
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
