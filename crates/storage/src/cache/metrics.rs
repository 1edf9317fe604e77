//! What the cache counts, with handles made once.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use instrumentation::{
    catalogue::{
        BOOKSTORE_CACHE_BYTES, BOOKSTORE_CACHE_ENTRIES, BOOKSTORE_CACHE_EVICTIONS,
        BOOKSTORE_CACHE_REQUESTS, DB_CLIENT_OPERATION_DURATION,
    },
    client_span, source_event,
};
use metrics::{Counter, Gauge, Histogram};
use tracing::Instrument as _;

use super::redis::Failure;

/// Look-ups in one cache, by level and outcome.
pub(super) struct CacheMetrics {
    pub(super) level1_hit: LookUp,
    pub(super) level1_miss: LookUp,
    pub(super) level1_stale: LookUp,
    pub(super) level2_hit: LookUp,
    pub(super) level2_miss: LookUp,
    pub(super) level2_bypass: LookUp,
    pub(super) store_hit: LookUp,
    pub(super) store_miss: LookUp,
    pub(super) store_coalesced: LookUp,
}

/// One way in which a look-up comes out at one level.
pub(super) struct LookUp {
    counter: Counter,
    cache: &'static str,
    level: &'static str,
    outcome: &'static str,
}

/// The first level's size.
pub(super) struct SizeMetrics {
    pub(super) evictions: Counter,
    pub(super) entries: Gauge,
    pub(super) bytes: Gauge,
}

/// What is asked of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Get,
    Put,
    Set,
    Epoch,
    Connect,
}

/// Commands to Redis, by how they ended.
pub(super) struct RedisMetrics {
    answered: [Histogram; Command::ALL.len()],
}

impl CacheMetrics {
    pub(super) fn new(cache: &'static str) -> Self {
        let count = |level, outcome| LookUp {
            counter: BOOKSTORE_CACHE_REQUESTS.counter(&[
                ("cache.name", cache),
                ("cache.level", level),
                ("outcome", outcome),
            ]),
            cache,
            level,
            outcome,
        };
        Self {
            level1_hit: count("l1", "hit"),
            level1_miss: count("l1", "miss"),
            level1_stale: count("l1", "stale"),
            level2_hit: count("l2", "hit"),
            level2_miss: count("l2", "miss"),
            level2_bypass: count("l2", "bypass"),
            store_hit: count("store", "hit"),
            store_miss: count("store", "miss"),
            store_coalesced: count("store", "coalesced"),
        }
    }
}

impl LookUp {
    /// Counts it, and tells it on the request's span if one is recorded: what kind of thing was
    /// looked for, never whose or which.
    pub(super) fn note(&self) {
        self.counter.increment(1);
        source_event!(
            "bookstore.cache.look_up",
            &[
                ("bookstore.cache.name", self.cache),
                ("bookstore.cache.level", self.level),
                ("bookstore.cache.outcome", self.outcome),
            ]
        );
    }
}

impl SizeMetrics {
    pub(super) fn new(cache: &'static str) -> Self {
        let label = [("cache.name", cache)];
        Self {
            evictions: BOOKSTORE_CACHE_EVICTIONS.counter(&label),
            entries: BOOKSTORE_CACHE_ENTRIES.gauge(&label),
            bytes: BOOKSTORE_CACHE_BYTES.gauge(&label),
        }
    }
}

impl Command {
    const ALL: [Self; 5] = [Self::Get, Self::Put, Self::Set, Self::Epoch, Self::Connect];

    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "EVALSHA put_if_newer",
            Self::Set => "SET",
            Self::Epoch => "EVALSHA agree_on_epoch",
            Self::Connect => "HELLO",
        }
    }
}

impl RedisMetrics {
    pub(super) fn new() -> Self {
        Self {
            answered: Command::ALL.map(|command| duration(command, "")),
        }
    }

    /// Measures and traces one command; also says how long it took.
    pub(super) async fn observe<T>(
        &self,
        command: Command,
        attempt: impl Future<Output = Result<T, Failure>>,
    ) -> (Result<T, Failure>, Duration) {
        let span = client_span!(
            "redis",
            otel.name = command.name(),
            "db.system.name" = "redis",
            "db.operation.name" = command.name(),
            "error.type" = tracing::field::Empty
        );
        let began = Instant::now();
        let result = attempt.instrument(span.clone()).await;
        let took = began.elapsed();
        match &result {
            Ok(_) => self.answered[command as usize].record(took),
            Err(failure) => {
                let kind = failure.kind();
                span.record("error.type", kind);
                duration(command, kind).record(took);
            }
        }
        (result, took)
    }
}

impl Failure {
    fn kind(&self) -> &'static str {
        match self {
            Self::Late => "timeout",
            Self::Lost => "unavailable",
            Self::Refused(_) => "refused",
        }
    }
}

fn duration(command: Command, error: &'static str) -> Histogram {
    DB_CLIENT_OPERATION_DURATION.histogram(&[
        ("db.system.name", "redis"),
        ("db.operation.name", command.name()),
        ("db.collection.name", ""),
        ("error.type", error),
    ])
}
