//! Budgets over HTTP: set, reached, told, and cut off in the middle of an answer.

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use crate::{
    llm_fixture::{SimulatedLlm, number},
    test_api::{Setup, on_sqlite},
};

const BUDGETS: &str = "/api/v1/llm/budgets";

fn path(llm: &SimulatedLlm) -> String {
    format!("{BUDGETS}/{}", llm.caller.tenant())
}

async fn limit(llm: &SimulatedLlm, limits: &Value) -> anyhow::Result<Value> {
    llm.caller
        .put(&path(llm), limits)
        .await?
        .expect(200)?
        .json()
}

async fn costs(llm: &SimulatedLlm) -> anyhow::Result<u64> {
    let costs = llm.caller.read("/api/v1/llm/costs?by=provider").await?;
    number(&costs["totals"]["simulated"]["costPicoUsd"])
}

#[tokio::test]
async fn a_spent_budget_refuses_with_what_is_left_and_when_there_is_more() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let first = llm.book().await?;
    let spent = llm.summary(&first, "provider=claude").await?["cost"]["picoUsd"].clone();
    let spent = number(&spent)?;
    // What was spent before there was a limit counts, and leaves nothing.
    let set = limit(&llm, &json!({"dayUsd": "0.000001", "monthUsd": 5})).await?;
    assert_eq!(
        (&set["dayUsd"], &set["monthUsd"]),
        (&json!("0.000001"), &json!("5"))
    );
    let book = llm.book().await?;
    let refused = llm.ask(&book, "provider=claude").await?;
    let problem = refused.problem(429)?;
    assert_eq!(problem.member("type"), "/problems/budget-exceeded");
    assert_eq!(problem.member("limit"), "day");
    assert_eq!(problem.0["allowedPicoUsd"], 1_000_000);
    let left = 1_000_000 - i64::try_from(spent)?;
    assert_eq!(problem.0["leftPicoUsd"], left, "{problem:?}");
    let seconds: u64 = refused.header("retry-after").parse()?;
    assert!((1..=86_400).contains(&seconds), "{seconds}");
    assert_eq!(llm.metered().calls, 1, "a refused call was sent");
    // Ollama costs nothing, but nothing is left to spend.
    llm.ask(&book, "provider=ollama").await?.problem(429)?;

    let freed = limit(&llm, &json!({"dayUsd": 1})).await?;
    assert_eq!(freed["simulated"]["reservedUsd"], "0", "{freed}");
    llm.summary(&book, "provider=claude").await?;
    let after = llm.caller.read(&path(&llm)).await?;
    let shown = after["simulated"]["spentTodayUsd"]
        .as_str()
        .context("spent")?;
    assert_eq!(shown, crate::llm_fixture::dollars(costs(&llm).await?));
    assert_eq!(after["real"]["spentTodayUsd"], "0");
    Ok(())
}

#[tokio::test]
async fn a_stream_ends_at_the_cap_and_is_booked_up_to_there() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    llm.summary(&book, "provider=claude").await?;
    let before = costs(&llm).await?;
    // Enough for the prompt and half of the same answer again.
    let first = llm.caller.read("/api/v1/llm/ledger").await?["attempts"][0].clone();
    let (input, output) = (&first["inputPicoUsd"], &first["outputPicoUsd"]);
    let whole = number(input)? + number(output)?;
    let cap = before + number(input)? + number(output)? / 2;
    limit(&llm, &json!({"monthUsd": crate::llm_fixture::dollars(cap)})).await?;
    let reply = llm.ask(&book, "provider=claude&refresh=true").await?;
    assert_eq!(reply.problem(429)?.member("limit"), "month");
    let rows = llm.caller.read("/api/v1/llm/ledger?pageSize=1").await?;
    let row = &rows["attempts"][0];
    assert_eq!(
        (&row["outcome"], &row["errorType"]),
        (&json!("partial"), &json!("budget")),
        "{row}"
    );
    assert_eq!(row["usageSource"], "estimated");
    let spent = number(&row["costPicoUsd"])?;
    assert!(spent > 0 && spent < whole, "{spent} of {whole}");
    // One piece of text beyond the cap at most: the simulator's have no more than a few tokens.
    let chunk = 16 * 10_000_000;
    assert!(before + spent <= cap + chunk, "{spent} beyond {cap}");
    Ok(())
}

#[tokio::test]
async fn rates_and_unpriced_models_are_refused_in_their_own_words() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    limit(
        &llm,
        &json!({"rates": [{"provider": "claude", "requestsPerMinute": 1}]}),
    )
    .await?;
    let book = llm.book().await?;
    llm.summary(&book, "provider=claude").await?;
    let refused = llm.ask(&book, "provider=claude&refresh=true").await?;
    let problem = refused.problem(429)?;
    assert_eq!(problem.member("type"), "/problems/rate-limit-exceeded");
    assert_eq!(
        (problem.member("limit"), &problem.0["allowed"]),
        ("requests", &json!(1))
    );
    let seconds: u64 = refused.header("retry-after").parse()?;
    assert!((1..=60).contains(&seconds), "{seconds}");
    llm.summary(&book, "provider=ollama").await?;

    limit(&llm, &json!({"rates": [{"tokensPerMinute": 600}]})).await?;
    llm.summary(&book, "provider=ollama&refresh=true").await?;
    let refused = llm.ask(&book, "provider=ollama&refresh=true").await?;
    assert_eq!(refused.problem(429)?.member("limit"), "tokens");

    limit(&llm, &json!({"dayUsd": 1})).await?;
    let unpriced = llm.ask(&book, "provider=claude&model=claude-next").await?;
    assert_eq!(
        unpriced.problem(403)?.member("type"),
        "/problems/model-unpriced"
    );
    Ok(())
}

#[tokio::test]
async fn limits_outlive_the_process_and_are_counted_in_redis() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let llm = SimulatedLlm::start_with(Setup::default().with("REDIS_URL", redis.url())).await?;
    limit(
        &llm,
        &json!({"dayUsd": 2, "rates": [{"tokensPerMinute": 5_000}]}),
    )
    .await?;
    let book = llm.book().await?;
    llm.summary(&book, "provider=claude").await?;
    let spent = crate::llm_fixture::dollars(costs(&llm).await?);
    llm.api.terminate().await?;
    llm.api.restart().await?;
    let after = llm.caller.read(&path(&llm)).await?;
    assert_eq!(after["simulated"]["spentTodayUsd"], spent, "{after}");
    assert_eq!(after["rates"][0]["tokensPerMinute"], 5_000);
    // Without the accounts nothing is spent that nobody counts.
    redis.kill();
    let refused = llm.ask(&book, "provider=claude&refresh=true").await?;
    assert_eq!(
        refused.problem(503)?.member("type"),
        "/problems/budget-unavailable"
    );
    redis.restart().await?;
    llm.summary(&book, "provider=claude&refresh=true").await?;
    Ok(())
}

#[tokio::test]
async fn calls_pass_unchecked_when_the_operator_says_so() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let setup = Setup::default()
        .with("REDIS_URL", redis.url())
        .with("BOOKSTORE_BUDGET_ON_FAILURE", "allow");
    let llm = SimulatedLlm::start_with(setup).await?;
    limit(&llm, &json!({"dayUsd": 2})).await?;
    let book = llm.book().await?;
    redis.kill();
    llm.summary(&book, "provider=claude").await?;
    Ok(())
}

#[tokio::test]
async fn budgets_that_cannot_be_are_named() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let path = format!("{BUDGETS}/{}", caller.tenant());
    for (body, field) in [
        (json!({"dayUsd": -1}), "dayUsd"),
        (json!({"monthUsd": "-0.01"}), "monthUsd"),
        (json!({"dayUsd": "much"}), "dayUsd"),
        (json!({"dayUsd": 1e-13}), "dayUsd"),
        (json!({"dayUsd": 1e300}), "dayUsd"),
        (json!({"dayUsd": [1]}), "dayUsd"),
        (
            json!({"rates": [{"provider": "gpt", "requestsPerMinute": 1}]}),
            "rates[0].provider",
        ),
        (
            json!({"rates": [{"requestsPerMinute": 0}]}),
            "rates[0].requestsPerMinute",
        ),
        (
            json!({"rates": [{"requestsPerMinute": -1}]}),
            "rates[0].requestsPerMinute",
        ),
        (json!({"rates": [{}]}), "rates[0]"),
        (json!({"weekUsd": 1}), "weekUsd"),
    ] {
        let reply = caller.send_json(Method::PUT, &path, &body).await?;
        let problem = reply.problem(400)?;
        let named = problem.names(field).or_else(|_| problem.names("body"));
        named.with_context(|| body.to_string())?;
    }
    let wrong = format!("{BUDGETS}/a%20b");
    caller.get(&wrong).await?.problem(400)?.names("tenant")?;
    let none = caller.read(&path).await?;
    assert_eq!(none["dayUsd"], Value::Null);
    caller.read(BUDGETS).await?;
    Ok(())
}
