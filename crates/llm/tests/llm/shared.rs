//! Many callers, one upstream stream: what each gets, what each pays, and who may leave when.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_stream::stream;
use futures_util::{Stream, StreamExt, future::join_all};
use llm::{
    ChatEvent, ChatResponse, LatencySplit, LlmError, LlmProvider, Outcome, ProviderName,
    SharedStream, SharedStreams, Usage,
};
use test_support::llm_simulator::{Percentiles, Profile};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use crate::fixture::{Accounts, provider, request};

/// How soon the upstream must learn that nobody waits any more.
const CANCELLED_WITHIN: Duration = Duration::from_millis(250);

type Streams = SharedStreams<&'static str, LlmError>;
type Caller = SharedStream<&'static str, LlmError>;
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
        fallback: None,
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
        latency: LatencySplit::default(),
        cost: None,
        simulated: true,
        fallback: None,
    }))
}

/// Everything that a caller still gets, the text in one piece.
async fn rest(caller: &mut Caller) -> (String, Result<ChatResponse, LlmError>) {
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
async fn text(caller: &mut Caller) -> String {
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

/// A model that takes its time, so that all callers come while it answers.
async fn simulated() -> (
    test_support::llm_simulator::Running,
    Arc<dyn LlmProvider>,
    Accounts,
) {
    let simulator = test_support::simulator().await.expect("a simulator");
    let mut slow = Profile::instant().text().clone();
    slow.time_to_first_token_ms = Percentiles {
        p50: 200.0,
        p95: 200.0,
    };
    slow.inter_token_gap_ms = Percentiles { p50: 2.0, p95: 2.0 };
    let profile = Profile::check(slow).expect("a profile");
    simulator.control().set_profile(profile);
    let accounts = Accounts::open();
    let deadlines = llm::Deadlines::default();
    let provider = provider(ProviderName::Claude, &simulator.base_url(), deadlines);
    let measured: Arc<dyn LlmProvider> = Arc::new(accounts.measured(provider));
    (simulator, measured, accounts)
}

fn ask(streams: &Streams, model: &Arc<dyn LlmProvider>) -> Caller {
    let model = Arc::clone(model);
    let open = || async move { model.stream(&request()).await };
    streams.join("key", open).expect("room")
}

#[tokio::test]
async fn fifty_callers_share_one_call_and_its_cost() {
    let (simulator, model, accounts) = simulated().await;
    let streams = Streams::new();
    let mut callers: Vec<Caller> = (0..50).map(|_| ask(&streams, &model)).collect();
    let answers = join_all(callers.iter_mut().map(rest)).await;
    let texts: HashSet<String> = answers
        .into_iter()
        .map(|(text, response)| {
            let response = response.expect("an answer");
            assert_eq!(response.text, text);
            assert!(response.latency.time_to_first_token.is_some());
            text
        })
        .collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(simulator.control().meter().total.calls, 1);
    let rows = accounts.rows().await;
    assert_eq!(rows.len(), 1);
    let booked = rows[0].cost.expect("a price").get();
    let shares: Vec<i64> = callers
        .iter()
        .map(|caller| {
            let share = caller.share().expect("a share");
            assert_eq!(share.callers, 50);
            share.cost.expect("a price").get()
        })
        .collect();
    assert_eq!(shares.iter().sum::<i64>(), booked);
    assert!(shares[0] - shares[49] <= 1, "{shares:?}");
}

#[tokio::test]
async fn tokens_read_until_the_last_one_left_are_booked() {
    let (simulator, model, accounts) = simulated().await;
    let streams = Streams::new();
    let (mut first, second) = (ask(&streams, &model), ask(&streams, &model));
    text(&mut first).await;
    drop(first);
    drop(second);
    let left = Instant::now();
    while simulator.control().meter().total.cancelled == 0 {
        assert!(left.elapsed() < CANCELLED_WITHIN, "the model still writes");
        tokio::task::yield_now().await;
    }
    let rows = accounts.rows().await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].outcome, Outcome::Cancelled);
    assert!(rows[0].usage.estimated);
    assert!(rows[0].usage.input_tokens > 0 && rows[0].usage.output_tokens > 0);
    assert!(rows[0].cost.is_some_and(|cost| cost.get() > 0));
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
