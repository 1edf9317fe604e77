//! The task that reads a shared stream into its transcript.

use std::{future::Future, hash::Hash, pin::pin, sync::Arc};

use futures_util::{Stream, StreamExt};
use tokio::sync::watch;

use super::{
    List, lock, share,
    transcript::{MAX_BYTES, Transcript},
};
use crate::{ChatEvent, ChatResponse, LlmError};

/// Reads one stream. However it ends, its callers learn of it.
pub(super) struct Reading<K: Eq + Hash, E: From<LlmError>> {
    under_way: List<K, E>,
    key: K,
    transcript: Arc<watch::Sender<Transcript<E>>>,
    over: bool,
}

impl<K: Clone + Eq + Hash, E: From<LlmError>> Reading<K, E> {
    pub(super) fn new(
        under_way: &List<K, E>,
        key: &K,
        transcript: &Arc<watch::Sender<Transcript<E>>>,
    ) -> Self {
        Self {
            under_way: Arc::clone(under_way),
            key: key.clone(),
            transcript: Arc::clone(transcript),
            over: false,
        }
    }

    /// Opens the stream and reads it to its end.
    pub(super) async fn run<S>(mut self, opening: impl Future<Output = Result<S, E>>)
    where
        S: Stream<Item = Result<ChatEvent, E>>,
    {
        let result = match opening.await {
            Ok(events) => self.read(events).await,
            Err(error) => Err(error),
        };
        self.end(result);
    }

    async fn read(
        &mut self,
        events: impl Stream<Item = Result<ChatEvent, E>>,
    ) -> Result<ChatResponse, E> {
        let mut events = pin!(events);
        while let Some(event) = events.next().await {
            match event? {
                ChatEvent::Finished(response) => return Ok(*response),
                ChatEvent::Delta(text) => {
                    let append = |transcript: &mut Transcript<E>| transcript.append(&text);
                    if !self.transcript.send_if_modified(append) {
                        return Err(too_long().into());
                    }
                }
                start @ ChatEvent::Started { .. } => {
                    self.transcript
                        .send_modify(|transcript| transcript.start(start));
                }
            }
        }
        Err(lost().into())
    }
}

impl<K: Eq + Hash, E: From<LlmError>> Reading<K, E> {
    /// Takes the stream off the list and tells its callers, of whom nobody comes any more.
    fn end(&mut self, result: Result<ChatResponse, E>) {
        self.over = true;
        let mut under_way = lock(&self.under_way);
        let is_this = under_way
            .get(&self.key)
            .is_some_and(|listed| Arc::ptr_eq(&listed.transcript, &self.transcript));
        let listed = is_this.then(|| under_way.remove(&self.key)).flatten();
        drop(under_way);
        let present: Arc<[u64]> = listed
            .into_iter()
            .flat_map(|listed| listed.callers)
            .collect();
        if let Ok(response) = &result {
            share::count_saved(response, present.len());
        }
        self.transcript
            .send_modify(|transcript| transcript.end(result, present));
    }
}

impl<K: Eq + Hash, E: From<LlmError>> Drop for Reading<K, E> {
    /// The last caller has left; or a defect ended the task, and those who wait must know.
    fn drop(&mut self) {
        if !self.over {
            self.end(Err(lost().into()));
        }
    }
}

fn too_long() -> LlmError {
    LlmError::Malformed {
        message: format!("an answer to be shared is longer than {MAX_BYTES} bytes"),
    }
}

/// A stream that is over and did not say how.
pub(super) fn lost() -> LlmError {
    LlmError::Interrupted {
        message: "the stream ended without its last event".to_owned(),
    }
}
