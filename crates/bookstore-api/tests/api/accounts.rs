//! The ledger over HTTP: what was called, what it cost, what it would have cost.

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    llm_fixture::{SimulatedLlm, dollars, list_price, number},
    test_api::{Setup, on_sqlite},
};

const LEDGER: &str = "/api/v1/llm/ledger";
const COSTS: &str = "/api/v1/llm/costs";
const RECOST: &str = "/api/v1/llm/recost";

/// Two priced calls of Claude, one of a model that nobody has a price of, one of Ollama.
async fn some_traffic(llm: &SimulatedLlm) -> anyhow::Result<()> {
    for query in [
        "provider=claude",
        "provider=claude",
        "provider=claude&model=claude-next",
        "provider=ollama",
    ] {
        let book = llm.book().await?;
        llm.summary(&book, query).await?;
    }
    Ok(())
}

async fn traffic_is_listed_and_added_up(setup: Setup) -> anyhow::Result<()> {
    let llm = SimulatedLlm::start_with(setup).await?;
    some_traffic(&llm).await?;
    let caller = &llm.caller;
    let listed = caller.read(LEDGER).await?;
    assert_eq!(listed["totalCount"], 4, "{listed}");
    let attempts = listed["attempts"].as_array().context("attempts")?;
    let models: Vec<_> = attempts.iter().map(|row| row["model"].as_str()).collect();
    let newest_first = [
        "llama3.2",
        "claude-next",
        "claude-sonnet-5-5",
        "claude-sonnet-5-5",
    ];
    assert_eq!(models, newest_first.map(Some));
    check_attempt(&attempts[3], caller)?;
    assert_eq!(attempts[1]["costPicoUsd"], Value::Null);

    let one = caller
        .read(&format!("{LEDGER}?provider=claude&pageSize=1&page=3"))
        .await?;
    assert_eq!(
        (&one["totalCount"], &one["totalPages"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(one["attempts"][0]["callId"], attempts[3]["callId"]);
    let stranger = caller.other_tenant()?.read(LEDGER).await?;
    assert_eq!(stranger["totalCount"], 0);
    let costs = attempts
        .iter()
        .filter_map(|row| row["costPicoUsd"].as_u64());
    check_costs(costs.sum(), caller).await
}

fn check_attempt(attempt: &Value, caller: &Caller) -> anyhow::Result<()> {
    let (input, output) = (&attempt["inputTokens"], &attempt["outputTokens"]);
    let (input, output) = (number(input)?, number(output)?);
    let cost = list_price(input, output);
    for (name, value) in [
        ("tenant", json!(caller.tenant())),
        ("attempt", json!(1)),
        ("provider", json!("claude")),
        ("feature", json!("summary")),
        ("promptVersion", json!("book-summary-2")),
        ("serviceTier", json!("standard")),
        ("regionClass", json!("")),
        ("outcome", json!("succeeded")),
        ("usageSource", json!("provider")),
        ("streamed", json!(true)),
        ("simulated", json!(true)),
        ("inputPicoUsd", json!(list_price(input, 0))),
        ("outputPicoUsd", json!(list_price(0, output))),
        ("costPicoUsd", json!(cost)),
        ("costUsd", json!(dollars(cost))),
        ("variant", Value::Null),
    ] {
        assert_eq!(attempt[name], value, "{name} of {attempt}");
    }
    let time = |name: &str| attempt[name].as_f64().context(name.to_owned());
    assert!(time("totalMs")? >= time("timeToFirstTokenMs")?, "{attempt}");
    Ok(())
}

async fn check_costs(spent: u64, caller: &Caller) -> anyhow::Result<()> {
    let costs = caller.read(&format!("{COSTS}?by=model")).await?;
    let simulated = &costs["totals"]["simulated"];
    assert_eq!(simulated["costPicoUsd"], spent, "{costs}");
    assert_eq!(simulated["costUsd"], dollars(spent));
    assert_eq!(simulated["unpricedAttempts"], 1);
    assert_eq!(costs["totals"]["real"]["attempts"], 0);
    let models = costs["groups"].as_array().context("groups")?.len();
    assert_eq!(models, 3, "{costs}");
    for by in ["provider", "tenant", "day", "feature", "variant", "test"] {
        let costs = caller.read(&format!("{COSTS}?by={by}")).await?;
        assert_eq!(costs["by"], by);
        let groups = costs["groups"].as_array().context("groups")?;
        let sums = groups
            .iter()
            .filter_map(|group| group["costPicoUsd"].as_u64());
        let sum: u64 = sums.sum();
        assert!(sum == spent || (by == "tenant" && sum > spent), "{costs}");
        assert!(
            groups.iter().all(|group| group["simulated"] == true),
            "{costs}"
        );
    }
    let nothing = caller.read(&format!("{COSTS}?testId=no-such-run")).await?;
    assert_eq!(nothing["groups"], json!([]));
    Ok(())
}

#[tokio::test]
async fn traffic_is_listed_and_added_up_from_sqlite() -> anyhow::Result<()> {
    traffic_is_listed_and_added_up(Setup::default()).await
}

#[tokio::test]
async fn traffic_is_listed_and_added_up_from_mongodb() -> anyhow::Result<()> {
    let store = test_support::ferretdb().await?;
    let setup = Setup::default().with("MONGODB_URI", store.uri());
    traffic_is_listed_and_added_up(setup).await
}

#[tokio::test]
async fn costs_of_a_load_test_are_found_by_its_id() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    let path = format!("{book}/generate-summary?provider=claude");
    let request = llm.caller.request(http::Method::POST, &path);
    let reply = llm
        .caller
        .send(request.header("baggage", "test.id=run-7"))
        .await?;
    reply.expect(200)?;
    let other = llm.book().await?;
    llm.summary(&other, "provider=claude").await?;
    let costs = llm.caller.read(&format!("{COSTS}?by=test")).await?;
    let keys: Vec<_> = costs["groups"]
        .as_array()
        .context("groups")?
        .iter()
        .map(|group| &group["key"])
        .collect();
    assert_eq!(keys, ["", "run-7"]);
    let only = llm
        .caller
        .read(&format!("{COSTS}?by=model&testId=run-7"))
        .await?;
    assert_eq!(only["totals"]["simulated"]["attempts"], 1, "{only}");
    let rows = llm.caller.read(&format!("{LEDGER}?testId=run-7")).await?;
    assert_eq!(rows["totalCount"], 1, "{rows}");
    Ok(())
}

#[tokio::test]
async fn the_ledger_is_exported_as_csv() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    // A model's name is the caller's to choose, and may look like a formula.
    llm.summary(&book, "provider=ollama&model=-1-cmd").await?;
    let by_header = llm
        .caller
        .request(http::Method::GET, LEDGER)
        .header("Accept", "text/csv");
    let by_header = llm.caller.send(by_header).await?;
    let by_name = llm.caller.get(&format!("{LEDGER}?format=csv")).await?;
    assert_eq!(by_header.expect(200)?.text(), by_name.expect(200)?.text());
    assert!(by_name.header("content-type").starts_with("text/csv"));
    let text = by_name.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    let [head, row, ""] = lines[..] else {
        panic!("{text}");
    };
    let listed = llm.caller.read(LEDGER).await?;
    let names: std::collections::BTreeSet<&str> = head.split(',').collect();
    let members = listed["attempts"][0].as_object().context("an attempt")?;
    assert_eq!(names, members.keys().map(String::as_str).collect());
    assert!(row.contains(",'-1-cmd,"), "{row}");
    let json = llm.caller.request(http::Method::GET, LEDGER);
    let json = llm
        .caller
        .send(json.header("Accept", "application/json, text/csv"))
        .await?;
    assert_eq!(json.header("content-type"), "application/json");
    Ok(())
}

#[tokio::test]
async fn past_traffic_is_priced_at_other_terms() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    some_traffic(&llm).await?;
    let caller = &llm.caller;
    let recost = async |body: Value| caller.post(RECOST, &body).await?.expect(200)?.json();
    let same = recost(json!({})).await?;
    let booked = number(&same["totals"]["simulated"]["bookedPicoUsd"])?;
    assert!(booked > 0, "{same}");
    assert_eq!(same["totals"]["simulated"]["recostedPicoUsd"], booked);
    assert_eq!(same["totals"]["simulated"]["differenceUsd"], "0");
    assert_eq!(same["totals"]["simulated"]["unpricedBefore"], 1);

    // Claude Opus 5 costs two and a half times what Claude Sonnet 5.5 costs.
    let opus = json!({"filter": {"model": "claude-sonnet-5-5"}, "by": "provider", "model": "claude-opus-5"});
    let opus = recost(opus).await?;
    assert_eq!(
        opus["groups"][0]["recostedPicoUsd"],
        booked / 2 * 5,
        "{opus}"
    );
    assert_eq!(opus["groups"][0]["differencePicoUsd"], booked / 2 * 3);
    assert_eq!(opus["groups"][0]["comparedAttempts"], 2);

    let price = json!({"provider": "anthropic", "match": "claude-next", "input": "0.000001",
        "output": "0", "source": "a wish", "checked_on": "2026-11-20"});
    let wished = recost(json!({"prices": [price], "filter": {"model": "claude-next"}})).await?;
    let rows = caller.read(&format!("{LEDGER}?model=claude-next")).await?;
    let input = &rows["attempts"][0]["inputTokens"];
    assert_eq!(
        &wished["totals"]["simulated"]["recostedPicoUsd"], input,
        "{wished}"
    );
    assert_eq!(wished["totals"]["simulated"]["comparedAttempts"], 0);
    assert_ne!(wished["priceVersion"], same["priceVersion"]);

    let before = recost(
        json!({"at": "2026-10-01", "regionClass": "us", "provider": "bedrock",
        "model": "anthropic.claude-sonnet-5-5", "filter": {"model": "claude-sonnet-5-5"}}),
    );
    let before = before.await?;
    assert_eq!(
        before["totals"]["simulated"]["recostedPicoUsd"],
        booked / 10 * 11,
        "{before}"
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_asked_is_named() -> anyhow::Result<()> {
    let caller: Caller = on_sqlite().await?;
    for (path, field) in [
        (format!("{LEDGER}?provider=gpt"), "provider"),
        (format!("{LEDGER}?model=a%20b"), "model"),
        (format!("{LEDGER}?outcome=great"), "outcome"),
        (format!("{LEDGER}?callId=7"), "callId"),
        (format!("{LEDGER}?from=soon"), "from"),
        (format!("{LEDGER}?from=2026-01-02&to=2026-01-02"), "to"),
        (format!("{LEDGER}?page=0"), "page"),
        (format!("{LEDGER}?page=1000001"), "page"),
        (format!("{LEDGER}?pageSize=-1"), "pageSize"),
        (format!("{LEDGER}?format=xml"), "format"),
        (format!("{LEDGER}?testId={}", "x".repeat(201)), "testId"),
        (format!("{LEDGER}?simulated=perhaps"), "simulated"),
        (format!("{COSTS}?by=colour"), "by"),
    ] {
        caller.get(&path).await?.problem(400)?.names(field)?;
    }
    let row = |input: &str| {
        json!({"provider": "openai", "match": "m", "input": input, "output": "1",
            "source": "s", "checked_on": "2026-11-20"})
    };
    for (body, field) in [
        (json!({"provider": "gpt"}), "provider"),
        (json!({"model": "gpt-99"}), "model"),
        (json!({"at": "soon"}), "at"),
        (json!({"by": 7}), "by"),
        (json!({"prices": []}), "prices"),
        (json!({"prices": [row("1"), row("-1")]}), "prices[1]"),
        (json!({"prices": [row("1"), row("2")]}), "prices[1]"),
        (json!({"regionClass": "x".repeat(41)}), "regionClass"),
        (json!({"filter": {"outcome": "great"}}), "outcome"),
        (json!({"filter": {"colour": "red"}}), "filter.colour"),
        (json!({"modle": "o3"}), "modle"),
    ] {
        let problem = caller.post(RECOST, &body).await?.problem(400)?;
        let named = problem.names(field).or_else(|_| problem.names("body"));
        named.with_context(|| body.to_string())?;
    }
    Ok(())
}
