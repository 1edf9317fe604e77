//! Search in `SQLite`: the trigram index for terms of three characters and more, a scan for shorter
//! ones. The term is a value in both, never part of a pattern.

use async_trait::async_trait;
use domain::{Book, SearchTerm};
use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::Value,
};
use tenancy::TenantId;

use super::{
    table::{SqlEntity, Table, select},
    values::text,
};
use crate::{
    StorageError,
    calls::{Call, Operation},
    search::{Scope, Source, fold, ranked},
    store::BookStore,
};

/// The trigram index knows nothing shorter.
const MIN_INDEXED: usize = 3;

/// Adds `holds(text, folded_term)` and `equals(text, folded_term)`, which ignore case as Rust does:
/// `SQLite`'s own functions know only ASCII.
pub(super) fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("holds", 2, flags, |call| {
        compare(call, |text, term| text.contains(term))
    })?;
    connection.create_scalar_function("equals", 2, flags, |call| {
        compare(call, |text, term| text == term)
    })
}

#[async_trait]
impl BookStore for Table<Book> {
    async fn search(
        &self,
        tenant: &TenantId,
        term: &SearchTerm,
    ) -> Result<Vec<Book>, StorageError> {
        ranked(
            &Matches {
                table: self,
                call: self.calls.begin(Operation::Search),
                tenant,
                term,
            },
            term,
        )
        .await
    }
}

struct Matches<'a> {
    table: &'a Table<Book>,
    /// One for all scopes.
    call: Call,
    tenant: &'a TenantId,
    term: &'a SearchTerm,
}

impl Source for Matches<'_> {
    async fn matches(&self, scope: Scope, limit: usize) -> Result<Vec<Book>, StorageError> {
        let (condition, sought) = condition(scope, self.term.as_str());
        let statement = format!(
            "SELECT id, {columns} FROM books WHERE tenant = ?1 AND {condition} \
             ORDER BY created_at DESC, id DESC LIMIT ?2",
            columns = Book::COLUMNS.join(", ")
        );
        let limit = Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
        let mut values = vec![text(self.tenant.as_str()), limit];
        values.extend(sought);
        let query = move |connection: &Connection| select(connection, &statement, &values);
        self.table.read(self.call, query).await
    }
}

/// The condition of a scope, with the values for its `?3` and `?4`.
fn condition(scope: Scope, term: &str) -> (&'static str, Vec<Value>) {
    let folded = Value::Text(fold(term));
    if term.chars().count() < MIN_INDEXED {
        let condition = match scope {
            Scope::Anywhere => "(holds(title, ?3) OR holds(author, ?3) OR holds(description, ?3))",
            Scope::WholeTitle => "equals(title, ?3)",
            Scope::Title => "holds(title, ?3)",
            Scope::Author => "holds(author, ?3)",
            Scope::Description => "holds(description, ?3)",
        };
        return (condition, vec![folded]);
    }
    const INDEXED: &str = "row_id IN (SELECT rowid FROM books_text WHERE books_text MATCH ?3)";
    const INDEXED_WHOLE: &str = "equals(title, ?4) AND \
        row_id IN (SELECT rowid FROM books_text WHERE books_text MATCH ?3)";
    // In FTS5 a quoted string is text; a quote in it is written twice.
    let phrase = format!("\"{}\"", term.replace('"', "\"\""));
    match scope {
        Scope::Anywhere => (INDEXED, vec![Value::Text(phrase)]),
        Scope::WholeTitle => (
            INDEXED_WHOLE,
            vec![Value::Text(format!("title : {phrase}")), folded],
        ),
        Scope::Title => (INDEXED, vec![Value::Text(format!("title : {phrase}"))]),
        Scope::Author => (INDEXED, vec![Value::Text(format!("author : {phrase}"))]),
        Scope::Description => (
            INDEXED,
            vec![Value::Text(format!("description : {phrase}"))],
        ),
    }
}

fn compare(call: &Context<'_>, relation: fn(&str, &str) -> bool) -> rusqlite::Result<bool> {
    let text = fold(call.get_raw(0).as_str().map_err(unsuitable)?);
    Ok(relation(
        &text,
        call.get_raw(1).as_str().map_err(unsuitable)?,
    ))
}

fn unsuitable(reason: rusqlite::types::FromSqlError) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(Box::new(reason))
}
