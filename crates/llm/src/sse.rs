//! Server-sent events of bounded size.

use async_stream::try_stream;
use eventsource_stream::{EventStream, EventStreamError};
use futures_util::{Stream, StreamExt, TryStreamExt, pin_mut};

use crate::{LlmError, lines::MAX_LINE_BYTES};

/// Most bytes of one event, all its lines together; the same as of one line, because one line of
/// data is what model providers send.
const MAX_EVENT_BYTES: usize = MAX_LINE_BYTES;

/// The data of each event in a stream of `lines`.
///
/// The crate that parses the events buffers without a bound and trips over a byte order mark, so
/// it is given whole, valid, bounded events. An event that the stream's end cuts short is dropped,
/// as the specification of server-sent events wants it.
pub(crate) fn event_data(
    lines: impl Stream<Item = Result<String, LlmError>> + Send,
) -> impl Stream<Item = Result<String, LlmError>> + Send {
    EventStream::new(whole_events(lines))
        .map_ok(|event| event.data)
        .map_err(|error| match error {
            EventStreamError::Transport(error) => error,
            EventStreamError::Utf8(_) | EventStreamError::Parser(_) => LlmError::Malformed {
                message: "a line is no server-sent event".to_owned(),
            },
        })
}

/// The lines of each event, the empty one at its end included.
fn whole_events(
    lines: impl Stream<Item = Result<String, LlmError>> + Send,
) -> impl Stream<Item = Result<String, LlmError>> + Send {
    try_stream! {
        let mut event = String::new();
        let mut first = true;
        pin_mut!(lines);
        while let Some(line) = lines.next().await {
            let mut line = line?;
            if std::mem::take(&mut first) && line.starts_with('\u{feff}') {
                line.remove(0);
            }
            if event.len() + line.len() > MAX_EVENT_BYTES {
                Err(LlmError::Malformed {
                    message: format!("an event is longer than {MAX_EVENT_BYTES} bytes"),
                })?;
            }
            event.push_str(&line);
            event.push('\n');
            if line.is_empty() {
                yield std::mem::take(&mut event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::{FutureExt, stream};
    use proptest::prelude::*;

    use super::*;
    use crate::lines::lines;

    fn data_of(chunks: Vec<&[u8]>) -> Result<Vec<String>, LlmError> {
        let chunks: Vec<_> = chunks
            .into_iter()
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        event_data(lines(stream::iter(chunks)))
            .try_collect()
            .now_or_never()
            .expect("no waiting on a ready stream")
    }

    #[test]
    fn comments_line_ends_and_several_data_lines_are_understood() {
        let text = "\u{feff}: hello\r\nevent: a\r\ndata: {\"x\":1}\r\n\r\nid: 7\ndata:two\ndata:  lines\n\ndata: cut";
        assert_eq!(
            data_of(vec![text.as_bytes()]),
            Ok(vec!["{\"x\":1}".to_owned(), "two\n lines".to_owned()])
        );
    }

    #[test]
    fn an_event_of_many_lines_is_bounded_too() {
        let line = [b"data: ".as_slice(), &[b'x'; 65_536], b"\n"].concat();
        let endless = vec![line.as_slice(); MAX_EVENT_BYTES / 65_536 + 1];
        assert!(matches!(data_of(endless), Err(LlmError::Malformed { .. })));
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_events(
            texts in prop::collection::vec("[a-z ü€]{0,12}", 0..6),
            line_end in prop::sample::select(vec!["\n", "\r\n"]),
            cuts in prop::collection::vec(0_usize..200, 0..10),
        ) {
            let stream: String = texts
                .iter()
                .map(|text| format!("event: x{line_end}data: .{text}{line_end}{line_end}"))
                .collect();
            let bytes = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            let expected: Vec<String> = texts.iter().map(|text| format!(".{text}")).collect();
            prop_assert_eq!(data_of(pieces), Ok(expected));
        }
    }
}
