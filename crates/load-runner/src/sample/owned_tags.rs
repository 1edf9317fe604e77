//! The tags of a line as a list of their own, so that they outlive the line.

use std::borrow::Cow;

use load_analysis::sample::Tags;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::redaction::redact;

/// Tags of one sample; k6 itself sets about ten.
pub(super) const MAX_TAGS: usize = 64;

/// Tags in the order of their line.
pub(super) struct OwnedTags(pub(super) Tags<'static>);

struct TagsVisitor;

impl<'de> Deserialize<'de> for OwnedTags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TagsVisitor)
    }
}

impl<'de> Visitor<'de> for TagsVisitor {
    type Value = OwnedTags;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "an object of at most {MAX_TAGS} texts")
    }

    fn visit_unit<E>(self) -> Result<OwnedTags, E> {
        Ok(OwnedTags(Tags::default()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnedTags, A::Error> {
        let mut tags = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            if tags.len() == MAX_TAGS {
                return Err(A::Error::invalid_length(MAX_TAGS + 1, &self));
            }
            tags.push(owned(name, value));
        }
        Ok(OwnedTags(Tags(tags)))
    }
}

/// A tag without the secrets in its value: addresses and what scripts put into tags are kept with
/// the results.
pub(super) fn owned(name: String, value: String) -> (Cow<'static, str>, Cow<'static, str>) {
    let value = match redact(&value) {
        Cow::Owned(redacted) => redacted,
        Cow::Borrowed(_) => value,
    };
    (Cow::Owned(name), Cow::Owned(value))
}
