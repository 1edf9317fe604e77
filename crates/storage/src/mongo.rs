//! Books and authors on a server of the `MongoDB` protocol.
//!
//! Writes are acknowledged by a majority and journalled; reads see only what a majority has. The
//! driver has no deadline of its own and no bound on waiting for a connection, so every call goes
//! through [`crate::calls`], whose places are as many as the pool has connections.

mod authors;
mod batch;
mod books;
mod client;
mod collection;
mod error;
mod fields;
mod indexes;
mod locks;
mod search;

use mongodb::{Client, Database as MongoDatabase, bson::doc};

use crate::{StorageError, StoreLimits, calls::Places};

pub(crate) use self::{batch::Batches, client::connect, collection::DocumentStore};

/// How the server is called in metrics and spans.
const SYSTEM: &str = "mongodb";

/// The open database.
#[derive(Clone)]
pub(crate) struct Database {
    client: Client,
    database: MongoDatabase,
    places: Places,
    batches: Batches,
    /// Whether the server is a member of a replica set or a router.
    transactions: bool,
    limits: StoreLimits,
}

impl Database {
    /// Ends the connections.
    pub(crate) async fn shutdown(self) {
        self.client.shutdown().await;
    }

    /// The bulk inserts that were left unfinished.
    pub(crate) fn batches(&self) -> Batches {
        self.batches.clone()
    }

    async fn ping(&self) -> Result<(), StorageError> {
        self.database
            .run_command(doc! { "ping": 1 })
            .await
            .map(drop)
            .map_err(error::from_mongo)
    }
}
