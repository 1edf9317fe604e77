//! A book and the summary that a model wrote of it.

use jiff::Timestamp;

use crate::{
    BookId, Description, Genre, Isbn, Name, Price, StockQuantity, Title, Version,
    fingerprint::fingerprint,
};

/// A book; each field's type holds its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// Identity within the tenant.
    pub id: BookId,
    /// Title.
    pub title: Title,
    /// Author, as free text: no link to an [`crate::Author`].
    pub author: Name,
    /// Number as the client gave it.
    pub isbn: Isbn,
    /// Price.
    pub price: Price,
    /// When it came out, if known.
    pub published_date: Option<Timestamp>,
    /// Genre; empty when unknown.
    pub genre: Genre,
    /// What it is about; empty when unknown.
    pub description: Description,
    /// Copies in stock.
    pub stock_quantity: StockQuantity,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Counts its changes.
    pub version: Version,
    /// The newest summary, of the book's present texts.
    pub summary: Option<BookSummary>,
}

/// What a model wrote about a book, and which one under which prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookSummary {
    /// The summary.
    pub text: String,
    /// The provider's name in our API.
    pub provider: String,
    /// The model that answered, as the provider names it.
    pub model: String,
    /// The model that was asked for.
    pub requested_model: String,
    /// Name and version of the prompt.
    pub prompt_version: String,
    /// Whether a simulator wrote it; `None` from before that was kept.
    pub simulated: Option<bool>,
    /// The model call that made it; `None` from before that was kept.
    pub call_id: Option<String>,
    /// The variant of an experiment that it was made for.
    pub variant: Option<String>,
    /// What it cost, in units of 10⁻¹² USD; `None` when unpriced, or from before that was kept.
    pub cost: Option<i64>,
    /// When it was generated.
    pub generated_at: Timestamp,
}

impl Book {
    /// What must be unique within a tenant: the valid ISBN as thirteen digits, else the book's id,
    /// which is unique anyway.
    #[must_use]
    pub fn isbn_key(&self) -> String {
        self.isbn.key().unwrap_or_else(|| self.id.to_string())
    }

    /// Changes when a text that goes into a prompt changes; never shown outside.
    #[must_use]
    pub fn text_fingerprint(&self) -> u64 {
        fingerprint(&[
            self.title.as_str(),
            self.author.as_str(),
            self.description.as_str(),
        ])
    }
}
