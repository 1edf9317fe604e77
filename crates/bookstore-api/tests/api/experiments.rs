//! Experiments over HTTP: who gets which variant, what is said of them, what survives.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, ensure};
use http::Method;
use serde_json::{Value, json};
use test_support::wait;

use crate::{
    caller::Caller,
    llm_fixture::{SimulatedLlm, number},
    reply::Reply,
    test_api::Setup,
};

pub(crate) const EXPERIMENTS: &str = "/api/v1/llm/experiments";
const DEADLINE: Duration = Duration::from_secs(30);

/// Two prompts and two models of the simulator.
pub(crate) fn tone() -> Value {
    json!({"name": "tone", "decideBy": "feedback", "variants": [
        {"name": "summary", "provider": "claude"},
        {"name": "pitch", "provider": "claude", "model": "claude-haiku-4-5",
         "prompt": "book-pitch-1", "weight": 2},
    ]})
}

async fn by_user(caller: &Caller, book: &str, user: &str) -> anyhow::Result<Value> {
    let path = format!("{book}/generate-summary");
    let request = caller
        .request(Method::POST, &path)
        .header("X-User-Id", user);
    caller.send(request).await?.expect(200)?.json()
}

pub(crate) async fn rate(
    caller: &Caller,
    book: &str,
    user: &str,
    body: &Value,
) -> anyhow::Result<Reply> {
    let path = format!("{book}/summary/feedback");
    let request = caller
        .request(Method::POST, &path)
        .header("X-User-Id", user);
    caller.send(request.json(body)).await
}

async fn results(caller: &Caller) -> anyhow::Result<Value> {
    caller.read(&format!("{EXPERIMENTS}/tone")).await
}

#[tokio::test]
async fn books_stay_with_their_variant_and_named_requests_outside() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let started = llm.caller.post(EXPERIMENTS, &tone()).await?;
    let started = started.expect(201)?.json()?;
    assert_eq!(
        (&started["state"], &started["stickyBy"]),
        (&json!("running"), &json!("book"))
    );
    assert_eq!(started["variants"][0]["model"], "claude-sonnet-5-5");
    assert_eq!(started["variants"][0]["prompt"], "book-summary-2");
    let (mut calls, mut spent) = (HashMap::new(), 0);
    for _ in 0..24 {
        let book = llm.book().await?;
        let summary = llm.summary(&book, "").await?;
        let variant = summary["variant"].as_str().context("a variant")?.to_owned();
        let expected = match variant.as_str() {
            "tone/summary" => ("claude-sonnet-5-5", "book-summary-2"),
            "tone/pitch" => ("claude-haiku-4-5", "book-pitch-1"),
            other => anyhow::bail!("{other}"),
        };
        assert_eq!(
            (summary["model"].as_str(), summary["promptVersion"].as_str()),
            (Some(expected.0), Some(expected.1))
        );
        let again = llm.summary(&book, "").await?;
        assert_eq!(
            (&again["cached"], &again["variant"]),
            (&json!(true), &json!(variant))
        );
        let named = llm.summary(&book, "provider=ollama").await?;
        assert!(named.get("variant").is_none(), "{named}");
        spent += number(&summary["cost"]["picoUsd"])?;
        *calls.entry(variant).or_insert(0_u64) += 1;
    }
    assert_eq!(calls.len(), 2, "{calls:?}");
    check_results(&llm.caller, &calls, spent).await?;
    let rows = llm.ledger().await?;
    let of_pitch = rows
        .iter()
        .filter(|row| row.variant.as_deref() == Some("tone/pitch"));
    assert_eq!(of_pitch.count() as u64, calls["tone/pitch"]);
    Ok(())
}

async fn check_results(
    caller: &Caller,
    calls: &HashMap<String, u64>,
    spent: u64,
) -> anyhow::Result<()> {
    wait::until("all checks are noted", DEADLINE, async || {
        let seen = results(caller).await?;
        let noted =
            [&seen["results"][0], &seen["results"][1]].map(|one| one["checks"]["passed"].as_u64());
        ensure!(
            noted
                == [
                    calls.get("tone/summary").copied(),
                    calls.get("tone/pitch").copied()
                ],
            "{seen}"
        );
        Ok(())
    })
    .await?;
    let seen = results(caller).await?;
    let mut booked = 0;
    for (variant, one) in ["tone/summary", "tone/pitch"]
        .iter()
        .zip([&seen["results"][0], &seen["results"][1]])
    {
        assert_eq!(
            (&one["calls"], &one["errors"]),
            (&json!(calls[*variant]), &json!(0)),
            "{one}"
        );
        assert_eq!(one["cost"]["real"]["picoUsd"], 0);
        booked += number(&one["cost"]["simulated"]["picoUsd"])?;
        assert!(
            one["errorRate"]["high"].as_f64() > Some(0.05),
            "few calls, wide interval: {one}"
        );
        for time in ["timeToFirstTokenMs", "latencyMs"] {
            assert!(one[time]["p95"]["value"].as_f64() >= one[time]["p50"]["value"].as_f64());
        }
    }
    assert_eq!(booked, spent, "to the pico-dollar");
    assert_eq!(seen["comparisons"][0]["verdict"], "not enough data");
    assert_eq!(seen["decided"], false);
    Ok(())
}

#[tokio::test]
async fn users_stay_with_their_variant_after_a_restart() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let mut experiment = tone();
    experiment["stickyBy"] = json!("user");
    llm.caller
        .post(EXPERIMENTS, &experiment)
        .await?
        .expect(201)?;
    let users: Vec<String> = (0..12).map(|n| format!("user-{n}")).collect();
    let mut variants = HashMap::new();
    for _ in 0..2 {
        let book = llm.book().await?;
        for user in &users {
            let variant = by_user(&llm.caller, &book, user).await?["variant"].clone();
            assert_eq!(
                *variants.entry(user).or_insert_with(|| variant.clone()),
                variant
            );
        }
    }
    assert!(
        variants
            .values()
            .any(|variant| variant != &variants[&users[0]])
    );
    llm.api.terminate().await?;
    llm.api.restart().await?;
    let book = llm.book().await?;
    for user in &users {
        assert_eq!(
            by_user(&llm.caller, &book, user).await?["variant"],
            variants[user]
        );
    }
    Ok(())
}

#[tokio::test]
async fn one_experiment_runs_at_a_time_until_it_is_stopped() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    llm.caller.post(EXPERIMENTS, &tone()).await?.expect(201)?;
    let second = json!({"name": "other", "variants": tone()["variants"]});
    llm.caller.post(EXPERIMENTS, &second).await?.problem(409)?;
    let foreign = llm.caller.other_tenant()?;
    assert_eq!(foreign.read(EXPERIMENTS).await?["experiments"], json!([]));
    foreign
        .get(&format!("{EXPERIMENTS}/tone"))
        .await?
        .problem(404)?;
    for _ in 0..2 {
        let stopped = llm
            .caller
            .post_nothing(&format!("{EXPERIMENTS}/tone/stop"))
            .await?;
        assert_eq!(stopped.expect(200)?.json()?["state"], "stopped");
    }
    let book = llm.book().await?;
    assert!(
        by_user(&llm.caller, &book, "user-1")
            .await?
            .get("variant")
            .is_none()
    );
    llm.caller.post(EXPERIMENTS, &tone()).await?.problem(409)?;
    llm.caller.post(EXPERIMENTS, &second).await?.expect(201)?;
    let names = llm.caller.read(EXPERIMENTS).await?;
    assert_eq!(
        (
            &names["experiments"][0]["name"],
            &names["experiments"][1]["name"]
        ),
        (&json!("other"), &json!("tone"))
    );
    Ok(())
}

#[tokio::test]
async fn of_two_processes_that_start_one_at_once_one_wins() -> anyhow::Result<()> {
    let store = test_support::ferretdb().await?;
    let process = || Setup::default().with("MONGODB_URI", store.uri()).start();
    let (one, other) = tokio::try_join!(process(), process())?;
    let caller = one.caller()?;
    let callers = [caller.at(&one.base_url()), caller.at(&other.base_url())];
    for round in 0..5 {
        let names = [format!("one-{round}"), format!("other-{round}")];
        let start = |index: usize| {
            let body = json!({"name": names[index], "variants": [
                {"name": "summary", "provider": "ollama"},
                {"name": "pitch", "provider": "ollama", "prompt": "book-pitch-1"},
            ]});
            let caller = &callers[index];
            async move { caller.post(EXPERIMENTS, &body).await }
        };
        let (first, second) = tokio::try_join!(start(0), start(1))?;
        let (winner, loser) = match first.status == 201 {
            true => (first, second),
            false => (second, first),
        };
        let won = winner.expect(201)?.json()?;
        let name = won["name"].as_str().context("a name")?;
        let problem = loser.problem(409)?;
        assert_eq!(problem.member("type"), "/problems/experiment-running");
        assert!(problem.member("detail").contains(name), "{problem:?}");
        let stop = format!("{EXPERIMENTS}/{name}/stop");
        callers[0].post_nothing(&stop).await?.expect(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn feedback_goes_to_the_variant_once_per_user() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let unmade = llm.book().await?;
    rate(&llm.caller, &unmade, "u", &json!({"rating": "up"}))
        .await?
        .problem(404)?;
    llm.caller.post(EXPERIMENTS, &tone()).await?.expect(201)?;
    let book = llm.book().await?;
    let summary = llm.summary(&book, "").await?;
    let index = usize::from(summary["variant"] == "tone/pitch");
    // An answer of another kind is the newest on the book by now.
    let other = llm.summary(&book, "provider=ollama").await?;
    let id = &summary["summaryId"];
    for (user, rating) in [
        ("eve", json!("down")),
        ("eve", json!(4)),
        ("bob", json!("up")),
        ("kim", json!(1)),
    ] {
        let body = json!({"rating": rating, "summaryId": id, "comment": "as a comment"});
        let taken = rate(&llm.caller, &book, user, &body)
            .await?
            .expect(200)?
            .json()?;
        assert_eq!(taken["variant"], summary["variant"]);
    }
    let newest = rate(&llm.caller, &book, "eve", &json!({"rating": 5})).await?;
    let newest = newest.expect(200)?.json()?;
    assert_eq!(newest["summaryId"], other["summaryId"]);
    assert!(newest.get("variant").is_none(), "{newest}");
    let seen = results(&llm.caller).await?;
    let feedback = &seen["results"][index]["feedback"];
    assert_eq!(
        (&feedback["ratings"], &feedback["good"]),
        (&json!(3), &json!(2)),
        "{feedback}"
    );
    assert_eq!(feedback["mean"].as_f64(), Some(10.0 / 3.0));
    assert_eq!(seen["results"][1 - index]["feedback"]["ratings"], 0);
    let foreign = llm.caller.other_tenant()?;
    let theirs = foreign.create_book("T").await?;
    let body = json!({"rating": 1, "summaryId": id});
    rate(&foreign, &theirs, "eve", &body).await?.problem(404)?;
    Ok(())
}
