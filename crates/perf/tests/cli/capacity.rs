//! Searches for a capacity.

use crate::command::{call, service};

const SEARCH: [&str; 12] = [
    "capacity",
    "tests/smoke.js",
    "--from",
    "5",
    "--to",
    "10",
    "--step",
    "1s",
    "--confirmations",
    "1",
    "--threshold",
    "http_req_failed:rate<0.01",
];

#[tokio::test]
async fn the_exit_code_says_whether_a_rate_held() -> anyhow::Result<()> {
    let service = service().await?;
    let text = call(&service, &SEARCH).await?.ended_with(0);
    assert!(
        text.contains("10/s is carried, the highest rate that was asked for"),
        "{text}"
    );
    assert!(text.contains("/capacity/"), "{text}");
    assert!(text.contains("confirm"), "{text}");

    service.target.admit(1.0, 1.0);
    let outcome = call(&service, &[&["--json"], &SEARCH[..]].concat()).await?;
    let search = outcome.json();
    assert_eq!(outcome.code, 2, "{search}");
    assert_eq!(search["result"]["end"], "below-lowest");
    assert_eq!(
        search["probes"].as_array().map(Vec::len),
        Some(2),
        "{search}"
    );
    Ok(())
}

#[tokio::test]
async fn what_keeps_a_search_from_starting_is_told() -> anyhow::Result<()> {
    let service = service().await?;
    let arguments = [
        "capacity",
        "tests/smoke.js",
        "--to",
        "10",
        "--vus",
        "1",
        "--duration",
        "1m",
    ];
    let text = call(&service, &arguments).await?.ended_with(3);
    assert!(text.contains("options.duration"), "{text}");
    let text = call(&service, &["capacity", "tests/smoke.js", "--to", "10"]).await?;
    let text = text.ended_with(3);
    assert!(text.contains("a search needs a limit"), "{text}");
    Ok(())
}
