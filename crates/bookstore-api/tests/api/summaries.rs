//! Summaries: the reply, its exact cost, who may be asked, and in which order that is checked.

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};
use test_support::port;

use crate::{
    caller::{BOOKS, NO_ID},
    llm_fixture::{SimulatedLlm, ask, dollars, list_price, number},
    test_api::{Setup, on_sqlite},
};

#[tokio::test]
async fn a_reply_has_what_old_clients_read_and_what_it_cost() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    let reply = llm.ask(&book, "provider=claude").await?;
    let summary = reply.expect(200)?.json()?;
    assert_eq!(
        format!("{BOOKS}/{}", summary["bookId"].as_str().unwrap_or("")),
        book
    );
    for (name, value) in [
        ("title", json!("A Book to Summarize")),
        ("author", json!("An Author")),
        ("provider", json!("claude")),
        ("model", json!("claude-sonnet-5-5")),
        ("cached", json!(false)),
        ("simulated", json!(true)),
    ] {
        assert_eq!(summary[name], value, "{name}");
    }
    let text = summary["aiGeneratedSummary"].as_str().unwrap_or("");
    assert!(text.len() > 20 && text.trim() == text, "{text:?}");

    // The simulator counts by itself what it was asked and what it said.
    let (usage, metered) = (&summary["usage"], llm.metered());
    let (input, output) = (
        number(&usage["inputTokens"])?,
        number(&usage["outputTokens"])?,
    );
    assert_eq!(
        (input, output),
        (metered.input_tokens, metered.output_tokens)
    );
    assert_eq!(usage["estimated"], false);
    for kind in [
        "cacheReadTokens",
        "cacheWrite5mTokens",
        "cacheWrite1hTokens",
        "reasoningTokens",
    ] {
        assert_eq!(usage[kind], 0, "{kind}");
    }
    let cost = list_price(input, output);
    assert!(cost > 0);
    assert_eq!(summary["cost"]["picoUsd"], cost);
    assert_eq!(summary["cost"]["usd"], dollars(cost));
    assert!(summary["cost"]["priceVersion"].is_string(), "{summary}");
    check_latency(&summary["latency"], reply.header("server-timing"))
}

fn check_latency(latency: &Value, timing: &str) -> anyhow::Result<()> {
    let time = |name: &str| {
        latency[name]
            .as_f64()
            .with_context(|| format!("{name}: {latency}"))
    };
    let (total, first) = (time("totalMs")?, time("timeToFirstTokenMs")?);
    let (queue, decode) = (time("queueMs")?, time("decodeMs")?);
    assert!(latency.get("connectMs").is_some(), "{latency}");
    assert!(
        total > 0.0 && first > 0.0 && decode >= 0.0 && queue >= 0.0,
        "{latency}"
    );
    assert!(
        first + decode <= total,
        "the parts are within the whole: {latency}"
    );
    for name in ["queue", "ttft", "decode", "total"] {
        assert!(timing.contains(&format!("{name};dur=")), "{timing}");
    }
    Ok(())
}

#[tokio::test]
async fn metrics_and_ledger_have_the_replys_cost() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let mut cost = 0;
    for _ in 0..3 {
        let summary = llm.summary(&llm.book().await?, "provider=claude").await?;
        cost += number(&summary["cost"]["picoUsd"])?;
    }
    let metered = llm.metered();
    let (input, output) = (metered.input_tokens, metered.output_tokens);
    assert_eq!(cost, list_price(input, output));
    let claude = "gen_ai_provider_name=\"anthropic\"";
    let cost_labels = [claude, "simulated=\"true\"", "feature=\"summary\""];
    for (family, labels, expected) in [
        (
            "bookstore_gen_ai_cost_pico_usd_total",
            &cost_labels[..],
            cost,
        ),
        (
            "bookstore_gen_ai_cost_pico_usd_total",
            &["simulated=\"false\""],
            0,
        ),
        (
            "bookstore_gen_ai_tokens_total",
            &[claude, "token_kind=\"input\""],
            input,
        ),
        (
            "bookstore_gen_ai_tokens_total",
            &[claude, "token_kind=\"output\""],
            output,
        ),
        (
            "gen_ai_client_operation_duration_seconds_count",
            &[claude, "error_type=\"\""],
            3,
        ),
        (
            "gen_ai_client_operation_time_to_first_chunk_seconds_count",
            &[claude],
            3,
        ),
        ("bookstore_summaries_generated_total", &[claude], 3),
        ("bookstore_gen_ai_unpriced_calls_total", &[], 0),
        ("bookstore_gen_ai_in_flight", &[], 0),
    ] {
        let counted = llm.counted(family, labels).await?;
        assert_eq!(
            counted.to_string(),
            expected.to_string(),
            "{family} {labels:?}"
        );
    }
    check_ledger(&llm, cost).await
}

async fn check_ledger(llm: &SimulatedLlm, cost: u64) -> anyhow::Result<()> {
    let rows = llm.ledger().await?;
    assert_eq!(rows.len(), 3);
    let booked: i64 = rows
        .iter()
        .filter_map(|row| row.cost)
        .map(|cost| cost.get())
        .sum();
    assert_eq!(u64::try_from(booked)?, cost);
    assert!(
        rows.iter()
            .all(|row| row.simulated && row.attempt == 1 && row.trace_id.is_some())
    );
    Ok(())
}

#[tokio::test]
async fn ollama_is_the_default_and_costs_nothing() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    for query in ["", "provider=ollama", "provider=Ollama"] {
        let summary = llm.summary(&llm.book().await?, query).await?;
        assert_eq!(summary["provider"], "ollama", "{query}");
        assert_eq!(summary["model"], "llama3.2");
        assert_eq!(summary["cost"]["picoUsd"], 0);
        assert!(number(&summary["usage"]["outputTokens"])? > 0);
    }
    Ok(())
}

#[tokio::test]
async fn the_default_provider_is_a_setting() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start_with(Setup::default().with("LLM_PROVIDER", "claude")).await?;
    let summary = llm.summary(&llm.book().await?, "").await?;
    assert_eq!(summary["provider"], "claude");
    let providers = llm.caller.read(&format!("{BOOKS}/llm-providers")).await?;
    assert_eq!(providers["defaultProvider"], "claude");
    Ok(())
}

#[tokio::test]
async fn a_model_without_a_price_is_unpriced() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let query = "provider=claude&model=claude-of-tomorrow-9";
    let summary = llm.summary(&llm.book().await?, query).await?;
    assert_eq!(summary["model"], "claude-of-tomorrow-9");
    assert_eq!(summary["cost"]["picoUsd"], Value::Null);
    assert_eq!(summary["cost"]["usd"], Value::Null);
    let unpriced = llm
        .counted("bookstore_gen_ai_unpriced_calls_total", &[])
        .await?;
    assert_eq!(unpriced.to_string(), "1");
    Ok(())
}

#[tokio::test]
async fn providers_are_listed() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let reply = llm.caller.read(&format!("{BOOKS}/llm-providers")).await?;
    let names = json!(["claude", "openai", "ollama", "bedrock", "lmstudio"]);
    assert_eq!(reply["availableProviders"], names);
    assert_eq!(reply["defaultProvider"], "ollama");
    for provider in reply["providers"].as_array().context("providers")? {
        let name = provider["name"].as_str().unwrap_or("");
        let built_in = matches!(name, "claude" | "ollama");
        assert_eq!(provider["configured"], built_in, "{name}");
        assert_eq!(provider["simulated"], built_in, "{name}");
        assert_eq!(provider["circuit"], "closed", "{name}");
        assert!(
            provider["healthy"].is_boolean() && provider.get("model").is_some(),
            "{provider}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn checks_come_in_order() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let (known, unknown) = (caller.create_book("T").await?, format!("{BOOKS}/{NO_ID}"));
    for book in [&known, &unknown] {
        for name in ["gpt", "", "claude%20", "claude,ollama", "%00", "..%2f"] {
            let reply = ask(&caller, book, &format!("provider={name}")).await?;
            let problem = reply.problem(400)?;
            problem.names("provider").with_context(|| name.to_owned())?;
            let message = problem.member("message");
            assert!(
                message.contains("Available providers: claude, openai, ollama"),
                "{message}"
            );
        }
        for name in ["claude", "openai", "bedrock", "lmstudio"] {
            let reply = ask(&caller, book, &format!("provider={name}")).await?;
            let problem = reply.problem(503)?;
            assert!(
                problem.member("message").contains("not configured"),
                "{problem:?}"
            );
            assert!(reply.header("retry-after").parse::<u32>()? > 0, "{name}");
        }
    }
    let reply = ask(&caller, &unknown, "provider=ollama").await?;
    let problem = reply.problem(404)?;
    assert!(problem.member("detail").contains("book"), "{problem:?}");
    Ok(())
}

#[tokio::test]
async fn wrong_parameters_are_named() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let book = caller.create_book("T").await?;
    let long = format!("model={}", "x".repeat(201));
    for (query, field) in [
        ("refresh=maybe", "refresh"),
        ("refresh=true&refresh=false", "refresh"),
        ("provider=ollama&provider=claude", "provider"),
        ("model=", "model"),
        ("model=a%20b", "model"),
        ("model=%0d%0aX-Evil:1", "model"),
        (long.as_str(), "model"),
    ] {
        let reply = ask(&caller, &book, query).await?;
        reply
            .problem(400)
            .and_then(|problem| problem.names(field))
            .with_context(|| query.to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_body_is_never_parsed() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let path = format!("{}/generate-summary", llm.book().await?);
    for content_type in ["application/json", "text/plain"] {
        let request = llm
            .caller
            .request(Method::POST, &path)
            .header("Content-Type", content_type);
        llm.caller
            .send(request.body("{not json"))
            .await?
            .expect(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_502() -> anyhow::Result<()> {
    let nobody = format!("http://127.0.0.1:{}", port::free()?);
    let api = Setup::default()
        .with("OLLAMA_HOST", &nobody)
        .start()
        .await?;
    let caller = api.caller()?;
    let book = caller.create_book("T").await?;
    let reply = ask(&caller, &book, "provider=ollama").await?;
    let problem = reply.problem(502)?;
    assert!(problem.member("detail").contains("ollama"), "{problem:?}");
    assert!(!reply.text().contains("127.0.0.1"), "{}", reply.text());
    Ok(())
}
