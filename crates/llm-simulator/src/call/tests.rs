//! Calls on a clock that is turned by hand.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use http::Extensions;
use tokio::time::Instant;

use super::{Arrival, Call, CallRequest, SILENCE, Step};
use crate::{
    CallFilter, Dialect, Engine, Load, Operation, Outcome, Percentiles, Profile, SimulatorConfig,
    TokenRange,
    credentials::Caller,
    faults::{Fault, FaultRule, FaultRules},
    prompt::{CacheTime, Caching, Prompt},
    service_tier::ServiceTier,
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
        service_tier: ServiceTier::default(),
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
    assert!(call.whole().now_or_never().is_some());
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
    assert_eq!(whole.whole().await, text);
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
        let record = &engine.last_calls(&CallFilter::default(), 1)[0];
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
    assert_eq!(
        engine.last_calls(&CallFilter::default(), 1)[0].outcome,
        Outcome::Broken
    );
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

fn machine(slots: u32, queue: u32) -> SimulatorConfig {
    let mut text = Profile::standard().text().clone();
    text.load = Some(Load {
        slots,
        queue,
        slowdown: 3.0,
    });
    SimulatorConfig {
        profile: Profile::check(text).unwrap(),
        ..SimulatorConfig::standard()
    }
}

#[tokio::test(start_paused = true)]
async fn callers_wait_for_a_slot_and_are_refused_when_too_many_wait() {
    let engine = engine(machine(1, 1));
    let mut first = call(&engine, false).await;
    let mut second = Box::pin(call(&engine, false));
    assert!(second.as_mut().now_or_never().is_none(), "did not wait");
    let refused = arrive(&engine).admit(request(false)).await.err().unwrap();
    assert_eq!(refused.status, 529);
    let begun = Instant::now();
    first.whole().await;
    first.finish();
    drop(first);
    let took = begun.elapsed();
    second.await.finish();
    let queued = engine.last_calls(&CallFilter::default(), 1)[0].queued_ms;
    assert!(
        (queued - took.as_secs_f64() * 1000.0).abs() < 1e-6,
        "{queued}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_fuller_machine_is_slower() {
    let alone = engine(machine(8, 0));
    let begun = Instant::now();
    let mut only = call(&alone, false).await;
    only.whole().await;
    let took = begun.elapsed();

    let full = engine(machine(8, 0));
    let mut first = call(&full, false).await;
    let mut others = Vec::new();
    for _ in 0..7 {
        others.push(call(&full, true).await);
    }
    let begun = Instant::now();
    first.whole().await;
    let ratio = begun.elapsed().as_secs_f64() / took.as_secs_f64();
    // The time to the first token does not grow, and the gaps grow threefold.
    assert!((2.0..3.0).contains(&ratio), "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn reasoning_takes_time_and_tokens_and_is_not_said() {
    let mut text = Profile::standard().text().clone();
    text.reasoning_tokens = Some(TokenRange { min: 50, max: 50 });
    let config = SimulatorConfig {
        profile: Profile::check(text).unwrap(),
        ..SimulatorConfig::standard()
    };
    let engine = engine(config);
    let begun = Instant::now();
    let mut streamed = call(&engine, true).await;
    let (text, _) = stream_to_the_end(&mut streamed).await;
    streamed.finish();
    let took = begun.elapsed();
    let said = crate::tokenizer::count(&text);
    assert_eq!(streamed.output_tokens(), said + 50);
    assert_eq!(streamed.reasoning_tokens(), 50);
    assert!(streamed.elapsed().1 > Duration::from_millis(150));

    engine.reset();
    let begun = Instant::now();
    let mut whole = call(&engine, false).await;
    assert_eq!(whole.whole().await, text);
    assert_eq!((whole.output_tokens(), begun.elapsed()), (said + 50, took));

    engine.reset();
    let mut limited = request(true);
    limited.max_tokens = Some(20);
    let mut call = arrive(&engine).admit(limited).await.unwrap();
    assert_eq!(call.next().await, Step::Finished);
    assert_eq!((call.output_tokens(), call.was_limited()), (20, true));
}

#[tokio::test(start_paused = true)]
async fn what_a_client_that_leaves_may_not_have_seen_is_counted() {
    let mut text = Profile::standard().text().clone();
    text.inter_token_gap_ms = Percentiles {
        p50: 20.0,
        p95: 20.0,
    };
    text.time_to_first_token_ms = text.inter_token_gap_ms;
    let config = SimulatorConfig {
        profile: Profile::check(text).unwrap(),
        ..SimulatorConfig::standard()
    };
    let engine = engine(config);
    for streamed in [true, false] {
        engine.reset();
        let mut call = call(&engine, streamed).await;
        let leave = tokio::time::timeout(Duration::from_millis(1005), async {
            match streamed {
                true => drop(stream_to_the_end(&mut call).await),
                false => drop(call.whole().await),
            }
        });
        assert!(leave.await.is_err(), "ended before the client left");
        drop(call);
        let record = engine.last_calls(&CallFilter::default(), 1).remove(0);
        assert_eq!(
            (record.output_tokens, record.outcome),
            (50, Outcome::Cancelled)
        );
        // One token in 20 ms; a stream's steps may add the one on the edge.
        assert!(
            (12..=13).contains(&record.tokens_in_last_250_ms),
            "{record:?}"
        );
        assert_eq!(record.sent_last.is_empty(), !streamed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cached_prompt_is_answered_sooner_and_charged_less() {
    let config = SimulatorConfig {
        profile: Profile::by_name("claude-like").unwrap(),
        ..SimulatorConfig::standard()
    };
    let engine = engine(config);
    let mut long = Prompt::new(Caching::Breakpoints);
    long.opaque("system", 24_000);
    long.mark(CacheTime::FiveMinutes);
    let mut dues = Vec::new();
    for _ in 0..2 {
        // The same number draws the same pace.
        engine.start_numbers_again();
        let mut asked = request(false);
        asked.prompt = long.clone();
        let mut call = arrive(&engine).admit(asked).await.unwrap();
        call.whole().await;
        call.finish();
        let record = engine.last_calls(&CallFilter::default(), 1).remove(0);
        dues.push((record.first_token_due_ms.unwrap(), record.charge.unwrap()));
    }
    // 24,000 tokens at 12,000 a second.
    assert!((dues[0].0 - dues[1].0 - 2000.0).abs() < 1e-6, "{dues:?}");
    assert_eq!(dues[0].1.cache_write_5m, 24_000 * 2_500_000);
    assert_eq!(
        (dues[1].1.cache_read, dues[1].1.input),
        (24_000 * 100_000, 0)
    );
}
