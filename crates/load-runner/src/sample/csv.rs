//! From a record of k6's CSV output to a sample.
//!
//! The first record names the columns: metric, time, value, one for each system tag that is
//! switched on, then `extra_tags` and `metadata`, which are lists like `a=1&b=2`. k6 escapes
//! nothing in these lists, so that a value with `&name=` in it reads as two tags; and it leaves out
//! a script's own tag that has the name of a system tag which is switched off. An empty column
//! and a tag that is not there are the same.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use load_analysis::sample::{Sample, Tags};

use super::decoder::is_trace_id;
use super::kinds::{Kinds, Knowledge};
use super::owned_tags::{MAX_TAGS, owned};
use crate::runner::ProcessArtifacts;

/// How the first record begins and ends.
const FIRST_COLUMNS: [&str; 3] = ["metric_name", "timestamp", "metric_value"];
const LAST_COLUMNS: [&str; 2] = ["extra_tags", "metadata"];

/// Why there is no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSample {
    /// k6 does not write such a record.
    Unreadable,
    /// What kind of metric it is of will be known later.
    NotYet,
}

/// Turns records into samples.
#[derive(Debug)]
pub(super) struct CsvDecoder {
    /// The tags that have a column; absent before the first record.
    columns: Option<Vec<String>>,
    kinds: Kinds,
    /// Tags and metadata of the record before: those of one request are mostly the same.
    rest: Vec<u8>,
    tags: Tags<'static>,
    trace_id: Option<String>,
}

impl CsvDecoder {
    /// A decoder of the samples of one k6.
    pub(super) fn new(files: &ProcessArtifacts) -> Self {
        Self {
            columns: None,
            kinds: Kinds::new(files.clone()),
            rest: Vec::new(),
            tags: Tags::default(),
            trace_id: None,
        }
    }

    /// From now on nobody says what kind an unknown metric is of.
    pub(super) const fn note_end(&mut self) {
        self.kinds.note_end();
    }

    /// Reads one record. `None` for the first, which names the columns.
    pub(super) fn decode<'a>(
        &'a mut self,
        record: &'a [u8],
    ) -> Result<Option<Sample<'a>>, NoSample> {
        let Some(columns) = &self.columns else {
            self.columns = Some(columns(record).ok_or(NoSample::Unreadable)?);
            return Ok(None);
        };
        let (metric, rest) = cell(record)?;
        let (time, rest) = cell(rest)?;
        let (value, rest) = cell(rest)?;
        let time: i64 = time.parse().map_err(|_| NoSample::Unreadable)?;
        let value: f64 = value.parse().map_err(|_| NoSample::Unreadable)?;
        if !value.is_finite() {
            return Err(NoSample::Unreadable);
        }
        if rest != self.rest {
            self.rest.clear();
            let (tags, trace_id) = tags(columns, rest).ok_or(NoSample::Unreadable)?;
            (self.tags, self.trace_id) = (tags, trace_id);
            self.rest.extend_from_slice(rest);
        }
        let (kind, contains) = match self.kinds.of(metric) {
            Knowledge::Known(kind) => kind,
            Knowledge::NotYet => return Err(NoSample::NotYet),
            Knowledge::Never => return Err(NoSample::Unreadable),
        };
        Ok(Some(Sample {
            time,
            metric: Cow::Borrowed(metric),
            kind,
            contains,
            value,
            tags: &self.tags,
            trace_id: self.trace_id.as_deref(),
        }))
    }
}

/// The names of the columns with tags.
fn columns(record: &[u8]) -> Option<Vec<String>> {
    let all = fields(record)?;
    let tags = all.strip_prefix(FIRST_COLUMNS.map(str::to_owned).as_slice())?;
    let tags = tags.strip_suffix(LAST_COLUMNS.map(str::to_owned).as_slice())?;
    (tags.len() <= MAX_TAGS).then(|| tags.to_vec())
}

/// The tags and the trace of a record.
fn tags(columns: &[String], rest: &[u8]) -> Option<(Tags<'static>, Option<String>)> {
    let mut values = fields(rest)?;
    let metadata = values.pop()?;
    let extra = values.pop()?;
    if values.len() != columns.len() {
        return None;
    }
    let named = columns.iter().cloned().zip(values).chain(pairs(&extra));
    let named = named.filter(|(_, value)| !value.is_empty());
    let tags: Vec<_> = named.map(|(name, value)| owned(name, value)).collect();
    let trace = pairs(&metadata).find(|(name, _)| name == "trace_id");
    let trace = trace.map(|(_, id)| id).filter(|id| is_trace_id(id));
    (tags.len() <= MAX_TAGS).then_some((Tags(tags), trace))
}

/// The names and values of a list. A part without a name goes on with the value before.
fn pairs(list: &str) -> impl Iterator<Item = (String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in list.split('&').filter(|_| !list.is_empty()) {
        match (part.split_once('='), pairs.last_mut()) {
            (Some((name, value)), _) => pairs.push((name.to_owned(), value.to_owned())),
            (None, Some((_, before))) => {
                before.push('&');
                before.push_str(part);
            }
            (None, None) => {}
        }
    }
    pairs.into_iter()
}

/// What stands before the next comma, where nothing is ever quoted.
fn cell(text: &[u8]) -> Result<(&str, &[u8]), NoSample> {
    let comma = memchr::memchr(b',', text).ok_or(NoSample::Unreadable)?;
    let cell = std::str::from_utf8(&text[..comma]).map_err(|_| NoSample::Unreadable)?;
    Ok((cell, &text[comma + 1..]))
}

/// All values of a record; `None` when a quotation has no end, or goes on behind it.
fn fields(mut text: &[u8]) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    loop {
        let (field, rest) = match text.strip_prefix(b"\"") {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = memchr::memchr(b',', text).unwrap_or(text.len());
                (
                    String::from_utf8_lossy(&text[..end]).into_owned(),
                    &text[end..],
                )
            }
        };
        fields.push(field);
        match rest.split_first() {
            None => return Some(fields),
            Some((b',', rest)) => text = rest,
            Some(_) => return None,
        }
    }
}

/// A value up to its closing mark, in which marks are doubled, and what stands behind it.
fn unquote(mut text: &[u8]) -> Option<(String, &[u8])> {
    let mut value = Vec::new();
    loop {
        let mark = memchr::memchr(b'"', text)?;
        value.extend_from_slice(&text[..mark]);
        text = &text[mark + 1..];
        match text.strip_prefix(b"\"") {
            Some(rest) => {
                value.push(b'"');
                text = rest;
            }
            None => return Some((String::from_utf8_lossy(&value).into_owned(), text)),
        }
    }
}
