//! Where a frame or a document is torn apart.

use super::encoding::Encoding;
use crate::faults::Within;

/// Bytes of a frame that are sent when its framing is torn: within the first
/// field name of an event, and within the lengths of a binary frame.
const OF_FRAMING: usize = 3;
/// Lead bytes of characters with more than one byte begin here.
const FIRST_LEAD_BYTE: u8 = 0xC2;

/// How many bytes of the frame are sent; `None` when it has nothing to tear.
pub(super) fn place(frame: &[u8], within: Option<Within>, encoding: Encoding) -> Option<usize> {
    let Some(within) = within else {
        return Some(frame.len() / 2);
    };
    match within {
        Within::Utf8 => {
            let lead = frame.iter().position(|byte| *byte >= FIRST_LEAD_BYTE);
            match encoding.document(frame) {
                // In a binary frame only the payload is text.
                Some((start, end)) => {
                    let text = frame.get(start..end)?;
                    let lead = text.iter().position(|byte| *byte >= FIRST_LEAD_BYTE)?;
                    Some(start + lead + 1)
                }
                None => lead.map(|lead| lead + 1),
            }
        }
        Within::Json => {
            let (start, end) = encoding.document(frame)?;
            Some(usize::midpoint(start, end).max(start + 1))
        }
        Within::Frame => (frame.len() > OF_FRAMING).then_some(OF_FRAMING),
    }
}

#[cfg(test)]
mod tests {
    use super::place;
    use crate::{faults::Within, wire::encoding::Encoding};

    #[test]
    fn each_part_is_torn_in_its_middle() {
        let event = "event: x\ndata: {\"text\":\" caf\u{e9}\"}\n\n".as_bytes();
        let cut = |within| &event[..place(event, Some(within), Encoding::Events).unwrap()];
        assert_eq!(cut(Within::Frame), b"eve");
        assert!(std::str::from_utf8(cut(Within::Utf8)).is_err());
        let json = cut(Within::Json);
        assert!(json.starts_with(b"event: x\ndata: {\"") && !json.ends_with(b"}"));
        assert_eq!(
            place(b"plain\n\n", Some(Within::Utf8), Encoding::Events),
            None
        );
        assert_eq!(
            place(b"plain\n\n", Some(Within::Json), Encoding::Events),
            None
        );
        assert_eq!(place(b"plain", None, Encoding::Document), Some(2));
    }
}
