//! The spans of model calls, from a real Jaeger.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context, ensure};
use futures_util::{StreamExt, stream};
use test_support::{
    Jaeger,
    jaeger::{Span, Trace},
    wait,
};

use super::books::{Attempt, Row, Tokens};

/// Requests to Jaeger at once.
const AT_ONCE: usize = 8;
/// Spans are on their way for a second or two.
const DEADLINE: Duration = Duration::from_secs(60);

/// The calls of each trace, as soon as there are as many as rows; or as many as have come by the
/// deadline, since a lost span is a difference to be told.
pub(super) async fn read(
    jaeger: &Jaeger,
    traces: &[String],
    ledger: &[Row],
) -> anyhow::Result<BTreeMap<String, Vec<Attempt>>> {
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for row in ledger {
        *rows.entry(&row.trace_id).or_default() += 1;
    }
    let mut spans = BTreeMap::new();
    let mut missing: BTreeSet<&str> = traces.iter().map(String::as_str).collect();
    let arrived = wait::until("every span", DEADLINE, async || {
        let mut answers = stream::iter(missing.clone())
            .map(|id| async move { (id, jaeger.read(id).await) })
            .buffer_unordered(AT_ONCE);
        while let Some((id, trace)) = answers.next().await {
            let expected = rows.get(id).copied().unwrap_or_default();
            let found = match trace {
                Ok(trace) => calls(&trace)?,
                // A request that was left at once may have no trace, and then has no call.
                Err(_) => Vec::new(),
            };
            if found.len() >= expected {
                missing.remove(id);
            }
            if !found.is_empty() {
                spans.insert(id.to_owned(), found);
            }
        }
        ensure!(missing.is_empty(), "spans of {missing:?} are missing");
        Ok(())
    })
    .await;
    drop(arrived);
    Ok(spans)
}

fn calls(trace: &Trace) -> anyhow::Result<Vec<Attempt>> {
    let spans = trace.spans.iter();
    let chats = spans.filter(|span| span.name.starts_with("chat "));
    let mut calls = chats.map(attempt).collect::<anyhow::Result<Vec<_>>>()?;
    calls.sort();
    Ok(calls)
}

fn attempt(span: &Span) -> anyhow::Result<Attempt> {
    let text = |name: &str| {
        let tag = span.tag(name);
        tag.with_context(|| format!("no {name} in {:?}", span.tags))
    };
    let number = |name: &str| anyhow::Ok(text(name)?.parse::<u64>()?);
    let cost = span.tag("bookstore.gen_ai.cost.pico_usd");
    Ok(Attempt {
        provider: text("gen_ai.provider.name")?,
        model: text("gen_ai.response.model")?,
        service_tier: text("bookstore.gen_ai.service_tier")?,
        number: text("bookstore.gen_ai.attempt")?.parse()?,
        outcome: String::new(),
        error: span.tag("error.type").unwrap_or_default(),
        tokens: Tokens {
            input: number("gen_ai.usage.input_tokens")?,
            cache_read: number("gen_ai.usage.cache_read.input_tokens")?,
            cache_write: number("gen_ai.usage.cache_creation.input_tokens")?,
            output: number("gen_ai.usage.output_tokens")?,
            reasoning: number("gen_ai.usage.reasoning.output_tokens")?,
        },
        estimated: text("bookstore.gen_ai.usage.estimated")? == "true",
        cost: cost.map(|cost| cost.parse()).transpose()?,
    })
}
