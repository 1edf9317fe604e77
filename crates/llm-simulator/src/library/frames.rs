//! Puts the pieces in which a body arrives together into its frames.

use crate::wire::{Encoding, Frame};

/// A body in the making.
pub(super) struct Frames {
    encoding: Encoding,
    rest: Vec<u8>,
}

impl Frames {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            rest: Vec::new(),
        }
    }

    /// Adds what arrived; gives the frames that it completed.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(piece);
        let mut complete = Vec::new();
        while let Some(length) = self.first_frame() {
            let rest = self.rest.split_off(length);
            complete.push(std::mem::replace(&mut self.rest, rest));
        }
        complete
    }

    /// What is left at the end: a whole document, or a frame that was torn.
    pub(super) fn end(self) -> Option<Vec<u8>> {
        (!self.rest.is_empty()).then_some(self.rest)
    }

    fn first_frame(&self) -> Option<usize> {
        let after = |end: &[u8]| {
            let mut windows = self.rest.windows(end.len());
            windows
                .position(|window| window == end)
                .map(|at| at + end.len())
        };
        match self.encoding {
            Encoding::Events => [after(b"\n\n"), after(b"\r\n\r\n")]
                .into_iter()
                .flatten()
                .min(),
            Encoding::Lines => after(b"\n"),
            Encoding::Binary => Frame::parse(&self.rest).map(|frame| frame.len()),
            Encoding::Document => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Frames;
    use crate::wire::Encoding;

    #[test]
    fn any_split_gives_the_same_frames() {
        let body = b"event: a\ndata: {}\n\ndata: {\"x\":1}\r\n\r\n: ping\n\ntorn";
        for size in 1..body.len() {
            let mut frames = Frames::new(Encoding::Events);
            let whole: Vec<Vec<u8>> = body
                .chunks(size)
                .flat_map(|piece| frames.push(piece))
                .collect();
            assert_eq!(whole.len(), 3, "{size}");
            assert_eq!(whole[1], b"data: {\"x\":1}\r\n\r\n");
            assert_eq!(frames.end().unwrap(), b"torn");
        }
    }

    #[test]
    fn a_document_is_one_frame_and_lines_are_many() {
        let mut document = Frames::new(Encoding::Document);
        assert!(document.push(b"{\n\n}").is_empty());
        assert_eq!(document.end().unwrap(), b"{\n\n}");
        let mut lines = Frames::new(Encoding::Lines);
        assert_eq!(lines.push(b"{}\n{}\n").len(), 2);
        assert!(lines.end().is_none());
    }
}
