//! The parts of HAR 1.2 that matter. Replies' texts are not read.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::invalid::{Invalid, Place};

/// Entries that are looked at.
const MAX_ENTRIES: usize = 20_000;

#[derive(Deserialize)]
pub(super) struct Recording {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

/// A request with what came back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(deserialize_with = "parsed")]
    started_date_time: Timestamp,
    /// Milliseconds until the end of the reply.
    #[serde(default)]
    time: f64,
    pub(super) request: Request,
    pub(super) response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub(super) method: String,
    #[serde(deserialize_with = "parsed")]
    url: Url,
    #[serde(default)]
    pub(super) headers: Vec<Header>,
    pub(super) post_data: Option<PostData>,
}

#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PostData {
    #[serde(default)]
    pub(super) mime_type: String,
    #[serde(default)]
    pub(super) text: String,
}

#[derive(Deserialize)]
pub(super) struct Response {
    pub(super) status: i64,
    #[serde(default)]
    pub(super) content: Content,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    #[serde(default)]
    pub(super) mime_type: String,
}

impl Recording {
    /// The entries as they were sent.
    ///
    /// # Errors
    /// More than [`MAX_ENTRIES`].
    pub(super) fn in_order(&self) -> Result<Vec<&Entry>, Invalid> {
        if self.log.entries.len() > MAX_ENTRIES {
            let place = Place::default().member("log").member("entries");
            return Err(Invalid::new(
                place,
                format!("must be at most {MAX_ENTRIES}"),
            ));
        }
        let mut entries: Vec<&Entry> = self.log.entries.iter().collect();
        entries.sort_by_key(|entry| entry.started_date_time);
        Ok(entries)
    }
}

impl Entry {
    pub(super) const fn url(&self) -> &Url {
        &self.request.url
    }

    /// When it was sent, in seconds since 1970.
    pub(super) fn begin(&self) -> f64 {
        self.started_date_time.as_duration().as_secs_f64()
    }

    /// When the reply was complete.
    pub(super) fn end(&self) -> f64 {
        self.begin() + self.time.max(0.0) / 1000.0
    }
}

/// A text in the form of a type of its own.
fn parsed<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(text: D) -> Result<T, D::Error> {
    let text = String::deserialize(text)?;
    text.parse().map_err(de::Error::custom)
}
