//! The rules of books and authors.
//!
//! Every value here is valid by construction: [`Title::parse`] is the only way to a [`Title`], so
//! nothing further in checks again. The crate does no I/O, knows no wire format and no store.
//! Reading order: identifiers, texts, numbers, the two entities, and how they are listed.

mod author;
mod book;
mod error;
mod fingerprint;
mod id;
mod isbn;
mod number;
mod page;
mod text;
mod time;

pub use author::Author;
pub use book::{Book, BookSummary};
pub use error::InvalidField;
pub use fingerprint::fingerprint;
pub use id::{AuthorId, BookId, InvalidId};
pub use isbn::Isbn;
pub use number::{PRICE_SCALE, Price, StockQuantity, Version};
pub use page::{BookFilter, BookQuery, BookSort, Page, PageRequest};
pub use text::{Biography, Description, Genre, Name, Nationality, SearchTerm, Title, Website};
pub use time::{parse_instant, to_milliseconds};
