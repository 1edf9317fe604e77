//! The store without HTTP around it: the same calls, as many at once, in this process.
#![expect(
    clippy::print_stdout,
    reason = "the result is read by the process that started this one"
)]

use std::{
    future::Future,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::{Book, BookId, BookQuery, Description, Genre, Isbn, Name, PageRequest, Price};
use domain::{StockQuantity, Title, Version};
use jiff::Timestamp;
use storage::{BodyEncoders, Storage, StorageConfig, StorageError};
use tenancy::TenantId;

use crate::generator::CONNECTIONS;

/// Lists the first ten books over and over; prints calls a second.
pub(crate) async fn list(database: &Path, duration: Duration) -> anyhow::Result<()> {
    let storage = open(database).await?;
    let page = PageRequest::new(1, 10)?;
    let query = Arc::new(BookQuery::default());
    let call = move |_: u64| {
        let (storage, query) = (Arc::clone(&storage), Arc::clone(&query));
        async move {
            let tenant = TenantId::development();
            let found = storage.books.list(&tenant, &query, page).await?;
            debug_assert_eq!(found.items.len(), 10);
            Ok(())
        }
    };
    print_rate(duration, call).await
}

/// Creates books; prints calls a second.
pub(crate) async fn create(database: &Path, duration: Duration) -> anyhow::Result<()> {
    let storage = open(database).await?;
    let book = Arc::new(book()?);
    // The first four bytes tell one run from another in the same file.
    let run = fastrand::u32(..).to_be_bytes();
    let call = move |number: u64| {
        let (storage, mut book) = (Arc::clone(&storage), Book::clone(&book));
        async move {
            let mut id = [0; 12];
            id[..4].copy_from_slice(&run);
            id[4..].copy_from_slice(&number.to_be_bytes());
            book.id = BookId::from_bytes(id);
            storage.books.insert(&TenantId::development(), &book).await
        }
    };
    print_rate(duration, call).await
}

async fn open(database: &Path) -> anyhow::Result<Arc<Storage>> {
    let encoders = BodyEncoders {
        book: |_| Bytes::new(),
        author: |_| Bytes::new(),
    };
    let storage = Storage::connect(&StorageConfig::sqlite(database), encoders).await?;
    Ok(Arc::new(storage))
}

async fn print_rate<C, F>(duration: Duration, call: C) -> anyhow::Result<()>
where
    C: Fn(u64) -> F + Clone + Send + 'static,
    F: Future<Output = Result<(), StorageError>> + Send,
{
    let calls = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let callers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (calls, call) = (Arc::clone(&calls), call.clone());
            tokio::spawn(async move {
                while started.elapsed() < duration {
                    call(calls.fetch_add(1, Ordering::Relaxed)).await?;
                }
                Ok::<_, StorageError>(())
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    let calls = u32::try_from(calls.load(Ordering::Relaxed))?;
    println!("{}", f64::from(calls) / started.elapsed().as_secs_f64());
    Ok(())
}

/// What [`crate::stored`] also posts.
fn book() -> anyhow::Result<Book> {
    let now = domain::to_milliseconds(Timestamp::now());
    Ok(Book {
        id: BookId::from_bytes([0; 12]),
        title: Title::parse("The Great Gatsby")?,
        author: Name::parse("F. Scott Fitzgerald")?,
        isbn: Isbn::parse("")?,
        price: Price::from_ten_thousandths(129_900)?,
        published_date: None,
        genre: Genre::parse("Fiction")?,
        description: Description::parse(crate::api::DESCRIPTION)?,
        stock_quantity: StockQuantity::from_i64(50)?,
        created_at: now,
        updated_at: now,
        version: Version::FIRST,
        summary: None,
    })
}
