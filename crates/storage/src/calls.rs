//! The same care for every call to a store: a circuit, a turn, a deadline, a span, a metric.

mod circuit;
mod limit;
mod places;

use std::future::Future;

use instrumentation::{catalogue::DB_CLIENT_OPERATION_DURATION, client_span};
use metrics::Histogram;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::{StorageError, StoreLimits};

use self::circuit::Effort;
pub(crate) use self::{
    circuit::Circuit,
    places::{Places, Turn},
};

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
    /// Of all there is.
    Count,
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
    /// `None` for a store that is part of this process: nothing lies between that could fail alone.
    circuit: Option<Circuit>,
    answered: [Histogram; Operation::ALL.len()],
}

impl Operation {
    const ALL: [Self; 9] = [
        Self::Insert,
        Self::InsertMany,
        Self::Get,
        Self::List,
        Self::Search,
        Self::Replace,
        Self::Delete,
        Self::Ping,
        Self::Count,
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
            Self::Count => "count",
        }
    }

    /// A search and a count go through all that a tenant has, a bulk insert is as large as its
    /// caller makes it.
    fn effort(self) -> Effort {
        match self {
            Self::List | Self::Search | Self::Count | Self::InsertMany => Effort::Grows,
            Self::Insert | Self::Get | Self::Replace | Self::Delete | Self::Ping => Effort::Fixed,
        }
    }

    fn writes(self) -> bool {
        match self {
            Self::Insert | Self::InsertMany | Self::Replace | Self::Delete => true,
            Self::Get | Self::List | Self::Search | Self::Ping | Self::Count => false,
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
            circuit: None,
            answered,
        }
    }

    /// The same, refused while this circuit is open.
    pub(crate) fn behind(self, circuit: Circuit) -> Self {
        Self {
            circuit: Some(circuit),
            ..self
        }
    }

    /// Whether the store is asked at all.
    ///
    /// # Errors
    /// [`StorageError::CircuitOpen`]
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        self.circuit.as_ref().map_or(Ok(()), Circuit::check)
    }

    /// A call from this moment on.
    pub(crate) fn begin(&self, operation: Operation) -> Call {
        let longest = match operation {
            Operation::InsertMany | Operation::Count => self.limits.bulk,
            _ => self.limits.call,
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
        let attempt = self.attempt(call, start);
        let result = match &self.circuit {
            None => attempt.instrument(span.clone()).await,
            Some(circuit) => {
                let guarded = circuit.guard(operation.effort(), attempt);
                guarded.instrument(span.clone()).await
            }
        };
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
        let places = self.places(operation);
        let turn = places.turn(patience, deadline).await?;
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
