//! An author as JSON.

use bytes::Bytes;
use domain::Author;
use serde::Serialize;
use utoipa::ToSchema;

/// An author. Clients set what is not read-only; everything but the name has a default.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Author)]
pub(crate) struct AuthorBody<'a> {
    /// 24 hexadecimal digits.
    #[schema(read_only)]
    id: String,
    #[schema(min_length = 1, max_length = 300)]
    name: &'a str,
    /// Also taken as `biography`.
    #[schema(max_length = 10_000)]
    bio: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    birth_date: Option<String>,
    #[schema(max_length = 100)]
    nationality: &'a str,
    #[schema(max_length = 500)]
    website: &'a str,
    #[schema(read_only, format = DateTime)]
    created_at: String,
    #[schema(read_only, format = DateTime)]
    updated_at: String,
    /// Counts the changes; also the `ETag`.
    #[schema(read_only)]
    version: u64,
}

/// The finished JSON of an author, as the cache keeps it.
pub(crate) fn encode(author: &Author) -> Bytes {
    // A struct of texts and numbers always has a JSON form.
    serde_json::to_vec(&AuthorBody::new(author))
        .unwrap_or_default()
        .into()
}

impl<'a> AuthorBody<'a> {
    pub(crate) fn new(author: &'a Author) -> Self {
        Self {
            id: author.id.to_string(),
            name: author.name.as_str(),
            bio: author.bio.as_str(),
            birth_date: author.birth_date.map(|instant| instant.to_string()),
            nationality: author.nationality.as_str(),
            website: author.website.as_str(),
            created_at: author.created_at.to_string(),
            updated_at: author.updated_at.to_string(),
            version: author.version.get(),
        }
    }
}
