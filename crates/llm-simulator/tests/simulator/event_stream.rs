//! Event streams read byte by byte, with a checksum of our own making.

use std::collections::BTreeMap;

use serde_json::Value;

/// One frame: its headers and its document.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) document: Value,
}

impl Frame {
    /// The type of an event or an exception.
    pub(crate) fn kind(&self) -> &str {
        let kind = self.headers.get(":event-type");
        kind.or(self.headers.get(":exception-type")).unwrap()
    }
}

/// All frames of a body, which must end with a whole one.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let total = number(&bytes[0..4]);
        let header_length = number(&bytes[4..8]);
        assert_eq!(
            number(&bytes[8..12]),
            crc32(&bytes[..8]),
            "checksum of the lengths"
        );
        let (frame, rest) = bytes.split_at(total);
        let (content, checksum) = frame.split_at(total - 4);
        assert_eq!(number(checksum), crc32(content), "checksum of the frame");
        let (headers, payload) = content[12..].split_at(header_length);
        frames.push(Frame {
            headers: read_headers(headers),
            document: serde_json::from_slice(payload).unwrap(),
        });
        bytes = rest;
    }
    frames
}

fn read_headers(mut bytes: &[u8]) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let take = |bytes: &mut &[u8], length: usize| {
        let (taken, rest) = bytes.split_at(length);
        *bytes = rest;
        taken.to_vec()
    };
    while !bytes.is_empty() {
        let length = take(&mut bytes, 1)[0];
        let name = take(&mut bytes, usize::from(length));
        assert_eq!(take(&mut bytes, 1), [7], "the type of a text");
        let length = number(&take(&mut bytes, 2));
        let value = take(&mut bytes, length);
        headers.insert(
            String::from_utf8(name).unwrap(),
            String::from_utf8(value).unwrap(),
        );
    }
    headers
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |sum, byte| sum * 256 + usize::from(*byte))
}

/// CRC-32 bit by bit, polynomial `0xedb88320`.
fn crc32(bytes: &[u8]) -> usize {
    let mut remainder = u32::MAX;
    for byte in bytes {
        remainder ^= u32::from(*byte);
        for _ in 0..8 {
            let low = remainder & 1;
            remainder >>= 1;
            if low == 1 {
                remainder ^= 0xedb8_8320;
            }
        }
    }
    usize::try_from(!remainder).unwrap()
}
