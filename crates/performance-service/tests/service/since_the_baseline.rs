//! A fault that is planted between the runs of a baseline and the next one.

use anyhow::Context;
use load_analysis::baseline::SMALLEST_BASELINE;
use serde_json::json;
use test_support::fault_proxy::{Behaviour, Mode};

use crate::bottlenecks::Laboratory;

/// The books' cache in Redis, as the signals call it.
const CACHE: &str = "l2 book";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_is_gone_since_the_baseline_is_named() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    let body = json!({
        "testName": "books",
        "testScript": "tests/books.js",
        "options": {"virtualUsers": 2, "duration": "6s", "warmUp": "2s"},
    });
    for _ in 0..SMALLEST_BASELINE {
        let run = laboratory.run(&body).await?;
        let findings = run["results"]["findings"].to_string();
        assert!(!findings.contains("Baseline"), "there is none: {findings}");
    }
    let service = &laboratory.service;
    let url = format!("{}/api/v1/performancetest/baselines", service.base_url);
    let wish = json!({"test": "books"});
    let reply = service.client.post(url).json(&wish).send().await?;
    assert_eq!(reply.status(), 201, "{}", reply.text().await?);

    laboratory.proxy.set(Behaviour::mode(Mode::Refuse));
    let run = laboratory.run(&body).await?;
    let findings = &run["results"]["findings"];
    let all = findings["findings"].as_array().context("findings")?;
    let colder = all.iter().find(|one| one["kind"] == "colderThanBaseline");
    let colder = colder.with_context(|| findings.to_string())?;
    assert_eq!(colder["part"], CACHE, "{findings}");
    let sentence = colder["sentence"].as_str().context("a sentence")?;
    let expected = format!("The cache hit ratio of {CACHE} fell from 0.");
    assert!(sentence.starts_with(&expected), "{sentence}");
    // What the run's first requests still found in the cache depends on when it was refused them.
    let (_, ratio) = sentence
        .split_once("(median of 5 runs of the baseline) to ")
        .with_context(|| sentence.to_owned())?;
    let ratio: f64 = ratio.trim_end_matches('.').parse()?;
    assert!(ratio < 0.3, "{sentence}");
    let note = findings["note"].as_str().context("a note")?;
    assert!(note.contains("beside those of 5 runs"), "{note}");
    let id = run["testId"].as_str().context("an id")?;
    let page = service.get_text(&format!("/runs/{id}")).await?;
    assert!(page.contains(&expected), "{page}");
    Ok(())
}
