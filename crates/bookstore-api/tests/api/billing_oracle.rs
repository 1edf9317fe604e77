//! The billing oracle: what thousands of calls cost, told by four books that know nothing of each
//! other, to the pico-dollar.
//!
//! The ledger, the spans in a real Jaeger and `/metrics` are ours; the invoice is the simulator's,
//! from its own tokens and its own reading of the vendors' price lists. Everything is read over
//! HTTP, and nothing here uses a type of either side. Each request has a test id of its own, which
//! the ledger keeps and the provider is sent, so the books are compared call by call.
//!
//! Estimated tokens of unfinished calls are a rule of thumb of four characters a token. It errs to
//! the safe side with books that are told in words, as all of these are that are not asked for to
//! the end.

mod books;
mod comparison;
mod invoice;
mod ledger;
mod metrics;
mod plan;
mod spans;
mod table;
mod traffic;

use std::{collections::BTreeSet, fs, io::Write, path::Path};

use anyhow::{Context, ensure};
use serde_json::json;
use tempfile::TempDir;
use test_support::{Jaeger, jaeger};
use tokio::sync::Mutex;

use self::{
    books::{Attempt, Books},
    comparison::compare,
    plan::Plan,
    traffic::Seen,
};
use crate::{llm_fixture::SimulatedLlm, test_api::Setup};

/// The seed of the plan and of the simulator's answers; the variable `ORACLE_SEED` gives another.
const SEED: u64 = 20_261_121;
/// Requests of a run, a minute on two busy cores; the variable `ORACLE_CALLS` asks for more.
const CALLS: u64 = 2_000;
/// Requests of a run with a wrong price, which needs each model a few times.
const FEW_CALLS: u64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_metrics_ledger_and_invoice_agree_to_the_pico_dollar() -> anyhow::Result<()> {
    let seed = asked("ORACLE_SEED", SEED)?;
    let plan = Plan::draw(seed, asked("ORACLE_CALLS", CALLS)?);
    let setup = Setup::default().with("OPENAI_SERVICE_TIER", "flex");
    let (books, seen) = run(&plan, setup).await?;
    let result = compare(&books);
    say(&table::render(seed, &books, &result, &seen))?;
    ensure!(
        result.differences.is_empty(),
        "{} differences, the first of them:\n{}",
        result.differences.len(),
        result.first_differences()
    );
    everything_was_there(&books, &seen)?;
    every_wrong_entry_shows(&books)
}

/// One price of ours is changed, where an operator would change it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_price_shows_in_the_calls_that_it_touched() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let prices = directory.path().join("prices.toml");
    fs::write(&prices, wrong_price()?)?;
    let setup = Setup::default()
        .with("BOOKSTORE_PRICES", &prices)
        .with("BEDROCK_SERVICE_TIER", "priority");
    let (books, _) = run(&Plan::draw(SEED, FEW_CALLS).without_leavers(), setup).await?;
    let result = compare(&books);
    let touched: BTreeSet<&str> = books
        .ledger
        .iter()
        .filter(|row| row.is_whole() && row.attempt.model == plan::SONNET)
        .filter(|row| row.attempt.provider == "anthropic" && !row.attempt.estimated)
        .map(|row| row.call_id.as_str())
        .collect();
    ensure!(!touched.is_empty(), "nothing was bought at the price");
    has(&books, "dearer class of service", &|attempt| {
        attempt.service_tier == "priority" && attempt.cost.is_some()
    })?;
    let named: BTreeSet<&str> = result
        .differences
        .iter()
        .flat_map(|difference| difference.call_ids.iter().map(String::as_str))
        .collect();
    assert_eq!(named, touched, "{}", result.first_differences());
    Ok(())
}

/// The built-in list, with one dollar-millionth more for an output token of one model.
fn wrong_price() -> anyhow::Result<String> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../llm/prices.toml");
    let list = fs::read_to_string(list)?;
    let line = list
        .lines()
        .find(|line| line.contains("\"anthropic\", match = \"claude-sonnet-5-5\", effective_from"));
    let line = line.context("the price that is to be wrong")?;
    let wrong = line.replace("output = \"10\"", "output = \"10.000001\"");
    ensure!(wrong != line, "{line}");
    Ok(list.replace(line, &wrong))
}

#[expect(
    clippy::disallowed_methods,
    reason = "for whoever runs this test; no setting of a service"
)]
fn asked(name: &'static str, default: u64) -> anyhow::Result<u64> {
    match std::env::var(name) {
        Ok(number) => number.parse().context(name),
        Err(_) => Ok(default),
    }
}

async fn run(plan: &Plan, setup: Setup) -> anyhow::Result<(Books, Seen)> {
    // One run at a time: they would take the machine from each other.
    static TURN: Mutex<()> = Mutex::const_new(());
    let _turn = TURN.lock().await;
    let jaeger = jaeger().await?;
    let llm = start(setup, &jaeger, plan.seed).await?;
    let seen = traffic::send(&llm, plan).await?;
    let (lines, ledger) = traffic::settled(&llm).await?;
    let metrics = metrics::read(&llm.caller).await?;
    // What is still queued for Jaeger is exported at the end.
    ensure!(llm.api.terminate().await?.success(), "the API failed");
    let spans = spans::read(&jaeger, &seen.traces, &ledger).await?;
    let books = Books {
        ledger,
        spans,
        metrics,
        invoice: lines,
    };
    Ok((books, seen))
}

async fn start(setup: Setup, jaeger: &Jaeger, seed: u64) -> anyhow::Result<SimulatedLlm> {
    let settings = [
        ("LLM_PROVIDER", "claude"),
        ("LLM_FALLBACK", "openai,ollama"),
        // Only the answers that are to be silent are silent for so long.
        ("BOOKSTORE_LLM_FIRST_BYTE_TIMEOUT", "10s"),
        ("BOOKSTORE_LLM_IDLE_TIMEOUT", "10s"),
        ("BOOKSTORE_LLM_RETRY_BUDGET", "100"),
        ("BOOKSTORE_LLM_CIRCUIT_FAULTS", "0"),
        // Jaeger keeps the traces of model calls, and of nothing else.
        ("BOOKSTORE_TRACE_SAMPLING", "catalogue=0,ai=1,ops=0"),
        ("RUST_LOG", "error"),
    ];
    let setup = settings
        .iter()
        .fold(setup, |setup, (name, value)| setup.with(name, *value));
    let setup = setup.with("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint());
    let llm = SimulatedLlm::start_with_all(setup).await?;
    traffic::control(&llm, "seed", &json!({"seed": seed})).await?;
    traffic::control(&llm, "profiles", &plan::profiles()).await?;
    traffic::control(&llm, "faults", &plan::faults()).await?;
    Ok(llm)
}

/// The mix had everything in it that it is to have.
fn everything_was_there(books: &Books, seen: &Seen) -> anyhow::Result<()> {
    let has = |what: &str, wanted: &dyn Fn(&Attempt) -> bool| has(books, what, wanted);
    for outcome in ["succeeded", "failed", "partial", "cancelled"] {
        has(outcome, &|attempt| attempt.outcome == outcome)?;
    }
    for provider in plan::PROVIDERS {
        has(provider, &|attempt| attempt.provider == provider)?;
    }
    has("retry", &|attempt| attempt.number > 1)?;
    has("read of a cache", &|attempt| attempt.tokens.cache_read > 0)?;
    has("reasoning", &|attempt| attempt.tokens.reasoning > 0)?;
    has("model without a price", &|attempt| attempt.cost.is_none())?;
    for is_priced in [true, false] {
        has("cheaper class of service, priced and not", &|attempt| {
            attempt.service_tier == "flex" && attempt.cost.is_some() == is_priced
        })?;
    }
    for (what, number) in [
        ("kept summary", seen.kept),
        ("shared answer", seen.shared),
        ("fallback", seen.fallbacks),
        ("caller that left", seen.left),
        ("stream", seen.streamed),
    ] {
        ensure!(number > 0, "the traffic had no {what}");
    }
    Ok(())
}

fn has(books: &Books, what: &str, wanted: &dyn Fn(&Attempt) -> bool) -> anyhow::Result<()> {
    let found = books.ledger.iter().any(|row| wanted(&row.attempt));
    ensure!(found, "the traffic had no {what}");
    Ok(())
}

/// Changes one entry at a time, and looks for the difference that names its call.
fn every_wrong_entry_shows(books: &Books) -> anyhow::Result<()> {
    let whole = books.ledger.iter().position(|row| {
        row.is_whole() && row.attempt.cost.is_some_and(|cost| cost > 0) && !row.attempt.estimated
    });
    let whole = whole.context("a whole call that cost something")?;
    let id = books.ledger[whole].call_id.as_str();
    let line = comparison::line_of(books, whole).context("its line")?;
    let trace = books.ledger[whole].trace_id.clone();
    let cut = books
        .ledger
        .iter()
        .position(|row| row.attempt.outcome == "cancelled" && row.attempt.tokens.output > 0);
    let cut = cut.context("a cancelled call")?;
    let cut_line = comparison::line_of(books, cut).context("its line")?;
    let cut_id = books.ledger[cut].call_id.as_str();

    let dearer = |cost: Option<i64>| cost.map(|cost| cost + 1);
    shows(books, id, |books| {
        let cost = &mut books.ledger[whole].attempt.cost;
        *cost = dearer(*cost);
    })?;
    shows(books, id, |books| {
        books.invoice[line].cost = dearer(books.invoice[line].cost);
    })?;
    shows(books, id, |books| {
        books.invoice[line].tokens.cache_read += 1;
    })?;
    shows(books, id, |books| {
        books.invoice[line].service_tier = "priority".to_owned();
    })?;
    shows(books, &trace, |books| {
        books.ledger.remove(whole);
    })?;
    shows(books, id, |books| {
        books.invoice.remove(line);
    })?;
    shows(books, id, |books| {
        books.spans.remove(&trace);
    })?;
    shows(books, cut_id, |books| {
        books.ledger[cut].attempt.estimated = false;
        for span in books.spans.values_mut().flatten() {
            span.estimated &= span.outcome_is_whole();
        }
    })?;
    shows(books, cut_id, |books| {
        let line = &mut books.invoice[cut_line];
        line.tokens.output = books.ledger[cut].attempt.tokens.output + line.unseen + 1;
    })?;
    shows(books, "metrics", |books| {
        let sums = books.metrics.values_mut().find(|sums| sums.cost > 0);
        if let Some(sums) = sums {
            sums.cost -= 1;
        }
    })?;
    shows(books, "metrics", |books| {
        if let Some(sums) = books.metrics.values_mut().next() {
            *sums.attempts.entry("succeeded".to_owned()).or_default() += 1;
        }
    })
}

fn shows(books: &Books, named: &str, change: impl FnOnce(&mut Books)) -> anyhow::Result<()> {
    let mut wrong = books.clone();
    change(&mut wrong);
    let result = compare(&wrong);
    ensure!(
        result.differences.iter().any(|it| it.text.contains(named)),
        "a wrong entry of {named} does not show: {}",
        result.first_differences()
    );
    Ok(())
}

/// Past the capture of passing tests: the table is what the run is for.
fn say(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
