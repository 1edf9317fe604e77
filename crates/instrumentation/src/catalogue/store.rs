//! Stores and caches.

use super::metrics_family;
use crate::buckets::DURATION;

metrics_family! {
    family STORE_FAMILY;

    DB_CLIENT_OPERATION_DURATION = Histogram "db.client.operation.duration" as "db_client_operation_duration_seconds",
        "s", ["db.system.name", "db.operation.name", "db.collection.name", "error.type"], DURATION,
        "Time of one call to MongoDB, SQLite or Redis, waiting for a connection included.";
    DB_CLIENT_CONNECTION_COUNT = Gauge "db.client.connection.count" as "db_client_connection_count",
        "{connection}", ["db.system.name", "state"], &[],
        "Places for calls to a store, used or idle.";
    DB_CLIENT_CONNECTION_PENDING_REQUESTS = Gauge "db.client.connection.pending_requests" as "db_client_connection_pending_requests",
        "{request}", ["db.system.name"], &[],
        "Calls that wait for a place.";
    DB_CLIENT_CONNECTION_WAIT_TIME = Histogram "db.client.connection.wait_time" as "db_client_connection_wait_time_seconds",
        "s", ["db.system.name"], DURATION,
        "Time that calls waited for a place.";
    BOOKSTORE_STORE_CIRCUIT_STATE = Gauge "bookstore.store.circuit.state" as "bookstore_store_circuit_state",
        "1", ["db.system.name"], &[],
        "Whether the store is left alone because it does not answer: 1 open, 0 closed.";
    BOOKSTORE_CACHE_REQUESTS = Counter "bookstore.cache.requests" as "bookstore_cache_requests_total",
        "{request}", ["cache.name", "cache.level", "outcome"], &[],
        "Look-ups by cache, level (l1, l2, store) and outcome (hit, miss, stale, coalesced, bypass).";
    BOOKSTORE_CACHE_EVICTIONS = Counter "bookstore.cache.evictions" as "bookstore_cache_evictions_total",
        "{entry}", ["cache.name"], &[],
        "Entries that the first level dropped for want of room.";
    BOOKSTORE_CACHE_ENTRIES = Gauge "bookstore.cache.entries" as "bookstore_cache_entries",
        "{entry}", ["cache.name"], &[],
        "Entries in the first level.";
    BOOKSTORE_CACHE_BYTES = Gauge "bookstore.cache.size" as "bookstore_cache_size_bytes",
        "By", ["cache.name"], &[],
        "Bytes held by the first level.";
}
