//! What the stores and the cache must know of a book or an author, so that both share one code.

use std::{
    fmt::{Debug, Display},
    hash::Hash,
};

use domain::{Author, AuthorId, Book, BookId, BookQuery, Version};

use crate::store::{BookStore, Store};

/// Something that is stored under an id, with a version.
pub trait Entity: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// Its identity within the tenant.
    type Id: Copy + Debug + Display + Eq + Hash + Send + Sync + 'static;
    /// Which ones to list, and in which order.
    type Query: Clone + Debug + Default + Send + Sync + 'static;
    /// The store behind the cache.
    type Store: Store<Self> + ?Sized + 'static;

    /// Name of its cache, in metrics and Redis keys.
    const NAME: &'static str;
    /// Name of its table or collection.
    const COLLECTION: &'static str;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// The bytes of an id.
    fn id_bytes(id: &Self::Id) -> [u8; 12];
    /// Its version.
    fn version(&self) -> Version;
    /// Changes with the texts from which a prompt is made.
    fn fingerprint(&self) -> u64;
}

impl Entity for Book {
    type Id = BookId;
    type Query = BookQuery;
    type Store = dyn BookStore;

    const NAME: &'static str = "book";
    const COLLECTION: &'static str = "books";

    fn id(&self) -> BookId {
        self.id
    }

    fn id_bytes(id: &BookId) -> [u8; 12] {
        id.bytes()
    }

    fn version(&self) -> Version {
        self.version
    }

    fn fingerprint(&self) -> u64 {
        self.text_fingerprint()
    }
}

impl Entity for Author {
    type Id = AuthorId;
    /// Authors are listed whole, oldest first.
    type Query = ();
    type Store = dyn Store<Author>;

    const NAME: &'static str = "author";
    const COLLECTION: &'static str = "authors";

    fn id(&self) -> AuthorId {
        self.id
    }

    fn id_bytes(id: &AuthorId) -> [u8; 12] {
        id.bytes()
    }

    fn version(&self) -> Version {
        self.version
    }

    /// No prompt is made from an author.
    fn fingerprint(&self) -> u64 {
        0
    }
}
