//! Reading through both levels.

use std::sync::Arc;

use tenancy::TenantId;
use tokio::time::timeout;

use super::{
    Cached, Inner,
    body::{CachedBody, Level},
    budget::Budget,
    flights::Landed,
    key::Key,
    level1,
    level2::{self, Claim},
};
use crate::{Entity, StorageError, store::Store as _};

pub(super) type Read = Result<Option<Arc<CachedBody>>, StorageError>;

impl<E: Entity> Cached<E> {
    /// The finished reply for the entity, from wherever it is found first.
    ///
    /// While the store is down or slow, an entry that is past its time may be served for up to
    /// [`crate::CacheLimits::stale_ttl`]; it is marked [`Level::Stale`].
    ///
    /// # Errors
    /// A failure of the store, when no cache has the entity.
    pub async fn get(&self, tenant: &TenantId, id: &E::Id) -> Read {
        let key = Key::new(tenant, *id);
        let metrics = &self.inner.metrics;
        let stale = match self.inner.level1.look_up(&key) {
            level1::Found::Fresh(body) => {
                metrics.level1_hit.note();
                return Ok(Some(body));
            }
            level1::Found::Absent => {
                metrics.level1_hit.note();
                return Ok(None);
            }
            level1::Found::Stale(body) => Some(body),
            level1::Found::Nothing => None,
        };
        metrics.level1_miss.note();
        // Boxed, so that a hit does not carry the room that a miss needs.
        Box::pin(self.get_elsewhere(key, stale)).await
    }

    async fn get_elsewhere(&self, key: Key<E>, stale: Option<Arc<CachedBody>>) -> Read {
        let inner = &self.inner;
        let mut budget = Budget::start();
        let mut claim = inner.level2.claim();
        let found = inner.level2.get(&key, claim.as_mut(), &mut budget).await;
        let wait_for_others = match found {
            level2::Found::Value(body) if !inner.level1.is_superseded(&key, Some(body.version)) => {
                inner.metrics.level2_hit.note();
                inner.level1.keep(&key, &body);
                return Ok(Some(Arc::new(body)));
            }
            level2::Found::Nothing => {
                inner.metrics.level2_miss.note();
                true
            }
            level2::Found::Value(_) | level2::Found::Tombstone => {
                inner.metrics.level2_miss.note();
                false
            }
            level2::Found::Unknown => {
                if inner.level2.is_configured() {
                    inner.metrics.level2_bypass.note();
                }
                false
            }
        };
        let upstream = Upstream {
            claim,
            budget,
            wait_for_others,
        };
        // Boxed, so that an answer of Redis does not carry the room for the store's.
        let read = Box::pin(self.get_from_store(&key, upstream));
        if stale.is_none() {
            return read.await;
        }
        // Others who ask go on waiting for the same call.
        let late = Err(StorageError::Timeout { write: false });
        let read = timeout(inner.stale_patience, read).await.unwrap_or(late);
        inner.instead(read, stale)
    }

    async fn get_from_store(&self, key: &Key<E>, upstream: Upstream) -> Read {
        let fetch = || Arc::clone(&self.inner).fetch(key.clone(), upstream);
        match self.inner.flights.run(key.clone(), fetch).await {
            Landed::Own(read) => read,
            Landed::Joined(read) => {
                self.inner.metrics.store_coalesced.note();
                let version = read
                    .as_ref()
                    .ok()
                    .and_then(Option::as_ref)
                    .map(|body| body.version);
                if read.is_ok() && self.inner.level1.is_superseded(key, version) {
                    // The call that was joined began before a write that is acknowledged by now.
                    Arc::clone(&self.inner).load(key, None).await
                } else {
                    read
                }
            }
            Landed::Lost => Arc::clone(&self.inner).load(key, None).await,
        }
    }
}

/// What a call to the store needs to know of Redis.
struct Upstream {
    claim: Option<Claim>,
    budget: Budget,
    /// Redis answered that it has nothing, so that others may be fetching it now.
    wait_for_others: bool,
}

impl<E: Entity> Inner<E> {
    /// The entry past its time in place of an answer that the store could not give.
    pub(super) fn instead(&self, read: Read, stale: Option<Arc<CachedBody>>) -> Read {
        match (read, stale) {
            (Err(failure), Some(stale)) if failure.is_outage() => {
                self.metrics.level1_stale.note();
                Ok(Some(stale.at(Level::Stale)))
            }
            (read, _) => read,
        }
    }

    async fn fetch(self: Arc<Self>, key: Key<E>, upstream: Upstream) -> Read {
        // The call before this one may have ended just now, after this caller had looked.
        if let level1::Found::Fresh(body) = self.level1.look_up(&key) {
            return Ok(Some(body));
        }
        let Upstream {
            mut claim,
            mut budget,
            wait_for_others,
        } = upstream;
        if let (true, Some(claim)) = (wait_for_others, claim.as_mut()) {
            let found = self.level2.wait_for_others(&key, claim, &mut budget).await;
            if let Some(body) = found
                && !self.level1.is_superseded(&key, Some(body.version))
            {
                self.metrics.level2_hit.note();
                self.level1.keep(&key, &body);
                return Ok(Some(Arc::new(body)));
            }
        }
        self.load(&key, claim).await
    }

    /// Reads the store, and keeps what it brings.
    async fn load(self: Arc<Self>, key: &Key<E>, claim: Option<Claim>) -> Read {
        let Some(entity) = self.store.get(&key.tenant, &key.id).await? else {
            self.metrics.store_miss.note();
            self.level1.keep_absence(key);
            return Ok(None);
        };
        self.metrics.store_hit.note();
        let body = Arc::new(CachedBody::of(&entity, self.encode));
        self.level1.keep(key, &body);
        if let Some(claim) = claim
            && !self.level1.is_superseded(key, Some(body.version))
        {
            // The reply does not wait for this.
            let (key, body) = (key.clone(), Arc::clone(&body));
            tokio::spawn(async move { self.level2.fill(&key, claim, &body).await });
        }
        Ok(Some(body))
    }
}
