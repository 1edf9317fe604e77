//! Experiments and feedback that cannot be taken: each field that is wrong is named.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::{
    experiments::{EXPERIMENTS, rate, tone},
    test_api::{Setup, on_sqlite},
};

#[tokio::test]
async fn wrong_feedback_is_named() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let book = caller.create_book("T").await?;
    for (body, field) in [
        (json!({"rating": "great"}), "rating"),
        (json!({"rating": 0}), "rating"),
        (json!({"rating": 6}), "rating"),
        (json!({"rating": 2.5}), "rating"),
        (json!({}), "rating"),
        (json!({"rating": 1, "summaryId": "x"}), "summaryId"),
        (
            json!({"rating": 1, "comment": "x".repeat(2_001)}),
            "comment",
        ),
        (json!({"rating": 1, "stars": 1}), "stars"),
    ] {
        let reply = rate(&caller, &book, "eve", &body).await?;
        let problem = reply.problem(400).with_context(|| body.to_string())?;
        ensure!(reply.text().contains(field), "{body}: {problem:?}");
    }
    let reply = rate(&caller, &book, "a b", &json!({"rating": 1})).await?;
    reply.problem(400)?.names("X-User-Id")
}

#[tokio::test]
async fn wrong_experiments_are_named() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let caller = api.caller()?;
    let with = |path: &str, value: Value| -> anyhow::Result<Value> {
        let mut experiment = tone();
        for variant in experiment["variants"].as_array_mut().context("variants")? {
            variant["provider"] = json!("ollama");
        }
        *experiment.pointer_mut(path).context("a member")? = value;
        Ok(experiment)
    };
    let same = json!({"name": "b", "provider": "ollama"});
    for (body, field) in [
        (with("/name", json!("Tone!"))?, "name"),
        (with("/decideBy", json!("taste"))?, "decideBy"),
        (with("/variants", json!([same]))?, "variants"),
        (with("/variants/1/weight", json!(0))?, "variants[1].weight"),
        (
            with("/variants/1/weight", json!(1_001))?,
            "variants[1].weight",
        ),
        (
            with("/variants/1/name", json!("summary"))?,
            "variants[1].name",
        ),
        (
            with("/variants/1/provider", json!("claude"))?,
            "variants[1].provider",
        ),
        (
            with("/variants/1/provider", json!("nobody"))?,
            "variants[1].provider",
        ),
        (
            with("/variants/1/model", json!("a b"))?,
            "variants[1].model",
        ),
        (
            with("/variants/1/prompt", json!("book-pitch-9"))?,
            "variants[1].prompt",
        ),
        (
            with(
                "/variants",
                json!([{"name": "a", "provider": "ollama"}, same]),
            )?,
            "variants[1]",
        ),
    ] {
        let reply = caller.post(EXPERIMENTS, &body).await?;
        let problem = reply.problem(400).with_context(|| body.to_string())?;
        ensure!(reply.text().contains(field), "{field}: {problem:?}");
    }
    assert_eq!(caller.read(EXPERIMENTS).await?["experiments"], json!([]));
    Ok(())
}
