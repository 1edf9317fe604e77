//! The bounds of Amazon's binary frames.

use async_stream::try_stream;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, pin_mut};

use crate::{LlmError, lines::MAX_LINE_BYTES};

/// Bytes of the length that a frame begins with; it counts itself.
const LENGTH_BYTES: usize = 4;

/// Bytes of a frame without headers and payload: two lengths and two checksums.
const MIN_FRAME_BYTES: usize = 16;

/// Most bytes of a frame, for the same reason as of a line.
const MAX_FRAME_BYTES: usize = MAX_LINE_BYTES;

/// Passes `chunks` on as long as the frames in them keep their bounds.
///
/// The SDK gathers a frame of any length, up to 4 GiB, and takes an end inside one for something
/// that it cannot read.
pub(super) fn bounded_frames(
    chunks: impl Stream<Item = Result<Bytes, LlmError>> + Send + Sync,
) -> impl Stream<Item = Result<Bytes, LlmError>> + Send + Sync {
    try_stream! {
        let mut position = Position::default();
        pin_mut!(chunks);
        while let Some(chunk) = chunks.next().await {
            let mut chunk = chunk?;
            let (good, advanced) = position.advance(&chunk);
            chunk.truncate(good);
            yield chunk;
            advanced?;
        }
        position.end()?;
    }
}

/// Where in a frame the stream stands.
#[derive(Default)]
struct Position {
    /// The bytes of a length that is not complete.
    length: Vec<u8>,
    /// What is still to come of a frame whose length is known.
    remaining: usize,
}

impl Position {
    /// Also tells how many bytes of the chunk come before a length that is refused, so that no cut
    /// of the stream takes away a frame before it.
    fn advance(&mut self, chunk: &[u8]) -> (usize, Result<(), LlmError>) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let good = chunk.len() - rest.len();
            let wanted = match self.remaining {
                0 => LENGTH_BYTES - self.length.len(),
                remaining => remaining,
            };
            let (taken, behind) = rest.split_at(wanted.min(rest.len()));
            rest = behind;
            if self.remaining > 0 {
                self.remaining -= taken.len();
                continue;
            }
            self.length.extend_from_slice(taken);
            if let Ok(length) = <[u8; LENGTH_BYTES]>::try_from(self.length.as_slice())
                && let Err(refused) = self.begin(length)
            {
                return (good, Err(refused));
            }
        }
        (chunk.len(), Ok(()))
    }

    fn begin(&mut self, length: [u8; LENGTH_BYTES]) -> Result<(), LlmError> {
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if !(MIN_FRAME_BYTES..=MAX_FRAME_BYTES).contains(&length) {
            return Err(LlmError::Malformed {
                message: format!("a frame says that it has {length} bytes"),
            });
        }
        self.length.clear();
        self.remaining = length - LENGTH_BYTES;
        Ok(())
    }

    fn end(&self) -> Result<(), LlmError> {
        if self.length.is_empty() && self.remaining == 0 {
            return Ok(());
        }
        Err(LlmError::Interrupted {
            message: "the stream ended inside a frame".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut frame = u32::try_from(length)
            .expect("a length")
            .to_be_bytes()
            .to_vec();
        frame.resize(length.max(LENGTH_BYTES), 0);
        frame
    }

    fn pass(chunks: &[&[u8]]) -> Result<(), LlmError> {
        let mut position = Position::default();
        for chunk in chunks {
            position.advance(chunk).1?;
        }
        position.end()
    }

    #[test]
    fn a_frame_of_either_bound_passes_and_one_byte_beyond_is_refused() {
        for length in [MIN_FRAME_BYTES, MAX_FRAME_BYTES] {
            assert_eq!(pass(&[&frame(length), &frame(length)]), Ok(()));
        }
        for length in [0, MIN_FRAME_BYTES - 1, MAX_FRAME_BYTES + 1] {
            let refused = pass(&[&frame(length)]);
            assert!(
                matches!(refused, Err(LlmError::Malformed { .. })),
                "{length}"
            );
        }
        assert_eq!(pass(&[]), Ok(()));
    }

    proptest! {
        #[test]
        fn any_cut_ends_in_the_same_place(
            lengths in prop::collection::vec(MIN_FRAME_BYTES..90, 0..5),
            cut in 0_usize..500,
            kept in 0_usize..500,
        ) {
            let bytes: Vec<u8> = lengths.iter().flat_map(|length| frame(*length)).collect();
            let kept = &bytes[..kept.min(bytes.len())];
            let (first, second) = kept.split_at(cut.min(kept.len()));
            let ends = lengths.iter().scan(0, |end, length| { *end += length; Some(*end) });
            let whole = kept.is_empty() || ends.into_iter().any(|end| end == kept.len());
            prop_assert_eq!(pass(&[first, second]).is_ok(), whole);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let by_byte: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(pass(&[first, second]).is_ok(), pass(&by_byte).is_ok());
        }
    }
}
