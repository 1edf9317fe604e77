//! How an author lies in its table.

use domain::{Author, AuthorId, Biography, Name, Nationality, Website};
use rusqlite::{Row, types::Value};

use super::{
    table::SqlEntity,
    values::{Columns, instant, optional_instant, text, version},
};
use crate::StorageError;

impl SqlEntity for Author {
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "bio",
        "birth_date",
        "nationality",
        "website",
        "created_at",
        "updated_at",
        "version",
    ];

    fn values(&self) -> Vec<Value> {
        vec![
            text(self.name.as_str()),
            text(self.bio.as_str()),
            optional_instant(self.birth_date),
            text(self.nationality.as_str()),
            text(self.website.as_str()),
            instant(self.created_at),
            instant(self.updated_at),
            version(self.version),
        ]
    }

    fn from_row(row: &Row<'_>) -> Result<Self, StorageError> {
        let mut columns = Columns::new(row);
        Ok(Self {
            id: AuthorId::from_bytes(columns.plain()?),
            name: columns.parsed(Name::parse)?,
            bio: columns.parsed(Biography::parse)?,
            birth_date: columns.optional_instant()?,
            nationality: columns.parsed(Nationality::parse)?,
            website: columns.parsed(Website::parse)?,
            created_at: columns.instant()?,
            updated_at: columns.instant()?,
            version: columns.version()?,
        })
    }

    fn equal((): &()) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn order((): &()) -> &'static str {
        "created_at, id"
    }
}
