//! Writing, with what keeps the caches from going back in time.

use std::{future::Future, sync::Arc};

use domain::Version;
use instrumentation::request::scope_current;
use tenancy::TenantId;
use tracing::Instrument as _;

use super::{Cached, Inner, body::CachedBody, budget::Budget, key::Key};
use crate::{Entity, StorageError, store::Store as _};

/// The version beyond all others: what a deletion announces.
const GONE: Version = Version::new(u64::MAX);

impl<E: Entity> Cached<E> {
    /// Stores a new entity.
    ///
    /// A write that has begun is finished also when its caller leaves; so are all below.
    ///
    /// # Errors
    /// [`StorageError::Duplicate`], or a failure of the store.
    pub async fn insert(&self, tenant: &TenantId, entity: &E) -> Result<(), StorageError> {
        let (inner, tenant, entity) = (Arc::clone(&self.inner), tenant.clone(), entity.clone());
        finish(async move {
            let key = Key::new(&tenant, entity.id());
            // In Redis there is nothing yet of a new id; here its absence may be remembered.
            inner.level1.raise_floor(&key, entity.version());
            inner.store.insert(&tenant, &entity).await?;
            inner
                .level1
                .keep(&key, &CachedBody::of(&entity, inner.encode));
            Ok(())
        })
        .await
    }

    /// Stores all of these new entities or none.
    ///
    /// # Errors
    /// [`StorageError::Duplicate`] with the index of the first one, or a failure of the store.
    pub async fn insert_many(&self, tenant: &TenantId, entities: &[E]) -> Result<(), StorageError> {
        let (inner, tenant) = (Arc::clone(&self.inner), tenant.clone());
        let entities = entities.to_vec();
        finish(async move {
            for entity in &entities {
                inner
                    .level1
                    .raise_floor(&Key::new(&tenant, entity.id()), entity.version());
            }
            inner.store.insert_many(&tenant, &entities).await
        })
        .await
    }

    /// Stores the entity in place of its version `expected`. When it was created stays as stored.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], [`StorageError::VersionConflict`],
    /// [`StorageError::Duplicate`], or a failure of the store.
    pub async fn replace(
        &self,
        tenant: &TenantId,
        entity: &E,
        expected: Version,
    ) -> Result<(), StorageError> {
        let (inner, tenant, entity) = (Arc::clone(&self.inner), tenant.clone(), entity.clone());
        finish(async move {
            let key = Key::new(&tenant, entity.id());
            let mut announced = inner.announce(&key, entity.version()).await;
            let outcome = inner.store.replace(&tenant, &entity, expected).await;
            if outcome.is_ok() {
                let body = CachedBody::of(&entity, inner.encode);
                inner.level1.keep(&key, &body);
                announced.told = inner
                    .level2
                    .publish(&key, &body, &mut announced.budget)
                    .await;
            }
            inner.settle(&announced, &outcome);
            outcome
        })
        .await
    }

    /// Removes the entity, if given only in its version `expected`.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], [`StorageError::VersionConflict`], or a failure of the store.
    pub async fn delete(
        &self,
        tenant: &TenantId,
        id: &E::Id,
        expected: Option<Version>,
    ) -> Result<(), StorageError> {
        let (inner, tenant, id) = (Arc::clone(&self.inner), tenant.clone(), *id);
        finish(async move {
            let key = Key::new(&tenant, id);
            let mut announced = inner.announce(&key, GONE).await;
            let outcome = inner.store.delete(&tenant, &id, expected).await;
            if outcome.is_ok() && !announced.told {
                announced.told = inner
                    .level2
                    .announce(&key, GONE, &mut announced.budget)
                    .await;
            }
            inner.settle(&announced, &outcome);
            outcome
        })
        .await
    }
}

/// A write that is under way.
pub(super) struct Announced {
    budget: Budget,
    /// Whether Redis knows of it.
    told: bool,
}

impl<E: Entity> Inner<E> {
    /// Makes both levels refuse what is older than the version that is about to be written.
    ///
    /// When the write is then refused the marks stay until they run out: for that time the store
    /// answers, which is slower but right.
    pub(super) async fn announce(&self, key: &Key<E>, version: Version) -> Announced {
        self.level1.raise_floor(key, version);
        let mut budget = Budget::start();
        let told = self.level2.announce(key, version, &mut budget).await;
        Announced { budget, told }
    }

    /// Stops believing Redis if it does not know of a write that happened or may have happened.
    fn settle(&self, announced: &Announced, outcome: &Result<(), StorageError>) {
        let happened = outcome
            .as_ref()
            .map_or_else(StorageError::may_have_written, |()| true);
        if happened && !announced.told {
            self.level2.distrust();
        }
    }
}

/// Runs a write to its end, whoever waits for it.
async fn finish(
    write: impl Future<Output = Result<(), StorageError>> + Send + 'static,
) -> Result<(), StorageError> {
    match tokio::spawn(scope_current(write).in_current_span()).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StorageError::Unavailable("the write broke off".into())),
    }
}
