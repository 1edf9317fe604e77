//! Books, authors, and places to keep them.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use domain::{
    Author, AuthorId, Biography, Book, BookId, Description, Genre, Isbn, Name, Nationality, Price,
    StockQuantity, Title, Version, Website,
};
use jiff::Timestamp;
use storage::{BodyEncoders, Storage, StorageConfig, StoreLimits};
use tempfile::TempDir;
use tenancy::TenantId;
use test_support::FerretDb;
use tokio::sync::OnceCell;

/// The stand-in is slow and this machine may be busy; deadlines have tests of their own.
const PATIENT: Duration = Duration::from_secs(60);

/// The one server of the cases that leave it alone. It ends with this process.
static SERVER: OnceCell<FerretDb> = OnceCell::const_new();

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Somewhere to keep books; gone when dropped.
pub(crate) struct Place {
    pub(crate) config: StorageConfig,
    _directory: Option<TempDir>,
}

impl Place {
    pub(crate) async fn open(&self) -> anyhow::Result<Storage> {
        Ok(Storage::connect(&self.config, ENCODERS).await?)
    }

    /// The same place with Redis in front.
    pub(crate) fn with_redis(mut self, url: String) -> Self {
        self.config.redis_url = Some(url.into());
        self
    }
}

/// Bodies that show what was encoded.
pub(crate) const ENCODERS: BodyEncoders = BodyEncoders {
    book: |book| Bytes::from(format!("{} {}", book.title.as_str(), book.version.get())),
    author: |author| Bytes::from(format!("{} {}", author.name.as_str(), author.version.get())),
};

/// A file of its own.
pub(crate) fn sqlite() -> anyhow::Result<Place> {
    let directory = tempfile::tempdir()?;
    let config = StorageConfig::sqlite(directory.path().join("data").join("books.db"));
    Ok(Place {
        config: patient(config),
        _directory: Some(directory),
    })
}

/// A database of its own on the shared server.
pub(crate) async fn mongo() -> anyhow::Result<Place> {
    let server = SERVER.get_or_try_init(test_support::ferretdb).await?;
    let config = StorageConfig::mongo(server.uri().into(), format!("books{}", unique()));
    Ok(Place {
        config: patient(config),
        _directory: None,
    })
}

fn patient(mut config: StorageConfig) -> StorageConfig {
    config.store = StoreLimits {
        call: PATIENT,
        bulk: PATIENT,
        turn: PATIENT,
        start: PATIENT,
        ..StoreLimits::default()
    };
    config.cache.stale_patience = PATIENT;
    config
}

pub(crate) fn tenant(name: &str) -> anyhow::Result<TenantId> {
    Ok(TenantId::parse(name)?)
}

/// A number that no other call in this process gets.
pub(crate) fn unique() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A valid book of its own, created later than all before it.
pub(crate) fn book(title: &str) -> anyhow::Result<Book> {
    let number = unique();
    let created = Timestamp::from_millisecond(1_700_000_000_000 + i64::try_from(number)?)?;
    Ok(Book {
        id: BookId::from_bytes(id(number)),
        title: Title::parse(title)?,
        author: Name::parse("Ann Author")?,
        isbn: Isbn::parse("")?,
        price: Price::parse("12.99")?,
        published_date: None,
        genre: Genre::parse("Fiction")?,
        description: Description::parse("A story.")?,
        stock_quantity: StockQuantity::parse("3")?,
        created_at: created,
        updated_at: created,
        version: Version::FIRST,
        summary: None,
    })
}

pub(crate) fn author(name: &str) -> anyhow::Result<Author> {
    let number = unique();
    let created = Timestamp::from_millisecond(1_700_000_000_000 + i64::try_from(number)?)?;
    Ok(Author {
        id: AuthorId::from_bytes(id(number)),
        name: Name::parse(name)?,
        bio: Biography::parse("Born, wrote.")?,
        birth_date: None,
        nationality: Nationality::parse("American")?,
        website: Website::parse("https://example.com/?a=1&b=2")?,
        created_at: created,
        updated_at: created,
        version: Version::FIRST,
    })
}

/// The next version of a book.
pub(crate) fn next(book: &Book, title: &str) -> anyhow::Result<Book> {
    Ok(Book {
        title: Title::parse(title)?,
        version: book.version.next(),
        ..book.clone()
    })
}

/// A raw connection, for what only a test does to Redis.
pub(crate) async fn raw_redis(
    url: &str,
) -> anyhow::Result<deadpool_redis::redis::aio::MultiplexedConnection> {
    let client = deadpool_redis::redis::Client::open(url)?;
    client
        .get_multiplexed_async_connection()
        .await
        .context("a connection to Redis")
}

fn id(number: u64) -> [u8; 12] {
    let mut id = [0xb0; 12];
    id[4..].copy_from_slice(&number.to_be_bytes());
    id
}
