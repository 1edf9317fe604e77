//! L6 of the table of loads: fifty runs of five tenants at once, and a hundred who watch them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use eventsource_stream::{Event, Eventsource};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use test_support::wait;
use tokio::time::timeout;

use crate::live::assert_gapless;
use crate::test_service::TestService;

const TENANTS: [&str; 5] = ["amber", "birch", "cedar", "delta", "ember"];

const RUNS_OF_EACH: usize = 10;

const RUNS: usize = TENANTS.len() * RUNS_OF_EACH;

/// Of each run: one that watches without a break, and one whose connection is cut.
const WATCHERS_OF_EACH: [usize; 2] = [usize::MAX, 3];

/// One run after the other, each of them an iteration: some two seconds on a machine under load.
const DEADLINE: Duration = Duration::from_secs(400);

/// A run and who asked for it.
type Asked = (&'static str, String);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_fifty_runs_end_once_in_fair_order_before_a_hundred_watchers() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let first = service.begin_long().await?;
    let (asked, mut times) = submit_all(&service).await?;
    let watchers = asked.iter().flat_map(|(tenant, id)| {
        let watch = |cut| watch(&service, tenant, id, cut);
        WATCHERS_OF_EACH.map(watch)
    });
    let watchers = try_join_all(watchers);
    let release = async {
        let cancel = format!("/api/v1/performancetest/{first}/cancel");
        let status = service.post(&cancel).await?.status();
        ensure!(status == 204, "{status}");
        // The one that kept the others waiting is over: what comes now is theirs.
        anyhow::Ok(service.target.requests())
    };
    let asking = ask_meanwhile(&service, &asked);
    let all = async { tokio::try_join!(watchers, release, asking) };
    let (watched, before, while_running) = timeout(DEADLINE, all).await??;
    times.extend(while_running);

    let runs = finished(&service, &asked).await?;
    check_fairness(&runs)?;
    let made = service.target.requests() - before;
    ensure!(made == RUNS as u64, "{made} iterations of {RUNS} runs");
    let mut events = 0;
    for seen in &watched {
        assert_gapless(seen, 0);
        let kinds: Vec<_> = seen.iter().map(|event| event.event.as_str()).collect();
        let ends = |kind| kinds.iter().filter(|it| **it == kind).count();
        ensure!(ends("TestCompleted") == 1 && ends("end") == 1, "{kinds:?}");
        events += seen.len();
    }
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "L6: {RUNS} of {RUNS} runs terminal, each once; {} watchers, {events} events, no gap; \
         tenants took turns; {} calls of the API, p50 {:?}, p99 {:?}",
        watched.len(),
        times.len(),
        at(50),
        at(99),
    );
    Ok(())
}

/// Asks for all runs at once.
async fn submit_all(service: &TestService) -> anyhow::Result<(Vec<Asked>, Vec<Duration>)> {
    let submits = TENANTS.into_iter().flat_map(|tenant| {
        (0..RUNS_OF_EACH).map(move |_| async move {
            let options = json!({"virtualUsers": 1, "iterations": 1});
            let url = format!("{}/api/v1/performancetest/start", service.base_url);
            let request = service.client.post(url).header("x-tenant-name", tenant);
            let begun = Instant::now();
            let body = json!({"scenario": "Smoke", "options": options});
            let reply = request.json(&body).send().await?;
            let status = reply.status();
            let run: Value = reply.json().await?;
            ensure!(status == 201, "{status}: {run}");
            let id = run["testId"].as_str().context("an id")?.to_owned();
            Ok(((tenant, id), begun.elapsed()))
        })
    });
    Ok(try_join_all(submits).await?.into_iter().unzip())
}

/// Everything that a watcher sees, which comes back with the last id each time that its connection
/// was cut after so many events.
async fn watch(
    service: &TestService,
    tenant: &str,
    id: &str,
    cut_after: usize,
) -> anyhow::Result<Vec<Event>> {
    let mut seen: Vec<Event> = Vec::new();
    while seen.last().is_none_or(|event| event.event != "end") {
        let url = format!("{}/performance-hub?test={id}", service.base_url);
        let mut request = service.client.get(url).header("x-tenant-name", tenant);
        if let Some(last) = seen.last() {
            request = request.header("last-event-id", &last.id);
        }
        let stream = request.send().await?.error_for_status()?.bytes_stream();
        let mut stream = stream.eventsource().take(cut_after);
        while let Some(event) = stream.next().await {
            seen.push(event?);
        }
    }
    Ok(seen)
}

/// How long the API takes to tell of each run, until all of them are over.
async fn ask_meanwhile(service: &TestService, asked: &[Asked]) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for (tenant, id) in asked {
        wait::until("the run is over", DEADLINE, async || {
            let begun = Instant::now();
            let run = run_of(service, tenant, id).await?;
            times.push(begun.elapsed());
            ensure!(run["completedAt"].is_string(), "{run}");
            Ok(())
        })
        .await?;
    }
    Ok(times)
}

async fn run_of(service: &TestService, tenant: &str, id: &str) -> anyhow::Result<Value> {
    let url = format!("{}/api/v1/performancetest/{id}", service.base_url);
    let request = service.client.get(url).header("x-tenant-name", tenant);
    Ok(request.send().await?.error_for_status()?.json().await?)
}

/// The runs with their tenants, in the order of their starts.
async fn finished(
    service: &TestService,
    asked: &[Asked],
) -> anyhow::Result<Vec<(&'static str, Value)>> {
    let mut runs = BTreeMap::new();
    for (tenant, id) in asked {
        let run = run_of(service, tenant, id).await?;
        ensure!(run["status"] == "Completed", "{run}");
        ensure!(run["verdict"]["level"] == "PASS", "{run}");
        let started = run["startedAt"].as_str().context("a start")?;
        let started: jiff::Timestamp = started.parse()?;
        runs.insert(started, (*tenant, run));
    }
    ensure!(runs.len() == RUNS, "one at a time: {} starts", runs.len());
    Ok(runs.into_values().collect())
}

/// Each tenant has a turn before any has its next, and its own runs keep their order.
fn check_fairness(runs: &[(&str, Value)]) -> anyhow::Result<()> {
    for (round, turns) in runs.chunks(TENANTS.len()).enumerate() {
        let tenants: BTreeSet<_> = turns.iter().map(|(tenant, _)| *tenant).collect();
        ensure!(tenants.len() == TENANTS.len(), "round {round}: {tenants:?}");
    }
    for tenant in TENANTS {
        let own = runs.iter().filter(|(of, _)| *of == tenant);
        let numbers: Vec<_> = own.filter_map(|(_, run)| run["number"].as_u64()).collect();
        ensure!(
            numbers.len() == RUNS_OF_EACH && numbers.is_sorted(),
            "{numbers:?}"
        );
    }
    Ok(())
}
