//! Amazon's event stream frames, as far as spoiling them needs: two lengths,
//! a checksum of these, headers, a payload, and a checksum of it all.

/// Both lengths and their checksum.
const PRELUDE: usize = 12;
/// A checksum.
const CRC: usize = 4;

/// One frame's parts.
pub(crate) struct Frame<'a> {
    headers: &'a [u8],
    payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The first frame of these bytes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let total = length(bytes, 0)?;
        let headers_end = PRELUDE.checked_add(length(bytes, 4)?)?;
        let payload_end = total.checked_sub(CRC)?;
        bytes.get(..total)?;
        Some(Self {
            headers: bytes.get(PRELUDE..headers_end)?,
            payload: bytes.get(headers_end..payload_end)?,
        })
    }

    pub(crate) fn payload(&self) -> &'a [u8] {
        self.payload
    }

    pub(super) fn payload_start(&self) -> usize {
        PRELUDE + self.headers.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.payload_start() + self.payload.len() + CRC
    }

    /// The same headers around another payload.
    pub(crate) fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        let mut frame = prelude(self.headers.len(), payload.len() as u64);
        frame.extend_from_slice(self.headers);
        frame.extend_from_slice(payload);
        let checksum = crc32fast::hash(&frame);
        frame.extend_from_slice(&checksum.to_be_bytes());
        frame
    }

    /// The beginning of a frame that announces a payload of this length.
    pub(super) fn announcing(&self, payload: u64) -> Vec<u8> {
        let mut start = prelude(self.headers.len(), payload);
        start.extend_from_slice(self.headers);
        start
    }
}

fn prelude(headers: usize, payload: u64) -> Vec<u8> {
    let total = (PRELUDE + headers + CRC) as u64 + payload;
    let mut prelude = Vec::with_capacity(PRELUDE);
    prelude.extend_from_slice(&field(total));
    prelude.extend_from_slice(&field(headers as u64));
    let checksum = crc32fast::hash(&prelude);
    prelude.extend_from_slice(&checksum.to_be_bytes());
    prelude
}

/// Frames have far less than 2³² bytes: a rule's longest line has 2²⁶.
fn field(length: u64) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

fn length(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(field)).ok()
}

#[cfg(test)]
mod tests {
    use super::{Frame, prelude};

    #[test]
    fn a_frame_keeps_its_headers_when_its_payload_changes() {
        let mut first = prelude(3, 2);
        first.extend_from_slice(b"hdr{}");
        let checksum = crc32fast::hash(&first);
        first.extend_from_slice(&checksum.to_be_bytes());

        let parsed = Frame::parse(&first).unwrap();
        assert_eq!((parsed.payload(), parsed.len()), (&b"{}"[..], first.len()));
        assert_eq!(parsed.with_payload(b"{}"), first);
        let longer = parsed.with_payload(b"{\"a\":1}");
        assert_eq!(Frame::parse(&longer).unwrap().payload(), b"{\"a\":1}");
        for end in 0..first.len() {
            assert!(Frame::parse(&first[..end]).is_none(), "{end}");
        }
    }
}
