//! Listing, the same for every store.

use domain::{Book, BookFilter, BookQuery, BookSort, Genre, Name, Page, PageRequest, Price};
use storage::Storage;
use tenancy::TenantId;

use crate::fixtures::{Place, book, tenant};

pub(crate) async fn lists_are_stable_and_filtered(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let mut books = Vec::new();
    for number in 0..25 {
        let genre = if number % 2 == 0 {
            "Fiction"
        } else {
            "fiction.*"
        };
        let author = if number % 5 == 0 {
            "O'Neil \"$ne\""
        } else {
            "Ann Author"
        };
        books.push(Book {
            genre: Genre::parse(genre)?,
            author: Name::parse(author)?,
            ..book("same title")?
        });
    }
    // Of equal age: then the id decides.
    let age = books[3].created_at;
    books[4].created_at = age;
    storage.books.insert_many(&tenant, &books).await?;
    assert_eq!(all(&storage, &tenant, &BookQuery::default()).await?, books);

    let page = list(&storage, &tenant, &BookQuery::default(), 3, 10).await?;
    assert_eq!((page.items.as_slice(), page.total), (&books[20..], 25));
    let beyond = list(&storage, &tenant, &BookQuery::default(), 1_000_000, 100).await?;
    assert_eq!((beyond.items.len(), beyond.total), (0, 25));

    filters_are_exact(&storage, &tenant, &books).await?;
    storage.books.delete(&tenant, &books[0].id, None).await?;
    let page = list(&storage, &tenant, &BookQuery::default(), 1, 10).await?;
    assert_eq!((page.items.as_slice(), page.total), (&books[1..11], 24));
    Ok(())
}

async fn filters_are_exact(
    storage: &Storage,
    tenant: &TenantId,
    books: &[Book],
) -> anyhow::Result<()> {
    for (genre, author) in [
        (Some("Fiction"), None),
        (Some("fiction.*"), None),
        (Some("fiction"), None),
        (None, Some("O'Neil \"$ne\"")),
        (Some("Fiction"), Some("Ann Author")),
        (Some("' OR 1=1 --"), None),
    ] {
        let filter = BookFilter {
            genre: genre.map(str::to_owned),
            author: author.map(str::to_owned),
        };
        let query = BookQuery {
            filter,
            sort: BookSort::OldestFirst,
        };
        let expected: Vec<&Book> = books
            .iter()
            .filter(|book| genre.is_none_or(|genre| book.genre.as_str() == genre))
            .filter(|book| author.is_none_or(|author| book.author.as_str() == author))
            .collect();
        let found = all(storage, tenant, &query).await?;
        assert_eq!(
            found.iter().collect::<Vec<_>>(),
            expected,
            "{genre:?} {author:?}"
        );
    }
    Ok(())
}

pub(crate) async fn orders_are_stable(place: Place) -> anyhow::Result<()> {
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let mut books = Vec::new();
    for (title, price) in [
        ("b", "2"),
        ("a", "10"),
        ("B", "1"),
        ("a", "2"),
        ("é", "0.0001"),
    ] {
        books.push(Book {
            price: Price::parse(price)?,
            ..book(title)?
        });
    }
    storage.books.insert_many(&tenant, &books).await?;
    for (sort, expected) in [
        (BookSort::OldestFirst, [0, 1, 2, 3, 4]),
        (BookSort::NewestFirst, [4, 3, 2, 1, 0]),
        (BookSort::Title, [2, 1, 3, 0, 4]),
        (BookSort::Price, [4, 2, 0, 3, 1]),
    ] {
        let query = BookQuery {
            sort,
            ..BookQuery::default()
        };
        let found = all(&storage, &tenant, &query).await?;
        let expected: Vec<&Book> = expected.iter().map(|index| &books[*index]).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{sort:?}");
    }
    Ok(())
}

/// All that a query finds, page by page.
pub(crate) async fn all(
    storage: &Storage,
    tenant: &TenantId,
    query: &BookQuery,
) -> anyhow::Result<Vec<Book>> {
    let mut found = Vec::new();
    for page in 1.. {
        let part = list(storage, tenant, query, page, 7).await?;
        if part.items.is_empty() {
            assert_eq!(part.total, u64::try_from(found.len())?);
            break;
        }
        found.extend(part.items);
    }
    Ok(found)
}

pub(crate) async fn list(
    storage: &Storage,
    tenant: &TenantId,
    query: &BookQuery,
    page: i64,
    size: i64,
) -> anyhow::Result<Page<Book>> {
    Ok(storage
        .books
        .list(tenant, query, PageRequest::new(page, size)?)
        .await?)
}
