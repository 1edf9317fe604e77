//! Between BSON's values and the domain's.

use domain::Version;
use jiff::Timestamp;
use mongodb::bson::{DateTime, oid::ObjectId};

use crate::StorageError;

/// An instant, which both sides keep in milliseconds.
pub(super) fn date(instant: Timestamp) -> DateTime {
    DateTime::from_millis(instant.as_millisecond())
}

/// The instant of a date.
pub(super) fn instant(field: &'static str, date: DateTime) -> Result<Timestamp, StorageError> {
    readable(field, Timestamp::from_millisecond(date.timestamp_millis()))
}

/// The number of a version.
pub(super) fn number(version: Version) -> i64 {
    i64::try_from(version.get()).unwrap_or(i64::MAX)
}

/// The version with this number.
pub(super) fn version(number: i64) -> Result<Version, StorageError> {
    readable("version", u64::try_from(number)).map(Version::new)
}

/// The id of these bytes.
pub(super) fn object_id(bytes: [u8; 12]) -> ObjectId {
    ObjectId::from_bytes(bytes)
}

/// A value that was checked before it was stored; a field that fails now was changed by others.
pub(super) fn readable<T, E: std::fmt::Display>(
    field: &'static str,
    value: Result<T, E>,
) -> Result<T, StorageError> {
    value.map_err(|reason| StorageError::Corrupt(format!("field {field}: {reason}")))
}
