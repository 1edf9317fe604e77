//! Many callers, one upstream stream: what each gets, and who may leave when.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_stream::stream;
use futures_util::{Stream, StreamExt};
use llm::{
    ChatEvent, ChatResponse, LatencySplit, LlmError, OpeningLatency, SharedStream, SharedStreams,
    Usage,
};
use tokio::{sync::mpsc, time::timeout};

/// How soon the upstream must learn that nobody waits any more.
pub(crate) const CANCELLED_WITHIN: Duration = Duration::from_millis(250);

pub(crate) type Streams = SharedStreams<&'static str, LlmError>;
pub(crate) type Caller = SharedStream<&'static str, LlmError>;
type Event = Result<ChatEvent, LlmError>;

/// The far end of a stream that a test writes by hand.
struct Upstream(mpsc::Sender<Event>);

impl Upstream {
    /// Opens a stream for the key, or joins the one there is.
    fn open(streams: &Streams) -> (Self, Caller) {
        let (events, received) = mpsc::channel(64);
        let caller = streams.join("key", || async { Ok(written(received)) });
        (Self(events), caller.expect("room"))
    }

    async fn send(&self, event: ChatEvent) {
        self.0.send(Ok(event)).await.expect("a reading task");
    }

    /// Waits until the stream is dropped, which must be in time.
    async fn dropped(&self) {
        let waited = timeout(CANCELLED_WITHIN, self.0.closed()).await;
        waited.expect("the upstream stream is still open");
    }
}

fn written(mut events: mpsc::Receiver<Event>) -> impl Stream<Item = Event> {
    stream! {
        while let Some(event) = events.recv().await {
            yield event;
        }
    }
}

/// Joins a stream that must be there.
fn join(streams: &Streams) -> Caller {
    let never = || async { Ok(written(unopened())) };
    streams.join("key", never).expect("room")
}

fn unopened() -> mpsc::Receiver<Event> {
    panic!("a second stream for the same key")
}

fn started() -> ChatEvent {
    ChatEvent::Started {
        model: "m".to_owned(),
        response_id: None,
        request_id: None,
        usage: None,
        service_tier: None,
        fallback: None,
        latency: OpeningLatency::default(),
    }
}

fn delta(text: &str) -> ChatEvent {
    ChatEvent::Delta(text.to_owned())
}

fn finished(text: &str) -> ChatEvent {
    ChatEvent::Finished(Box::new(ChatResponse {
        text: text.to_owned(),
        model: "m".to_owned(),
        response_id: None,
        request_id: None,
        finish_reason: None,
        usage: Usage::default(),
        service_tier: None,
        latency: LatencySplit::default(),
        call_id: None,
        cost: None,
        simulated: true,
        fallback: None,
    }))
}

/// Everything that a caller still gets, the text in one piece.
pub(crate) async fn rest(caller: &mut Caller) -> (String, Result<ChatResponse, LlmError>) {
    let mut text = String::new();
    loop {
        match caller.next().await.expect("an end is an event") {
            Ok(ChatEvent::Started { .. }) => {}
            Ok(ChatEvent::Delta(piece)) => text.push_str(&piece),
            Ok(ChatEvent::Finished(response)) => {
                assert_eq!(caller.next().await, None);
                return (text, Ok(*response));
            }
            Err(error) => {
                assert_eq!(caller.next().await, None);
                return (text, Err(error));
            }
        }
    }
}

/// The next piece of text.
pub(crate) async fn text(caller: &mut Caller) -> String {
    loop {
        match caller.next().await {
            Some(Ok(ChatEvent::Delta(text))) => return text,
            Some(Ok(ChatEvent::Started { .. })) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn who_comes_late_replays_and_then_follows() {
    let streams = Streams::new();
    let (upstream, mut first) = Upstream::open(&streams);
    upstream.send(started()).await;
    upstream.send(delta("One ")).await;
    upstream.send(delta("twö ")).await;
    assert_eq!(first.next().await, Some(Ok(started())));
    let mut read = String::new();
    while read != "One twö " {
        read.push_str(&text(&mut first).await);
    }
    let mut late = join(&streams);
    assert_eq!(late.callers(), 2);
    assert_eq!(late.next().await, Some(Ok(started())));
    assert_eq!(late.next().await, Some(Ok(delta("One twö "))));
    upstream.send(delta("three")).await;
    assert_eq!(late.next().await, Some(Ok(delta("three"))));
    upstream.send(finished("One twö three")).await;
    for caller in [&mut first, &mut late] {
        let (_, response) = rest(caller).await;
        assert_eq!(response.expect("an answer").text, "One twö three");
    }
    assert!(streams.is_empty());
}

#[tokio::test]
async fn a_slow_reader_holds_nobody_up_and_misses_nothing() {
    let streams = Streams::new();
    let (upstream, mut slow) = Upstream::open(&streams);
    let mut quick = join(&streams);
    upstream.send(started()).await;
    for _ in 0..1_000 {
        upstream.send(delta("word ")).await;
    }
    upstream.send(finished("")).await;
    assert_eq!(rest(&mut quick).await.0.len(), 5_000);
    // The stream is over; what the slow one has not read is in few pieces.
    assert_eq!(slow.next().await, Some(Ok(started())));
    assert_eq!(slow.next().await, Some(Ok(delta(&"word ".repeat(1_000)))));
    assert!(rest(&mut slow).await.1.is_ok());
}

#[tokio::test]
async fn any_may_leave_and_the_last_one_ends_it() {
    // In which order three callers leave.
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let streams = Streams::new();
        let (upstream, opener) = Upstream::open(&streams);
        let mut callers = [Some(opener), Some(join(&streams)), Some(join(&streams))];
        upstream.send(started()).await;
        for (gone, leaver) in order.into_iter().enumerate() {
            assert!(!upstream.0.is_closed(), "{order:?} after {gone}");
            assert_eq!(streams.len(), 1);
            upstream.send(delta("x")).await;
            callers[leaver] = None;
            if let Some(stays) = callers.iter_mut().flatten().next() {
                assert_eq!(stays.callers(), 2 - gone);
                // It is still being read to.
                text(stays).await;
            }
        }
        upstream.dropped().await;
        assert!(streams.is_empty());
    }
}

#[tokio::test]
async fn after_the_last_one_left_the_next_begins_anew() {
    let streams = Streams::new();
    let (first, caller) = Upstream::open(&streams);
    first.send(started()).await;
    drop(caller);
    let (second, mut caller) = Upstream::open(&streams);
    first.dropped().await;
    second.send(started()).await;
    second.send(delta("new")).await;
    second.send(finished("new")).await;
    let (text, response) = rest(&mut caller).await;
    assert_eq!((text.as_str(), response.is_ok()), ("new", true));
}

#[tokio::test]
async fn a_failure_reaches_everybody_and_is_not_kept() {
    let failure = LlmError::Timeout(llm::Stage::Idle);
    let streams = Streams::new();
    let (upstream, mut first) = Upstream::open(&streams);
    let mut second = join(&streams);
    upstream.send(started()).await;
    upstream.send(delta("half")).await;
    drop(upstream.0.send(Err(failure.clone())).await);
    for caller in [&mut first, &mut second] {
        assert_eq!(
            rest(caller).await,
            ("half".to_owned(), Err(failure.clone()))
        );
        assert_eq!(caller.share(), None);
    }
    assert!(streams.is_empty());

    let failing = SharedStreams::<&str, LlmError>::new();
    let error = LlmError::Timeout(llm::Stage::Connect);
    let opening = {
        let error = error.clone();
        move || async move { Err::<futures_util::stream::Empty<Event>, _>(error) }
    };
    let mut caller = failing.join("key", opening).expect("room");
    assert_eq!(caller.next().await, Some(Err(error)));
    assert!(failing.is_empty());
}

#[tokio::test]
async fn an_end_without_a_last_event_and_a_panic_are_errors() {
    let streams = Streams::new();
    let (upstream, mut caller) = Upstream::open(&streams);
    upstream.send(started()).await;
    drop(upstream);
    let (_, result) = rest(&mut caller).await;
    assert!(matches!(result, Err(LlmError::Interrupted { .. })));

    // Nothing is under way, so this opens one, which panics.
    let mut caller = join(&streams);
    let (_, result) = rest(&mut caller).await;
    assert!(matches!(result, Err(LlmError::Interrupted { .. })));
    assert!(streams.is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let streams = Streams::new();
    let (upstream, mut caller) = Upstream::open(&streams);
    upstream.send(started()).await;
    let piece = "x".repeat(64 << 10);
    while upstream.0.send(Ok(delta(&piece))).await.is_ok() {}
    let (text, result) = rest(&mut caller).await;
    assert!(text.len() <= 1 << 20, "{}", text.len());
    assert!(matches!(result, Err(LlmError::Malformed { .. })));
}

#[tokio::test]
async fn callers_and_streams_are_bounded() {
    let streams = Streams::new();
    let (_upstream, opener) = Upstream::open(&streams);
    let mut callers = vec![opener];
    let refused = loop {
        let never = || async { Ok(written(unopened())) };
        match streams.join("key", never) {
            Ok(caller) => callers.push(caller),
            Err(error) => break error,
        }
        assert!(callers.len() <= 10_000);
    };
    assert!(matches!(refused, LlmError::Overloaded { .. }), "{refused}");
    callers.pop();
    drop(join(&streams));

    let many = SharedStreams::<usize, LlmError>::new();
    let mut callers = Vec::new();
    let refused = loop {
        let silent = || async { Ok(futures_util::stream::pending::<Event>()) };
        match many.join(callers.len(), silent) {
            Ok(caller) => callers.push(caller),
            Err(error) => break error,
        }
        assert!(callers.len() <= 100_000);
    };
    assert!(matches!(refused, LlmError::Overloaded { .. }), "{refused}");
    assert_eq!(many.len(), callers.len());
    drop(callers);
    assert!(many.is_empty());
}

#[tokio::test]
async fn different_questions_are_different_calls() {
    let streams = Arc::new(SharedStreams::<usize, LlmError>::new());
    let opened = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..20)
        .map(|n| {
            let opened = Arc::clone(&opened);
            let open = || async move {
                opened.fetch_add(1, Ordering::SeqCst);
                let events = [Ok(started()), Ok(delta("x")), Ok(finished("x"))];
                Ok(futures_util::stream::iter(events).chain(futures_util::stream::pending()))
            };
            streams.join(n / 2, open).expect("room")
        })
        .collect();
    for mut caller in callers {
        while !matches!(caller.next().await, Some(Ok(ChatEvent::Finished(_))) | None) {}
    }
    assert_eq!(opened.load(Ordering::SeqCst), 10);
}
