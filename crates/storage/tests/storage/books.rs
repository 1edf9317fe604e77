//! Storing and listing, the same for every store.

use std::sync::Arc;

use anyhow::Context as _;
use domain::{
    Book, BookQuery, BookSummary, Description, Genre, Isbn, Name, PageRequest, Price,
    StockQuantity, Title, Version,
};
use jiff::Timestamp;
use storage::StorageError;

use crate::{
    fixtures::{Place, author, book, next, tenant},
    lists::{all, list},
};

/// The same book number as ISBN-13 and as ISBN-10.
const ISBN_13: &str = "978-0-7432-7356-5";
const ISBN_10: &str = "0743273567";

pub(crate) async fn every_field_survives(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let full = Book {
        title: Title::parse("Übergröße \u{1d518} 'quoted' \"twice\" \\ {$gt: 1}\nline")?,
        author: Name::parse("\u{202e}right to left")?,
        isbn: Isbn::parse(ISBN_13)?,
        price: Price::parse("99999999.9999")?,
        published_date: Some("0001-01-01T00:00:00Z".parse()?),
        genre: Genre::parse("$where")?,
        description: Description::parse(&"é".repeat(10_000))?,
        stock_quantity: StockQuantity::from_i64(2_147_483_647)?,
        updated_at: "9999-12-30T21:59:59.999Z".parse()?,
        version: Version::new(u64::from(u32::MAX) + 1),
        summary: Some(BookSummary {
            text: "Short.".into(),
            provider: "claude".into(),
            model: "llama3.2:1b".into(),
            prompt_version: "summary-1".into(),
            generated_at: "2024-05-06T07:08:09.123Z".parse()?,
            requested_model: "llama3.2".into(),
            simulated: Some(true),
            call_id: Some("0190163d-8694-739b-aea5-966c26f8ad91".into()),
            variant: Some("tone/b".into()),
            cost: Some(1_234_567_890_123),
        }),
        ..book("replaced")?
    };
    let bare = Book {
        price: Price::default(),
        genre: Genre::default(),
        description: Description::default(),
        stock_quantity: StockQuantity::default(),
        ..book("x")?
    };
    for given in [&full, &bare] {
        storage.books.insert(&tenant, given).await?;
        let stored = storage.books.read(&tenant, &given.id).await?;
        assert_eq!(stored.as_ref(), Some(given));
    }
    Ok(())
}

pub(crate) async fn authors_survive(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let mut given = author("Harper Lee")?;
    given.birth_date = Some("1926-04-28T00:00:00Z".parse()?);
    storage.authors.insert(&tenant, &given).await?;
    assert_eq!(
        storage.authors.read(&tenant, &given.id).await?.as_ref(),
        Some(&given)
    );

    let changed = domain::Author {
        birth_date: None,
        version: given.version.next(),
        created_at: Timestamp::UNIX_EPOCH,
        ..given.clone()
    };
    storage
        .authors
        .replace(&tenant, &changed, Version::FIRST)
        .await?;
    let expected = domain::Author {
        created_at: given.created_at,
        ..changed
    };
    assert_eq!(
        storage.authors.read(&tenant, &given.id).await?,
        Some(expected)
    );

    let others = [author("B")?, author("C")?];
    storage.authors.insert_many(&tenant, &others).await?;
    let page = storage
        .authors
        .list(&tenant, PageRequest::new(1, 2)?)
        .await?;
    let names: Vec<_> = page
        .items
        .iter()
        .map(|author| author.name.as_str())
        .collect();
    assert_eq!((names, page.total), (vec!["Harper Lee", "B"], 3));
    storage.authors.delete(&tenant, &given.id, None).await?;
    assert_eq!(storage.authors.read(&tenant, &given.id).await?, None);
    Ok(())
}

pub(crate) async fn valid_isbns_are_unique_per_tenant(place: Place) -> anyhow::Result<()> {
    let storage = place.open().await?;
    let (acme, other) = (tenant("acme")?, tenant("other")?);
    let with = |isbn| {
        anyhow::Ok(Book {
            isbn: Isbn::parse(isbn)?,
            ..book("x")?
        })
    };
    let first = with(ISBN_13)?;
    storage.books.insert(&acme, &first).await?;

    let duplicate = Err(StorageError::Duplicate { index: 0 });
    assert_eq!(
        storage.books.insert(&acme, &with(ISBN_10)?).await,
        duplicate
    );
    assert_eq!(
        storage.books.insert(&acme, &with("9780743273565")?).await,
        duplicate
    );
    storage.books.insert(&other, &with(ISBN_10)?).await?;
    for _ in 0..2 {
        storage.books.insert(&acme, &with("9780743273560")?).await?;
        storage.books.insert(&acme, &with("")?).await?;
    }

    // Also by a change; the book itself may keep its number.
    let second = with("")?;
    storage.books.insert(&acme, &second).await?;
    let taking = Book {
        isbn: Isbn::parse(ISBN_10)?,
        ..next(&second, "x")?
    };
    assert_eq!(
        storage.books.replace(&acme, &taking, Version::FIRST).await,
        duplicate
    );
    storage
        .books
        .replace(&acme, &next(&first, "y")?, Version::FIRST)
        .await?;

    // What was deleted takes up no number.
    storage.books.delete(&acme, &first.id, None).await?;
    storage
        .books
        .replace(&acme, &taking, Version::FIRST)
        .await?;
    Ok(())
}

pub(crate) async fn bulk_is_all_or_nothing(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let books: Vec<Book> = (0..150)
        .map(|n| book(&format!("book {n}")))
        .collect::<Result<_, _>>()?;
    storage.books.insert_many(&tenant, &books).await?;
    assert_eq!(all(&storage, &tenant, &BookQuery::default()).await?, books);

    let with = |isbn| {
        anyhow::Ok(Book {
            isbn: Isbn::parse(isbn)?,
            ..book("second")?
        })
    };
    storage.books.insert(&tenant, &with(ISBN_13)?).await?;
    let taken = [with("")?, with("x")?, with(ISBN_10)?];
    let twice = [
        with("")?,
        with("0-306-40615-2")?,
        with("")?,
        with("9780306406157")?,
    ];
    for (batch, index) in [(&taken[..], 2), (&twice[..], 3)] {
        let refused = storage.books.insert_many(&tenant, batch).await;
        assert_eq!(refused, Err(StorageError::Duplicate { index }));
        for given in batch {
            assert_eq!(storage.books.read(&tenant, &given.id).await?, None);
        }
    }
    let page = list(&storage, &tenant, &BookQuery::default(), 1, 1).await?;
    assert_eq!(page.total, 151);
    // Nothing that was refused takes up a number.
    storage
        .books
        .insert_many(&tenant, &[with("9780306406157")?])
        .await?;
    Ok(())
}

pub(crate) async fn replace_checks_the_version(place: Place) -> anyhow::Result<()> {
    let (storage, acme) = (place.open().await?, tenant("acme")?);
    let summary = BookSummary {
        text: "Short.".into(),
        provider: "ollama".into(),
        model: "llama3.2".into(),
        prompt_version: "summary-1".into(),
        generated_at: Timestamp::UNIX_EPOCH,
        requested_model: "llama3.2".into(),
        simulated: None,
        call_id: None,
        variant: None,
        cost: None,
    };
    let first = Book {
        published_date: Some(Timestamp::UNIX_EPOCH),
        summary: Some(summary),
        ..book("first")?
    };
    storage.books.insert(&acme, &first).await?;
    // Everything optional goes away; when it was created stays.
    let second = Book {
        published_date: None,
        summary: None,
        created_at: Timestamp::UNIX_EPOCH,
        ..next(&first, "second")?
    };
    storage
        .books
        .replace(&acme, &second, Version::FIRST)
        .await?;
    let expected = Book {
        created_at: first.created_at,
        ..second
    };
    assert_eq!(
        storage.books.read(&acme, &first.id).await?.as_ref(),
        Some(&expected)
    );

    let conflict = storage
        .books
        .replace(&acme, &next(&first, "late")?, Version::FIRST)
        .await;
    assert_eq!(conflict, Err(StorageError::VersionConflict));
    let absent = storage
        .books
        .replace(&acme, &book("absent")?, Version::FIRST)
        .await;
    assert_eq!(absent, Err(StorageError::NotFound));
    let foreign = storage
        .books
        .replace(&tenant("other")?, &next(&first, "x")?, Version::new(2))
        .await;
    assert_eq!(foreign, Err(StorageError::NotFound));
    assert_eq!(storage.books.read(&acme, &first.id).await?, Some(expected));
    Ok(())
}

pub(crate) async fn delete_checks_the_version(place: Place) -> anyhow::Result<()> {
    let (storage, acme) = (place.open().await?, tenant("acme")?);
    let given = book("x")?;
    storage.books.insert(&acme, &given).await?;
    let conflict = storage
        .books
        .delete(&acme, &given.id, Some(Version::new(2)))
        .await;
    assert_eq!(conflict, Err(StorageError::VersionConflict));
    let foreign = storage
        .books
        .delete(&tenant("other")?, &given.id, None)
        .await;
    assert_eq!(foreign, Err(StorageError::NotFound));
    storage
        .books
        .delete(&acme, &given.id, Some(Version::FIRST))
        .await?;
    assert_eq!(storage.books.read(&acme, &given.id).await?, None);
    let again = storage.books.delete(&acme, &given.id, None).await;
    assert_eq!(again, Err(StorageError::NotFound));
    Ok(())
}

pub(crate) async fn concurrent_changes_are_not_lost(place: Place) -> anyhow::Result<()> {
    const WRITERS: u32 = 8;
    let (storage, tenant) = (Arc::new(place.open().await?), tenant("acme")?);
    let given = Book {
        stock_quantity: StockQuantity::default(),
        ..book("counted")?
    };
    storage.books.insert(&tenant, &given).await?;
    let writers = (0..WRITERS).map(|_| {
        let (storage, tenant, id) = (Arc::clone(&storage), tenant.clone(), given.id);
        tokio::spawn(async move {
            loop {
                let read = storage
                    .books
                    .read(&tenant, &id)
                    .await?
                    .context("the book")?;
                let stock = i64::from(read.stock_quantity.get()) + 1;
                let stock_quantity = StockQuantity::from_i64(stock)?;
                let changed = Book {
                    stock_quantity,
                    ..next(&read, "counted")?
                };
                match storage.books.replace(&tenant, &changed, read.version).await {
                    Err(StorageError::VersionConflict) => {}
                    other => return Ok::<_, anyhow::Error>(other?),
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await??;
    }
    let end = storage
        .books
        .read(&tenant, &given.id)
        .await?
        .context("the book")?;
    assert_eq!(end.stock_quantity.get(), WRITERS);
    assert_eq!(end.version.get(), u64::from(WRITERS) + 1);
    Ok(())
}

pub(crate) async fn what_was_acknowledged_is_there_after_a_restart(
    place: Place,
) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let storage = Arc::new(storage);
    let books: Vec<Book> = (0..40)
        .map(|n| book(&format!("b{n}")))
        .collect::<Result<_, _>>()?;
    let inserts: Vec<_> = books
        .iter()
        .map(|book| {
            let (storage, tenant, book) = (Arc::clone(&storage), tenant.clone(), book.clone());
            tokio::spawn(async move { storage.books.insert(&tenant, &book).await })
        })
        .collect();
    for insert in inserts {
        insert.await??;
    }
    drop(storage);
    let storage = place.open().await?;
    assert_eq!(all(&storage, &tenant, &BookQuery::default()).await?, books);
    storage.ping_store().await?;
    storage.shutdown().await;
    Ok(())
}
