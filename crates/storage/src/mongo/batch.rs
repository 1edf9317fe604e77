//! Bulk inserts: all or nothing, also where the server has no transactions.
//!
//! Without them the documents are inserted under the id of a batch, which hides them from every
//! read. One update of the batch's own document then decides that it counts, and the marks are
//! taken off. Whatever ends in between, a later sweep finds the batch's document and finishes what
//! was decided, or takes the documents away again.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection, Database as MongoDatabase,
    bson::{DateTime, Document, doc, oid::ObjectId},
    error::Result,
};

use super::error::from_mongo;
use crate::StorageError;

/// The field that hides a document.
pub(super) const MARK: &str = "batch";

/// Unfinished bulk inserts.
#[derive(Clone)]
pub(crate) struct Batches {
    database: MongoDatabase,
    batches: Collection<Document>,
    transactions: bool,
    abandoned: Duration,
}

impl Batches {
    pub(super) fn new(database: &MongoDatabase, transactions: bool, abandoned: Duration) -> Self {
        let batches = database.collection("batches");
        Self {
            database: database.clone(),
            batches,
            transactions,
            abandoned,
        }
    }

    /// Inserts all of the documents or none.
    pub(super) async fn insert(
        &self,
        collection: &Collection<Document>,
        documents: Vec<Document>,
    ) -> std::result::Result<(), StorageError> {
        let result = if self.transactions {
            self.insert_in_transaction(collection, documents).await
        } else {
            self.insert_marked(collection, documents).await
        };
        result.map_err(from_mongo)
    }

    /// Finishes or undoes what was left by processes that are gone.
    ///
    /// # Errors
    /// A failure of the server; the next sweep tries again.
    pub(crate) async fn sweep(&self) -> std::result::Result<(), StorageError> {
        self.sweep_all().await.map_err(from_mongo)
    }

    async fn insert_in_transaction(
        &self,
        collection: &Collection<Document>,
        documents: Vec<Document>,
    ) -> Result<()> {
        let mut session = self.database.client().start_session().await?;
        session.start_transaction().await?;
        match collection
            .insert_many(documents)
            .session(&mut session)
            .await
        {
            Ok(_) => session.commit_transaction().await,
            Err(failure) => {
                // The server gives up an open transaction by itself; the first failure counts.
                let _failure = session.abort_transaction().await;
                Err(failure)
            }
        }
    }

    async fn insert_marked(
        &self,
        collection: &Collection<Document>,
        mut documents: Vec<Document>,
    ) -> Result<()> {
        let batch = ObjectId::new();
        for document in &mut documents {
            document.insert(MARK, batch);
        }
        self.batches
            .insert_one(doc! {
                "_id": batch,
                "collection": collection.name(),
                "state": "inserting",
                "startedAt": DateTime::now(),
            })
            .await?;
        if let Err(failure) = collection.insert_many(documents).await {
            // A refusal is final; after any other failure the server may still be inserting, so
            // the documents are left to a sweep.
            if matches!(from_mongo(failure.clone()), StorageError::Duplicate { .. }) {
                self.undo(collection, batch).await?;
            }
            return Err(failure);
        }
        let decided = self.decide(batch, "committed").await?;
        if !decided {
            return Err(mongodb::error::Error::custom("the batch was swept away"));
        }
        self.uncover(collection, batch).await
    }

    /// Leaves the state in which nothing is decided; false when that has happened before.
    async fn decide(&self, batch: ObjectId, state: &str) -> Result<bool> {
        let undecided = doc! { "_id": batch, "state": "inserting" };
        let change = doc! { "$set": { "state": state } };
        Ok(self
            .batches
            .update_one(undecided, change)
            .await?
            .matched_count
            == 1)
    }

    async fn uncover(&self, collection: &Collection<Document>, batch: ObjectId) -> Result<()> {
        collection
            .update_many(doc! { MARK: batch }, doc! { "$unset": { MARK: "" } })
            .await?;
        self.batches
            .delete_one(doc! { "_id": batch })
            .await
            .map(drop)
    }

    async fn undo(&self, collection: &Collection<Document>, batch: ObjectId) -> Result<()> {
        if self.decide(batch, "abandoned").await? {
            self.remove(collection, batch).await?;
        }
        Ok(())
    }

    async fn remove(&self, collection: &Collection<Document>, batch: ObjectId) -> Result<()> {
        collection.delete_many(doc! { MARK: batch }).await?;
        self.batches
            .delete_one(doc! { "_id": batch })
            .await
            .map(drop)
    }

    async fn sweep_all(&self) -> Result<()> {
        let age = i64::try_from(self.abandoned.as_millis()).unwrap_or(i64::MAX);
        let oldest = DateTime::from_millis(DateTime::now().timestamp_millis().saturating_sub(age));
        let mut left = self
            .batches
            .find(doc! { "startedAt": { "$lte": oldest } })
            .await?;
        while let Some(batch) = left.try_next().await? {
            let (Ok(id), Ok(name)) = (batch.get_object_id("_id"), batch.get_str("collection"))
            else {
                continue;
            };
            let collection = self.database.collection(name);
            match batch.get_str("state") {
                Ok("committed") => self.uncover(&collection, id).await?,
                Ok("abandoned") => self.remove(&collection, id).await?,
                _ => self.undo(&collection, id).await?,
            }
        }
        Ok(())
    }
}
