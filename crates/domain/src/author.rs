//! An author.

use jiff::Timestamp;

use crate::{AuthorId, Biography, Name, Nationality, Version, Website};

/// An author; each field's type holds its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Identity within the tenant.
    pub id: AuthorId,
    /// Name.
    pub name: Name,
    /// Life; empty when unknown.
    pub bio: Biography,
    /// Birth, if known.
    pub birth_date: Option<Timestamp>,
    /// Nationality; empty when unknown.
    pub nationality: Nationality,
    /// Page; empty when unknown.
    pub website: Website,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Counts its changes.
    pub version: Version,
}
