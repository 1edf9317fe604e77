//! What a container writes, as an engine hands it on: frames of 8 bytes of head (the stream's
//! number, three zeros, the length as a big-endian number) and the text.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

const HEAD: usize = 8;

/// The number of a container's stderr.
const STDERR: u8 = 2;

/// Cuts a stream of frames into their texts, however they come in pieces.
#[derive(Debug, Default)]
struct Frames {
    waiting: BytesMut,
    /// Of the frame whose text is being read.
    stream: u8,
    left: usize,
}

impl Frames {
    fn add(&mut self, piece: &[u8]) {
        self.waiting.extend_from_slice(piece);
    }

    /// The next text with the number of its stream; parts of a long one by themselves.
    fn next(&mut self) -> Option<(u8, Bytes)> {
        while self.left == 0 {
            let head = self.waiting.get(..HEAD)?;
            self.stream = head[0];
            let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            self.left = usize::try_from(length).unwrap_or(usize::MAX);
            self.waiting.advance(HEAD);
        }
        if self.waiting.is_empty() {
            return None;
        }
        let length = self.left.min(self.waiting.len());
        self.left -= length;
        Some((self.stream, self.waiting.split_to(length).freeze()))
    }
}

/// Writes what a container says on stderr into a file, until it ends.
///
/// # Errors
/// When the file takes no more; what breaks the stream is its end.
pub(crate) async fn copy_log(mut said: Incoming, log: File) -> io::Result<()> {
    let mut log = log;
    let mut frames = Frames::default();
    while let Some(piece) = next_piece(&mut said).await {
        frames.add(&piece);
        while let Some((stream, text)) = frames.next() {
            if stream == STDERR {
                log.write_all(&text).await?;
            }
        }
        log.flush().await?;
    }
    Ok(())
}

/// Stdout and stderr of a container that ends soon, each up to a bound.
pub(super) async fn read_bounded(mut said: Incoming, most: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut frames = Frames::default();
    while let Some(piece) = next_piece(&mut said).await {
        frames.add(&piece);
        while let Some((stream, text)) = frames.next() {
            let kept = if stream == STDERR {
                &mut stderr
            } else {
                &mut stdout
            };
            let room = most.saturating_sub(kept.len()).min(text.len());
            kept.extend_from_slice(&text[..room]);
        }
    }
    (stdout, stderr)
}

async fn next_piece(said: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = said.frame().await?.ok()?;
        if let Ok(data) = frame.into_data() {
            return Some(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_in_any_pieces() {
        let mut whole = Vec::new();
        for (stream, text) in [(1_u8, "out"), (2, ""), (2, "error line\n"), (1, "more")] {
            whole.extend_from_slice(&[stream, 0, 0, 0, 0, 0, 0]);
            whole.push(u8::try_from(text.len()).unwrap());
            whole.extend_from_slice(text.as_bytes());
        }
        for size in 1..whole.len() {
            let mut frames = Frames::default();
            let mut kept = [Vec::new(), Vec::new()];
            for piece in whole.chunks(size) {
                frames.add(piece);
                while let Some((stream, text)) = frames.next() {
                    kept[usize::from(stream == STDERR)].extend_from_slice(&text);
                }
            }
            assert_eq!(kept, [b"outmore".to_vec(), b"error line\n".to_vec()]);
        }
    }
}
