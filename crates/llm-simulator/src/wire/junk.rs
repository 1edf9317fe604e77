//! Frames that no client can want: senseless ones and endless ones.

use bytes::Bytes;

use super::{encoding::Encoding, event_stream::Frame};

/// A huge line is sent in pieces of this size, all of them the same memory.
const PIECE: &[u8; 64 * 1024] = &[b'x'; 64 * 1024];
/// The end of every document that does not make sense: a string without end.
const BROKEN_JSON: &str = "{\"delta\": {\"text\": \"\\q";

/// A frame like `model` whose content makes no sense.
pub(super) fn garbage(model: &[u8], encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Events => format!("{}data: {BROKEN_JSON}\n\n", event_line(model)).into_bytes(),
        Encoding::Lines => format!("{BROKEN_JSON}\n").into_bytes(),
        Encoding::Document => BROKEN_JSON.as_bytes().to_vec(),
        Encoding::Binary => match Frame::parse(model) {
            Some(frame) => frame.with_payload(BROKEN_JSON.as_bytes()),
            None => BROKEN_JSON.as_bytes().to_vec(),
        },
    }
}

/// A frame like `model` of about `bytes` bytes, in pieces.
pub(super) fn huge(
    model: &[u8],
    encoding: Encoding,
    bytes: u64,
) -> impl Iterator<Item = Bytes> + use<> {
    let (start, end) = match encoding {
        Encoding::Events => (
            format!("{}data: {{\"text\":\"", event_line(model)).into_bytes(),
            &b"\"}\n\n"[..],
        ),
        Encoding::Lines => (b"{\"response\":\"".to_vec(), &b"\"}\n"[..]),
        Encoding::Document => (b"{\"text\":\"".to_vec(), &b"\"}"[..]),
        // Whoever reads so far finds a wrong checksum as well.
        Encoding::Binary => {
            let start = Frame::parse(model).map(|frame| frame.announcing(bytes));
            (start.unwrap_or_default(), &b"xxxx"[..])
        }
    };
    std::iter::once(Bytes::from(start))
        .chain(filling(bytes))
        .chain(std::iter::once(Bytes::from_static(end)))
}

fn filling(bytes: u64) -> impl Iterator<Item = Bytes> {
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    std::iter::from_fn(move || {
        let length = left.min(PIECE.len());
        left -= length;
        (length > 0).then(|| Bytes::from_static(PIECE).slice(..length))
    })
}

/// The `event:` line of an event, with its end, so that a client reads its data.
fn event_line(model: &[u8]) -> String {
    let first = model.split(|byte| *byte == b'\n').next().unwrap_or(model);
    match std::str::from_utf8(first) {
        Ok(line) if line.starts_with("event:") => format!("{line}\n"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{garbage, huge};
    use crate::wire::encoding::Encoding;

    #[test]
    fn junk_has_the_frame_of_its_model() {
        let event = garbage(b"event: ping\ndata: {}\n\n", Encoding::Events);
        assert!(event.starts_with(b"event: ping\ndata: {") && event.ends_with(b"\n\n"));
        let line = garbage(b"{}\n", Encoding::Lines);
        assert!(serde_json::from_slice::<serde_json::Value>(&line).is_err());

        let pieces: Vec<_> = huge(b"data: {}\n\n", Encoding::Events, 200_000).collect();
        let length: usize = pieces.iter().map(bytes::Bytes::len).sum();
        assert!((200_000..200_100).contains(&length), "{length}");
        let all = pieces.concat();
        assert_eq!(all.iter().filter(|byte| **byte == b'\n').count(), 2);
    }
}
