//! One collection of entities: the calls that books and authors share.

use std::time::Duration;

use async_trait::async_trait;
use domain::{Page, PageRequest, Version};
use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Document, deserialize_from_document, doc, serialize_to_document},
};
use serde::{Serialize, de::DeserializeOwned};
use tenancy::TenantId;
use tokio::time::Instant;

use super::{
    Database, batch::MARK, command::to_its_end, error::from_mongo, fields::number, holdings::count,
    locks::DocumentLocks,
};
use crate::{
    Entity, Holdings, StorageError,
    calls::{Call, Calls, Operation},
    store::Store,
};

/// How an entity lies in its collection.
pub(crate) trait MongoEntity: Entity {
    /// What is stored.
    type Document: Serialize + DeserializeOwned + Send + Sync;

    /// Fields that a stored document may lack.
    const OPTIONAL: &'static [&'static str];
    /// The field that says how many copies of it there are.
    const UNITS: Option<&'static str> = None;

    /// The document of the entity.
    fn document(&self, tenant: &TenantId) -> Self::Document;
    /// The entity of a document.
    fn from_document(stored: Self::Document) -> Result<Self, StorageError>;
    /// The condition of a query: fields that are equal to values.
    fn equal(query: &Self::Query) -> Document;
    /// The order of a query.
    fn order(query: &Self::Query) -> Document;
}

/// A collection of entities.
pub(crate) struct DocumentStore<E> {
    database: Database,
    collection: Collection<Document>,
    pub(super) calls: Calls,
    locks: DocumentLocks,
    entity: std::marker::PhantomData<fn() -> E>,
}

impl<E: MongoEntity> DocumentStore<E> {
    pub(crate) fn new(database: &Database) -> Self {
        let places = || database.places.clone();
        let calls = Calls::new(E::COLLECTION, places(), places(), database.limits.clone());
        Self {
            database: database.clone(),
            collection: database.database.collection(E::COLLECTION),
            locks: DocumentLocks::new(!database.transactions),
            calls: calls.behind(database.circuit.clone()),
            entity: std::marker::PhantomData,
        }
    }

    /// The entities that `filter` finds.
    pub(super) async fn find(
        &self,
        call: Call,
        filter: Document,
        order: Document,
        limit: usize,
    ) -> Result<Vec<E>, StorageError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let collection = self.collection.clone();
        let find = |turn, deadline| {
            to_its_end(turn, deadline, async move {
                let found = collection.find(filter).sort(order).limit(limit);
                read(found.max_time(left(deadline))).await
            })
        };
        self.calls.run_in(call, find).await
    }
}

#[async_trait]
impl<E: MongoEntity> Store<E> for DocumentStore<E> {
    async fn insert(&self, tenant: &TenantId, entity: &E) -> Result<(), StorageError> {
        let document = to_bson(&entity.document(tenant))?;
        let collection = self.collection.clone();
        let insert = |turn, deadline| {
            to_its_end(turn, deadline, async move {
                let done = collection.insert_one(document).await;
                done.map(drop).map_err(from_mongo)
            })
        };
        self.calls.run(Operation::Insert, insert).await
    }

    async fn insert_many(&self, tenant: &TenantId, entities: &[E]) -> Result<(), StorageError> {
        let documents: Result<Vec<Document>, StorageError> = entities
            .iter()
            .map(|entity| to_bson(&entity.document(tenant)))
            .collect();
        let documents = documents?;
        let (collection, batches) = (self.collection.clone(), self.database.batches());
        let insert = |turn, deadline| {
            to_its_end(turn, deadline, async move {
                batches.insert(&collection, documents).await
            })
        };
        self.calls.run(Operation::InsertMany, insert).await
    }

    async fn get(&self, tenant: &TenantId, id: &E::Id) -> Result<Option<E>, StorageError> {
        let (call, filter) = (self.calls.begin(Operation::Get), one::<E>(tenant, id));
        Ok(self.find(call, filter, Document::new(), 1).await?.pop())
    }

    async fn list(
        &self,
        tenant: &TenantId,
        query: &E::Query,
        page: PageRequest,
    ) -> Result<Page<E>, StorageError> {
        let mut filter = visible(tenant);
        filter.extend(E::equal(query));
        let order = E::order(query);
        let collection = self.collection.clone();
        let list = |turn, deadline| {
            to_its_end(turn, deadline, async move {
                // One after the other: a call has one connection.
                let count = collection.count_documents(filter.clone());
                let total = count.max_time(left(deadline)).await.map_err(from_mongo)?;
                let items = collection.find(filter).sort(order).skip(page.offset());
                let items = items.limit(i64::from(page.size()));
                let items = read(items.max_time(left(deadline))).await?;
                Ok(Page { items, total })
            })
        };
        self.calls.run(Operation::List, list).await
    }

    async fn replace(
        &self,
        tenant: &TenantId,
        entity: &E,
        expected: Version,
    ) -> Result<(), StorageError> {
        let change = change::<E>(to_bson(&entity.document(tenant))?);
        let visible = one::<E>(tenant, &entity.id());
        let mut filter = visible.clone();
        filter.insert("version", number(expected));
        let (collection, locks) = (self.collection.clone(), self.locks.clone());
        let id = E::id_bytes(&entity.id());
        let replace = |turn, deadline| {
            to_its_end(turn, deadline, async move {
                let _lock = locks.lock(id, deadline).await?;
                let done = collection.update_one(filter, change).await;
                if done.map_err(from_mongo)?.matched_count == 0 {
                    return Err(absence(&collection, visible, deadline).await);
                }
                Ok(())
            })
        };
        self.calls.run(Operation::Replace, replace).await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &E::Id,
        expected: Option<Version>,
    ) -> Result<(), StorageError> {
        let visible = one::<E>(tenant, id);
        let mut filter = visible.clone();
        if let Some(expected) = expected {
            filter.insert("version", number(expected));
        }
        let (collection, locks) = (self.collection.clone(), self.locks.clone());
        let id = E::id_bytes(id);
        let delete = |turn, deadline| {
            to_its_end(turn, deadline, async move {
                let _lock = locks.lock(id, deadline).await?;
                let done = collection.delete_one(filter).await;
                if done.map_err(from_mongo)?.deleted_count == 0 {
                    return Err(absence(&collection, visible, deadline).await);
                }
                Ok(())
            })
        };
        self.calls.run(Operation::Delete, delete).await
    }

    async fn holdings(&self) -> Result<Holdings, StorageError> {
        let collection = self.collection.clone();
        let count =
            |turn, deadline| to_its_end(turn, deadline, count(collection, E::UNITS, deadline));
        self.calls.run(Operation::Count, count).await
    }

    async fn ping(&self) -> Result<(), StorageError> {
        let database = self.database.clone();
        let ping =
            |turn, deadline| to_its_end(turn, deadline, async move { database.ping().await });
        self.calls.run(Operation::Ping, ping).await?;
        // One that was asked before the circuit opened may have been answered since.
        self.calls.check()
    }
}

/// Why a write found nothing to change.
async fn absence(
    collection: &Collection<Document>,
    visible: Document,
    deadline: Instant,
) -> StorageError {
    let found = collection.find_one(visible).max_time(left(deadline)).await;
    match found {
        Ok(Some(_)) => StorageError::VersionConflict,
        Ok(None) => StorageError::NotFound,
        Err(failure) => from_mongo(failure),
    }
}

/// What the tenant has, unfinished bulk inserts left out.
pub(super) fn visible(tenant: &TenantId) -> Document {
    doc! { "tenant": tenant.as_str(), MARK: { "$exists": false } }
}

fn one<E: Entity>(tenant: &TenantId, id: &E::Id) -> Document {
    let mut filter = visible(tenant);
    filter.insert("_id", super::fields::object_id(E::id_bytes(id)));
    filter
}

/// The update that leaves identity, tenant and the time of creation as they are.
fn change<E: MongoEntity>(mut document: Document) -> Document {
    for kept in ["_id", "tenant", "createdAt"] {
        document.remove(kept);
    }
    let absent: Document = E::OPTIONAL
        .iter()
        .filter(|field| !document.contains_key(**field))
        .map(|field| ((*field).to_owned(), "".into()))
        .collect();
    if absent.is_empty() {
        doc! { "$set": document }
    } else {
        doc! { "$set": document, "$unset": absent }
    }
}

async fn read<E: MongoEntity>(
    find: mongodb::action::Find<'_, Document>,
) -> Result<Vec<E>, StorageError> {
    let documents: Vec<Document> = find
        .await
        .map_err(from_mongo)?
        .try_collect()
        .await
        .map_err(from_mongo)?;
    documents
        .into_iter()
        .map(|document| {
            let stored = deserialize_from_document(document)
                .map_err(|reason| StorageError::Corrupt(reason.to_string()))?;
            E::from_document(stored)
        })
        .collect()
}

fn to_bson(document: &impl Serialize) -> Result<Document, StorageError> {
    serialize_to_document(document).map_err(|reason| StorageError::Corrupt(reason.to_string()))
}

/// What the server may still spend: it gives up when nobody waits any more. At least 1 ms, because
/// 0 means without limit.
pub(super) fn left(deadline: Instant) -> Duration {
    deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1))
}
