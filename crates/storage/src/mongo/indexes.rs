//! The indexes, made at the start when they are missing.

use mongodb::{
    Collection, IndexModel,
    bson::{Document, doc},
    error::{ErrorKind, Result},
    options::IndexOptions,
};

use super::{Database, batch::MARK, error::from_mongo};
use crate::{Entity, StorageError};

/// The server's code for a collection that does not exist yet.
const NAMESPACE_NOT_FOUND: i32 = 26;

/// Makes the indexes that are missing.
pub(super) async fn make(database: &Database) -> std::result::Result<(), StorageError> {
    let books = database.database.collection(domain::Book::COLLECTION);
    make_missing(&books, books_indexes())
        .await
        .map_err(from_mongo)?;
    let authors = database.database.collection(domain::Author::COLLECTION);
    make_missing(&authors, authors_indexes())
        .await
        .map_err(from_mongo)
}

/// One after the other: the test stand-in drops the connection when it is asked for several of
/// which it has some.
async fn make_missing(
    collection: &Collection<Document>,
    wanted: Vec<(&'static str, IndexModel)>,
) -> Result<()> {
    let there = match collection.list_index_names().await {
        Ok(names) => names,
        Err(failure) if is_absence(&failure.kind) => Vec::new(),
        Err(failure) => return Err(failure),
    };
    for (name, index) in wanted {
        if !there.iter().any(|there| there == name) {
            collection.create_index(index).await?;
        }
    }
    Ok(())
}

fn is_absence(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Command(failure) if failure.code == NAMESPACE_NOT_FOUND)
}

fn books_indexes() -> Vec<(&'static str, IndexModel)> {
    vec![
        // The key of a book without a valid ISBN is its id, so only valid ones can collide.
        index("by_isbn", doc! { "tenant": 1, "isbnKey": 1 }, true),
        index(
            "by_age",
            doc! { "tenant": 1, "createdAt": 1, "_id": 1 },
            false,
        ),
        index(
            "by_genre",
            doc! { "tenant": 1, "genre": 1, "createdAt": 1, "_id": 1 },
            false,
        ),
        index(
            "by_author",
            doc! { "tenant": 1, "author": 1, "createdAt": 1, "_id": 1 },
            false,
        ),
        index(
            "by_title",
            doc! { "tenant": 1, "title": 1, "createdAt": 1, "_id": 1 },
            false,
        ),
        index(
            "by_price",
            doc! { "tenant": 1, "price": 1, "createdAt": 1, "_id": 1 },
            false,
        ),
        index("by_batch", doc! { MARK: 1 }, false),
    ]
}

fn authors_indexes() -> Vec<(&'static str, IndexModel)> {
    vec![
        index(
            "by_age",
            doc! { "tenant": 1, "createdAt": 1, "_id": 1 },
            false,
        ),
        index("by_batch", doc! { MARK: 1 }, false),
    ]
}

fn index(name: &'static str, keys: Document, unique: bool) -> (&'static str, IndexModel) {
    let options = IndexOptions::builder()
        .name(name.to_owned())
        .unique(unique)
        .build();
    (
        name,
        IndexModel::builder().keys(keys).options(options).build(),
    )
}
