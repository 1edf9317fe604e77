//! Another provider answers when the default one fails, says so, and is never taken for it.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::{caller::BOOKS, event_stream, llm_fixture::SimulatedLlm, test_api::Setup};

/// A wrong setting is found at once; the rest is room for a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// Claude is the default and fails in every way that `fault` says; Ollama stands in for it.
async fn broken(fault: Value, settings: &[(&str, &str)]) -> anyhow::Result<SimulatedLlm> {
    let setup = Setup::default()
        .with("LLM_PROVIDER", "claude")
        .with("LLM_FALLBACK", "ollama")
        .with("BOOKSTORE_LLM_ATTEMPTS", "1")
        .with("BOOKSTORE_LLM_FIRST_BYTE_TIMEOUT", "400ms")
        .with("BOOKSTORE_LLM_IDLE_TIMEOUT", "400ms");
    let setup = settings
        .iter()
        .fold(setup, |setup, (name, value)| setup.with(name, *value));
    let llm = SimulatedLlm::start_with(setup).await?;
    llm.break_by(&json!([{"dialect": "anthropic", "fault": fault}]))?;
    Ok(llm)
}

fn check_fallback(summary: &Value) -> anyhow::Result<()> {
    ensure!(summary["provider"] == "ollama", "{summary}");
    ensure!(summary["fallbackFrom"] == "claude", "{summary}");
    ensure!(summary["model"] == "llama3.2", "{summary}");
    Ok(())
}

#[tokio::test]
async fn the_reply_says_who_answered_and_who_failed() -> anyhow::Result<()> {
    for fault in [
        json!({"status": {"code": 500}}),
        json!({"status": {"code": 429, "retryAfter": "3600"}}),
        json!({"silence": {}}),
        json!({"cut": {"afterTokens": 0}}),
    ] {
        let llm = broken(fault, &[]).await?;
        let summary = llm.summary(&llm.book().await?, "").await?;
        check_fallback(&summary)?;
        assert_eq!(summary["fallbackAfterText"], false);
        assert_eq!(summary["cached"], false);
    }
    Ok(())
}

#[tokio::test]
async fn a_refused_connection_is_a_fault() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start_with(Setup::default()).await?;
    let nobody = format!("http://127.0.0.1:{}", test_support::port::free()?);
    let api = Setup::default()
        .with("LLM_PROVIDER", "claude")
        .with("LLM_FALLBACK", "ollama")
        .with("ANTHROPIC_API_KEY", "sk-test-key-of-nobody")
        .with("ANTHROPIC_BASE_URL", nobody)
        .with("OLLAMA_HOST", llm.simulator.base_url())
        .start()
        .await?;
    let caller = api.caller()?;
    let book = caller.create_book("T").await?;
    let reply = crate::llm_fixture::ask(&caller, &book, "").await?;
    check_fallback(&reply.expect(200)?.json()?)
}

#[tokio::test]
async fn a_named_provider_or_model_is_nobody_elses() -> anyhow::Result<()> {
    let llm = broken(json!({"status": {"code": 500}}), &[]).await?;
    let book = llm.book().await?;
    for query in [
        "provider=claude",
        "provider=Claude",
        "model=claude-haiku-4-5",
    ] {
        let problem = llm.ask(&book, query).await?.problem(502)?;
        assert!(problem.member("detail").contains("claude"), "{problem:?}");
    }
    let refused = broken(json!({"status": {"code": 401}}), &[]).await?;
    let reply = refused.ask(&refused.book().await?, "").await?;
    reply.problem(502)?;
    Ok(())
}

#[tokio::test]
async fn when_all_fail_the_problem_is_the_default_providers() -> anyhow::Result<()> {
    let llm = broken(json!({"status": {"code": 429, "retryAfter": "77"}}), &[]).await?;
    llm.break_by(&json!([
        {"dialect": "ollama", "fault": {"status": {"code": 500}}},
        {"fault": {"status": {"code": 429, "retryAfter": "77"}}},
    ]))?;
    let reply = llm.ask(&llm.book().await?, "").await?;
    let problem = reply.problem(503)?;
    assert!(problem.member("detail").contains("claude"), "{problem:?}");
    assert_eq!(reply.header("retry-after"), "77");
    Ok(())
}

#[tokio::test]
async fn it_is_kept_under_who_wrote_it() -> anyhow::Result<()> {
    let llm = broken(json!({"status": {"code": 500}}), &[]).await?;
    let book = llm.book().await?;
    check_fallback(&llm.summary(&book, "").await?)?;
    let stored = llm.caller.read(&book).await?;
    assert_eq!(stored["summary"]["provider"], "ollama");
    assert_eq!(stored["summary"]["model"], "llama3.2");

    let named = llm.summary(&book, "provider=ollama").await?;
    assert_eq!(named["cached"], true);
    assert_eq!(named.get("fallbackFrom"), None, "{named}");

    llm.break_by(&json!([]))?;
    let well = llm.summary(&book, "").await?;
    assert_eq!(well["provider"], "claude");
    assert_eq!(well["cached"], false);
    assert_eq!(well.get("fallbackFrom"), None, "{well}");
    Ok(())
}

#[tokio::test]
async fn an_open_circuit_falls_back_and_every_handing_over_is_counted() -> anyhow::Result<()> {
    let settings = [("BOOKSTORE_LLM_CIRCUIT_OPEN", "1m")];
    let llm = broken(json!({"status": {"code": 500}}), &settings).await?;
    for _ in 0..7 {
        check_fallback(&llm.summary(&llm.book().await?, "").await?)?;
    }
    // Claude five times, then its circuit was open.
    assert_eq!(llm.metered().calls, 12);
    let from = "fallback_from=\"anthropic\"";
    for (reason, expected) in [("upstream", "5"), ("circuit_open", "2")] {
        let labels = [from, "\"ollama\"", reason];
        let counted = llm
            .counted("bookstore_gen_ai_fallbacks_total", &labels)
            .await?;
        assert_eq!(counted.to_string(), expected, "{reason}");
    }
    let list = llm.caller.read(&format!("{BOOKS}/llm-providers")).await?;
    assert_eq!(list["defaultProvider"], "claude");
    assert_eq!(list["providers"][0]["circuit"], "open");
    Ok(())
}

#[tokio::test]
async fn after_its_first_text_only_by_setting_and_marked() -> anyhow::Result<()> {
    let cut = || json!({"cut": {"afterTokens": 5}});
    let llm = broken(cut(), &[]).await?;
    llm.ask(&llm.book().await?, "").await?.problem(502)?;

    let llm = broken(cut(), &[("LLM_FALLBACK_AFTER_TEXT", "on")]).await?;
    let summary = llm.summary(&llm.book().await?, "").await?;
    check_fallback(&summary)?;
    assert_eq!(summary["fallbackAfterText"], true);
    Ok(())
}

#[tokio::test]
async fn a_fallback_that_cannot_be_asked_is_an_error_at_start() -> anyhow::Result<()> {
    for (fallback, reason) in [
        ("claude", "not configured"),
        ("ollama", "twice"),
        ("gpt", "LLM_FALLBACK"),
    ] {
        let api = Setup::default().with("LLM_FALLBACK", fallback).launch()?;
        let status = api.process().wait(START_DEADLINE).await?;
        assert!(!status.success(), "{fallback}");
        let log = api.process().log();
        assert!(
            log.contains("LLM_FALLBACK") && log.contains(reason),
            "{log}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn who_named_a_provider_shares_no_answer_with_who_did_not() -> anyhow::Result<()> {
    let slow = json!({"silence": {}});
    let llm = broken(slow, &[("BOOKSTORE_LLM_CIRCUIT_FAULTS", "0")]).await?;
    for _ in 0..3 {
        let book = llm.book().await?;
        let (named, other) = tokio::join!(llm.ask(&book, "provider=claude"), llm.ask(&book, ""));
        named?.problem(504)?;
        check_fallback(&other?.expect(200)?.json()?)?;
    }
    Ok(())
}

#[tokio::test]
async fn events_tell_who_begins_and_who_begins_anew() -> anyhow::Result<()> {
    let settings = [("LLM_FALLBACK_AFTER_TEXT", "on")];
    let llm = broken(json!({"cut": {"afterTokens": 5}}), &settings).await?;
    let book = llm.book().await?;
    let events = event_stream::open(&llm.caller, &book, "")
        .await?
        .rest()
        .await?;
    let starts: Vec<_> = events
        .iter()
        .filter(|event| event.name == "summary.start")
        .map(|event| (&event.data["provider"], event.data.get("fallbackFrom")))
        .collect();
    let claude = json!("claude");
    let expected = [(&claude, None), (&json!("ollama"), Some(&claude))];
    assert_eq!(starts, expected);
    let last_start = events
        .iter()
        .rposition(|event| event.name == "summary.start");
    let since = events.iter().skip(last_start.unwrap_or(0));
    let text: String = since
        .filter(|event| event.name == "summary.delta")
        .map(|event| event.text())
        .collect();
    let done = events.last().context("an end")?;
    assert_eq!(done.name, "summary.done");
    assert_eq!(done.data["aiGeneratedSummary"], text);
    check_fallback(&done.data)?;
    assert_eq!(done.data["fallbackAfterText"], true);
    Ok(())
}
