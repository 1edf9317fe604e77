//! The connection, and what must be there before the first call.

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Document, doc},
    options::{Acknowledgment, ClientOptions, ReadConcern, ServerMonitoringMode, WriteConcern},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::{Batches, Database, SYSTEM, error::from_mongo, indexes};
use crate::{
    StorageError, StoreLimits,
    calls::{Circuit, Places},
};

/// Longest search for a server that can take a call. The driver's 30 s would outlast every caller;
/// less than a call's deadline tells a server that is gone from one that is slow.
const SERVER_SELECTION: Duration = Duration::from_millis(800);

/// Longest set-up of a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a majority may take to acknowledge a write.
const MAJORITY: Duration = Duration::from_secs(2);

/// Connections kept open while idle, so that a burst does not begin with handshakes.
const MIN_CONNECTIONS: u32 = 4;

/// Handshakes at the same time.
const MAX_CONNECTING: u32 = 4;

/// Age at which an idle connection is closed: below the idle limits of usual middleboxes.
const MAX_IDLE: Duration = Duration::from_secs(60);

/// How often servers are asked how they are.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Pause between attempts to reach the server at the start.
const START_PAUSE: Duration = Duration::from_millis(200);

/// Probes at once: a connection that was lost without a word holds one for a while.
const PROBES: u32 = 2;

/// Connects, waits until the server answers, and makes the indexes.
///
/// # Errors
/// A connection string that cannot be read, or a server that does not answer in time.
pub(crate) async fn connect(
    uri: &SecretString,
    database: &str,
    limits: &StoreLimits,
) -> Result<Database, StorageError> {
    let mut options = options(uri, limits).await?;
    let end = Instant::now() + limits.start;
    let server = hello(&options, end).await?;
    // A standalone server refuses retryable writes and has no transactions.
    options.retry_writes = Some(server.transactions);
    let client = Client::with_options(options).map_err(from_mongo)?;
    let database = client.database(database);
    let batches = Batches::new(&database, server.transactions, limits.abandoned_batch);
    let database = Database {
        client,
        database,
        places: Places::connections(SYSTEM, limits.mongo_connections),
        probe_place: Places::queue(SYSTEM, PROBES as usize),
        circuit: Circuit::new(SYSTEM),
        batches,
        transactions: server.transactions,
        limits: limits.clone(),
    };
    let prepare = async {
        indexes::make(&database).await?;
        database.batches.sweep().await
    };
    timeout_at(end, prepare).await.map_err(|_| late())??;
    Ok(database)
}

struct Server {
    transactions: bool,
}

async fn options(uri: &SecretString, limits: &StoreLimits) -> Result<ClientOptions, StorageError> {
    // The driver's message may repeat the connection string with its password.
    let mut options = ClientOptions::parse(uri.expose_secret())
        .await
        .map_err(|_| StorageError::Unavailable("the connection string cannot be read".into()))?;
    options.app_name = Some("bookstore".into());
    options.server_selection_timeout = Some(SERVER_SELECTION);
    options.connect_timeout = Some(CONNECT);
    options.heartbeat_freq = Some(HEARTBEAT);
    options.max_pool_size = Some(limits.mongo_connections.saturating_add(PROBES));
    options.min_pool_size = Some(MIN_CONNECTIONS.min(limits.mongo_connections));
    options.max_connecting = Some(MAX_CONNECTING);
    options.max_idle_time = Some(MAX_IDLE);
    options.server_monitoring_mode = Some(ServerMonitoringMode::Poll);
    options.retry_reads = Some(true);
    options.retry_writes = Some(false);
    options.read_concern = Some(ReadConcern::majority());
    options.write_concern = Some(
        WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true)
            .w_timeout(MAJORITY)
            .build(),
    );
    Ok(options)
}

/// Asks the server what it is, again and again until it answers or the time is over.
async fn hello(options: &ClientOptions, end: Instant) -> Result<Server, StorageError> {
    let mut options = options.clone();
    options.min_pool_size = None;
    let client = Client::with_options(options).map_err(from_mongo)?;
    let admin = client.database("admin");
    let mut pause = interval(START_PAUSE);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reason = late();
    while Instant::now() < end {
        pause.tick().await;
        match timeout_at(end, async { admin.run_command(doc! { "hello": 1 }).await }).await {
            Ok(Ok(reply)) => {
                client.shutdown().immediate(true).await;
                return Ok(Server::of(&reply));
            }
            Ok(Err(failure)) => reason = from_mongo(failure),
            Err(_) => break,
        }
    }
    Err(reason)
}

impl Server {
    /// Members of a replica set name it; a router of a sharded cluster says so in `msg`.
    fn of(hello: &Document) -> Self {
        let router = hello.get_str("msg").is_ok_and(|kind| kind == "isdbgrid");
        Self {
            transactions: router || hello.contains_key("setName"),
        }
    }
}

fn late() -> StorageError {
    StorageError::Unavailable("the server did not answer in time".into())
}
