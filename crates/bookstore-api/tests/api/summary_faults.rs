//! What a failing provider becomes: a clear status in time, nothing cached, every attempt booked.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use llm::Outcome;
use serde_json::{Value, json};

use crate::{
    llm_fixture::{SimulatedLlm, number},
    reply::Reply,
    test_api::Setup,
};

/// The deadlines below sum up to less; the rest is room for a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

async fn impatient(attempts: u32) -> anyhow::Result<SimulatedLlm> {
    let setup = Setup::default()
        .with("BOOKSTORE_LLM_ATTEMPTS", attempts.to_string())
        .with("BOOKSTORE_LLM_FIRST_BYTE_TIMEOUT", "400ms")
        .with("BOOKSTORE_LLM_IDLE_TIMEOUT", "400ms")
        .with("BOOKSTORE_LLM_TOTAL_TIMEOUT", "6s");
    SimulatedLlm::start_with(setup).await
}

/// Lets one call meet the fault, then one call meet none.
async fn check(
    llm: &SimulatedLlm,
    provider: &str,
    fault: &Value,
    status: u16,
) -> anyhow::Result<Reply> {
    let book = llm.book().await?;
    let query = format!("provider={provider}");
    llm.break_by(&json!([{"fault": fault}]))?;
    let began = Instant::now();
    let reply = llm.ask(&book, &query).await?;
    ensure!(began.elapsed() < PATIENCE, "it took {:?}", began.elapsed());
    let problem = reply.problem(status)?;
    ensure!(problem.member("detail").contains(provider), "{problem:?}");
    for secret in ["127.0.0.1", "sk-test", "simulat"] {
        ensure!(
            !reply.text().contains(secret),
            "{secret} in {}",
            reply.text()
        );
    }
    let failed = llm.caller.read(&book).await?;
    ensure!(
        failed.get("summary").is_none(),
        "a failure was stored: {failed}"
    );
    llm.break_by(&json!([]))?;
    let summary = llm.summary(&book, &query).await?;
    ensure!(
        summary["cached"] == false,
        "a failure was cached: {summary}"
    );
    Ok(reply)
}

#[tokio::test]
async fn each_fault_has_its_status() -> anyhow::Result<()> {
    let llm = impatient(1).await?;
    for provider in ["claude", "ollama"] {
        for (fault, status) in [
            (json!({"status": {"code": 500}}), 502),
            (json!({"status": {"code": 503}}), 502),
            (json!({"status": {"code": 400}}), 502),
            (json!({"status": {"code": 401}}), 502),
            (json!({"status": {"code": 404}}), 502),
            (json!({"cut": {"afterTokens": 0}}), 502),
            (json!({"cut": {"afterTokens": 5}}), 502),
            (json!({"streamError": {"afterTokens": 0}}), 502),
            (json!({"streamError": {"afterTokens": 5}}), 502),
            (json!({"silence": {}}), 504),
            (json!({"silence": {"afterTokens": 0}}), 504),
            (json!({"silence": {"afterTokens": 5}}), 504),
        ] {
            check(&llm, provider, &fault, status)
                .await
                .with_context(|| format!("{provider} {fault}"))?;
        }
    }
    check(&llm, "claude", &json!({"status": {"code": 529}}), 502).await?;
    Ok(())
}

#[tokio::test]
async fn a_model_that_the_provider_does_not_have_is_the_callers_mistake() -> anyhow::Result<()> {
    let llm = impatient(3).await?;
    let book = llm.book().await?;
    llm.break_by(&json!([{"fault": {"status": {"code": 404}}}]))?;
    for provider in ["claude", "ollama"] {
        let query = format!("provider={provider}&model=no-such-model-1");
        llm.ask(&book, &query).await?.problem(400)?.names("model")?;
        let own = llm.ask(&book, &format!("provider={provider}")).await?;
        own.problem(502)?;
    }
    let path = format!("{book}/generate-summary?provider=claude&model=no-such-model-1");
    let request = llm.caller.request(http::Method::POST, &path);
    let streamed = request.header("accept", "text/event-stream");
    llm.caller
        .send(streamed)
        .await?
        .problem(400)?
        .names("model")?;
    Ok(())
}

#[tokio::test]
async fn a_limit_of_the_provider_is_told_on() -> anyhow::Result<()> {
    let llm = impatient(3).await?;
    for (retry_after, told) in [("3600", 3_600), ("61", 61), ("soon", 0)] {
        let fault = json!({"status": {"code": 429, "retryAfter": retry_after}});
        let reply = check(&llm, "claude", &fault, 503).await?;
        let seconds: u32 = reply.header("retry-after").parse()?;
        assert!(seconds > 0, "{retry_after}");
        assert!(told == 0 || seconds == told, "{retry_after}: {seconds}");
    }
    Ok(())
}

#[tokio::test]
async fn a_passing_fault_is_tried_again() -> anyhow::Result<()> {
    let llm = impatient(3).await?;
    let book = llm.book().await?;
    llm.break_by(&json!([{"times": 2, "fault": {"status": {"code": 503}}}]))?;
    let summary = llm.summary(&book, "provider=claude").await?;
    assert_eq!(llm.metered().calls, 3);
    let retried = llm
        .counted("bookstore_gen_ai_attempts_total", &["outcome=\"failed\""])
        .await?;
    assert_eq!(retried.to_string(), "2");
    let rows = llm.ledger().await?;
    let attempts: Vec<_> = rows.iter().map(|row| (row.attempt, row.outcome)).collect();
    assert_eq!(
        attempts,
        [
            (1, Outcome::Failed),
            (2, Outcome::Failed),
            (3, Outcome::Succeeded)
        ]
    );
    assert!(rows.iter().all(|row| row.call_id == rows[0].call_id));
    let booked = rows[2].cost.context("a price")?.get();
    assert_eq!(u64::try_from(booked)?, number(&summary["cost"]["picoUsd"])?);
    Ok(())
}

/// The attempt that answers takes no time; the wait before it is part of what the caller sees.
#[tokio::test]
async fn the_time_to_the_first_token_counts_from_the_request() -> anyhow::Result<()> {
    let llm = impatient(3).await?;
    let book = llm.book().await?;
    let once = json!([{"times": 1, "fault": {"status": {"code": 429, "retryAfter": "1"}}}]);
    llm.break_by(&once)?;
    let summary = llm.summary(&book, "provider=claude").await?;
    let first = summary["latency"]["timeToFirstTokenMs"].as_f64();
    assert!(first >= Some(1_000.0), "{summary}");
    llm.break_by(&once)?;
    let path = format!("{book}/generate-summary?provider=claude&refresh=true");
    let request = llm.caller.request(http::Method::POST, &path);
    let streamed = llm
        .caller
        .send(request.header("accept", "text/event-stream"));
    let streamed = streamed.await?;
    let timing = streamed.header("server-timing");
    let entries = timing
        .split(", ")
        .filter_map(|entry| entry.split_once(";dur="));
    let first = entries
        .filter(|(name, _)| *name == "ttft")
        .map(|(_, time)| time.parse::<f64>());
    let first = first.last().context("ttft")??;
    assert!(first >= 1_000.0, "{timing}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_get_better_is_not_tried_again() -> anyhow::Result<()> {
    let llm = impatient(3).await?;
    let book = llm.book().await?;
    for (fault, calls) in [
        (json!({"status": {"code": 400}}), 1),
        (json!({"status": {"code": 429, "retryAfter": "3600"}}), 1),
        (json!({"cut": {"afterTokens": 5}}), 1),
        (json!({"status": {"code": 500}}), 3),
    ] {
        let before = llm.metered().calls;
        llm.break_by(&json!([{"fault": fault}]))?;
        let reply = llm.ask(&book, "provider=claude").await?;
        assert!(reply.status >= 502, "{}", reply.text());
        assert_eq!(llm.metered().calls - before, calls, "{fault}");
    }
    let providers = llm.caller.read("/api/v1/books/llm-providers").await?;
    assert_eq!(providers["providers"][0]["name"], "claude");
    assert_eq!(providers["providers"][0]["healthy"], false);
    Ok(())
}
