//! Learning how a stream ended.

use futures_util::StreamExt;

use crate::{ChatEvent, ChatStream, LlmError};

/// Calls `settle` once, when the stream's last item passes: with its error, or with `None` for
/// [`ChatEvent::Finished`]. A stream that is dropped before only drops `settle`.
pub(crate) fn at_end(
    events: ChatStream,
    settle: impl FnOnce(Option<&LlmError>) + Send + 'static,
) -> ChatStream {
    let mut settle = Some(settle);
    events
        .inspect(move |item| {
            let error = match item {
                Ok(ChatEvent::Started { .. } | ChatEvent::Delta(_)) => return,
                Ok(ChatEvent::Finished(_)) => None,
                Err(error) => Some(error),
            };
            if let Some(settle) = settle.take() {
                settle(error);
            }
        })
        .boxed()
}
