//! Whatever callers invent, what `/metrics` shows is bounded, and no request is lost for what its
//! head says of traces.

use std::{collections::BTreeMap, ops::Range};

use anyhow::{Context, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::Method;
use test_support::exposition::Exposition;

use crate::{
    caller::{BOOKS, Caller},
    llm_fixture::{SimulatedLlm, ask},
    test_api::Setup,
    wire::{exchange, status},
};

/// Odd paths, identifiers, methods, tenants and models, a fifth each.
const ODD: usize = 10_000;

/// Requests at once; far fewer than there are places for.
const AT_ONCE: usize = 16;

/// Series that a process may show before an alert says so (`TooManySeries`).
const MOST_SERIES: usize = 40_000;

/// How many series each line of a family has.
type Counts = BTreeMap<String, usize>;

async fn shown(caller: &Caller) -> anyhow::Result<Counts> {
    let text = caller.get("/metrics").await?.expect(200)?.text();
    let mut counts = Counts::new();
    for sample in Exposition::read(&text)?.samples {
        *counts.entry(sample.name).or_default() += 1;
    }
    Ok(counts)
}

/// Sends one odd request.
async fn send(llm: &SimulatedLlm, book: &str, number: usize) -> anyhow::Result<()> {
    let caller = &llm.caller;
    let (reply, statuses): (_, &[u16]) = match number % 5 {
        0 => (caller.get(&format!("/odd-{number}/x")).await?, &[404]),
        1 => (caller.get(&format!("{BOOKS}/{number:024x}")).await?, &[404]),
        2 => {
            let method = Method::from_bytes(format!("ODD{number}").as_bytes())?;
            (caller.send(caller.request(method, BOOKS)).await?, &[405])
        }
        3 => {
            let tenant = caller.other_tenant()?;
            let own = tenant.create_book("A Book").await?;
            (ask(&tenant, &own, "provider=claude").await?, &[200])
        }
        _ => {
            let query = format!("provider=ollama&refresh=true&model=odd-{number}");
            (llm.ask(book, &query).await?, &[200])
        }
    };
    ensure!(
        statuses.contains(&reply.status),
        "{number} got {}: {}",
        reply.status,
        reply.text()
    );
    Ok(())
}

async fn send_all(llm: &SimulatedLlm, book: &str, numbers: Range<usize>) -> anyhow::Result<()> {
    let sent = stream::iter(numbers).map(|number| send(llm, book, number));
    sent.buffer_unordered(AT_ONCE).try_collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_make_a_bounded_number_of_series() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start_with(Setup::default().with("RUST_LOG", "error")).await?;
    let book = llm.book().await?;
    send_all(&llm, &book, 0..ODD / 2).await?;
    let half = shown(&llm.caller).await?;
    send_all(&llm, &book, ODD / 2..ODD).await?;
    let whole = shown(&llm.caller).await?;
    // None of the second half was seen before, and none has series of its own: a busy machine may
    // add a status, with its buckets.
    let before = |name: &String| half.get(name).copied().unwrap_or(0);
    let grown: Vec<_> = whole
        .iter()
        .filter(|(name, count)| count.abs_diff(before(name)) > ODD / 200)
        .map(|(name, count)| (name, before(name), count))
        .collect();
    assert!(grown.is_empty(), "{grown:?}");
    let all: usize = whole.values().sum();
    assert!(
        all < MOST_SERIES / 5,
        "{all} series for two of five providers"
    );
    // Those that were first are told apart.
    let odd = "bookstore_gen_ai_tokens_total";
    assert!(
        llm.counted(odd, &["gen_ai_request_model=\"odd-4\""])
            .await?
            > 0.0
    );
    assert!(
        llm.counted(odd, &["gen_ai_request_model=\"other\""])
            .await?
            > 0.0
    );
    let text = llm.caller.get("/metrics").await?.text();
    ensure!(!text.contains("ODD") && !text.contains("/odd-"), "{text}");
    Ok(())
}

/// A trace that callers name.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A `traceparent` of a version, with something behind it.
fn parent(version: &str, rest: &str) -> String {
    format!("traceparent: {version}-{TRACE}-00f067aa0ba902b7-01{rest}\r\n")
}

/// Heads that name a trace, with what else may be wrong with them.
fn with_a_parent() -> Vec<(&'static str, String)> {
    let (parent, long) = (|rest: &str| parent("00", "") + rest, "x".repeat(100_000));
    vec![
        ("a parent", parent("")),
        ("a later version", self::parent("cc", "-what")),
        ("two parents", parent(&parent(""))),
        ("baggage", parent(&format!("baggage: pad={long}\r\n"))),
        ("a state", parent(&format!("tracestate: {long}\r\n"))),
    ]
}

/// Heads that name none which can be joined.
fn without_a_parent() -> Vec<(&'static str, String)> {
    let long = "x".repeat(100_000);
    let baggage = |text: &str| format!("baggage: {text}\r\n");
    let odd = TRACE.replacen('4', "+", 1);
    let zeros = format!("00-{}-{}-01", "0".repeat(32), "0".repeat(16));
    vec![
        ("many members", baggage(&"a=1,".repeat(25_000))),
        ("a long test id", baggage(&format!("test.id={long}"))),
        ("a test id in quotes", baggage("test.id=\"; DROP")),
        ("baggage that is no text", baggage("test.id=\u{e9}\u{fc}")),
        ("a long parent", format!("traceparent: {long}\r\n")),
        ("much behind a parent", parent("00", &long)),
        ("no hexadecimal", parent("00", "").replace(TRACE, &odd)),
        ("zeros", format!("traceparent: {zeros}\r\n")),
        ("version ff", parent("ff", "")),
        ("a strange id", "x-request-id: \u{e9}\"\\\r\n".to_owned()),
    ]
}

#[tokio::test]
async fn no_request_is_lost_for_what_it_says_of_traces() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let joined = with_a_parent().into_iter().map(|head| (head, true));
    let others = without_a_parent().into_iter().map(|head| (head, false));
    for ((what, headers), is_joined) in joined.chain(others) {
        let request = format!(
            "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        );
        let reply = exchange(llm.api.address(), request.as_bytes()).await?;
        assert_eq!(status(&reply), 200, "{what}: {reply}");
        let answer = reply
            .lines()
            .find_map(|line| line.strip_prefix("traceresponse: "));
        let answer = answer.with_context(|| format!("{what}: {reply}"))?;
        assert_eq!(answer.contains(TRACE), is_joined, "{what}: {answer}");
        assert!(reply.len() < 2_000, "{what}: {} bytes", reply.len());
    }
    Ok(())
}
