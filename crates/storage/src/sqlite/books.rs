//! How a book lies in its table.

use domain::{
    Book, BookId, BookQuery, BookSort, BookSummary, Description, Genre, Isbn, Name, Price,
    StockQuantity, Title,
};
use rusqlite::{Row, types::Value};

use super::{
    table::SqlEntity,
    values::{Columns, instant, optional_instant, text, version},
};
use crate::StorageError;

impl SqlEntity for Book {
    const COLUMNS: &'static [&'static str] = &[
        "isbn_key",
        "title",
        "author",
        "isbn",
        "price",
        "published_date",
        "genre",
        "description",
        "stock_quantity",
        "created_at",
        "updated_at",
        "version",
        "summary_text",
        "summary_provider",
        "summary_model",
        "summary_prompt_version",
        "summary_generated_at",
        "summary_requested_model",
        "summary_simulated",
        "summary_call_id",
        "summary_variant",
        "summary_cost",
    ];

    const UNITS: &'static str = "stock_quantity";

    const INDEX: Option<&'static str> = Some(
        "INSERT INTO books_text (rowid, title, author, description) \
         SELECT row_id, title, author, description FROM books WHERE row_id BETWEEN ?1 AND ?2",
    );

    fn values(&self) -> Vec<Value> {
        let mut values = vec![
            Value::Text(self.isbn_key()),
            text(self.title.as_str()),
            text(self.author.as_str()),
            text(self.isbn.as_str()),
            Value::Integer(self.price.ten_thousandths()),
            optional_instant(self.published_date),
            text(self.genre.as_str()),
            text(self.description.as_str()),
            Value::Integer(i64::from(self.stock_quantity.get())),
            instant(self.created_at),
            instant(self.updated_at),
            version(self.version),
        ];
        values.extend(summary_values(self.summary.as_ref()));
        values
    }

    fn from_row(row: &Row<'_>) -> Result<Self, StorageError> {
        let mut columns = Columns::new(row);
        let id = BookId::from_bytes(columns.plain()?);
        let _isbn_key: String = columns.plain()?;
        Ok(Self {
            id,
            title: columns.parsed(Title::parse)?,
            author: columns.parsed(Name::parse)?,
            isbn: columns.parsed(Isbn::parse)?,
            price: columns.integer(Price::from_ten_thousandths)?,
            published_date: columns.optional_instant()?,
            genre: columns.parsed(Genre::parse)?,
            description: columns.parsed(Description::parse)?,
            stock_quantity: columns.integer(StockQuantity::from_i64)?,
            created_at: columns.instant()?,
            updated_at: columns.instant()?,
            version: columns.version()?,
            summary: summary(&mut columns)?,
        })
    }

    fn equal(query: &BookQuery) -> Vec<(&'static str, Value)> {
        let filter = &query.filter;
        [("genre", &filter.genre), ("author", &filter.author)]
            .into_iter()
            .filter_map(|(column, wanted)| Some((column, text(wanted.as_deref()?))))
            .collect()
    }

    fn order(query: &BookQuery) -> &'static str {
        match query.sort {
            BookSort::OldestFirst => "created_at, id",
            BookSort::NewestFirst => "created_at DESC, id DESC",
            BookSort::Title => "title, created_at, id",
            BookSort::Price => "price, created_at, id",
        }
    }
}

fn summary_values(summary: Option<&BookSummary>) -> [Value; 10] {
    let optional = |given: Option<&str>| given.map_or(Value::Null, text);
    summary.map_or([const { Value::Null }; 10], |summary| {
        [
            text(&summary.text),
            text(&summary.provider),
            text(&summary.model),
            text(&summary.prompt_version),
            instant(summary.generated_at),
            text(&summary.requested_model),
            summary
                .simulated
                .map_or(Value::Null, |yes| Value::Integer(yes.into())),
            optional(summary.call_id.as_deref()),
            optional(summary.variant.as_deref()),
            summary.cost.map_or(Value::Null, Value::Integer),
        ]
    })
}

fn summary(columns: &mut Columns<'_, '_>) -> Result<Option<BookSummary>, StorageError> {
    let given: Option<String> = columns.plain()?;
    let Some(text) = given else { return Ok(None) };
    let (provider, model): (String, String) = (columns.plain()?, columns.plain()?);
    Ok(Some(BookSummary {
        text,
        provider,
        prompt_version: columns.plain()?,
        generated_at: columns.instant()?,
        requested_model: columns
            .plain::<Option<String>>()?
            .unwrap_or_else(|| model.clone()),
        model,
        simulated: columns.plain()?,
        call_id: columns.plain()?,
        variant: columns.plain()?,
        cost: columns.plain()?,
    }))
}
