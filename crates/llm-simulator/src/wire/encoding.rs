//! How a reply frames its documents, by its content type.

use http::{HeaderMap, header::CONTENT_TYPE};

use super::event_stream;

/// The framings of all vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `event:` and `data:` lines, ended by an empty one.
    Events,
    /// One document a line.
    Lines,
    /// Frames with lengths and checksums.
    Binary,
    /// One document, and that is all.
    Document,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("");
        match content_type.split(';').next().unwrap_or("").trim() {
            "text/event-stream" => Self::Events,
            "application/x-ndjson" => Self::Lines,
            "application/vnd.amazon.eventstream" => Self::Binary,
            _ => Self::Document,
        }
    }

    /// Where in a frame the first JSON document begins and ends.
    pub(super) fn document(self, frame: &[u8]) -> Option<(usize, usize)> {
        let start = match self {
            Self::Binary => event_stream::Frame::parse(frame)?.payload_start(),
            Self::Events | Self::Lines | Self::Document => 0,
        };
        let inner = frame.get(start..)?;
        let first = inner.iter().position(|byte| *byte == b'{')?;
        let last = inner.iter().rposition(|byte| *byte == b'}')?;
        (first < last).then_some((start + first, start + last + 1))
    }
}
