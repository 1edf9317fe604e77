//! The ledger in a collection on a server of the `MongoDB` protocol.
//!
//! It has a connection of its own, so that a burst of rows takes none from the books. The driver
//! has no deadline of its own: every call here has one, and goes on to its end ([`carried`]).

mod carried;
pub(super) mod document;
mod experiments;

use std::{future::Future, time::Duration};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    Client, Collection, IndexModel,
    bson::{Document, doc},
    error::{Error, ErrorKind},
    options::{Acknowledgment, ClientOptions, IndexOptions, WriteConcern},
};
use secrecy::{ExposeSecret, SecretString};
use tenancy::TenantId;
use tokio::{runtime::Handle, time::timeout};

use super::{
    Assessment, LedgerError, LedgerFilter, LedgerGroup, LedgerPage, LedgerRow, LedgerTotal,
    ScoreCount, StoredExperiment,
    query::{MAX_PAGE_ROWS, Totals},
    store::{LedgerStore, Visitor},
};

use carried::Places;
use experiments::Experiments;

const COLLECTION: &str = "llm_attempts";

const BUDGETS: &str = "llm_budgets";

/// One connection writes, the others serve whoever reads the ledger.
const MAX_CONNECTIONS: u32 = 4;

/// Longest search for a server that can take a call; the driver's is 30 s.
const SERVER_SELECTION: Duration = Duration::from_millis(800);

/// Longest write of a batch: a clean stop waits for one that began shortly before it gave up.
const WRITE: Duration = Duration::from_secs(2);

/// Longest read of a page.
const READ: Duration = Duration::from_secs(5);

/// Longest pass over all rows that match, for sums that the server cannot make exactly.
const PASS: Duration = Duration::from_secs(30);

/// Longest preparation at the start.
const START: Duration = Duration::from_secs(10);

/// The server's code for a row that is there already.
const DUPLICATE_KEY: i32 = 11_000;

/// The server's code for a collection that does not exist yet.
const NAMESPACE_NOT_FOUND: i32 = 26;

/// The collection, and the runtime that the writer's thread has its calls made on.
pub(super) struct MongoLedger {
    attempts: Collection<Document>,
    budgets: Collection<Document>,
    experiments: Experiments,
    places: Places,
    runtime: Handle,
}

impl MongoLedger {
    /// Connects and makes the indexes that are missing.
    pub(super) async fn connect(uri: &SecretString, database: &str) -> Result<Self, LedgerError> {
        // The driver's message may repeat the connection string with its password.
        let mut options = ClientOptions::parse(uri.expose_secret())
            .await
            .map_err(|_| LedgerError::Server("the connection string cannot be read".to_owned()))?;
        options.app_name = Some("bookstore-ledger".to_owned());
        options.server_selection_timeout = Some(SERVER_SELECTION);
        options.connect_timeout = Some(SERVER_SELECTION);
        options.max_pool_size = Some(MAX_CONNECTIONS);
        options.retry_writes = Some(false);
        options.write_concern = Some(
            WriteConcern::builder()
                .w(Acknowledgment::Majority)
                .journal(true)
                .build(),
        );
        let client = Client::with_options(options).map_err(from_mongo)?;
        let database = client.database(database);
        let attempts = database.collection(COLLECTION);
        let places = Places::new();
        let experiments = Experiments::of(&database, &places);
        within(START, make_indexes(&attempts, &attempt_indexes(), false)).await?;
        within(START, experiments.prepare()).await?;
        Ok(Self {
            attempts,
            budgets: database.collection(BUDGETS),
            experiments,
            places,
            runtime: Handle::current(),
        })
    }
}

#[async_trait]
impl LedgerStore for MongoLedger {
    fn insert(&self, rows: &[LedgerRow]) -> Result<(), LedgerError> {
        let documents: Vec<Document> = rows.iter().map(document::of_row).collect();
        let attempts = self.attempts.clone();
        // Unordered, so that rows of an earlier try do not keep the others out.
        let insert = async move { attempts.insert_many(documents).ordered(false).await };
        match self.runtime.block_on(self.places.write(WRITE, insert))? {
            Err(error) if !are_all_there(&error) => Err(from_mongo(error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn rows(
        &self,
        filter: &LedgerFilter,
        page: LedgerPage,
    ) -> Result<Vec<LedgerRow>, LedgerError> {
        if page.limit == 0 {
            // The server reads a limit of 0 as none.
            return Ok(Vec::new());
        }
        let (attempts, condition) = (self.attempts.clone(), document::of_filter(filter));
        let read = async move {
            let find = attempts.find(condition).sort(doc! { "at": -1, "_id": -1 });
            let find = find.skip(page.offset.into());
            let find = find.limit(page.limit.min(MAX_PAGE_ROWS).into());
            find.max_time(READ)
                .await?
                .try_collect::<Vec<Document>>()
                .await
        };
        let found = self.places.read(READ, read).await?;
        found
            .map_err(from_mongo)?
            .iter()
            .map(document::to_row)
            .collect()
    }

    async fn count(&self, filter: &LedgerFilter) -> Result<u64, LedgerError> {
        let (attempts, condition) = (self.attempts.clone(), document::of_filter(filter));
        let count = async move { attempts.count_documents(condition).max_time(READ).await };
        self.places.read(READ, count).await?.map_err(from_mongo)
    }

    async fn totals(
        &self,
        filter: &LedgerFilter,
        group: LedgerGroup,
    ) -> Result<Vec<LedgerTotal>, LedgerError> {
        // The server's $sum turns into a rounded number when it outgrows 64 bits.
        let add = move |totals: &mut Totals, row: &LedgerRow| {
            totals.add(group.key(row), row.simulated, &row.usage, row.cost);
        };
        let totals = self.pass(filter, Totals::default(), add).await?;
        Ok(totals.sorted())
    }

    async fn budgets(&self) -> Result<Vec<(String, String)>, LedgerError> {
        let budgets = self.budgets.clone();
        let read = async move {
            let found = budgets.find(doc! {}).max_time(READ).await?;
            found.try_collect::<Vec<Document>>().await
        };
        let corrupt = |_| LedgerError::Corrupt("budget".to_owned());
        let pair = |document: &Document| {
            let tenant = document.get_str("_id").map_err(corrupt)?;
            let limits = document.get_str("limits").map_err(corrupt)?;
            Ok((tenant.to_owned(), limits.to_owned()))
        };
        let found = self.places.read(READ, read).await?;
        found.map_err(from_mongo)?.iter().map(pair).collect()
    }

    async fn set_budget(
        &self,
        tenant: &TenantId,
        limits: Option<String>,
    ) -> Result<(), LedgerError> {
        let one = doc! { "_id": tenant.as_str() };
        let budgets = self.budgets.clone();
        let write = async move {
            match limits {
                Some(limits) => {
                    let change = doc! { "$set": { "limits": limits } };
                    let update = budgets.update_one(one, change).upsert(true);
                    update.await.map(drop)
                }
                None => budgets.delete_one(one).await.map(drop),
            }
        };
        self.places.write(WRITE, write).await?.map_err(from_mongo)
    }

    async fn experiments(&self) -> Result<Vec<StoredExperiment>, LedgerError> {
        self.experiments.all().await
    }

    async fn start_experiment(&self, experiment: StoredExperiment) -> Result<bool, LedgerError> {
        self.experiments.start(experiment).await
    }

    async fn put_experiment(&self, experiment: StoredExperiment) -> Result<(), LedgerError> {
        self.experiments.put(experiment).await
    }

    async fn assess(&self, assessment: Assessment) -> Result<(), LedgerError> {
        self.experiments.assess(&assessment).await
    }

    async fn scores(
        &self,
        tenant: &TenantId,
        variant: &str,
    ) -> Result<Vec<ScoreCount>, LedgerError> {
        self.experiments.scores(tenant.as_str(), variant).await
    }

    async fn visit(&self, filter: &LedgerFilter, visitor: Visitor) -> Result<(), LedgerError> {
        let show = |visitor: &mut Visitor, row: &LedgerRow| visitor(row);
        self.pass(filter, visitor, show).await.map(drop)
    }
}

impl MongoLedger {
    /// What comes of it when each row that matches is added to what there is.
    async fn pass<T: Send + 'static>(
        &self,
        filter: &LedgerFilter,
        mut sum: T,
        mut add: impl FnMut(&mut T, &LedgerRow) + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (attempts, condition) = (self.attempts.clone(), document::of_filter(filter));
        let pass = async move {
            let find = attempts.find(condition).max_time(PASS);
            let mut found = find.await.map_err(from_mongo)?;
            while let Some(document) = found.try_next().await.map_err(from_mongo)? {
                add(&mut sum, &document::to_row(&document)?);
            }
            Ok(sum)
        };
        self.places.read(PASS, pass).await?
    }
}

fn attempt_indexes() -> [(&'static str, Document); 5] {
    [
        ("by_tenant", doc! { "tenant": 1, "at": -1, "_id": -1 }),
        ("by_test", doc! { "tenant": 1, "testId": 1, "at": -1 }),
        ("by_variant", doc! { "tenant": 1, "variant": 1 }),
        ("by_call", doc! { "callId": 1 }),
        ("by_time", doc! { "at": -1, "_id": -1 }),
    ]
}

/// One after the other, and none that is there: see the store of the books.
async fn make_indexes(
    collection: &Collection<Document>,
    indexes: &[(&str, Document)],
    unique: bool,
) -> Result<(), Error> {
    let there = match collection.list_index_names().await {
        Ok(names) => names,
        Err(error) if is_absence(&error) => Vec::new(),
        Err(error) => return Err(error),
    };
    for (name, keys) in indexes {
        if !there.iter().any(|there| there == name) {
            let options = IndexOptions::builder().name((*name).to_owned());
            let options = options.unique(unique).build();
            let index = IndexModel::builder().keys(keys.clone()).options(options);
            collection.create_index(index.build()).await?;
        }
    }
    Ok(())
}

fn is_absence(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Command(failure) if failure.code == NAMESPACE_NOT_FOUND)
}

/// Whether nothing was wrong but that some of the rows were written before.
fn are_all_there(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::InsertMany(failure) => {
            let errors = failure.write_errors.as_deref().unwrap_or_default();
            failure.write_concern_error.is_none()
                && !errors.is_empty()
                && errors.iter().all(|error| error.code == DUPLICATE_KEY)
        }
        _ => false,
    }
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, LedgerError> {
    match timeout(limit, call).await {
        Ok(answer) => answer.map_err(from_mongo),
        Err(_) => Err(LedgerError::Late),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as map_err(from_mongo)")]
fn from_mongo(error: Error) -> LedgerError {
    LedgerError::Server(error.to_string())
}
