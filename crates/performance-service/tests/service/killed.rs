//! The service is killed again and again, at moments that nobody chose.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::wait;

use crate::test_service::{TestService, processes_of};

/// Kills of one of four services: 20 in all.
const RUNS: u64 = 5;

/// How long a run may take to its end when the service is back.
const LIMIT: Duration = Duration::from_secs(15);

/// A run of two seconds is queued, starts and runs for this on an idle machine.
const WHOLE_LIFE: Duration = Duration::from_millis(2_800);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_survives_the_death_of_the_service_or_is_interrupted() -> anyhow::Result<()> {
    let ended = tokio::try_join!(
        kill_again_and_again(1),
        kill_again_and_again(2),
        kill_again_and_again(3),
        kill_again_and_again(4),
    )?;
    let all = [ended.0, ended.1, ended.2, ended.3];
    let sum = |part: fn(&Ended) -> usize| all.iter().map(part).sum::<usize>();
    let (adopted, whole) = (sum(|it| it.adopted), sum(|it| it.whole));
    println!("20 kills: {whole} runs whole, the others interrupted; {adopted} adopted");
    assert!(
        adopted >= 3,
        "only {adopted} runs were adopted: nothing was tried"
    );
    Ok(())
}

struct Ended {
    /// Runs that went on, or whose end waited for the next life.
    adopted: usize,
    /// Runs that were carried out to their end.
    whole: usize,
}

async fn kill_again_and_again(seed: u64) -> anyhow::Result<Ended> {
    let mut whole = 0;
    let mut random = fastrand::Rng::with_seed(seed);
    let service = TestService::start().await?;
    for number in 1..=RUNS {
        let before = service.target.requests();
        let options = json!({"virtualUsers": 2, "duration": "2s"});
        let body = json!({"scenario": "Smoke", "options": options});
        let id = service.begin(&body).await?;
        let moment = WHOLE_LIFE.mul_f64(random.f64());
        until(moment).await;
        service.process.kill();
        let again = Instant::now();
        service.process.start_again()?;
        service.ready().await?;
        let run = wait::until("the run is over", LIMIT, async || {
            let run = service.run(&id).await?;
            ensure!(run["completedAt"].is_string(), "{run}");
            Ok(run)
        })
        .await?;
        let took = again.elapsed();
        let requests = service.target.requests() - before;
        let what = format!("service {seed}, run {number}, killed after {moment:?}: {run}");
        ensure!(took < LIMIT, "{took:?}; {what}");
        check_end(&run, requests).context(what)?;
        whole += usize::from(run["status"] == "Completed");
        ensure!(processes_of(&service.directory(&id)).is_empty(), "a stray");
        ensure!(
            service.target.requests() - before == requests,
            "load goes on"
        );
    }
    let adopted = service.process.log().matches("goes on").count();
    Ok(Ended { adopted, whole })
}

/// Whole and judged, with each request that the target had and none twice; or interrupted.
fn check_end(run: &Value, requests: u64) -> anyhow::Result<()> {
    let level = run["verdict"]["level"].as_str().unwrap_or_default();
    if run["status"] == "Completed" {
        let counted = &run["results"]["metrics"]["http_reqs"]["values"]["count"];
        ensure!(
            counted.as_f64() == Some(f64::from(u32::try_from(requests)?)),
            "not whole"
        );
        ensure!(level == "PASS", "a whole run passes");
        return Ok(());
    }
    let message = run["errorMessage"].as_str().unwrap_or_default();
    ensure!(
        run["status"] == "Failed" && level == "INVALID",
        "partial, and judged"
    );
    ensure!(message.starts_with("interrupted"), "{message}");
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of a crash is no event that could be awaited"
)]
async fn until(moment: Duration) {
    tokio::time::sleep(moment).await;
}
