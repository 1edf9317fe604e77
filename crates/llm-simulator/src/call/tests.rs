//! Calls on a clock that is turned by hand.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use http::Extensions;
use tokio::time::Instant;

use super::{Arrival, Call, CallRequest, SILENCE, Step, Whole};
use crate::{
    Dialect, Engine, Operation, Outcome, SimulatorConfig,
    credentials::Caller,
    faults::{Fault, FaultRule, FaultRules},
    prompt::{Caching, Prompt},
};

fn arrive(engine: &Arc<Engine>) -> Arrival {
    Arrival::new(
        engine,
        Dialect::Anthropic,
        Operation::Chat,
        &Extensions::new(),
    )
}

fn request(streamed: bool) -> CallRequest {
    let mut prompt = Prompt::new(Caching::Off);
    prompt.opaque("user", 7);
    CallRequest {
        model: "claude-sonnet-5-5".to_owned(),
        streamed,
        caller: Caller::anonymous(),
        prompt,
        max_tokens: None,
    }
}

async fn call(engine: &Arc<Engine>, streamed: bool) -> Call {
    arrive(engine).admit(request(streamed)).await.unwrap()
}

async fn stream_to_the_end(call: &mut Call) -> (String, Step) {
    let mut text = String::new();
    loop {
        match call.next().await {
            Step::Token(token) => text.push_str(token),
            end => return (text, end),
        }
    }
}

fn engine(config: SimulatorConfig) -> Arc<Engine> {
    Arc::new(Engine::new(config))
}

fn broken_engine(fault: Fault) -> Arc<Engine> {
    let engine = engine(SimulatorConfig::standard());
    let rules = vec![FaultRule::always(fault)];
    engine.set_faults(FaultRules::check(rules).unwrap());
    engine
}

#[test]
fn an_instant_answer_needs_no_timer() {
    // Without a runtime a timer would panic, and waiting would give none.
    let engine = engine(SimulatorConfig::instant());
    let mut call = call(&engine, false).now_or_never().unwrap();
    assert!(matches!(call.whole().now_or_never(), Some(Whole::Text(_))));
}

#[tokio::test(start_paused = true)]
async fn a_stream_says_the_same_in_the_same_time_as_a_whole_answer() {
    let engine = engine(SimulatorConfig::standard());
    let started = Instant::now();
    let mut streamed = call(&engine, true).await;
    let (text, end) = stream_to_the_end(&mut streamed).await;
    streamed.finish();
    let took = started.elapsed();
    assert_eq!(end, Step::Finished);

    engine.reset();
    let started = Instant::now();
    let mut whole = call(&engine, false).await;
    assert_eq!(whole.whole().await, Whole::Text(text));
    assert_eq!(whole.output_tokens(), streamed.output_tokens());
    assert_eq!(started.elapsed(), took);
    assert!(took > Duration::from_millis(100), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_pays_for_what_was_due() {
    let engine = engine(SimulatorConfig::standard());
    for streamed in [true, false] {
        engine.reset();
        let mut call = call(&engine, streamed).await;
        let leave = tokio::time::timeout(Duration::from_millis(200), async {
            match streamed {
                true => drop(stream_to_the_end(&mut call).await),
                false => drop(call.whole().await),
            }
        });
        assert!(leave.await.is_err(), "ended before the client left");
        drop(call);
        let record = &engine.last_calls(1)[0];
        assert_eq!(record.outcome, Outcome::Cancelled);
        assert_eq!(record.input_tokens, 7);
        assert!((5..60).contains(&record.output_tokens), "{record:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_a_cut_after_ten_minutes() {
    let engine = broken_engine(Fault::Silence {
        after_tokens: Some(4),
        after_head: false,
    });
    let started = Instant::now();
    let mut call = call(&engine, true).await;
    let (text, end) = stream_to_the_end(&mut call).await;
    assert_eq!((crate::tokenizer::count(&text), end), (4, Step::Cut));
    assert!(started.elapsed() >= SILENCE);
    assert_eq!(engine.last_calls(1)[0].outcome, Outcome::Broken);
}

#[tokio::test(start_paused = true)]
async fn a_fault_beyond_the_answer_still_comes_before_its_end() {
    let engine = broken_engine(Fault::Cut {
        after_tokens: 1_000_000,
        within: None,
    });
    let mut call = call(&engine, true).await;
    assert_eq!(stream_to_the_end(&mut call).await.1, Step::Cut);
    assert!(call.output_tokens() >= 60);
}

#[tokio::test]
async fn answers_in_progress_are_bounded_and_places_come_back() {
    let engine = engine(SimulatorConfig::instant());
    let mut held = Vec::new();
    for _ in 0..crate::MAX_ANSWERS {
        held.push(call(&engine, true).await);
    }
    let refused = arrive(&engine).admit(request(true)).await.err().unwrap();
    assert_eq!(refused.status, 529);
    held.pop();
    call(&engine, true).await.finish();
}
