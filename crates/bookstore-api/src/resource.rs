//! What books and authors do alike: the rules of the routes, once for both.

mod query;
mod read;
mod write;

pub(crate) use query::{ListQuery, parse_sort};
pub(crate) use read::{get, list_reply};
pub(crate) use write::{create, create_many, delete, patch, replace};

use jiff::Timestamp;
use serde::Serialize;
use service_defaults::problem::FieldError;
use storage::Entity;

use crate::fields::Fields;

/// Entries of one bulk request.
pub(crate) const BULK_LIMIT: usize = 1_000;

/// Bytes of one bulk request.
pub(crate) const BULK_BODY_LIMIT: usize = 4 * 1_024 * 1_024;

/// An entity with routes of its own.
pub(crate) trait Resource: Entity {
    /// All fields that a client sets.
    type Draft: Send;
    /// Changes of some of them.
    type Patch: Send;
    /// Its JSON.
    type Body<'a>: Serialize
    where
        Self: 'a;

    /// Names of the fields that a patch may have.
    const PATCHABLE: &'static [&'static str];
    /// Where it lives, without the identifier.
    const PATH: &'static str;
    /// One of them, in replies.
    const SINGULAR: &'static str;
    /// Several of them, in replies and as the member of lists.
    const PLURAL: &'static str;

    /// The identifier of these bytes.
    fn id_of(bytes: [u8; 12]) -> Self::Id;
    /// The identifier in a path.
    fn parse_id(text: &str) -> Option<Self::Id>;

    /// Reads all fields.
    fn read_draft(fields: Fields<'_>) -> Result<Self::Draft, Vec<FieldError>>;
    /// Reads the fields of a patch; unknown ones have been refused.
    fn read_patch(fields: Fields<'_>) -> Result<Self::Patch, Vec<FieldError>>;

    /// A new one.
    fn create(draft: Self::Draft, id: Self::Id, now: Timestamp) -> Self;
    /// This one with other fields. It keeps its identity and its age.
    fn replaced(&self, draft: &Self::Draft, now: Timestamp) -> Self;
    /// This one with some other fields.
    fn patched(&self, patch: &Self::Patch, now: Timestamp) -> Self;

    /// Its JSON; `warnings` stand in replies to writes only.
    fn body(&self, warnings: bool) -> Self::Body<'_>;
}
