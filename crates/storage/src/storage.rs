//! The storage as a whole: opened once, shared by all requests.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{Author, Book};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    Authors, Backend, BookStore, Books, RedisState, StorageConfig, StorageError, Store,
    SummaryCache, cache, holdings, mongo, sqlite,
};

/// How often bulk inserts are looked for that nobody finished.
const SWEEP: Duration = Duration::from_secs(60);

/// Longest of these looks: it finishes some, which a server in trouble would hold up for ever.
const LONGEST_SWEEP: Duration = Duration::from_secs(30);

/// Longest end of the connections to `MongoDB`: a server that is frozen never lets go of them.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(2);

/// How the bodies that the cache holds are made: what a reply to a read of one entity has.
#[derive(Debug, Clone, Copy)]
pub struct BodyEncoders {
    /// The body of a book.
    pub book: fn(&Book) -> Bytes,
    /// The body of an author.
    pub author: fn(&Author) -> Bytes,
}

/// Books, authors and summaries.
pub struct Storage {
    /// The books.
    pub books: Books,
    /// The authors.
    pub authors: Authors,
    /// The summaries that were generated.
    pub summaries: SummaryCache,
    store: Arc<dyn BookStore>,
    connection: cache::Connection,
    mongo: Option<mongo::Database>,
    tasks: Vec<JoinHandle<()>>,
}

/// Both stores of one backend.
struct Stores {
    books: Arc<dyn BookStore>,
    authors: Arc<dyn Store<Author>>,
    mongo: Option<mongo::Database>,
}

impl Storage {
    /// Opens the store and makes ready what it needs. Redis may be down: it joins when it is there.
    ///
    /// # Errors
    /// A store that cannot be opened or does not answer in time, or an address that cannot be read.
    pub async fn connect(
        config: &StorageConfig,
        encoders: BodyEncoders,
    ) -> Result<Self, StorageError> {
        let Stores {
            books: store,
            authors,
            mongo,
        } = open(config).await?;
        let connection = cache::Connection::open(config.redis_url.as_ref(), &config.cache).await?;
        let looking = holdings::watch(
            Arc::clone(&store),
            Arc::clone(&authors),
            config.store.holdings_pause,
        );
        let books = Books::new(Arc::clone(&store), encoders.book, &connection);
        let authors = Authors::new(authors, encoders.author, &connection);
        let summaries = connection.summaries();
        let maintenance = connection.maintain(&books, &authors, &summaries);
        let mut tasks = vec![looking, maintenance];
        if let Some(database) = &mongo {
            tasks.push(sweep(database.batches()));
            tasks.push(tokio::spawn(database.clone().watch()));
        }
        Ok(Self {
            books,
            authors,
            summaries,
            store,
            connection,
            mongo,
            tasks,
        })
    }

    /// Asks the store whether it works.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn ping_store(&self) -> Result<(), StorageError> {
        self.store.ping().await
    }

    /// Whether Redis takes part. It is never needed.
    #[must_use]
    pub fn redis_state(&self) -> RedisState {
        self.connection.state()
    }

    /// Ends what runs in the background and closes the connections.
    pub async fn shutdown(&self) {
        self.end_tasks();
        if let Some(mongo) = &self.mongo
            && timeout(LONGEST_SHUTDOWN, mongo.clone().shutdown())
                .await
                .is_err()
        {
            tracing::warn!("the connections to MongoDB did not end in time");
        }
    }

    fn end_tasks(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.end_tasks();
    }
}

async fn open(config: &StorageConfig) -> Result<Stores, StorageError> {
    match &config.backend {
        Backend::Sqlite { path } => {
            let (path, limits) = (path.clone(), config.store.clone());
            let open = move || sqlite::Database::open(&path, &limits);
            let database = tokio::task::spawn_blocking(open)
                .await
                .map_err(|failure| StorageError::Unavailable(failure.to_string()))??;
            Ok(Stores {
                books: Arc::new(sqlite::Table::<Book>::new(&database)),
                authors: Arc::new(sqlite::Table::<Author>::new(&database)),
                mongo: None,
            })
        }
        Backend::Mongo { uri, database } => {
            let database = mongo::connect(uri, database, &config.store).await?;
            Ok(Stores {
                books: Arc::new(mongo::DocumentStore::<Book>::new(&database)),
                authors: Arc::new(mongo::DocumentStore::<Author>::new(&database)),
                mongo: Some(database),
            })
        }
    }
}

fn sweep(batches: mongo::Batches) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut round = interval(SWEEP);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            round.tick().await;
            let swept = match timeout(LONGEST_SWEEP, batches.sweep()).await {
                Ok(swept) => swept,
                Err(_) => Err(StorageError::Timeout { write: true }),
            };
            if let Err(failure) = swept {
                tracing::warn!(%failure, "unfinished bulk inserts could not be looked for");
            }
        }
    })
}
