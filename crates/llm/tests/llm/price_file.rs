//! The price file of a running process: replaced as a whole, never by a wrong one.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use llm::{Deadlines, LlmProvider, Measured, Prices, ProviderName};
use test_support::{simulator, wait};

use crate::fixture::{Accounts, CLAUDE_MODEL, provider, request};

/// The file is looked at once a second.
const DEADLINE: Duration = Duration::from_secs(30);

fn list(output: &str) -> String {
    format!(
        "price = [{{ provider = \"anthropic\", match = \"{CLAUDE_MODEL}\", input = \"1\", \
         output = \"{output}\", source = \"a test\", checked_on = \"2026-11-20\" }}]"
    )
}

#[tokio::test]
async fn a_changed_file_prices_the_next_attempt_and_a_wrong_one_none() -> anyhow::Result<()> {
    let simulator = simulator().await?;
    let accounts = Accounts::open();
    let file = accounts.directory.path().join("prices.toml");
    std::fs::write(&file, list("2"))?;
    let prices = Arc::new(Prices::load(Some(&file))?);
    let watch = prices.watch();
    let claude = provider(
        ProviderName::Claude,
        &simulator.base_url(),
        Deadlines::default(),
    );
    let measured = Measured::new(
        claude,
        true,
        Arc::clone(&prices),
        Arc::clone(&accounts.ledger),
    );

    // An attempt that began under the old prices is booked by them.
    let mut under_way = measured.stream(&request()).await?;
    let old = prices.current();
    std::fs::write(&file, list("4"))?;
    wait::until("the new prices", DEADLINE, async || {
        anyhow::ensure!(prices.current().version() != old.version());
        Ok(())
    })
    .await?;
    while let Some(event) = under_way.next().await {
        event?;
    }
    measured.complete(&request()).await?;

    let new = prices.current();
    std::fs::write(&file, list("-4"))?;
    let refused = prices.reload_if_changed();
    if let Err(error) = &refused {
        assert!(error.to_string().contains("line 1"), "{error}");
    }
    assert_eq!(prices.current().version(), new.version());
    std::fs::remove_file(&file)?;
    drop(prices.reload_if_changed());
    assert_eq!(prices.current().version(), new.version());
    measured.complete(&request()).await?;
    watch.abort();

    let rows = accounts.rows().await;
    let versions: Vec<_> = rows.iter().map(|row| row.price_version.clone()).collect();
    assert_eq!(
        versions,
        [
            old.version().clone(),
            new.version().clone(),
            new.version().clone()
        ]
    );
    for (row, output) in rows.iter().zip([2, 4, 4]) {
        let expected = row.usage.input_tokens + output * row.usage.output_tokens;
        let cost = row.cost.map(|cost| cost.get());
        assert_eq!(cost, i64::try_from(expected * 1_000_000).ok());
    }
    Ok(())
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("prices.toml");
    let error = |text: Option<&str>| {
        if let Some(text) = text {
            std::fs::write(&file, text).expect("a file");
        }
        Prices::load(Some(&file)).expect_err("refused").to_string()
    };
    assert!(error(None).contains("prices.toml"));
    assert!(error(Some(&list("x"))).contains("line 1"));
    assert!(error(Some(&"#".repeat(5 << 20))).contains("has more than"));
}
