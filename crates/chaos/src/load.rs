//! The performance service, which puts the load on and keeps the run with its faults.

mod history;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use local_servers::wait;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use service_defaults::http_client::{self, HttpClientConfig};

pub(crate) use self::history::Recorded;
use crate::machine::{Bound, bound};
use crate::plan::LoadPlan;

const FAMILY: &str = "/api/v1/performancetest";

/// From the request to the first second of load: k6 starts, and the script's setup stores books.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// From the last probe to the end of the run: a ramp down, the script's teardown, the judgement.
const END_DEADLINE: Duration = Duration::from_secs(180);

/// A preset's whole length at most, when the run goes on after the plan.
const PRESET_DEADLINE: Duration = Duration::from_secs(3_600);

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
    /// What was asked for, and when.
    plan: LoadPlan,
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
            begun: Instant::now(),
            behind: Mutex::default(),
        };
        if let Some((scale, note)) = bounded(&plan, bound()?) {
            plan.scale = Some(scale);
            load.note = Some(note);
        }
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

    /// Waits for the end of the run, and of those behind it. Where the plan judges nothing of it,
    /// the run is ended at once: k6 would go on until each user's iteration is over.
    ///
    /// # Errors
    /// It does not end in time.
    pub(crate) async fn ended(&self, plan: &LoadPlan) -> anyhow::Result<Ended> {
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
        let is_judged = plan.preset.is_some()
            || !plan.verdicts.is_empty()
            || plan.fails_with.is_some()
            || !behind.is_empty();
        if !is_judged {
            // One that is over by itself refuses.
            drop(
                self.call(Method::POST, &self.path("/cancel"), &json!(null))
                    .await,
            );
        }
        let run = self.over(&self.id, deadline).await?;
        let mut history = vec![Recorded::read(run.clone())?];
        for id in &behind {
            history.push(Recorded::read(self.over(id, END_DEADLINE).await?)?);
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let reasons = run["verdict"]["reasons"].as_array();
        let count = &run["results"]["metrics"]["http_reqs"]["values"]["count"];
        Ok(Ended {
            verdict: text(&run["verdict"]["level"]),
            reasons: reasons
                .map(|all| all.iter().filter_map(text).collect())
                .unwrap_or_default(),
            error: text(&run["errorMessage"]),
            requests: whole(count),
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

/// The scale that the machine carries, if that is less than what the plan asks for.
fn bounded(plan: &LoadPlan, bound: Bound) -> Option<(f64, String)> {
    let asked = plan.most_users?;
    let scale = plan.scale.unwrap_or(1.0);
    let share = real(bound.users) / real(asked).max(1.0);
    if scale <= share {
        return None;
    }
    let Bound { users, of } = bound;
    let note = format!(
        "this machine has {of} for {users} of {asked} users: SCALE is {share:.2}, not {scale:.2}"
    );
    Some((share, note))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn real(count: u64) -> f64 {
    count as f64
}

/// The run that a plan asks for.
fn request(name: &str, plan: &LoadPlan, seconds: f64) -> Value {
    let mut options = plan.options.clone();
    let mut environment = json!({});
    if let Some(preset) = &plan.preset {
        environment["SCENARIO"] = json!(preset);
        environment["SCALE"] = json!(plan.scale.unwrap_or(1.0).to_string());
    } else {
        options.insert("virtualUsers".to_owned(), json!(plan.users));
        options.insert("duration".to_owned(), json!(format!("{seconds:.0}s")));
        if let Some(rate) = plan.rate {
            options.insert("rate".to_owned(), json!(rate));
        }
    }
    json!({
        "testName": format!("chaos {name}"),
        "scenario": "Load",
        "testScript": plan.script,
        "environment": environment,
        "options": options,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count that came as a float; a cast ends at the bounds"
)]
fn whole(value: &Value) -> u64 {
    value.as_f64().unwrap_or(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_shrinks_to_what_the_machine_carries() {
        let plan = |scale: &str| -> LoadPlan {
            let text =
                format!("script = \"a.js\"\npreset = \"extreme\"\nmost_users = 1300\n{scale}");
            toml::from_str(&text).expect("a load")
        };
        let machine = |users| Bound {
            users,
            of: "memory",
        };
        assert_eq!(bounded(&plan(""), machine(1_300)), None);
        assert_eq!(bounded(&plan("scale = 0.5"), machine(650)), None);
        let (scale, note) = bounded(&plan(""), machine(650)).expect("a bound");
        assert!((scale - 0.5).abs() < 1e-9, "{scale}");
        assert!(note.contains("650 of 1300"), "{note}");
    }
}
