//! How a book lies in its collection.

use domain::{
    Book, BookId, BookQuery, BookSort, BookSummary, Description, Genre, Isbn, Name, Price,
    StockQuantity, Title,
};
use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use serde::{Deserialize, Serialize};
use tenancy::TenantId;

use super::{
    collection::MongoEntity,
    fields::{date, instant, number, object_id, readable, version},
};
use crate::StorageError;

/// A stored book.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BookDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    tenant: String,
    isbn_key: String,
    title: String,
    author: String,
    isbn: String,
    /// In units of 1/10,000: the test stand-in has no decimals.
    price: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_date: Option<DateTime>,
    genre: String,
    description: String,
    stock_quantity: i64,
    created_at: DateTime,
    updated_at: DateTime,
    version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<SummaryDocument>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SummaryDocument {
    text: String,
    provider: String,
    model: String,
    prompt_version: String,
    generated_at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<i64>,
}

impl MongoEntity for Book {
    type Document = BookDocument;

    const OPTIONAL: &'static [&'static str] = &["publishedDate", "summary"];
    const UNITS: Option<&'static str> = Some("stockQuantity");

    fn document(&self, tenant: &TenantId) -> BookDocument {
        BookDocument {
            id: object_id(self.id.bytes()),
            tenant: tenant.as_str().to_owned(),
            isbn_key: self.isbn_key(),
            title: self.title.as_str().to_owned(),
            author: self.author.as_str().to_owned(),
            isbn: self.isbn.as_str().to_owned(),
            price: self.price.ten_thousandths(),
            published_date: self.published_date.map(date),
            genre: self.genre.as_str().to_owned(),
            description: self.description.as_str().to_owned(),
            stock_quantity: i64::from(self.stock_quantity.get()),
            created_at: date(self.created_at),
            updated_at: date(self.updated_at),
            version: number(self.version),
            summary: self.summary.as_ref().map(SummaryDocument::from),
        }
    }

    fn from_document(stored: BookDocument) -> Result<Self, StorageError> {
        Ok(Self {
            id: BookId::from_bytes(stored.id.bytes()),
            title: readable("title", Title::parse(&stored.title))?,
            author: readable("author", Name::parse(&stored.author))?,
            isbn: readable("isbn", Isbn::parse(&stored.isbn))?,
            price: readable("price", Price::from_ten_thousandths(stored.price))?,
            published_date: stored
                .published_date
                .map(|date| instant("publishedDate", date))
                .transpose()?,
            genre: readable("genre", Genre::parse(&stored.genre))?,
            description: readable("description", Description::parse(&stored.description))?,
            stock_quantity: readable(
                "stockQuantity",
                StockQuantity::from_i64(stored.stock_quantity),
            )?,
            created_at: instant("createdAt", stored.created_at)?,
            updated_at: instant("updatedAt", stored.updated_at)?,
            version: version(stored.version)?,
            summary: stored.summary.map(SummaryDocument::read).transpose()?,
        })
    }

    fn equal(query: &BookQuery) -> Document {
        let filter = &query.filter;
        [("genre", &filter.genre), ("author", &filter.author)]
            .into_iter()
            .filter_map(|(field, wanted)| Some((field.to_owned(), wanted.clone()?.into())))
            .collect()
    }

    fn order(query: &BookQuery) -> Document {
        match query.sort {
            BookSort::OldestFirst => doc! { "createdAt": 1, "_id": 1 },
            BookSort::NewestFirst => doc! { "createdAt": -1, "_id": -1 },
            BookSort::Title => doc! { "title": 1, "createdAt": 1, "_id": 1 },
            BookSort::Price => doc! { "price": 1, "createdAt": 1, "_id": 1 },
        }
    }
}

impl From<&BookSummary> for SummaryDocument {
    fn from(summary: &BookSummary) -> Self {
        Self {
            text: summary.text.clone(),
            provider: summary.provider.clone(),
            model: summary.model.clone(),
            prompt_version: summary.prompt_version.clone(),
            generated_at: date(summary.generated_at),
            requested_model: Some(summary.requested_model.clone()),
            simulated: summary.simulated,
            call_id: summary.call_id.clone(),
            variant: summary.variant.clone(),
            cost: summary.cost,
        }
    }
}

impl SummaryDocument {
    fn read(self) -> Result<BookSummary, StorageError> {
        Ok(BookSummary {
            text: self.text,
            provider: self.provider,
            requested_model: self.requested_model.unwrap_or_else(|| self.model.clone()),
            model: self.model,
            prompt_version: self.prompt_version,
            simulated: self.simulated,
            call_id: self.call_id,
            variant: self.variant,
            cost: self.cost,
            generated_at: instant("summary.generatedAt", self.generated_at)?,
        })
    }
}
