//! What the cache holds of an entity: its finished reply.

use std::sync::Arc;

use bytes::Bytes;
use domain::Version;

use crate::Entity;

/// A reply that needs no more work: the finished body and what goes into its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedBody {
    /// The entity's version.
    pub version: Version,
    /// Changes with the texts from which a prompt is made.
    pub fingerprint: u64,
    /// The body, as the encoder made it.
    pub body: Bytes,
    /// The version as an entity tag, quotes included: a valid header value.
    pub etag: Bytes,
    /// What answered.
    pub level: Level,
}

/// What answered a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The cache of this process.
    L1,
    /// Redis.
    L2,
    /// The store.
    Store,
    /// The cache of this process with an entry past its time, because the store is down.
    Stale,
}

impl CachedBody {
    pub(super) fn new(version: Version, fingerprint: u64, body: Bytes, level: Level) -> Self {
        let etag = Bytes::from(format!("\"{}\"", version.get()));
        Self {
            version,
            fingerprint,
            body,
            etag,
            level,
        }
    }

    pub(super) fn of<E: Entity>(entity: &E, encode: fn(&E) -> Bytes) -> Self {
        Self::new(
            entity.version(),
            entity.fingerprint(),
            encode(entity),
            Level::Store,
        )
    }

    /// The same reply as it is given from elsewhere.
    pub(super) fn at(&self, level: Level) -> Arc<Self> {
        Arc::new(Self {
            level,
            ..self.clone()
        })
    }
}
