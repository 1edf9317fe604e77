//! Splitting a byte stream into lines of bounded length.

use async_stream::try_stream;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, pin_mut};
use memchr::memchr;

use crate::LlmError;

/// Longest line of a stream. A token's line is a few hundred bytes; the longest honest one is a
/// whole short answer in one event.
pub(crate) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// The lines of `chunks`, without their line ends, the last one also when it has no end.
///
/// Ends with an error on a line that is too long or not UTF-8, wherever the chunks were cut.
pub(crate) fn lines(
    chunks: impl Stream<Item = Result<Bytes, LlmError>> + Send,
) -> impl Stream<Item = Result<String, LlmError>> + Send {
    try_stream! {
        let mut buffer = LineBuffer::default();
        pin_mut!(chunks);
        while let Some(chunk) = chunks.next().await {
            buffer.push(&chunk?);
            while let Some(line) = buffer.next_line()? {
                yield line;
            }
        }
        if let Some(rest) = buffer.rest()? {
            yield rest;
        }
    }
}

/// Bytes that are not yet a line.
#[derive(Default)]
struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the next line begins; the bytes before it go when more come.
    begin: usize,
    /// Up to where there is known to be no line feed.
    searched: usize,
}

impl LineBuffer {
    fn push(&mut self, chunk: &[u8]) {
        self.bytes.drain(..self.begin);
        self.searched -= self.begin;
        self.begin = 0;
        self.bytes.extend_from_slice(chunk);
    }

    fn next_line(&mut self) -> Result<Option<String>, LlmError> {
        let unsearched = self.bytes.get(self.searched..).unwrap_or_default();
        let Some(position) = memchr(b'\n', unsearched) else {
            self.searched = self.bytes.len();
            if self.bytes.len() - self.begin > MAX_LINE_BYTES {
                return Err(too_long());
            }
            return Ok(None);
        };
        let end = self.searched + position;
        let line = text(self.bytes.get(self.begin..end).unwrap_or_default())?;
        self.begin = end + 1;
        self.searched = self.begin;
        Ok(Some(line))
    }

    fn rest(self) -> Result<Option<String>, LlmError> {
        let rest = self.bytes.get(self.begin..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        text(rest).map(Some)
    }
}

fn text(line: &[u8]) -> Result<String, LlmError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(too_long());
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(LlmError::Malformed {
            message: "a line of the stream is not UTF-8".to_owned(),
        }),
    }
}

fn too_long() -> LlmError {
    LlmError::Malformed {
        message: format!("a line of the stream is longer than {MAX_LINE_BYTES} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{TryStreamExt, stream};
    use proptest::prelude::*;

    use super::*;

    async fn split(chunks: Vec<Vec<u8>>) -> Result<Vec<String>, LlmError> {
        let chunks = stream::iter(chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))));
        lines(chunks).try_collect().await
    }

    #[tokio::test]
    async fn lines_lose_their_ends_only() {
        let text = "a\r\n\nb c\nünïcode\nlast";
        let expected = ["a", "", "b c", "ünïcode", "last"];
        assert_eq!(
            split(vec![text.into()]).await.as_deref(),
            Ok(&expected.map(str::to_owned)[..])
        );
    }

    #[tokio::test]
    async fn a_line_of_the_limit_passes_and_one_byte_more_is_refused() {
        let mut longest = vec![b'x'; MAX_LINE_BYTES];
        longest.push(b'\n');
        let accepted = split(vec![longest.clone()]).await.expect("accepted");
        assert_eq!(accepted[0].len(), MAX_LINE_BYTES);

        longest.insert(0, b'x');
        assert_eq!(split(vec![longest]).await, Err(too_long()));
        let endless = vec![vec![b'x'; 4096]; MAX_LINE_BYTES / 4096 + 1];
        assert_eq!(split(endless).await, Err(too_long()));
    }

    #[tokio::test]
    async fn half_a_character_is_an_error() {
        let cut = "data: ä".as_bytes();
        let half = cut[..cut.len() - 1].to_vec();
        assert!(matches!(
            split(vec![half.clone()]).await,
            Err(LlmError::Malformed { .. })
        ));
        let half_then_line_end = vec![half, b"\n".to_vec()];
        assert!(split(half_then_line_end).await.is_err());
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(text in "[aä\\r\\n€ ]{0,80}", cuts in prop::collection::vec(0_usize..100, 0..8)) {
            let whole = tokio_test(split(vec![text.clone().into_bytes()]));
            let pieces = tokio_test(split(cut_at(text.as_bytes(), &cuts)));
            prop_assert_eq!(whole, pieces);
        }
    }

    fn tokio_test<T>(future: impl Future<Output = T>) -> T {
        futures_util::FutureExt::now_or_never(future).expect("no waiting on a ready stream")
    }

    fn cut_at(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        cuts.windows(2)
            .map(|pair| bytes[pair[0]..pair[1]].to_vec())
            .collect()
    }
}
