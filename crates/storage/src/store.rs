//! The traits that `SQLite` and `MongoDB` implement, and that the cache stands in front of.

use async_trait::async_trait;
use domain::{Book, Page, PageRequest, SearchTerm, Version};
use tenancy::TenantId;

use crate::{Entity, Holdings, StorageError};

/// Entities of one kind, kept per tenant.
///
/// Every call has a deadline and a bounded wait for its turn. A call that was answered is durable.
#[async_trait]
pub trait Store<E: Entity>: Send + Sync {
    /// Stores a new entity.
    ///
    /// # Errors
    /// [`StorageError::Duplicate`], or a failure of the store.
    async fn insert(&self, tenant: &TenantId, entity: &E) -> Result<(), StorageError>;

    /// Stores all of these new entities or none.
    ///
    /// # Errors
    /// [`StorageError::Duplicate`] with the index of the first one, or a failure of the store.
    async fn insert_many(&self, tenant: &TenantId, entities: &[E]) -> Result<(), StorageError>;

    /// The entity with this id, if the tenant has one.
    ///
    /// # Errors
    /// A failure of the store.
    async fn get(&self, tenant: &TenantId, id: &E::Id) -> Result<Option<E>, StorageError>;

    /// One page of the tenant's entities, in a stable order.
    ///
    /// # Errors
    /// A failure of the store.
    async fn list(
        &self,
        tenant: &TenantId,
        query: &E::Query,
        page: PageRequest,
    ) -> Result<Page<E>, StorageError>;

    /// Stores the entity in place of its version `expected`. When it was created stays as stored.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], [`StorageError::VersionConflict`],
    /// [`StorageError::Duplicate`], or a failure of the store.
    async fn replace(
        &self,
        tenant: &TenantId,
        entity: &E,
        expected: Version,
    ) -> Result<(), StorageError>;

    /// Removes the entity, if given only in its version `expected`.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], [`StorageError::VersionConflict`], or a failure of the store.
    async fn delete(
        &self,
        tenant: &TenantId,
        id: &E::Id,
        expected: Option<Version>,
    ) -> Result<(), StorageError>;

    /// What all tenants together have, unfinished bulk inserts left out. It reads everything: no
    /// request waits for it, and one that takes too long says nothing of the store.
    ///
    /// # Errors
    /// A failure of the store.
    async fn holdings(&self) -> Result<Holdings, StorageError>;

    /// Asks the store whether it works.
    ///
    /// # Errors
    /// A failure of the store.
    async fn ping(&self) -> Result<(), StorageError>;
}

/// Books, which can also be searched.
#[async_trait]
pub trait BookStore: Store<Book> {
    /// At most 50 books that contain the term in title, author or description, in any case.
    ///
    /// A title equal to the term comes first, then titles, authors and descriptions that contain
    /// it; among equals the newest is first.
    ///
    /// # Errors
    /// A failure of the store.
    async fn search(&self, tenant: &TenantId, term: &SearchTerm)
    -> Result<Vec<Book>, StorageError>;
}
