//! What is kept of a summary, under which key, and what may stand for an answer later.

use std::time::Duration;

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};
use test_support::{ferretdb, wait};

use crate::{
    caller::{BOOKS, Caller, address},
    hand_driven_model::HandDriven,
    llm_fixture::{SimulatedLlm, ask},
    reply::Reply,
    test_api::{Setup, TestApi},
};

const DEADLINE: Duration = Duration::from_secs(30);

const GENERATED: &str = "bookstore_summaries_generated_total";

async fn described(caller: &Caller, description: &str) -> anyhow::Result<String> {
    let body = json!({"title": "T", "author": "A", "description": description});
    address(BOOKS, &caller.create(BOOKS, &body).await?)
}

async fn generated(caller: &Caller) -> anyhow::Result<bool> {
    let metrics = caller.get("/metrics").await?.expect(200)?.text();
    let series = metrics.lines().find(|line| line.starts_with(GENERATED));
    Ok(series.is_some_and(|series| !series.ends_with(" 0")))
}

/// Answers a question that is asked at the same time.
async fn answered(
    model: &HandDriven,
    book: &str,
    query: &str,
    meanwhile: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Reply> {
    let answering = async {
        let mut call = model.call().await?;
        call.begin().await?;
        call.say("A short and engaging summary.").await?;
        meanwhile().await?;
        call.finish().await
    };
    let (reply, end) = tokio::join!(ask(&model.caller, book, query), answering);
    end?;
    reply
}

async fn as_tenant(api: &TestApi, tenant: &str, book: &str, query: &str) -> anyhow::Result<Value> {
    let caller = api.caller()?;
    let path = format!("{book}/generate-summary?{query}");
    let request = caller.bare_request(Method::POST, &path);
    let reply = caller.send(request.header("X-Tenant-Name", tenant)).await?;
    reply.expect(200)?.json()
}

#[tokio::test]
async fn a_simulators_words_never_stand_for_a_models() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    let first = llm.summary(&book, "provider=claude").await?;
    assert_eq!(first["simulated"], true);
    assert_eq!(llm.caller.read(&book).await?["summary"]["simulated"], true);
    llm.api.terminate().await?;
    // The same books, and a Claude that is said to be real.
    let setup = || {
        Setup::default()
            .with(
                "BOOKSTORE_STATE_DIR",
                llm.api.process().directory().join("state"),
            )
            .with("ANTHROPIC_API_KEY", "sk-test-key-of-the-simulator")
            .with("ANTHROPIC_BASE_URL", llm.simulator.base_url())
    };
    let tenant = llm.caller.tenant();
    let real = setup().start().await?;
    let second = as_tenant(&real, tenant, &book, "provider=claude").await?;
    assert_eq!(second["cached"], false);
    assert_eq!(second["simulated"], false);
    real.terminate().await?;
    let real = setup().start().await?;
    let third = as_tenant(&real, tenant, &book, "provider=claude").await?;
    assert_eq!(third["cached"], true);
    assert_eq!(third["simulated"], false);
    real.terminate().await?;
    // Nor the other way round.
    let simulated = setup().with("BOOKSTORE_SIMULATED_PROVIDERS", "claude");
    let simulated = simulated.start().await?;
    let fourth = as_tenant(&simulated, tenant, &book, "provider=claude").await?;
    assert_eq!(
        (&fourth["cached"], &fourth["simulated"]),
        (&json!(false), &json!(true))
    );
    Ok(())
}

#[tokio::test]
async fn a_summary_is_kept_under_the_texts_that_it_was_made_from() -> anyhow::Result<()> {
    let store = ferretdb().await?;
    let setup = || Setup::default().with("MONGODB_URI", store.uri());
    let llm = SimulatedLlm::start_with(setup()).await?;
    let elsewhere = setup().start().await?;
    let book = described(&llm.caller, "About one thing.").await?;
    llm.caller.read(&book).await?;
    // Another process changes the text; this one's cache does not know yet.
    let other = elsewhere.caller()?;
    let change = other
        .bare_request(Method::PATCH, &book)
        .header("X-Tenant-Name", llm.caller.tenant())
        .json(&json!({"description": "About another thing."}));
    other.send(change).await?.expect(200)?;
    llm.summary(&book, "provider=claude").await?;
    let back = json!({"description": "About one thing."});
    llm.caller.patch(&book, &back).await?.expect(200)?;
    let summary = llm.summary(&book, "provider=claude").await?;
    assert_eq!(summary["cached"], false, "it tells of the other text");
    assert_eq!(llm.metered().calls, 2);
    Ok(())
}

#[tokio::test]
async fn a_paid_answer_outlives_a_store_that_fails() -> anyhow::Result<()> {
    let store = ferretdb().await?;
    let setup = Setup::default().with("MONGODB_URI", store.uri());
    let model = HandDriven::start(setup).await?;
    let book = model.caller.create_book("T").await?;
    let reply = answered(&model, &book, "provider=claude", async || store.freeze()).await?;
    assert_eq!(reply.expect(200)?.json()?["cached"], false);
    assert!(!generated(&model.caller).await?, "it was not stored");
    store.thaw()?;
    wait::until("the book can be read again", DEADLINE, async || {
        model.caller.read(&book).await.map(drop)
    })
    .await?;
    let again = ask(&model.caller, &book, "provider=claude").await?;
    assert_eq!(again.expect(200)?.json()?["cached"], true);
    Ok(())
}

#[tokio::test]
async fn what_a_kept_summary_saves_is_known_after_a_restart() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let book = llm.book().await?;
    let first = llm.summary(&book, "provider=claude").await?;
    assert!(llm.api.terminate().await?.success());
    llm.api.restart().await?;
    let again = llm.summary(&book, "provider=claude").await?;
    assert_eq!(again["cached"], true);
    let family = "bookstore_gen_ai_saved_cost_pico_usd_total";
    let saved = llm.counted(family, &["reason=\"cache\"", "simulated=\"true\""]);
    assert_eq!(
        saved.await?.to_string(),
        first["cost"]["picoUsd"].to_string()
    );
    Ok(())
}

#[tokio::test]
async fn who_wants_a_fresh_one_joins_the_one_being_made() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    let (caller, address) = (model.caller.clone(), book.clone());
    let second = async move || -> anyhow::Result<()> {
        let path = format!("{address}/generate-summary?provider=claude");
        let request = caller.request(Method::POST, &path);
        let fresh = request.header("Cache-Control", "no-cache");
        let other = caller.clone();
        tokio::spawn(async move { other.send(fresh).await });
        wait::until("two follow", DEADLINE, async || {
            let metrics = caller.get("/metrics").await?.text();
            let callers = "bookstore_gen_ai_stream_callers 2";
            anyhow::ensure!(metrics.contains(callers), "not yet");
            Ok(())
        })
        .await
    };
    let reply = answered(&model, &book, "provider=claude&refresh=true", second).await?;
    assert_eq!(reply.expect(200)?.json()?["sharedBy"], 2);
    assert!(!model.is_called_again().await);
    Ok(())
}

#[tokio::test]
async fn every_reply_names_the_model_that_answered() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    let query = "provider=claude&model=claude-sonnet-latest";
    let first = answered(&model, &book, query, async || Ok(())).await?;
    assert_eq!(first.expect(200)?.json()?["model"], "claude-sonnet-5-5");
    let kept = model.caller.read(&book).await?;
    assert_eq!(kept["summary"]["model"], "claude-sonnet-5-5");
    for restarted in [false, true] {
        if restarted {
            model.api.terminate().await?;
            model.api.restart().await?;
        }
        let reply = ask(&model.caller, &book, query)
            .await?
            .expect(200)?
            .json()?;
        assert_eq!(reply["cached"], true, "restarted: {restarted}");
        assert_eq!(reply["model"], "claude-sonnet-5-5");
    }
    Ok(())
}

#[tokio::test]
async fn what_was_not_stored_is_not_counted() -> anyhow::Result<()> {
    let model = HandDriven::start(Setup::default()).await?;
    let book = model.caller.create_book("T").await?;
    let (caller, address) = (model.caller.clone(), book.clone());
    let change = async move || {
        let other = json!({"description": "Another book by now."});
        caller.patch(&address, &other).await?.expect(200).map(drop)
    };
    let reply = answered(&model, &book, "provider=claude", change).await?;
    reply.expect(200)?;
    assert!(model.caller.read(&book).await?.get("summary").is_none());
    assert!(!generated(&model.caller).await?);
    let reply = answered(&model, &book, "provider=claude", async || Ok(())).await?;
    reply.expect(200).context("the second one")?;
    assert!(generated(&model.caller).await?);
    Ok(())
}
