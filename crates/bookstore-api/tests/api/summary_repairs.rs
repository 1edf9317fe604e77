//! Answers that are no summaries: asked for once more, then refused, never kept.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    event_stream::{Event, open},
    hand_driven_model::HandDriven,
    llm_fixture::{ask, list_price},
    test_api::Setup,
};

const GOOD: &str = "A quiet book that rewards patience.";

/// Answers the calls with these texts, one after the other, and gives what they asked.
async fn answers(model: &HandDriven, texts: &[&str]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for text in texts {
        let (mut call, asked) = model.asked().await?;
        call.begin().await?;
        for piece in text.split_inclusive(' ') {
            call.say(piece).await?;
        }
        call.finish().await?;
        all.push(asked);
    }
    Ok(all)
}

/// Answers one call with this text and reason.
async fn stopped(model: &HandDriven, text: &str, reason: &str) -> anyhow::Result<Value> {
    let (mut call, asked) = model.asked().await?;
    call.begin().await?;
    call.say(text).await?;
    call.stop(reason).await?;
    Ok(asked)
}

#[tokio::test]
async fn what_breaks_off_or_is_refused_is_no_summary() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    for (reason, check) in [("max_tokens", "cut"), ("refusal", "refused")] {
        let asking = ask(&model.caller, &book, "provider=claude");
        let answering = async {
            stopped(&model, GOOD, reason).await?;
            stopped(&model, GOOD, reason).await
        };
        let (reply, asked) = tokio::join!(asking, answering);
        let told = asked?["messages"].to_string();
        assert!(told.contains("That answer cannot be used"), "{told}");
        let reply = reply?;
        let problem = reply.problem(502)?;
        let kind = problem.member("type");
        assert!(kind.ends_with("output-rejected"), "{problem:?}");
        assert_eq!(reply.json()?["check"], check);
        assert!(model.caller.read(&book).await?.get("summary").is_none());
        assert!(counted(&model, check, "first").await?);
    }
    let asking = ask(&model.caller, &book, "provider=claude");
    let answering = async {
        stopped(&model, GOOD, "max_tokens").await?;
        stopped(&model, GOOD, "end_turn").await
    };
    let (reply, asked) = tokio::join!(asking, answering);
    asked?;
    let reply = reply?.expect(200)?.json()?;
    assert_eq!(reply["aiGeneratedSummary"], GOOD);
    assert_eq!(reply["cached"], false, "a cut answer was kept");
    Ok(())
}

#[tokio::test]
async fn both_answers_have_one_deadline() -> anyhow::Result<()> {
    let total = Duration::from_secs(2);
    let setup = Setup::default().with("BOOKSTORE_LLM_TOTAL_TIMEOUT", "2s");
    let model = HandDriven::start(setup).await?;
    let book = model.caller.create_book("T").await?;
    let began = Instant::now();
    let asking = ask(&model.caller, &book, "provider=claude");
    let answering = async {
        let mut first = model.call().await?;
        first.begin().await?;
        first.say("A <b>bold</b> book to read.").await?;
        while began.elapsed() < total * 3 / 4 {
            assert!(!model.is_called_again().await, "before the answer's end");
        }
        first.finish().await?;
        let mut second = model.call().await?;
        second.begin().await?;
        second.say("A quiet").await?;
        second.left().await
    };
    let (reply, left) = tokio::join!(asking, answering);
    left?;
    reply?.problem(504)?;
    let took = began.elapsed();
    // With a time of its own the second would end after 3.5 s.
    assert!(took >= total && took < total * 3 / 2, "{took:?}");
    Ok(())
}

async fn counted(model: &HandDriven, check: &str, answer: &str) -> anyhow::Result<bool> {
    let metrics = model.caller.get("/metrics").await?.expect(200)?.text();
    let series = metrics.lines().find(|line| {
        line.starts_with("bookstore_summaries_output_checks_total")
            && line.contains(&format!("check=\"{check}\""))
            && line.contains(&format!("answer=\"{answer}\""))
    });
    Ok(series.is_some_and(|series| !series.ends_with(" 0")))
}

#[tokio::test]
async fn a_bad_answer_is_asked_for_once_more() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    let texts = ["A <b>bold</b> book to read.", GOOD];
    let asking = ask(&model.caller, &book, "provider=claude");
    let (reply, asked) = tokio::join!(asking, answers(&model, &texts));
    let (reply, asked) = (reply?.expect(200)?.json()?, asked?);
    assert_eq!(reply["aiGeneratedSummary"], GOOD);
    assert_eq!(model.caller.read(&book).await?["summary"]["text"], GOOD);
    // Who asked has caused both calls: 100 tokens in and 20 out each.
    assert_eq!(reply["usage"]["inputTokens"], 200);
    assert_eq!(reply["usage"]["outputTokens"], 40);
    assert_eq!(reply["cost"]["picoUsd"], 2 * list_price(100, 20));
    let said: Vec<&Value> = asked[1]["messages"]
        .as_array()
        .context("messages")?
        .iter()
        .collect();
    assert_eq!(said.len(), 3);
    assert_eq!(said[1]["role"], "assistant");
    assert!(said[1].to_string().contains("<b>bold</b>"), "{}", said[1]);
    assert!(said[2].to_string().contains("it has markup"), "{}", said[2]);
    assert!(
        counted(&model, "markup", "first").await? && counted(&model, "passed", "repair").await?
    );
    let rows = model.caller.read("/api/v1/llm/ledger").await?;
    let rows = rows["attempts"].as_array().context("attempts")?;
    assert_eq!(rows.len(), 2);
    assert_ne!(rows[0]["callId"], rows[1]["callId"], "a call of its own");
    let again = ask(&model.caller, &book, "provider=claude")
        .await?
        .expect(200)?
        .json()?;
    assert_eq!(
        (&again["cached"], &again["aiGeneratedSummary"]),
        (&json!(true), &json!(GOOD))
    );
    Ok(())
}

#[tokio::test]
async fn a_second_bad_answer_is_refused_and_not_kept() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    for (first, second, check) in [
        (
            "Read https://example.org for it.",
            "# A heading of it",
            "markup",
        ),
        ("Too", "Read it at www.example.org now.", "link"),
        (
            "System: I am free now.",
            "Assistant: I am free now.",
            "role_marker",
        ),
        (
            "{\"author\":\"An Author\",\"title\":\"T\"}",
            "You write for the shelves of a book shop. Summarize the book that the JSON document",
            "echo",
        ),
    ] {
        let asking = ask(&model.caller, &book, "provider=claude");
        let texts = [first, second];
        let (reply, asked) = tokio::join!(asking, answers(&model, &texts));
        asked?;
        let reply = reply?;
        let problem = reply.problem(502)?;
        assert!(
            problem.member("type").ends_with("output-rejected"),
            "{problem:?}"
        );
        assert_eq!(reply.json()?["check"], check);
        assert!(model.caller.read(&book).await?.get("summary").is_none());
    }
    let asking = ask(&model.caller, &book, "provider=claude");
    let (reply, asked) = tokio::join!(asking, answers(&model, &[GOOD]));
    asked?;
    assert_eq!(reply?.expect(200)?.json()?["cached"], false);
    Ok(())
}

#[tokio::test]
async fn a_stream_starts_anew_for_the_second_answer() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    let reading = async {
        let mut stream = open(&model.caller, &book, "provider=claude").await?;
        stream.rest().await
    };
    let bad = "A **bold** book to read.";
    let texts = [bad, GOOD];
    let (events, asked) = tokio::join!(reading, answers(&model, &texts));
    asked?;
    let events = events?;
    let starts: Vec<usize> = positions(&events, "summary.start");
    assert_eq!((starts.len(), starts[0]), (2, 0), "{events:?}");
    let (void, valid) = events.split_at(starts[1]);
    assert_eq!(void.iter().map(Event::text).collect::<String>(), bad);
    assert_eq!(valid.iter().map(Event::text).collect::<String>(), GOOD);
    let done = valid.last().context("an end")?;
    assert_eq!(done.name, "summary.done");
    assert_eq!(done.data["aiGeneratedSummary"], GOOD);

    let reading = async {
        let mut stream = open(&model.caller, &book, "provider=claude&refresh=true").await?;
        stream.rest().await
    };
    let texts = [bad, bad];
    let (events, asked) = tokio::join!(reading, answers(&model, &texts));
    asked?;
    let events = events?;
    assert!(positions(&events, "summary.done").is_empty());
    let error = events.last().context("an end")?;
    assert_eq!(error.name, "summary.error");
    assert_eq!(
        (&error.data["status"], &error.data["check"]),
        (&json!(502), &json!("markup"))
    );
    assert_eq!(model.caller.read(&book).await?["summary"]["text"], GOOD);
    Ok(())
}

fn positions(events: &[Event], name: &str) -> Vec<usize> {
    let named = events.iter().enumerate();
    named
        .filter(|(_, event)| event.name == name)
        .map(|(at, _)| at)
        .collect()
}
