//! Learning that a stream ended.

use futures_util::StreamExt;

use crate::{ChatEvent, ChatStream};

/// Drops `held` when the stream's last item passes, or with a stream that is dropped before.
pub(crate) fn until_end<T: Send + 'static>(events: ChatStream, held: T) -> ChatStream {
    let mut held = Some(held);
    events
        .inspect(move |item| match item {
            Ok(ChatEvent::Started { .. } | ChatEvent::Delta(_)) => {}
            Ok(ChatEvent::Finished(_)) | Err(_) => drop(held.take()),
        })
        .boxed()
}
