//! F18: a run, a schedule and a queue, and a clock that is set forward and back meanwhile.
//!
//! The service runs in this process, since its clock is given to it; k6 and its supervisor are
//! processes of the service's own program.
//!
//! What cannot be set here is the clock of k6: it stamps samples with the time of the machine, which
//! only root sets, for everybody. The supervisor's deadline and all waiting go by the monotonic
//! clock, which nobody sets.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use performance_service::Config;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use service_defaults::environment::Environment;
use test_support::load_target::LoadTarget;
use test_support::{http, port, tools, wait};
use tokio_util::sync::CancellationToken;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Longer than everything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);

/// How long the run under way lasts, and how long any may seem to have lasted: far less than a step.
const LOAD: &str = "20s";
const LEAST_SECONDS: i64 = 20;
const MOST_SECONDS: i64 = 600;

const FAMILY: &str = "/api/v1/performancetest";

/// Scripts that are made for tests.
const SCRIPTS: &str = "crates/performance-service/tests/service/k6";

struct Service {
    client: Client,
    base_url: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_steps_of_the_clock_lose_and_repeat_nothing() -> anyhow::Result<()> {
    let state = tempfile::tempdir()?;
    let target = LoadTarget::start().await?;
    let address: SocketAddr = format!("127.0.0.1:{}", port::free()?).parse()?;
    let config = config(state.path(), &target, address)?;
    let clock = config.clock.clone();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(performance_service::serve(config, shutdown.clone()));
    let service = Service {
        client: http::client()?,
        base_url: format!("http://{address}"),
    };
    let tested = tokio::time::timeout(DEADLINE, service.test(|by| clock.step(by))).await;
    shutdown.cancel();
    let served = serving.await?;
    ensure!(served.is_ok(), "the service ended with {served:?}");
    tested.context("it took too long")?
}

fn config(state: &Path, target: &LoadTarget, address: SocketAddr) -> anyhow::Result<Config> {
    let text = |path: &Path| path.display().to_string();
    let settings = [
        ("PERFORMANCE_HTTP_ADDR", address.to_string()),
        ("PERFORMANCE_STATE_DIR", text(state)),
        (
            "PERFORMANCE_SCRIPTS_DIR",
            text(&tools::workspace().join(SCRIPTS)),
        ),
        ("PERFORMANCE_TARGETS", format!("local={}", target.base_url)),
        ("PERFORMANCE_K6", text(&tools::k6()?)),
        ("PERFORMANCE_K6_V1", text(&tools::k6_v1()?)),
        ("RUST_LOG", "error".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    let mut config = Config::read(&mut Environment::of_pairs(settings));
    config.runners.program = env!("CARGO_BIN_EXE_performance-service").into();
    Ok(config)
}

impl Service {
    async fn test(&self, step: impl Fn(SignedDuration)) -> anyhow::Result<()> {
        self.ready().await?;
        self.add_hourly().await?;
        let begun = Instant::now();
        let long = self.begin(LOAD).await?;
        self.has_seconds(&long, 2).await?;

        // An hour forward: one start is missed by it, and caught up.
        step(HOUR);
        self.look_at_the_clock("first").await?;
        self.starts(1).await?;
        let queued = self.begin("1s").await?;
        self.has_seconds(&long, 4).await?;
        // Back, and an hour behind, and forward again: the same time comes three times.
        for (name, by) in [
            ("second", -HOUR),
            ("third", -HOUR),
            ("fourth", HOUR),
            ("fifth", HOUR),
        ] {
            step(by);
            self.look_at_the_clock(name).await?;
        }
        step(-HOUR);
        let last = self.begin("1s").await?;
        self.starts(1).await?;

        let runs = self.all_over(4).await?;
        let took = begun.elapsed();
        check_order(&runs, [&long, &queued, &last])?;
        for run in &runs {
            ensure!(run["status"] == "Completed", "{run}");
            ensure!(run["verdict"]["level"] == "PASS", "{run}");
            let seconds = seconds_of(run)?;
            ensure!((0..=MOST_SECONDS).contains(&seconds), "{seconds} s: {run}");
        }
        let seconds = seconds_of(&runs[0])?;
        let real = i64::try_from(took.as_secs())?;
        ensure!(
            (LEAST_SECONDS..=real).contains(&seconds),
            "{seconds} of {real} s"
        );
        self.starts(1).await
    }

    async fn ready(&self) -> anyhow::Result<()> {
        wait::until("the service is ready", DEADLINE, async || {
            let address = format!("{}/health/ready", self.base_url);
            let reply = self.client.get(address).send().await?;
            ensure!(reply.status() == StatusCode::OK);
            Ok(())
        })
        .await
    }

    /// Adds a schedule that is due half an hour away from now in both directions, so that the test
    /// meets no start by itself.
    async fn add_hourly(&self) -> anyhow::Result<()> {
        let minute = (Timestamp::now().as_second() / 60 + 30) % 60;
        let hourly = json!({
            "name": "hourly", "cron": format!("{minute} * * * *"), "catchUp": true,
            "run": {"scenario": "Smoke", "options": {"virtualUsers": 1, "duration": "1s"}},
        });
        self.post("schedules", &hourly).await.map(drop)
    }

    async fn begin(&self, duration: &str) -> anyhow::Result<String> {
        let options = json!({"virtualUsers": 1, "duration": duration});
        let run = self
            .post("start", &json!({"scenario": "Smoke", "options": options}))
            .await?;
        Ok(run["testId"].as_str().context("an id")?.to_owned())
    }

    /// A schedule that is added makes the service look at the clock.
    async fn look_at_the_clock(&self, name: &str) -> anyhow::Result<()> {
        let never = json!({"name": name, "cron": "0 0 29 2 *", "run": {"scenario": "Smoke"}});
        self.post("schedules", &never).await.map(drop)
    }

    /// Waits until the schedule has started so many runs, and fails when it has started more.
    async fn starts(&self, expected: usize) -> anyhow::Result<()> {
        wait::until("the start of the schedule", DEADLINE, async || {
            let schedule = self.get("schedules/hourly").await?;
            let starts = schedule["starts"].as_array().context("starts")?;
            let begun = starts.iter().filter(|start| start["outcome"] == "started");
            let begun = begun.count();
            ensure!(begun == expected, "{begun} starts: {schedule}");
            Ok(())
        })
        .await
    }

    async fn has_seconds(&self, id: &str, seconds: usize) -> anyhow::Result<()> {
        wait::until("seconds of load", DEADLINE, async || {
            let points = self.get(&format!("{id}/timeline")).await?;
            ensure!(
                points
                    .as_array()
                    .is_some_and(|points| points.len() >= seconds),
                "{points}"
            );
            Ok(())
        })
        .await
    }

    /// All runs, oldest first, when so many are over.
    async fn all_over(&self, expected: usize) -> anyhow::Result<Vec<Value>> {
        wait::until("all runs are over", DEADLINE, async || {
            let runs = self.get("tests").await?;
            let mut runs = runs.as_array().context("runs")?.clone();
            ensure!(runs.len() == expected, "{} runs", runs.len());
            ensure!(
                runs.iter().all(|run| run["completedAt"].is_string()),
                "{runs:?}"
            );
            runs.reverse();
            Ok(runs)
        })
        .await
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}{FAMILY}/{path}", self.base_url);
        let reply = self.client.get(url).send().await?;
        let status = reply.status();
        let body = reply.text().await?;
        ensure!(status == StatusCode::OK, "{path}: {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{FAMILY}/{path}", self.base_url);
        let reply = self.client.post(url).json(body).send().await?;
        let status = reply.status();
        let body = reply.text().await?;
        ensure!(status == StatusCode::CREATED, "{path}: {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }
}

/// Ids and begins are in the order of the queue: the run under way, the schedule's, the others.
fn check_order(runs: &[Value], [long, queued, last]: [&str; 3]) -> anyhow::Result<()> {
    let texts = |name: &str| -> Vec<&str> {
        let texts = runs.iter().filter_map(|run| run[name].as_str());
        texts.collect()
    };
    let ids = texts("testId");
    ensure!(ids.is_sorted(), "ids grow with the numbers: {ids:?}");
    ensure!(
        ids[0] == long && ids[2] == queued && ids[3] == last,
        "{ids:?}"
    );
    ensure!(runs[1]["trigger"] == "schedule hourly", "{}", runs[1]);
    // The first one began before the clock was set, the others when it was set for the last time.
    let begins = &texts("startedAt")[1..];
    ensure!(begins.is_sorted(), "not in the queue's order: {begins:?}");
    Ok(())
}

/// From its begin to its end, as the service tells them.
fn seconds_of(run: &Value) -> anyhow::Result<i64> {
    let at = |name: &str| -> anyhow::Result<Timestamp> {
        Ok(run[name].as_str().context("a time")?.parse()?)
    };
    Ok(at("completedAt")?
        .duration_since(at("startedAt")?)
        .as_secs())
}
