//! The traces of several requests that one answer is for, and of those who leave it.

use std::collections::BTreeSet;

use http::Method;
use test_support::{
    Jaeger, jaeger,
    jaeger::{Span, Trace},
};
use tokio::task::JoinHandle;

use crate::{
    exemplars::traces_of,
    hand_driven_model::{CANCELLED_WITHIN, Call, HandDriven},
    reply::Reply,
    summary_sharing::readers,
    telemetry::{ids, kind, logged},
    test_api::Setup,
};

/// Passes the checks of summaries.
const ANSWER: &str = "A shopkeeper in a mountain village finds a letter that was never sent.";

/// An API that keeps no trace for its slowness.
async fn traced() -> anyhow::Result<(Jaeger, HandDriven)> {
    let jaeger = jaeger().await?;
    let setup = Setup::default()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint())
        .with("BOOKSTORE_TRACE_SLOW", "catalogue=off,ai=off");
    Ok((jaeger, HandDriven::start(setup).await?))
}

/// A reader with a trace of its own; aborting it closes its connection.
fn begin(
    model: &HandDriven,
    book: &str,
    flags: &str,
) -> (String, JoinHandle<anyhow::Result<Reply>>) {
    let (trace, span) = ids();
    let caller = model.caller.clone();
    let path = format!("{book}/generate-summary?provider=claude");
    let request = caller.request(Method::POST, &path);
    let request = request.header("traceparent", format!("00-{trace}-{span}-{flags}"));
    let reading = tokio::spawn(async move { caller.send(request).await });
    (trace, reading)
}

async fn answering(model: &HandDriven) -> anyhow::Result<Call> {
    let mut call = model.call().await?;
    call.begin().await?;
    Ok(call)
}

/// The root and the one attempt of a trace, once both are there.
async fn root_and_attempt(jaeger: &Jaeger, id: &str) -> anyhow::Result<(Span, Span)> {
    let both = |trace: &Trace| {
        ["POST ", "chat "]
            .iter()
            .all(|name| trace.span(name).is_some())
    };
    let trace = jaeger.trace_where(id, "has both", both).await?;
    let (root, chat) = (
        kind(&trace, "server", "POST ")?,
        kind(&trace, "client", "chat ")?,
    );
    Ok((root.clone(), chat.clone()))
}

#[tokio::test]
async fn who_shares_an_answer_is_led_to_the_calls_behind_it() -> anyhow::Result<()> {
    let (jaeger, model) = traced().await?;
    let book = model.caller.create_book("T").await?;
    // Nobody asked for the first one's trace, and the first one leaves.
    let (first, leaver) = begin(&model, &book, "00");
    let mut call = answering(&model).await?;
    let (second, reader) = begin(&model, &book, "01");
    readers(&model, 2).await?;
    leaver.abort();
    readers(&model, 1).await?;
    call.say(ANSWER).await?;
    call.finish().await?;
    let reply = reader.await??;
    assert_eq!(reply.expect(200)?.json()?["sharedBy"], 1);

    let there = |trace: &Trace| trace.span("POST ").is_some();
    let trace = jaeger.trace_where(&second, "is there", there).await?;
    let named = "bookstore.gen_ai.answered_by_trace";
    let root = kind(&trace, "server", "POST ")?;
    assert_eq!(root.tag(named).as_deref(), Some(first.as_str()));
    let line = logged(&model.api, named, &first).await?;
    assert_eq!(line["trace_id"], second.as_str(), "{line}");
    let (_, chat) = root_and_attempt(&jaeger, &first).await?;
    assert_eq!(chat.tag("error.type"), None);
    Ok(())
}

#[tokio::test]
async fn an_attempt_that_fails_after_its_first_reader_left_is_kept() -> anyhow::Result<()> {
    let (jaeger, model) = traced().await?;
    let book = model.caller.create_book("T").await?;
    let (first, leaver) = begin(&model, &book, "00");
    let mut call = answering(&model).await?;
    call.say("One word").await?;
    let (second, reader) = begin(&model, &book, "00");
    readers(&model, 2).await?;
    leaver.abort();
    readers(&model, 1).await?;
    // It breaks off.
    drop(call);
    reader.await??.expect(502)?;
    let (_, chat) = root_and_attempt(&jaeger, &first).await?;
    assert!(chat.tag("error.type").is_some());
    jaeger.trace(&second).await?;
    // What was measured of it leads to it, also after the one who began it has left.
    for family in [
        "gen_ai_client_operation_duration_seconds_bucket",
        "gen_ai_client_operation_time_to_first_chunk_seconds_bucket",
    ] {
        let traces = traces_of(&model.caller, family).await?;
        assert_eq!(traces, BTreeSet::from([first.clone()]), "{family}");
    }
    Ok(())
}

#[tokio::test]
async fn who_leaves_is_no_error() -> anyhow::Result<()> {
    let (jaeger, model) = traced().await?;
    let book = model.caller.create_book("T").await?;
    let (id, reader) = begin(&model, &book, "01");
    let call = answering(&model).await?;
    readers(&model, 1).await?;
    reader.abort();
    assert!(call.left().await? < CANCELLED_WITHIN);
    let (root, chat) = root_and_attempt(&jaeger, &id).await?;
    for span in [root, chat] {
        assert_eq!(span.tag("error.type").as_deref(), Some("cancelled"));
        assert_eq!(span.tag("error"), None, "{}", span.name);
    }
    Ok(())
}
