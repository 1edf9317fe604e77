//! The fields of a book that clients set.

use domain::{
    Book, BookId, BookSummary, Description, Genre, Isbn, Name, Price, StockQuantity, Title, Version,
};
use jiff::Timestamp;
use service_defaults::problem::FieldError;
use utoipa::ToSchema;

use super::BookBody;
use crate::{fields::Fields, resource::Resource};

/// All fields of a book that clients set.
pub(crate) struct BookDraft {
    title: Title,
    author: Name,
    isbn: Isbn,
    price: Price,
    published_date: Option<Timestamp>,
    genre: Genre,
    description: Description,
    stock_quantity: StockQuantity,
}

/// Changes of some fields; `None` leaves a field as it is.
pub(crate) struct BookPatch {
    title: Option<Title>,
    author: Option<Name>,
    isbn: Option<Isbn>,
    price: Option<Price>,
    published_date: Option<Option<Timestamp>>,
    genre: Option<Genre>,
    description: Option<Description>,
    stock_quantity: Option<StockQuantity>,
}

/// Any of the fields that clients set; `null` gives a field its default.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is read field by field")]
#[schema(as = BookPatch, rename_all = "camelCase")]
pub(crate) struct BookPatchBody {
    title: Option<String>,
    author: Option<String>,
    isbn: Option<String>,
    price: Option<f64>,
    #[schema(format = DateTime)]
    published_date: Option<String>,
    genre: Option<String>,
    description: Option<String>,
    stock_quantity: Option<u32>,
}

impl Resource for Book {
    type Draft = BookDraft;
    type Patch = BookPatch;
    type Body<'a> = BookBody<'a>;

    const PATCHABLE: &'static [&'static str] = &[
        "title",
        "author",
        "isbn",
        "price",
        "publishedDate",
        "genre",
        "description",
        "stockQuantity",
    ];
    const PATH: &'static str = "/api/v1/books";
    const SINGULAR: &'static str = "book";
    const PLURAL: &'static str = "books";

    fn id_of(bytes: [u8; 12]) -> BookId {
        BookId::from_bytes(bytes)
    }

    fn parse_id(text: &str) -> Option<BookId> {
        text.parse().ok()
    }

    fn read_draft(mut fields: Fields<'_>) -> Result<BookDraft, Vec<FieldError>> {
        // Each field is read before any is asked for, so that one reply lists all errors.
        let title = fields.text("title", Title::parse);
        let author = fields.text("author", Name::parse);
        let isbn = fields.text("isbn", Isbn::parse);
        let price = fields.number("price", Price::parse);
        let published_date = fields.instant("publishedDate");
        let genre = fields.text("genre", Genre::parse);
        let description = fields.text("description", Description::parse);
        let stock_quantity = fields.number("stockQuantity", StockQuantity::parse);
        let draft = (|| {
            Some(BookDraft {
                title: title?,
                author: author?,
                isbn: isbn?,
                price: price?,
                published_date,
                genre: genre?,
                description: description?,
                stock_quantity: stock_quantity?,
            })
        })();
        fields.finish(draft)
    }

    fn read_patch(mut fields: Fields<'_>) -> Result<BookPatch, Vec<FieldError>> {
        let published_date = fields
            .has("publishedDate")
            .then(|| fields.instant("publishedDate"));
        let patch = BookPatch {
            title: fields.changed_text("title", Title::parse),
            author: fields.changed_text("author", Name::parse),
            isbn: fields.changed_text("isbn", Isbn::parse),
            price: fields.changed_number("price", Price::parse),
            published_date,
            genre: fields.changed_text("genre", Genre::parse),
            description: fields.changed_text("description", Description::parse),
            stock_quantity: fields.changed_number("stockQuantity", StockQuantity::parse),
        };
        fields.finish(Some(patch))
    }

    fn create(draft: BookDraft, id: BookId, now: Timestamp) -> Self {
        Self {
            id,
            title: draft.title,
            author: draft.author,
            isbn: draft.isbn,
            price: draft.price,
            published_date: draft.published_date,
            genre: draft.genre,
            description: draft.description,
            stock_quantity: draft.stock_quantity,
            created_at: now,
            updated_at: now,
            version: Version::FIRST,
            summary: None,
        }
    }

    fn replaced(&self, draft: &BookDraft, now: Timestamp) -> Self {
        let changed = Self {
            id: self.id,
            title: draft.title.clone(),
            author: draft.author.clone(),
            isbn: draft.isbn.clone(),
            price: draft.price,
            published_date: draft.published_date,
            genre: draft.genre.clone(),
            description: draft.description.clone(),
            stock_quantity: draft.stock_quantity,
            created_at: self.created_at,
            updated_at: now,
            version: self.version.next(),
            summary: None,
        };
        Self {
            summary: kept_summary(self, &changed),
            ..changed
        }
    }

    fn patched(&self, patch: &BookPatch, now: Timestamp) -> Self {
        let BookPatch {
            title,
            author,
            isbn,
            price,
            published_date,
            genre,
            description,
            stock_quantity,
        } = patch;
        let changed = Self {
            id: self.id,
            title: title.as_ref().unwrap_or(&self.title).clone(),
            author: author.as_ref().unwrap_or(&self.author).clone(),
            isbn: isbn.as_ref().unwrap_or(&self.isbn).clone(),
            price: price.unwrap_or(self.price),
            published_date: published_date.unwrap_or(self.published_date),
            genre: genre.as_ref().unwrap_or(&self.genre).clone(),
            description: description.as_ref().unwrap_or(&self.description).clone(),
            stock_quantity: stock_quantity.unwrap_or(self.stock_quantity),
            created_at: self.created_at,
            updated_at: now,
            version: self.version.next(),
            summary: None,
        };
        Self {
            summary: kept_summary(self, &changed),
            ..changed
        }
    }

    fn body(&self, warnings: bool) -> BookBody<'_> {
        BookBody::new(self, warnings)
    }
}

/// A summary tells of the texts that it was made from; with other texts it would be wrong.
fn kept_summary(before: &Book, after: &Book) -> Option<BookSummary> {
    let same = before.text_fingerprint() == after.text_fingerprint();
    before.summary.clone().filter(|_| same)
}
