//! Which spans come out, and which do not.

use std::time::SystemTime;

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId,
    trace::{SpanKind, TraceState},
};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use super::{
    held::{MAX_DECIDED, MAX_OPEN, MAX_SPANS},
    *,
};

fn span(trace: u128, error: Option<&'static str>) -> SpanData {
    let (ids, flags) = ((trace.into(), SpanId::from(7)), TraceFlags::default());
    SpanData {
        span_context: SpanContext::new(ids.0, ids.1, flags, false, TraceState::NONE),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Client,
        name: "chat".into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes: Vec::from_iter(error.map(|error| KeyValue::new("error.type", error))),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

/// Holds one span with this error; whether its trace is kept, and how many spans then come out.
fn outcome(error: Option<&'static str>, wanted: bool) -> (bool, usize) {
    let tail = Tail::new();
    tail.open(1.into());
    assert!(tail.hold(span(1, error)).is_none());
    let (kept, spans) = tail.settle(1.into(), wanted);
    assert!(spans.iter().all(|span| span.span_context.is_sampled()));
    // The root itself ends after it was settled.
    assert_eq!(tail.hold(span(1, None)).is_some(), kept);
    (kept, spans.len())
}

#[test]
fn faults_and_what_is_wanted_are_kept() {
    assert_eq!(outcome(None, false), (false, 0));
    assert_eq!(outcome(Some("cancelled"), false), (false, 0));
    assert_eq!(outcome(Some("upstream"), false), (true, 1));
    assert_eq!(outcome(None, true), (true, 1));
}

#[test]
fn requests_of_one_trace_are_settled_by_the_last_one() {
    let tail = Tail::new();
    tail.open(1.into());
    tail.open(1.into());
    assert!(tail.hold(span(1, None)).is_none());
    assert!(!tail.settle(1.into(), false).0);
    assert!(tail.hold(span(1, Some("timeout"))).is_none());
    let (kept, spans) = tail.settle(1.into(), false);
    assert!(kept && spans.len() == 2);
}

#[test]
fn what_is_held_is_bounded_by_the_oldest() {
    let tail = Tail::new();
    let traces = u128::try_from(MAX_OPEN).unwrap();
    for trace in 1..=traces + 10 {
        tail.open(trace.into());
        tail.hold(span(trace, None));
    }
    assert_eq!(counts(&tail), (MAX_OPEN, 0, MAX_OPEN));
    // The oldest one is gone but for its root.
    let (kept, spans) = tail.settle(1.into(), true);
    assert!(kept && spans.is_empty());
    assert!(tail.hold(span(1, None)).is_some());
    assert!(!tail.settle(2.into(), false).0);
    for _ in 0..2 * MAX_SPANS {
        tail.hold(span(traces + 10, None));
    }
    let (_, _, spans) = counts(&tail);
    assert!(spans <= MAX_SPANS, "{spans}");
}

fn counts(tail: &Tail) -> (usize, usize, usize) {
    tail.held.lock().unwrap().counts()
}

#[test]
fn decided_traces_take_no_place_of_open_ones() {
    let tail = Tail::new();
    tail.open(1.into());
    assert!(tail.hold(span(1, None)).is_none());
    for trace in 2..=2 * u128::try_from(MAX_DECIDED).unwrap() {
        tail.open(trace.into());
        tail.hold(span(trace, None));
        tail.settle(trace.into(), false);
    }
    assert_eq!(counts(&tail), (1, MAX_DECIDED, 1));
    let (kept, spans) = tail.settle(1.into(), true);
    assert!(kept && spans.len() == 1);
}

#[test]
fn a_trace_that_is_opened_anew_is_the_latest_one() {
    let tail = Tail::new();
    for _ in 0..3 {
        tail.open(1.into());
        assert!(!tail.settle(1.into(), false).0);
    }
    assert_eq!(counts(&tail), (0, 1, 0));
    for trace in 2..=u128::try_from(MAX_OPEN).unwrap() {
        tail.open(trace.into());
    }
    tail.open(1.into());
    tail.hold(span(1, None));
    // One too many: the oldest goes, which is no longer the first.
    tail.open(u128::MAX.into());
    assert_eq!(counts(&tail), (MAX_OPEN, 0, 1));
    let (kept, spans) = tail.settle(1.into(), true);
    assert!(kept && spans.len() == 1);
}

#[test]
fn who_wants_it_keeps_what_was_decided_against() {
    let tail = Tail::new();
    tail.open(1.into());
    assert!(!tail.settle(1.into(), false).0);
    assert!(tail.hold(span(1, None)).is_none());
    assert!(tail.settle(1.into(), true).0);
    assert!(tail.hold(span(1, None)).is_some());
    assert_eq!(counts(&tail), (0, 1, 0));
}
