//! What a request found in caches is told on its span.

use anyhow::ensure;
use http::Method;
use test_support::jaeger::Trace;

use crate::{
    caller::{BOOKS, NO_ID},
    telemetry::{called, ids, kind, traced},
};

/// Name, level and outcome of each look-up that a request's span tells, in order.
pub(crate) fn look_ups(trace: &Trace) -> anyhow::Result<Vec<[String; 3]>> {
    let mut found = Vec::new();
    for event in &kind(trace, "server", "")?.events {
        if event["event"] != "bookstore.cache.look_up" {
            continue;
        }
        // Neither whose nor which.
        ensure!(event.len() == 4, "{event:?}");
        let part = |name: &str| event[&format!("bookstore.cache.{name}")].as_str();
        let parts = ["name", "level", "outcome"].map(|name| part(name).unwrap_or("").to_owned());
        found.push(parts);
    }
    Ok(found)
}

#[tokio::test]
async fn a_request_says_what_it_found_level_by_level() -> anyhow::Result<()> {
    let (jaeger, llm) = traced().await?;
    let book = llm.book().await?;
    let absent = format!("{BOOKS}/{NO_ID}");
    for (path, expected) in [
        (
            &absent,
            vec![["book", "l1", "miss"], ["book", "store", "miss"]],
        ),
        (&absent, vec![["book", "l1", "hit"]]),
        (&book, vec![["book", "l1", "hit"]]),
    ] {
        let (id, parent) = ids();
        called(&llm, (Method::GET, path), (&id, &parent, "01")).await?;
        let there = |trace: &Trace| trace.span("GET ").is_some();
        let trace = jaeger.trace_where(&id, "is there", there).await?;
        assert_eq!(look_ups(&trace)?, expected, "{path}");
    }
    Ok(())
}
