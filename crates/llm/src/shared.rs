//! One upstream stream for all who ask the same at the same time.
//!
//! The first caller for a key opens the stream. A task reads it into a transcript, and every
//! caller follows that at its own pace: who comes late gets what came before in one piece, and who
//! reads slowly gets fewer and longer pieces, so nobody waits for anybody and a slow reader holds
//! no more than the one transcript. A caller that leaves ends nothing; the last one's leaving drops
//! the upstream stream at once. What is asked for after the end begins anew.
//!
//! The answer's cost is booked once, by the provider's own decorators. Here it is split among those
//! who are there at the end; see [`CostShare`].

mod reading;
mod share;
mod transcript;

use std::{
    collections::{BTreeSet, HashMap},
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::Stream;
use instrumentation::{SharedWork, WorkTrace, catalogue, request::scope_current};
use metrics::Gauge;
use tokio::{sync::watch, task::AbortHandle, time::Instant};
use tracing::Instrument;

use crate::{ChatEvent, FullQueue, LatencySplit, LlmError, OpeningLatency};

use reading::Reading;
use transcript::{Position, Transcript};

pub use share::CostShare;

/// Streams under way at once: as many as the ledger can have attempts open.
const MAX_STREAMS: usize = crate::QUEUE_ROWS;

/// Callers of one stream: each has a connection, and this many fans of one book is a test gone
/// wrong.
const MAX_CALLERS: usize = 2_048;

/// When a caller who found no room may try again; answers take seconds.
const FULL_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Streams under way, by what they answer. `E` is what callers are told of failures; it is cloned
/// for each of them.
pub struct SharedStreams<K, E> {
    under_way: List<K, E>,
    callers: Gauge,
}

type List<K, E> = Arc<Mutex<HashMap<K, UnderWay<E>>>>;

/// One stream, as those who come see it.
struct UnderWay<E> {
    transcript: Arc<watch::Sender<Transcript<E>>>,
    /// The callers who follow it, by their number in the order of coming.
    callers: BTreeSet<u64>,
    next_caller: u64,
    reading: AbortHandle,
    /// The trace of the caller who opened it, in which the model's calls stand.
    work: Option<WorkTrace>,
}

/// One caller's view of a stream. Dropping it leaves the stream.
pub struct SharedStream<K: Eq + Hash, E> {
    transcript: watch::Receiver<Transcript<E>>,
    position: Position,
    over: bool,
    share: Option<CostShare>,
    timing: Timing,
    seat: Seat<K, E>,
}

/// When things happened to one caller.
struct Timing {
    came: Instant,
    first_text: Option<Instant>,
}

/// A caller's place in a stream.
struct Seat<K: Eq + Hash, E> {
    under_way: List<K, E>,
    key: K,
    transcript: Arc<watch::Sender<Transcript<E>>>,
    number: u64,
    callers: Gauge,
}

impl<K, E> SharedStreams<K, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    E: Clone + From<LlmError> + Send + Sync + 'static,
{
    /// No streams yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            under_way: Arc::default(),
            callers: catalogue::GEN_AI_STREAM_CALLERS.gauge(&[]),
        }
    }

    /// Joins the stream that answers `key`, or has `open` open one in a task of its own, which
    /// works for the current request.
    ///
    /// # Errors
    /// [`LlmError::Overloaded`] when there are too many streams, or too many callers of this one.
    pub fn join<F, S>(
        &self,
        key: K,
        open: impl FnOnce() -> F,
    ) -> Result<SharedStream<K, E>, LlmError>
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        S: Stream<Item = Result<ChatEvent, E>> + Send + 'static,
    {
        let mut under_way = lock(&self.under_way);
        if let Some(stream) = under_way.get_mut(&key) {
            if stream.callers.len() >= MAX_CALLERS {
                return Err(full());
            }
            let number = stream.take_number();
            if let Some(work) = &stream.work {
                work.join();
            }
            return Ok(self.follow(key, &stream.transcript, number));
        }
        if under_way.len() >= MAX_STREAMS {
            return Err(full());
        }
        let transcript = Arc::new(watch::Sender::new(Transcript::new()));
        let reading = Reading::new(&self.under_way, &key, &transcript);
        let (work, opening) = (SharedWork::begin(), open());
        let trace = work.as_ref().map(SharedWork::trace);
        let read = async move {
            reading.run(opening).await;
            // Also when it is aborted: after what it tells.
            drop(work);
        };
        let task = tokio::spawn(scope_current(read).in_current_span());
        let mut stream = UnderWay {
            transcript: Arc::clone(&transcript),
            callers: BTreeSet::new(),
            next_caller: 0,
            reading: task.abort_handle(),
            work: trace,
        };
        let number = stream.take_number();
        under_way.insert(key.clone(), stream);
        Ok(self.follow(key, &transcript, number))
    }

    /// How many streams are under way.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.under_way).len()
    }

    /// Whether no stream is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn follow(
        &self,
        key: K,
        transcript: &Arc<watch::Sender<Transcript<E>>>,
        number: u64,
    ) -> SharedStream<K, E> {
        self.callers.increment(1.0);
        SharedStream {
            transcript: transcript.subscribe(),
            position: Position::default(),
            over: false,
            share: None,
            timing: Timing {
                came: Instant::now(),
                first_text: None,
            },
            seat: Seat {
                under_way: Arc::clone(&self.under_way),
                key,
                transcript: Arc::clone(transcript),
                number,
                callers: self.callers.clone(),
            },
        }
    }
}

impl<K, E> Default for SharedStreams<K, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    E: Clone + From<LlmError> + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<E> UnderWay<E> {
    fn take_number(&mut self) -> u64 {
        let number = self.next_caller;
        self.next_caller += 1;
        self.callers.insert(number);
        number
    }
}

impl<K: Eq + Hash, E: Clone + From<LlmError>> SharedStream<K, E> {
    /// The next event; `None` after the last one. A call that is given up loses nothing.
    ///
    /// As in a [`ChatStream`](crate::ChatStream), the last event is `Finished` or an error. Its
    /// latency is this caller's: without queueing and connecting for one who came later.
    pub async fn next(&mut self) -> Option<Result<ChatEvent, E>> {
        if self.over {
            return None;
        }
        let (mut position, mut event) = (self.position, None);
        let news = |transcript: &Transcript<E>| {
            event = transcript.after(&mut position);
            event.is_some()
        };
        // The reading ends with an event, so the transcript is never closed without one.
        drop(self.transcript.wait_for(news).await);
        self.position = position;
        let event = event.unwrap_or_else(|| Err(E::from(reading::lost())));
        match event {
            Ok(event) => Some(Ok(self.note(event))),
            Err(error) => {
                self.over = true;
                Some(Err(error))
            }
        }
    }

    /// How many callers follow the stream now, this one included.
    #[must_use]
    pub fn callers(&self) -> usize {
        let under_way = lock(&self.seat.under_way);
        let stream = self.seat.stream(&under_way);
        stream.map_or(1, |stream| stream.callers.len())
    }

    /// Whether another caller opened the stream.
    #[must_use]
    pub const fn is_joined(&self) -> bool {
        self.seat.number > 0
    }

    /// This caller's part of the cost, once `Finished` has come.
    #[must_use]
    pub const fn share(&self) -> Option<CostShare> {
        self.share
    }

    /// Keeps what the caller may ask for later.
    fn note(&mut self, mut event: ChatEvent) -> ChatEvent {
        match event {
            ChatEvent::Started {
                ref mut latency, ..
            } => {
                if self.is_joined() {
                    *latency = OpeningLatency::default();
                }
                event
            }
            ChatEvent::Delta(_) => {
                self.timing.first_text.get_or_insert_with(Instant::now);
                event
            }
            ChatEvent::Finished(mut response) => {
                self.over = true;
                let present = self.transcript.borrow().present();
                self.share = CostShare::of(&response, &present, self.seat.number);
                if self.is_joined() {
                    response.latency = self.timing.split();
                }
                ChatEvent::Finished(response)
            }
        }
    }
}

impl Timing {
    fn split(&self) -> LatencySplit {
        let now = Instant::now();
        LatencySplit {
            time_to_first_token: self.first_text.map(|at| at - self.came),
            decode: self.first_text.map(|at| now - at),
            total: now - self.came,
            ..LatencySplit::default()
        }
    }
}

impl<K: Eq + Hash, E> Seat<K, E> {
    /// Gives the seat up; the task that reads the stream, if this was the last one.
    fn leave(&self) -> Option<AbortHandle> {
        let mut under_way = lock(&self.under_way);
        self.stream(&under_way)?;
        let stream = under_way.get_mut(&self.key)?;
        stream.callers.remove(&self.number);
        if !stream.callers.is_empty() {
            return None;
        }
        // Whoever comes now begins anew.
        under_way.remove(&self.key).map(|stream| stream.reading)
    }

    /// The stream, if it has not ended: another one for the same key may be under way by now.
    fn stream<'a>(&self, under_way: &'a HashMap<K, UnderWay<E>>) -> Option<&'a UnderWay<E>> {
        let stream = under_way.get(&self.key);
        stream.filter(|stream| Arc::ptr_eq(&stream.transcript, &self.transcript))
    }
}

impl<K: Eq + Hash, E> Drop for Seat<K, E> {
    fn drop(&mut self) {
        self.callers.decrement(1.0);
        if let Some(reading) = self.leave() {
            // Not under the lock, which the end of the task takes too.
            reading.abort();
        }
    }
}

const fn full() -> LlmError {
    LlmError::Overloaded {
        queue: FullQueue::Answers,
        retry_after: FULL_RETRY_AFTER,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
