//! Between `SQLite`'s values and the domain's.

use domain::Version;
use jiff::Timestamp;
use rusqlite::{Row, types::Value};

use crate::StorageError;

/// A text.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// An instant, in milliseconds.
pub(super) fn instant(instant: Timestamp) -> Value {
    Value::Integer(instant.as_millisecond())
}

/// An instant that may be missing.
pub(super) fn optional_instant(given: Option<Timestamp>) -> Value {
    given.map_or(Value::Null, instant)
}

/// A version.
pub(super) fn version(version: Version) -> Value {
    Value::Integer(i64::try_from(version.get()).unwrap_or(i64::MAX))
}

/// Reads a row's columns one after the other.
pub(super) struct Columns<'a, 'r> {
    row: &'a Row<'r>,
    next: usize,
}

impl<'a, 'r> Columns<'a, 'r> {
    pub(super) fn new(row: &'a Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column, as `parse` reads it.
    pub(super) fn parsed<T, E: ToString>(
        &mut self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StorageError> {
        let column = self.skip();
        let value = self
            .row
            .get_ref(column)
            .map_err(|failure| self.unreadable(column, &failure))?;
        let text = value
            .as_str()
            .map_err(|failure| self.unreadable(column, &failure))?;
        parse(text).map_err(|reason| self.unreadable(column, &reason.to_string()))
    }

    /// The next column, of one of `SQLite`'s own types.
    pub(super) fn plain<T: rusqlite::types::FromSql>(&mut self) -> Result<T, StorageError> {
        let column = self.skip();
        self.row
            .get(column)
            .map_err(|failure| self.unreadable(column, &failure))
    }

    /// The next column, an integer, as `read` takes it.
    pub(super) fn integer<T, E: ToString>(
        &mut self,
        read: impl FnOnce(i64) -> Result<T, E>,
    ) -> Result<T, StorageError> {
        let column = self.next;
        let value = self.plain()?;
        read(value).map_err(|reason| self.unreadable(column, &reason.to_string()))
    }

    /// The next column, an instant.
    pub(super) fn instant(&mut self) -> Result<Timestamp, StorageError> {
        self.integer(Timestamp::from_millisecond)
    }

    /// The next column, an instant or nothing.
    pub(super) fn optional_instant(&mut self) -> Result<Option<Timestamp>, StorageError> {
        let column = self.next;
        let value: Option<i64> = self.plain()?;
        value
            .map(Timestamp::from_millisecond)
            .transpose()
            .map_err(|failure| self.unreadable(column, &failure))
    }

    /// The next column, a version.
    pub(super) fn version(&mut self) -> Result<Version, StorageError> {
        self.integer(|number| u64::try_from(number).map(Version::new))
    }

    fn skip(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    fn unreadable(&self, column: usize, reason: &impl ToString) -> StorageError {
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        StorageError::Corrupt(format!("column {name}: {}", reason.to_string()))
    }
}
