//! From a line of k6's JSON output to a sample.
//!
//! k6 writes about 14 lines for each request, and always in the same form, so that the common
//! line is taken apart by its fixed parts; any other goes through the JSON parser. Lines of
//! one request follow each other with the same time and tags: these are parsed once.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::sample::{Sample, Tags};
use serde::Deserialize;

use super::owned_tags::OwnedTags;

/// Metrics that are known by kind; samples of further ones are unreadable. The analysis keeps
/// fewer.
pub(super) const MAX_METRICS: usize = 1_000;

/// Hexadecimal digits of a trace's id (W3C Trace Context).
const TRACE_ID_LENGTH: usize = 32;

/// What stands between tags and metadata. No tag can hold it: its value is a text, in which
/// quotes are escaped.
const METADATA: &[u8] = br#","metadata":"#;

/// A line that is no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// Turns lines into samples. Keeps the kinds of the metrics, which k6 names once.
#[derive(Debug, Default)]
pub struct Decoder {
    metrics: HashMap<String, (MetricKind, Contains)>,
    time_text: Vec<u8>,
    time: i64,
    tags_text: Vec<u8>,
    tags: Tags<'static>,
    metadata_text: Vec<u8>,
    trace_id: Option<String>,
}

/// The parts of a sample's line that differ from line to line.
struct Parts<'a> {
    metric: &'a str,
    time: &'a [u8],
    value: f64,
    tags: &'a [u8],
    /// Empty without any.
    metadata: &'a [u8],
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    metric: Cow<'a, str>,
    #[serde(borrow)]
    data: Data<'a>,
}

/// Data of both kinds of line: a point has time, value and tags; a metric has the rest.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    value: Option<f64>,
    tags: Option<OwnedTags>,
    metadata: Option<Metadata>,
    #[serde(rename = "type")]
    kind: Option<MetricKind>,
    contains: Option<Contains>,
}

/// What a script says of a sample that makes no series of its own.
#[derive(Deserialize)]
struct Metadata {
    trace_id: Option<String>,
}

impl Metadata {
    /// The trace, if it is one: what a script writes is kept with the results.
    fn trace_id(self) -> Option<String> {
        self.trace_id.filter(|id| is_trace_id(id))
    }
}

/// Whether it is the id of a trace.
pub(super) fn is_trace_id(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == TRACE_ID_LENGTH && text.bytes().all(is_digit)
}

impl Decoder {
    /// Reads one line. `None` for a line that introduces a metric.
    ///
    /// # Errors
    /// [`Unreadable`] for anything that k6 does not write: no JSON, a metric that was not
    /// introduced, a value that is not finite.
    pub fn decode<'a>(&'a mut self, line: &'a [u8]) -> Result<Option<Sample<'a>>, Unreadable> {
        match split(line) {
            Some(parts) => self.quick(&parts).map(Some),
            None => self.thorough(line),
        }
    }

    fn quick<'a>(&'a mut self, parts: &Parts<'a>) -> Result<Sample<'a>, Unreadable> {
        let (kind, contains) = *self.metrics.get(parts.metric).ok_or(Unreadable)?;
        self.set_time(parts.time)?;
        if parts.tags != self.tags_text {
            self.tags_text.clear();
            let OwnedTags(tags) = serde_json::from_slice(parts.tags).map_err(|_| Unreadable)?;
            self.tags = tags;
            self.tags_text.extend_from_slice(parts.tags);
        }
        if parts.metadata != self.metadata_text {
            let metadata = serde_json::from_slice(parts.metadata).ok();
            self.trace_id = metadata.and_then(Metadata::trace_id);
            self.metadata_text.clear();
            self.metadata_text.extend_from_slice(parts.metadata);
        }
        Ok(Sample {
            time: self.time,
            metric: Cow::Borrowed(parts.metric),
            kind,
            contains,
            value: parts.value,
            tags: &self.tags,
            trace_id: self.trace_id.as_deref(),
        })
    }

    fn thorough<'a>(&'a mut self, line: &'a [u8]) -> Result<Option<Sample<'a>>, Unreadable> {
        let line: Line<'a> = serde_json::from_slice(line).map_err(|_| Unreadable)?;
        match line.kind.as_ref() {
            "Metric" => {
                let kind = line.data.kind.ok_or(Unreadable)?;
                let contains = line.data.contains.ok_or(Unreadable)?;
                if self.metrics.len() >= MAX_METRICS {
                    return Err(Unreadable);
                }
                self.metrics
                    .insert(line.metric.into_owned(), (kind, contains));
                Ok(None)
            }
            "Point" => {
                let (kind, contains) = *self.metrics.get(line.metric.as_ref()).ok_or(Unreadable)?;
                self.set_time(line.data.time.as_deref().unwrap_or_default().as_bytes())?;
                let value = line
                    .data
                    .value
                    .filter(|value| value.is_finite())
                    .ok_or(Unreadable)?;
                self.tags_text.clear();
                self.tags = line.data.tags.map_or_else(Tags::default, |tags| tags.0);
                self.metadata_text.clear();
                self.trace_id = line.data.metadata.and_then(Metadata::trace_id);
                let (time, metric, tags) = (self.time, line.metric, &self.tags);
                Ok(Some(Sample {
                    time,
                    metric,
                    kind,
                    contains,
                    value,
                    tags,
                    trace_id: self.trace_id.as_deref(),
                }))
            }
            _ => Err(Unreadable),
        }
    }

    fn set_time(&mut self, text: &[u8]) -> Result<(), Unreadable> {
        if text != self.time_text {
            let time = std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok());
            let time: Timestamp = time.ok_or(Unreadable)?;
            self.time = time.as_microsecond();
            self.time_text.clear();
            self.time_text.extend_from_slice(text);
        }
        Ok(())
    }
}

/// Takes the common line apart:
/// `{"metric":"M","type":"Point","data":{"time":"T","value":V,"tags":{…}}}`, in which
/// `"metadata":{…}` may follow the tags.
/// `None` for every other line, among them those with an escape in the metric or time.
fn split(line: &[u8]) -> Option<Parts<'_>> {
    let rest = line.strip_prefix(br#"{"metric":""#)?;
    let (metric, rest) = until_quote(rest)?;
    let rest = rest.strip_prefix(br#","type":"Point","data":{"time":""#)?;
    let (time, rest) = until_quote(rest)?;
    let rest = rest.strip_prefix(br#","value":"#)?;
    let comma = memchr::memchr(b',', rest)?;
    let (value, rest) = rest.split_at_checked(comma)?;
    let tags = rest.strip_prefix(br#","tags":"#)?.strip_suffix(b"}}")?;
    let (tags, metadata) = match memchr::memmem::find(tags, METADATA) {
        Some(at) => (&tags[..at], &tags[at + METADATA.len()..]),
        None => (tags, &[][..]),
    };
    let value: f64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    let parts = Parts {
        metric: std::str::from_utf8(metric).ok()?,
        time,
        value,
        tags,
        metadata,
    };
    value.is_finite().then_some(parts)
}

fn until_quote(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr2(b'"', b'\\', text)?;
    let (inside, rest) = text.split_at_checked(end)?;
    Some((inside, rest.strip_prefix(b"\"")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRIC: &str = r#"{"type":"Metric","data":{"name":"d","type":"trend","contains":"time","thresholds":[],"submetrics":null},"metric":"d"}"#;

    fn known() -> Decoder {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode(METRIC.as_bytes()), Ok(None));
        decoder
    }

    type Read = (i64, f64, Vec<(String, String)>);

    /// What a line says, in one form for both ways of reading.
    fn read(decoder: &mut Decoder, line: &str) -> Result<Read, Unreadable> {
        let sample = decoder.decode(line.as_bytes())?.ok_or(Unreadable)?;
        let tags = sample
            .tags
            .0
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        Ok((sample.time, sample.value, tags))
    }

    #[test]
    fn both_ways_of_reading_agree() {
        let mut decoder = known();
        let common = r#"{"metric":"d","type":"Point","data":{"time":"2026-11-21T15:46:10.323289747Z","value":1.5,"tags":{"name":"a\"b}}","status":"200"}}}"#;
        let reordered = r#"{"type":"Point","data":{"tags":{"name":"a\"b}}","status":"200"},"value":1.5,"time":"2026-11-21T16:46:10.323289747+01:00"},"metric":"\u0064"}"#;
        assert!(split(common.as_bytes()).is_some() && split(reordered.as_bytes()).is_none());
        let expected = read(&mut decoder, common).unwrap();
        assert_eq!(expected.0, 1_795_275_970_323_289);
        assert_eq!(expected.2[0], ("name".into(), "a\"b}}".into()));
        assert_eq!(read(&mut decoder, reordered).unwrap(), expected);
        assert_eq!(
            read(&mut decoder, common).unwrap(),
            expected,
            "tags of the other line do not stay"
        );
    }

    #[test]
    fn a_trace_is_read_both_ways_and_stays_with_its_line() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let line = |before: &str, metadata: &str| {
            let data =
                r#""time":"2026-11-21T15:46:10Z","value":1,"tags":{"name":"a,\"metadata\":{"}"#;
            format!(r#"{before}"type":"Point","data":{{{data}{metadata}}}}}"#)
        };
        let mut decoder = known();
        for before in [r#"{"metric":"d","#, r#"{"metric":"\u0064","#] {
            for (metadata, expected) in [
                (
                    format!(r#","metadata":{{"trace_id":"{trace}"}}"#),
                    Some(trace),
                ),
                (String::new(), None),
                (
                    format!(r#","metadata":{{"other":"1","trace_id":"{trace}"}}"#),
                    Some(trace),
                ),
                (r#","metadata":{"trace_id":"<script>"}"#.to_owned(), None),
            ] {
                let line = line(before, &metadata);
                let sample = decoder.decode(line.as_bytes()).unwrap().unwrap();
                assert_eq!(sample.trace_id, expected, "{line}");
                assert_eq!(sample.tags.get("name"), Some("a,\"metadata\":{"));
            }
        }
    }

    #[test]
    fn samples_without_tags_are_samples() {
        let line = r#"{"metric":"d","type":"Point","data":{"time":"2026-11-21T15:46:10Z","value":0,"tags":null}}"#;
        assert_eq!(read(&mut known(), line).unwrap().2, []);
    }

    #[test]
    fn what_k6_does_not_write_is_unreadable() {
        for line in [
            "",
            "{",
            "null",
            "[1]",
            r#"{"metric":"unknown","type":"Point","data":{"time":"2026-11-21T15:46:10Z","value":1,"tags":{}}}"#,
            r#"{"metric":"d","type":"Point","data":{"time":"yesterday","value":1,"tags":{}}}"#,
            r#"{"metric":"d","type":"Point","data":{"time":"2026-11-21T15:46:10Z","value":inf,"tags":{}}}"#,
            r#"{"metric":"d","type":"Point","data":{"time":"2026-11-21T15:46:10Z","value":1,"tags":{"a":"#,
            r#"{"metric":"d","type":"Point","data":{"time":"2026-11-21T15:46:10Z","value":1,"tags":{"a":5}}}"#,
            r#"{"metric":"d","type":"Other","data":{}}"#,
            "\u{0}\u{0}\u{0}",
        ] {
            assert_eq!(known().decode(line.as_bytes()), Err(Unreadable), "{line}");
        }
        assert_eq!(known().decode(b"{\"metric\":\"\xff\"}"), Err(Unreadable));
    }
}
