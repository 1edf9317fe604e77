//! How an author lies in its collection.

use domain::{Author, AuthorId, Biography, Name, Nationality, Website};
use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use serde::{Deserialize, Serialize};
use tenancy::TenantId;

use super::{
    collection::MongoEntity,
    fields::{date, instant, number, object_id, readable, version},
};
use crate::StorageError;

/// A stored author.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    tenant: String,
    name: String,
    bio: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: Option<DateTime>,
    nationality: String,
    website: String,
    created_at: DateTime,
    updated_at: DateTime,
    version: i64,
}

impl MongoEntity for Author {
    type Document = AuthorDocument;

    const OPTIONAL: &'static [&'static str] = &["birthDate"];

    fn document(&self, tenant: &TenantId) -> AuthorDocument {
        AuthorDocument {
            id: object_id(self.id.bytes()),
            tenant: tenant.as_str().to_owned(),
            name: self.name.as_str().to_owned(),
            bio: self.bio.as_str().to_owned(),
            birth_date: self.birth_date.map(date),
            nationality: self.nationality.as_str().to_owned(),
            website: self.website.as_str().to_owned(),
            created_at: date(self.created_at),
            updated_at: date(self.updated_at),
            version: number(self.version),
        }
    }

    fn from_document(stored: AuthorDocument) -> Result<Self, StorageError> {
        Ok(Self {
            id: AuthorId::from_bytes(stored.id.bytes()),
            name: readable("name", Name::parse(&stored.name))?,
            bio: readable("bio", Biography::parse(&stored.bio))?,
            birth_date: stored
                .birth_date
                .map(|date| instant("birthDate", date))
                .transpose()?,
            nationality: readable("nationality", Nationality::parse(&stored.nationality))?,
            website: readable("website", Website::parse(&stored.website))?,
            created_at: instant("createdAt", stored.created_at)?,
            updated_at: instant("updatedAt", stored.updated_at)?,
            version: version(stored.version)?,
        })
    }

    fn equal((): &()) -> Document {
        Document::new()
    }

    fn order((): &()) -> Document {
        doc! { "createdAt": 1, "_id": 1 }
    }
}
