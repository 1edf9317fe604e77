//! A book as JSON.

use bytes::Bytes;
use domain::Book;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A book. Clients set what is not read-only; everything but title and author has a default.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Book)]
pub(crate) struct BookBody<'a> {
    /// 24 hexadecimal digits.
    #[schema(read_only)]
    id: String,
    #[schema(min_length = 1, max_length = 500)]
    title: &'a str,
    #[schema(min_length = 1, max_length = 300)]
    author: &'a str,
    /// Unique among valid ISBNs.
    #[schema(max_length = 32)]
    isbn: &'a str,
    /// At most four decimals.
    #[serde(serialize_with = "exact_number")]
    #[schema(value_type = f64, minimum = 0)]
    price: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    published_date: Option<String>,
    #[schema(max_length = 100)]
    genre: &'a str,
    #[schema(max_length = 10_000)]
    description: &'a str,
    #[schema(minimum = 0)]
    stock_quantity: u32,
    #[schema(read_only, format = DateTime)]
    created_at: String,
    #[schema(read_only, format = DateTime)]
    updated_at: String,
    /// Counts the changes; also the `ETag`.
    #[schema(read_only)]
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    summary: Option<SummaryBody<'a>>,
    /// What was accepted but may be a mistake; in replies to writes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(read_only)]
    warnings: Vec<&'static str>,
}

/// The newest summary of a book.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BookSummary)]
struct SummaryBody<'a> {
    text: &'a str,
    provider: &'a str,
    model: &'a str,
    prompt_version: &'a str,
    /// Whether a simulator wrote it, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<bool>,
    #[schema(format = DateTime)]
    generated_at: String,
}

/// The finished JSON of a book, as the cache keeps it.
pub(crate) fn encode(book: &Book) -> Bytes {
    // A struct of texts and numbers always has a JSON form.
    serde_json::to_vec(&BookBody::new(book, false))
        .unwrap_or_default()
        .into()
}

impl<'a> BookBody<'a> {
    pub(crate) fn new(book: &'a Book, warnings: bool) -> Self {
        let doubtful = !book.isbn.as_str().is_empty() && book.isbn.key().is_none();
        Self {
            id: book.id.to_string(),
            title: book.title.as_str(),
            author: book.author.as_str(),
            isbn: book.isbn.as_str(),
            price: book.price.to_decimal(),
            published_date: book.published_date.map(|instant| instant.to_string()),
            genre: book.genre.as_str(),
            description: book.description.as_str(),
            stock_quantity: book.stock_quantity.get(),
            created_at: book.created_at.to_string(),
            updated_at: book.updated_at.to_string(),
            version: book.version.get(),
            summary: book.summary.as_ref().map(|summary| SummaryBody {
                text: &summary.text,
                provider: &summary.provider,
                model: &summary.model,
                prompt_version: &summary.prompt_version,
                simulated: summary.simulated,
                generated_at: summary.generated_at.to_string(),
            }),
            warnings: if warnings && doubtful {
                vec!["isbn is not a valid ISBN-10 or ISBN-13"]
            } else {
                Vec::new()
            },
        }
    }
}

/// Writes decimal text as a JSON number, digit by digit.
#[expect(clippy::ptr_arg, reason = "serde's signature")]
fn exact_number<S: Serializer>(text: &String, serializer: S) -> Result<S::Ok, S::Error> {
    let number = RawValue::from_string(text.clone()).map_err(serde::ser::Error::custom)?;
    number.serialize(serializer)
}
