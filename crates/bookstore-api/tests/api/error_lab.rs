//! `/errortest`: the statuses that clients can ask for.

use std::collections::HashSet;

use anyhow::ensure;

use crate::{caller::Caller, test_api::on_sqlite};

/// Status, reason phrase, and the header that belongs to it.
const STATUSES: [(u16, &str, &str); 14] = [
    (400, "Bad Request", ""),
    (401, "Unauthorized", "www-authenticate"),
    (403, "Forbidden", ""),
    (404, "Not Found", ""),
    (405, "Method Not Allowed", "allow"),
    (409, "Conflict", ""),
    (410, "Gone", ""),
    (415, "Unsupported Media Type", ""),
    (422, "Unprocessable Entity", ""),
    (429, "Too Many Requests", "retry-after"),
    (500, "Internal Server Error", ""),
    (502, "Bad Gateway", ""),
    (503, "Service Unavailable", "retry-after"),
    (504, "Gateway Timeout", ""),
];

/// The status that was answered, after a look at the shape.
async fn check(caller: &Caller, what: &str, error: &str) -> anyhow::Result<u16> {
    let reply = caller.get(&format!("/api/v1/errortest/{what}")).await?;
    assert_eq!(reply.header("content-type"), "application/json", "{what}");
    let body = reply.json()?;
    let expected = error.replace("{}", &reply.status.to_string());
    assert_eq!(body["error"], expected, "{what}");
    let message = body["message"].as_str().unwrap_or("");
    ensure!(!message.is_empty(), "{what} has no message: {body}");
    let known = STATUSES.iter().find(|(status, ..)| *status == reply.status);
    let Some((status, _, companion)) = known else {
        anyhow::bail!("{what} answered {}", reply.status);
    };
    let complete = companion.is_empty() || !reply.header(companion).is_empty();
    ensure!(complete, "{status} without {companion}");
    Ok(*status)
}

#[tokio::test]
async fn each_status_is_answered_with_its_reason() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    for (status, reason, _) in STATUSES {
        assert_eq!(check(&caller, &status.to_string(), reason).await?, status);
    }
    Ok(())
}

#[tokio::test]
async fn a_random_status_is_one_of_them() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    let mut seen = HashSet::new();
    for _ in 0..60 {
        seen.insert(check(&caller, "random", "Random Error {}").await?);
    }
    // Sixty draws of fourteen that are all the same two come once in 10^49 runs.
    assert!(seen.len() > 2, "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn other_statuses_are_problems() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    for what in ["200", "418", "999", "abc", "-1", "4294967700", "404%00"] {
        caller
            .get(&format!("/api/v1/errortest/{what}"))
            .await?
            .problem(404)?;
    }
    Ok(())
}
