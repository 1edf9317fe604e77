//! Writing, with what keeps the caches from going back in time.

use std::{future::Future, sync::Arc};

use domain::Version;
use instrumentation::request::scope_current;
use tenancy::TenantId;
use tracing::Instrument as _;

use super::{Cached, Inner, body::CachedBody, budget::Budget, key::Key, level2::Told};
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
            inner.store.insert(&tenant, &entity).await?;
            // In Redis there is nothing yet of a new id; here its absence may be remembered.
            inner.level1.end_absence(&key, entity.version());
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
            inner.store.insert_many(&tenant, &entities).await?;
            for entity in &entities {
                let key = Key::new(&tenant, entity.id());
                inner.level1.end_absence(&key, entity.version());
            }
            Ok(())
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
                let budget = &mut announced.budget;
                let told = inner.level2.publish(&key, &body, budget).await;
                announced.note(told);
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
            if outcome.is_ok() {
                // Once more: in an epoch that others have raised meanwhile the first mark is gone.
                let budget = &mut announced.budget;
                let told = inner.level2.announce(&key, GONE, budget).await;
                announced.note(told);
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

impl Announced {
    fn note(&mut self, told: Told) {
        match told {
            Told::Yes => self.told = true,
            Told::No => self.told = false,
            // The mark from before the write goes on refusing what is older.
            Told::Unasked => {}
        }
    }
}

impl<E: Entity> Inner<E> {
    /// Makes both levels refuse what is older than the version that is about to be written.
    ///
    /// When the write is then refused the marks stay until they run out: for that time the store
    /// answers, which is slower but right.
    pub(super) async fn announce(&self, key: &Key<E>, version: Version) -> Announced {
        self.level1.raise_floor(key, version);
        let mut budget = Budget::start();
        let told = self.level2.announce(key, version, &mut budget).await == Told::Yes;
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
        Err(_) => Err(StorageError::OutcomeUnknown("the write broke off".into())),
    }
}
