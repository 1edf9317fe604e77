//! The performance service, which puts the load on and keeps the run with its faults.

mod history;
mod request;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use local_servers::wait;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use service_defaults::http_client::{self, HttpClientConfig};

pub(crate) use self::history::Recorded;
use self::request::{bounded, request};
use crate::machine::bound;
use crate::plan::LoadPlan;

const FAMILY: &str = "/api/v1/performancetest";

/// From the request to the first second of load: k6 starts, and the script's setup stores books.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// From the last probe to the end of the run: a ramp down, the script's teardown, the judgement.
const END_DEADLINE: Duration = Duration::from_secs(180);

/// A preset's whole length at most, when the run goes on after the plan.
const PRESET_DEADLINE: Duration = Duration::from_secs(3_600);

/// How much longer a run is asked for than it is wanted, in seconds, where we end it ourselves.
const LONGER: f64 = 60.0;

/// The longest run that the service takes unless it is told otherwise, in seconds.
const LONGEST: f64 = 14_400.0;

/// One run.
#[derive(Debug)]
pub(crate) struct Load {
    client: Client,
    base: String,
    id: String,
    /// What the machine did not have room for.
    pub(crate) note: Option<String>,
    /// Why there is no run, where the plan is about that.
    refused: Option<String>,
    /// What was asked for, for how long, and when.
    plan: LoadPlan,
    seconds: f64,
    begun: Instant,
    /// Short runs that wait behind this one.
    behind: Mutex<Vec<String>>,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) verdict: Option<String>,
    pub(crate) reasons: Vec<String>,
    pub(crate) error: Option<String>,
    pub(crate) requests: u64,
    /// The fewest that the plan asks for.
    pub(crate) least_requests: u64,
    /// The conditions of a valid run that did not hold.
    pub(crate) doubts: Vec<String>,
    /// Whether we ended it, when users ceased to ask.
    pub(crate) by_us: bool,
    /// The run and those behind it, oldest first, by the service's own record.
    pub(crate) history: Vec<Recorded>,
    /// From the request to the end of all, in seconds.
    pub(crate) lasted: f64,
}

impl Ended {
    fn without_load(error: &str) -> Self {
        Self {
            verdict: None,
            reasons: Vec::new(),
            error: Some(error.to_owned()),
            requests: 0,
            least_requests: 0,
            doubts: Vec::new(),
            by_us: false,
            history: Vec::new(),
            lasted: 0.0,
        }
    }
}

impl Load {
    /// Asks for a run and gives it when its load is on, or when it has failed before.
    ///
    /// # Errors
    /// It is refused, or nothing happens in time.
    pub(crate) async fn start(
        base: &str,
        name: &str,
        plan: &LoadPlan,
        seconds: f64,
    ) -> anyhow::Result<Self> {
        let client = http_client::build(&HttpClientConfig::default())?;
        let mut plan = plan.clone();
        let mut load = Self {
            client,
            base: base.to_owned(),
            id: String::new(),
            note: None,
            refused: None,
            plan: plan.clone(),
            seconds,
            begun: Instant::now(),
            behind: Mutex::default(),
        };
        if let Some((scale, note)) = bounded(&plan, bound()?) {
            plan.scale = Some(scale);
            load.note = Some(note);
            load.plan = plan.clone();
        }
        let seconds = if plan.is_judged() {
            seconds
        } else {
            // We end it: faults may take longer than planned, and load is on to the end.
            (seconds * 2.0 + LONGER).min(LONGEST).max(seconds)
        };
        let asked = request(name, &plan, seconds);
        let run = match load.call(Method::POST, "/start", &asked).await {
            Err(refusal) if plan.fails_with.is_some() => {
                load.refused = Some(format!("{refusal:#}"));
                return Ok(load);
            }
            run => run?,
        };
        load.id = run["testId"].as_str().context("an id")?.to_owned();
        wait::until("load is on", START_DEADLINE, async || {
            let run = load.run().await?;
            if run["completedAt"].is_string() {
                return Ok(());
            }
            let path = load.path("/timeline");
            let seconds = load.call(Method::GET, &path, &json!(null)).await?;
            ensure!(
                seconds.as_array().is_some_and(|all| !all.is_empty()),
                "{run}"
            );
            Ok(())
        })
        .await?;
        Ok(load)
    }

    /// Notes a fault in the run; a run that is over takes none.
    pub(crate) async fn tell(&self, moment: &str, name: &str, detail: &str) -> anyhow::Result<()> {
        let body = json!({"moment": moment, "name": name, "detail": detail});
        self.call(Method::POST, &self.path("/events"), &body)
            .await?;
        Ok(())
    }

    /// Asks for a short run, which waits behind this one: its id and its times tell what the
    /// service takes the order to be.
    ///
    /// # Errors
    /// It is refused.
    pub(crate) async fn ask_for_another(&self) -> anyhow::Result<()> {
        let short = LoadPlan {
            users: Some(1),
            rate: None,
            preset: None,
            ..self.plan.clone()
        };
        let mut asked = request("behind", &short, 1.0);
        // Its books take longer than its load.
        asked["environment"]["COUNT"] = json!("1");
        let run = self.call(Method::POST, "/start", &asked).await?;
        let id = run["testId"].as_str().context("an id")?.to_owned();
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        behind.push(id);
        Ok(())
    }

    /// Has the run ended, unless it is over; asks again while the service is away.
    async fn cancel(&self) -> anyhow::Result<()> {
        wait::until("the run is cancelled", END_DEADLINE, async || {
            let path = self.path("/cancel");
            let Err(refusal) = self.call(Method::POST, &path, &json!(null)).await else {
                return Ok(());
            };
            let run = self.run().await?;
            ensure!(run["completedAt"].is_string(), "{refusal:#}");
            Ok(())
        })
        .await
    }

    /// Waits for the end of the run, and of those behind it. Where the plan judges nothing of it,
    /// the run is ended at once: k6 would go on until each user's iteration is over.
    ///
    /// # Errors
    /// It does not end in time.
    pub(crate) async fn ended(&self) -> anyhow::Result<Ended> {
        let plan = &self.plan;
        if let Some(refused) = &self.refused {
            return Ok(Ended::without_load(refused));
        }
        let deadline = if plan.preset.is_some() {
            PRESET_DEADLINE
        } else {
            END_DEADLINE
        };
        let behind = self.behind.lock();
        let behind = behind.unwrap_or_else(PoisonError::into_inner).clone();
        if !plan.is_judged() {
            self.cancel().await?;
        }
        let run = self.over(&self.id, deadline).await?;
        let mut history = vec![Recorded::read(run.clone())?];
        for id in &behind {
            history.push(Recorded::read(self.over(id, END_DEADLINE).await?)?);
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let reasons = run["verdict"]["reasons"].as_array();
        let count = &run["results"]["metrics"]["http_reqs"]["values"]["count"];
        let checks = run["results"]["validity"]["checks"].as_array();
        let failed = checks.into_iter().flatten();
        let failed = failed.filter(|check| check["state"] == "failed");
        Ok(Ended {
            verdict: text(&run["verdict"]["level"]),
            reasons: reasons
                .map(|all| all.iter().filter_map(text).collect())
                .unwrap_or_default(),
            error: text(&run["errorMessage"]),
            requests: whole(count.as_f64().unwrap_or(0.0)),
            least_requests: whole(plan.least(self.seconds)),
            doubts: failed.filter_map(|check| text(&check["name"])).collect(),
            by_us: !plan.is_judged() && run["status"] == "Cancelled",
            history,
            lasted: self.begun.elapsed().as_secs_f64(),
        })
    }

    /// A run that has ended.
    async fn over(&self, id: &str, deadline: Duration) -> anyhow::Result<Value> {
        wait::until("the run is over", deadline, async || {
            let run = self
                .call(Method::GET, &format!("/{id}"), &json!(null))
                .await?;
            ensure!(run["completedAt"].is_string(), "{}", run["status"]);
            Ok(run)
        })
        .await
    }

    /// The run as a page without scripts.
    ///
    /// # Errors
    /// The service does not give it.
    pub(crate) async fn report(&self) -> anyhow::Result<String> {
        let url = format!("{}{FAMILY}{}?format=html", self.base, self.path("/export"));
        let reply = self.client.get(url).send().await?;
        Ok(reply.error_for_status()?.text().await?)
    }

    async fn run(&self) -> anyhow::Result<Value> {
        self.call(Method::GET, &self.path(""), &json!(null)).await
    }

    fn path(&self, what: &str) -> String {
        format!("/{}{what}", self.id)
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{FAMILY}{path}", self.base);
        let mut request = self.client.request(method.clone(), url);
        if !body.is_null() {
            request = request.json(body);
        }
        let reply = request.send().await?;
        let status = reply.status();
        let text = reply.text().await?;
        if !status.is_success() {
            bail!("{method} {path} answered {status}: {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count that came as a float; a cast ends at the bounds"
)]
fn whole(count: f64) -> u64 {
    count as u64
}
