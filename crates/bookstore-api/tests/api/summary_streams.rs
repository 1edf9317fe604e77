//! Summaries as server-sent events: which ones, in which order, and how a stream ends.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::{BOOKS, NO_ID},
    event_stream::{Block, Event, open, send},
    hand_driven_model::{HandDriven, delta, talkative},
    llm_fixture::{SimulatedLlm, dollars, list_price, number},
    reply::Reply,
    test_api::{Setup, on_sqlite},
};

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

/// The texts of all pieces, one after the other.
fn text_of(events: &[Event]) -> String {
    let deltas = events.iter().filter(|event| event.name == "summary.delta");
    deltas.map(Event::text).collect()
}

fn check_ids(events: &[Event]) {
    let ids: Vec<u64> = events.iter().map(|event| event.id).collect();
    let expected: Vec<u64> = (1..).take(events.len()).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_stream_is_the_reply_in_pieces() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    let mut stream = open(&llm.caller, &book, "provider=claude").await?;
    assert!(
        stream
            .header("content-type")
            .starts_with("text/event-stream")
    );
    assert_eq!(stream.header("cache-control"), "no-store");
    let timing = stream.header("server-timing").to_owned();
    for name in ["queue", "ttft"] {
        assert!(timing.contains(&format!("{name};dur=")), "{timing}");
    }
    let request_id = stream.header("x-request-id").to_owned();

    let events = stream.rest().await?;
    check_ids(&events);
    let names = names(&events);
    let deltas = names
        .iter()
        .filter(|name| **name == "summary.delta")
        .count();
    assert!(deltas > 1, "{names:?}");
    assert_eq!(names[0], "summary.start");
    assert_eq!(&names[names.len() - 2..], ["summary.usage", "summary.done"]);
    assert_eq!(
        names
            .iter()
            .filter(|name| **name == "summary.start")
            .count(),
        1
    );
    let start =
        json!({"model": "claude-sonnet-5-5", "provider": "claude", "requestId": request_id});
    assert_eq!(events[0].data, start);

    let done = check_end(&llm, &events)?;
    assert_eq!(
        format!("{BOOKS}/{}", done["bookId"].as_str().unwrap_or("")),
        book
    );
    // The reply in one piece has the same members.
    let whole = llm.summary(&book, "provider=claude&refresh=true").await?;
    let members = |reply: &Value| -> Vec<String> {
        let members = reply
            .as_object()
            .map(|members| members.keys().cloned().collect());
        members.unwrap_or_default()
    };
    assert_eq!(members(&done), members(&whole));
    Ok(())
}

/// The last two events of a stream that nobody shared.
fn check_end(llm: &SimulatedLlm, events: &[Event]) -> anyhow::Result<Value> {
    let done = &events.last().context("an end")?.data;
    assert_eq!(done["aiGeneratedSummary"], text_of(events));
    assert_eq!(done["cached"], false);
    assert_eq!(done["sharedBy"], 1);
    let metered = llm.metered();
    let cost = list_price(metered.input_tokens, metered.output_tokens);
    assert_eq!(done["cost"]["picoUsd"], cost);
    assert_eq!(done["cost"]["usd"], dollars(cost));
    let usage = &events[events.len() - 2].data;
    assert_eq!(
        (&usage["usage"], &usage["cost"]),
        (&done["usage"], &done["cost"])
    );
    let time = |name: &str| done["latency"][name].as_f64();
    assert!(
        time("timeToFirstTokenMs") > Some(0.0) && time("decodeMs") > Some(0.0),
        "{done}"
    );
    assert!(time("totalMs") >= time("timeToFirstTokenMs"), "{done}");
    Ok(done.clone())
}

#[tokio::test]
async fn a_summary_that_is_there_is_one_piece() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    let made = llm.summary(&book, "provider=claude").await?;
    // From the cache, then from the book.
    for _ in 0..2 {
        let events = open(&llm.caller, &book, "provider=claude")
            .await?
            .rest()
            .await?;
        check_ids(&events);
        assert_eq!(
            names(&events),
            ["summary.start", "summary.delta", "summary.done"]
        );
        assert_eq!(events[0].data["provider"], "claude");
        assert_eq!(events[0].data["model"], "claude-sonnet-5-5");
        assert_eq!(events[1].data["text"], made["aiGeneratedSummary"]);
        let done = &events[2].data;
        assert_eq!(done["cached"], true);
        assert_eq!(done["cost"]["picoUsd"], 0);
        assert_eq!(done["aiGeneratedSummary"], made["aiGeneratedSummary"]);
        llm.api.terminate().await?;
        llm.api.restart().await?;
    }
    assert_eq!(llm.metered().calls, 1);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_before_the_first_event_has_its_status() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let book = caller.create_book("T").await?;
    for (book, query, status) in [
        (book.as_str(), "provider=nobody", 400),
        (book.as_str(), "model=a%20b", 400),
        (book.as_str(), "refresh=maybe", 400),
        (&format!("{BOOKS}/xyz"), "", 400),
        (&format!("{BOOKS}/{NO_ID}"), "provider=ollama", 404),
        (book.as_str(), "provider=claude", 503),
    ] {
        let reply = Reply::read(send(&caller, book, query).await?).await?;
        reply.problem(status).with_context(|| query.to_owned())?;
        assert_eq!(reply.header("retry-after").is_empty(), status != 503);
    }
    let llm =
        SimulatedLlm::start_with(Setup::default().with("BOOKSTORE_LLM_ATTEMPTS", "1")).await?;
    let book = llm.book().await?;
    llm.break_by(&json!([{"fault": {"status": {"code": 500}}}]))?;
    let reply = send(&llm.caller, &book, "provider=claude").await?;
    Reply::read(reply).await?.problem(502)?;
    Ok(())
}

/// Lets a stream begin, breaks the model, and gives the last event.
async fn broken(llm: &SimulatedLlm, fault: &Value) -> anyhow::Result<Event> {
    let book = llm.book().await?;
    llm.break_by(&json!([{"fault": fault}]))?;
    let mut stream = open(&llm.caller, &book, "provider=claude").await?;
    let request_id = stream.header("x-request-id").to_owned();
    let mut events = stream.rest().await?;
    check_ids(&events);
    assert_eq!(names(&events)[0], "summary.start");
    assert!(!text_of(&events).is_empty());
    let last = events.pop().context("an end")?;
    ensure!(last.name == "summary.error", "{last:?}");
    ensure!(!names(&events).contains(&"summary.done"));
    for member in ["type", "title", "detail", "message", "traceId"] {
        ensure!(last.data[member].is_string(), "{member}: {last:?}");
    }
    ensure!(last.data["instance"] == request_id, "{last:?}");
    llm.break_by(&json!([]))?;
    let kept = llm.caller.read(&book).await?;
    ensure!(kept.get("summary").is_none(), "half a summary was stored");
    let summary = llm.summary(&book, "provider=claude").await?;
    ensure!(summary["cached"] == false, "half a summary was cached");
    Ok(last)
}

#[tokio::test]
async fn a_broken_answer_ends_with_an_error_and_is_not_kept() -> anyhow::Result<()> {
    let setup = Setup::default().with("BOOKSTORE_LLM_IDLE_TIMEOUT", "400ms");
    let llm = SimulatedLlm::start_with(setup).await?;
    for (fault, status) in [
        (json!({"cut": {"afterTokens": 5}}), 502),
        (json!({"streamError": {"afterTokens": 5}}), 502),
        (json!({"silence": {"afterTokens": 5}}), 504),
    ] {
        let error = broken(&llm, &fault)
            .await
            .with_context(|| fault.to_string())?;
        assert_eq!(error.data["status"], status, "{fault}");
    }
    // Their heads said 200.
    let ended = async |error: &str| {
        let labels = [r#"status_code="200""#, r#"route_class="ai""#, error];
        llm.counted("http_server_request_duration_seconds_count", &labels)
            .await
    };
    assert_eq!(ended(r#"error_type="502""#).await?.to_string(), "2");
    assert_eq!(ended(r#"error_type="504""#).await?.to_string(), "1");
    assert_eq!(ended(r#"error_type="""#).await?.to_string(), "3");
    let rows = llm.ledger().await?;
    let partial = rows
        .iter()
        .filter(|row| row.outcome == llm::Outcome::Partial);
    assert_eq!(partial.count(), 3);
    Ok(())
}

#[tokio::test]
async fn a_character_in_two_packets_is_one_character() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    let asking = {
        let (caller, book) = (model.caller.clone(), book.clone());
        tokio::spawn(async move { open(&caller, &book, "provider=claude").await })
    };
    let mut call = model.call().await?;
    call.begin().await?;
    call.say("Ein ").await?;
    let mut stream = asking.await??;
    stream.expect("summary.start").await?;
    assert_eq!(stream.expect("summary.delta").await?.text(), "Ein");
    let bytes = delta("schönes 書 ");
    let middle = bytes.iter().position(|byte| *byte == 0xc3).context("ö")? + 1;
    let last = bytes.iter().rposition(|byte| *byte > 0x7f).context("書")?;
    call.raw(&bytes[..middle]).await?;
    call.raw(&bytes[middle..last]).await?;
    call.raw(&bytes[last..]).await?;
    assert_eq!(stream.expect("summary.delta").await?.text(), " schönes 書");
    call.say("\n").await?;
    call.finish().await?;
    let events = stream.rest().await?;
    assert_eq!(names(&events), ["summary.usage", "summary.done"]);
    assert_eq!(events[1].data["aiGeneratedSummary"], "Ein schönes 書");
    Ok(())
}

#[tokio::test]
async fn garbage_from_the_model_is_an_error() -> anyhow::Result<()> {
    for garbage in [&b"data: {not json\n\n"[..], b"\xff\xfe\n\n"] {
        let model = HandDriven::start(Setup::default()).await?;
        let book = model.caller.create_book("T").await?;
        let asking = {
            let (caller, book) = (model.caller.clone(), book.clone());
            tokio::spawn(async move { open(&caller, &book, "provider=claude").await })
        };
        let mut call = model.call().await?;
        call.begin().await?;
        call.say("Half").await?;
        let mut stream = asking.await??;
        call.raw(garbage).await?;
        let events = stream.rest().await?;
        assert_eq!(
            names(&events),
            ["summary.start", "summary.delta", "summary.error"]
        );
        assert_eq!(events[2].data["status"], 502);
    }
    Ok(())
}

#[tokio::test]
async fn silence_is_filled_with_comments() -> anyhow::Result<()> {
    let setup = Setup::default().with("BOOKSTORE_SSE_HEARTBEAT", "50ms");
    let model = HandDriven::start(setup).await?;
    let book = model.caller.create_book("T").await?;
    let (stream, call) = tokio::join!(open(&model.caller, &book, "provider=claude"), model.call());
    // The model has said nothing, but its caller has a reply.
    let (mut stream, mut call) = (stream?, call?);
    for _ in 0..3 {
        let block = stream.block().await?.context("a block")?;
        assert!(
            matches!(&block, Block::Comment(text) if text == "heartbeat"),
            "{block:?}"
        );
    }
    call.begin().await?;
    call.say("One").await?;
    stream.expect("summary.start").await?;
    stream.expect("summary.delta").await?;
    for _ in 0..3 {
        let block = stream.block().await?.context("a block")?;
        assert!(matches!(block, Block::Comment(_)), "{block:?}");
    }
    // A failure that shows only now is an event.
    drop(call);
    let error = stream.expect("summary.error").await?;
    assert_eq!((error.id, &error.data["status"]), (3, &json!(502)));
    assert!(stream.block().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn tokens_and_cost_are_told_on_the_way() -> anyhow::Result<()> {
    let (_prompts, setup) = talkative()?;
    let model = HandDriven::start(setup).await?;
    let book = model.caller.create_book("T").await?;
    let asking = {
        let (caller, book) = (model.caller.clone(), book.clone());
        tokio::spawn(async move { open(&caller, &book, "provider=claude").await })
    };
    let mut call = model.call().await?;
    call.begin().await?;
    call.say("abcd").await?;
    let mut stream = asking.await??;
    let began = Instant::now();
    let mut characters = 4;
    let usage = loop {
        let event = stream.event().await?;
        if event.name == "summary.usage" {
            break event;
        }
        // The model goes on as soon as its last word was read.
        characters += 4;
        call.say("efgh").await?;
    };
    assert!(
        began.elapsed() >= Duration::from_millis(500),
        "{:?}",
        began.elapsed()
    );
    let told = &usage.data["usage"];
    assert_eq!(told["inputTokens"], 100);
    assert_eq!(told["estimated"], true);
    let output = number(&told["outputTokens"])?;
    assert!(
        output > 1 && output <= characters / 4,
        "{output} of {characters} characters"
    );
    let cost = list_price(100, output);
    assert_eq!(usage.data["cost"]["picoUsd"], cost);
    assert_eq!(usage.data["cost"]["usd"], dollars(cost));
    call.finish().await?;
    let events = stream.rest().await?;
    let [.., usage, done] = events.as_slice() else {
        anyhow::bail!("{events:?}")
    };
    assert_eq!(usage.data["usage"]["outputTokens"], 20);
    assert_eq!(usage.data["usage"]["estimated"], false);
    assert_eq!(done.data["cost"]["picoUsd"], list_price(100, 20));
    Ok(())
}

#[tokio::test]
async fn only_who_asks_for_events_gets_them() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let path = format!("{}/generate-summary?provider=claude", llm.book().await?);
    for (accept, content_type) in [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (
            "text/event-stream;q=0.1, application/json",
            "application/json",
        ),
        ("application/json, text/event-stream", "text/event-stream"),
    ] {
        let request = llm.caller.request(Method::POST, &path);
        let reply = llm.caller.send(request.header("Accept", accept)).await?;
        reply.expect(200)?;
        assert_eq!(reply.header("content-type"), content_type, "{accept}");
    }
    Ok(())
}
