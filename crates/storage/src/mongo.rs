//! Books and authors on a server of the `MongoDB` protocol.
//!
//! Writes are acknowledged by a majority and journalled; reads see only what a majority has. The
//! driver has no deadline of its own and no bound on waiting for a connection, so every call goes
//! through [`crate::calls`], whose places are as many as the pool has connections. What was begun
//! is carried to its end ([`command`]).

mod authors;
mod batch;
mod books;
mod client;
mod collection;
mod command;
mod error;
mod fields;
mod holdings;
mod indexes;
mod locks;
mod search;

use mongodb::{Client, Database as MongoDatabase, bson::doc};

use tokio::time::{Instant, timeout_at};

use crate::{
    StorageError, StoreLimits,
    calls::{Circuit, Places},
};

pub(crate) use self::{batch::Batches, client::connect, collection::DocumentStore};

/// How the server is called in metrics and spans.
const SYSTEM: &str = "mongodb";

/// The open database.
#[derive(Clone)]
pub(crate) struct Database {
    client: Client,
    database: MongoDatabase,
    places: Places,
    /// The probes' own: calls that a store never answers may hold all others.
    probe_place: Places,
    circuit: Circuit,
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

    /// Probes the server whenever its circuit asks for it. Never ends.
    pub(crate) async fn watch(self) {
        self.circuit.watch(|| self.clone().probe()).await;
    }

    async fn probe(self) -> Result<(), StorageError> {
        let deadline = Instant::now() + self.limits.call;
        let turn = self.probe_place.turn(deadline, deadline).await?;
        let ping = command::to_its_end(turn, deadline, async move { self.ping().await });
        let late = Err(StorageError::Timeout { write: false });
        timeout_at(deadline, ping).await.unwrap_or(late)
    }

    async fn ping(&self) -> Result<(), StorageError> {
        self.database
            .run_command(doc! { "ping": 1 })
            .await
            .map(drop)
            .map_err(error::from_mongo)
    }
}
