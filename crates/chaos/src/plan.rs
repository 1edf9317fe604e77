//! What a plan says, as it stands in its file.

mod action;
mod expectation;
mod small;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use self::action::{Action, Dependency, Handshake, Part};
pub(crate) use self::expectation::{Expectation, MetricBound, Moment, Recovery, Steady};

/// Longest plan: the longest of our own is a game day of a quarter of an hour.
const MAX_SECONDS: f64 = 3_600.0;

/// Faults of one plan; the performance service keeps 200 events of a run.
const MAX_FAULTS: usize = 50;

/// One experiment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What somebody wants to know.
    pub(crate) question: String,
    /// Rows of the table of faults that it answers, such as `F1`.
    #[serde(default)]
    pub(crate) covers: Vec<String>,
    /// How long probes and writers go on, in seconds from the first second of load.
    pub(crate) seconds: f64,
    /// What is started.
    #[serde(default)]
    pub(crate) stack: StackPlan,
    /// What k6 does meanwhile.
    pub(crate) load: LoadPlan,
    /// What must hold before the first fault, or nothing of the rest means anything.
    #[serde(default)]
    pub(crate) steady: Steady,
    /// What is broken, when.
    #[serde(default, rename = "fault")]
    pub(crate) faults: Vec<FaultPlan>,
    /// What users must see.
    #[serde(default, rename = "expect")]
    pub(crate) expectations: Vec<Expectation>,
    /// What the API's own metrics must say.
    #[serde(default, rename = "metric")]
    pub(crate) metrics: Vec<MetricBound>,
    /// How soon all is well again after each fault.
    #[serde(default)]
    pub(crate) recovery: Recovery,
}

/// The servers beside the API, the simulator and the performance service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StackPlan {
    /// A server of the `MongoDB` protocol keeps the books, else `SQLite` in the API.
    pub(crate) mongo: bool,
    /// Redis is the second level of the cache.
    pub(crate) redis: bool,
    /// A collector of traces that answers nobody.
    pub(crate) collector: bool,
    /// How the API reaches the models' vendor.
    pub(crate) provider: Access,
    /// Further settings of the API.
    pub(crate) api: Settings,
    /// Further settings of the simulator.
    pub(crate) simulator: Settings,
    /// Further settings of the performance service.
    pub(crate) performance_service: Settings,
    /// The performance service keeps its runs on a disk of its own, of so many MiB.
    pub(crate) disk_mib: Option<u32>,
}

/// How a server is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    /// By its address.
    #[default]
    Address,
    /// By a host name that is looked up.
    Name,
    /// By its address, through TLS.
    Tls,
}

/// Variables of a process' environment.
pub(crate) type Settings = std::collections::BTreeMap<String, String>;

/// What the performance service is asked to run; lasts as long as the plan unless it has a preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadPlan {
    /// A script of the `k6` directory.
    pub(crate) script: String,
    /// Users at once (the closed model).
    pub(crate) users: Option<u64>,
    /// Iterations that begin each second (the open model); `users` are the most at once then.
    pub(crate) rate: Option<f64>,
    /// A preset of the script, in the place of users and rate; a small plan shrinks it.
    pub(crate) preset: Option<String>,
    /// The share of the preset's time and users, above 0 and at most 1.
    pub(crate) scale: Option<f64>,
    /// The most users at once of the preset; where the machine carries fewer, the preset shrinks.
    pub(crate) most_users: Option<u64>,
    /// How often probes ask, as a share of their usual rates, above 0 and at most 1: for a store
    /// that is a stand-in, and carries less than the API.
    pub(crate) probes: Option<f64>,
    /// Further options of the run, as `POST /start` takes them.
    #[serde(default)]
    pub(crate) options: Map<String, Value>,
    /// Verdicts that the run may have; any when empty.
    #[serde(default)]
    pub(crate) verdicts: Vec<String>,
    /// Words in the reason why a run is refused, or fails before it puts any load on.
    pub(crate) fails_with: Option<String>,
}

/// A fault on the time line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultPlan {
    /// What it is called, in the result and over the charts.
    pub(crate) name: String,
    /// When it begins, in seconds from the first second of load.
    pub(crate) at: f64,
    /// How long it lasts; 0 for what takes no time.
    #[serde(default)]
    pub(crate) lasts: f64,
    /// What is done.
    pub(crate) action: Action,
}

impl FaultPlan {
    /// When it ends, in seconds from the first second of load.
    pub(crate) fn ends(&self) -> f64 {
        self.at + self.lasts
    }
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// Names the member that is wrong, and why.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let plan: Self = toml::from_str(text).context("the plan is no TOML of ours")?;
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.seconds > 0.0 && self.seconds <= MAX_SECONDS,
            "seconds: must be above 0 and at most {MAX_SECONDS}"
        );
        ensure!(
            self.faults.len() <= MAX_FAULTS,
            "fault: at most {MAX_FAULTS} are possible"
        );
        let mut before = 0.0;
        for fault in &self.faults {
            let name = &fault.name;
            let named = (1..=80).contains(&name.chars().count());
            ensure!(named, "fault.name: {name:?} must have 1 to 80 characters");
            ensure!(
                fault.at >= before && fault.lasts >= 0.0 && fault.at.is_finite(),
                "fault.at: {name} must begin at {before} s or later, and last 0 s or longer"
            );
            ensure!(
                fault.ends() < self.seconds,
                "fault.lasts: {name} must end before the plan does, at {} s",
                self.seconds
            );
            before = fault.ends();
            fault
                .action
                .check(&self.stack)
                .with_context(|| format!("fault.action of {name}"))?;
        }
        for expectation in &self.expectations {
            self.known(&expectation.during)?;
            expectation.check()?;
        }
        for bound in &self.metrics {
            self.known(&bound.during)?;
        }
        self.load.check()
    }

    /// Refuses a moment that names no fault.
    fn known(&self, moment: &Moment) -> anyhow::Result<()> {
        if let Some(name) = moment.fault() {
            let found = self.faults.iter().any(|fault| fault.name == name);
            ensure!(found, "during: there is no fault {name:?}");
        }
        Ok(())
    }
}

impl LoadPlan {
    fn check(&self) -> anyhow::Result<()> {
        let chosen = [self.users.is_some(), self.preset.is_some()];
        if chosen.iter().filter(|given| **given).count() != 1 {
            bail!("load: needs either users or preset");
        }
        let probes = self.probes.unwrap_or(1.0);
        ensure!(
            probes > 0.0 && probes <= 1.0,
            "load.probes: must be above 0 and at most 1"
        );
        if let Some(scale) = self.scale {
            let fits = self.preset.is_some() && scale > 0.0 && scale <= 1.0;
            ensure!(
                fits,
                "load.scale: goes with a preset, above 0 and at most 1"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
question = "What do users see while the store is down?"
seconds = 90
[stack]
mongo = true
[load]
script = "tests/load.js"
users = 4
[[fault]]
name = "store killed"
at = 20
lasts = 30
action = { kill = { process = "mongo" } }
[[expect]]
during = "store killed"
probe = "cached read"
status = [200]
"#;

    #[test]
    fn a_small_plan_keeps_its_order_and_its_time_for_recovery() {
        let plan = Plan::parse(PLAN).expect("a plan").small();
        let fault = &plan.faults[0];
        assert!((fault.at - 3.0).abs() < 1e-9, "{fault:?}");
        assert!((fault.lasts - 5.0).abs() < 1e-9, "{fault:?}");
        assert!(plan.seconds >= fault.ends() + plan.recovery.within);
    }

    #[test]
    fn the_plans_that_come_with_it_can_be_used() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../k6/chaos");
        let mut seen = 0;
        for entry in std::fs::read_dir(directory).expect("the plans") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a plan");
            let plan = Plan::parse(&text).unwrap_or_else(|error| panic!("{path:?}: {error:#}"));
            plan.small()
                .check()
                .unwrap_or_else(|error| panic!("{path:?}: {error:#}"));
            seen += 1;
        }
        assert!(seen > 10, "{seen} plans");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, word) in [
            ("seconds = 90", "seconds = 40", "must end before"),
            ("seconds = 90", "seconds = 1e9", "seconds"),
            ("users = 4", "", "users or preset"),
            ("mongo = true", "mongo = false", "mongo"),
            (
                "kill = { process = \"mongo\" }",
                "forget-name = {}",
                "stack.provider",
            ),
            (
                "kill = { process = \"mongo\" }",
                "clock = { process = \"api\", seconds = 1 }",
                "only performance",
            ),
            ("during = \"store killed\"", "during = \"x\"", "no fault"),
            ("cached read", "no such probe", "probe"),
            ("lasts = 30", "lats = 30", "lats"),
            ("status = [200]", "status = [20]", "status"),
            ("users = 4", "users = 4\nprobes = 0.0", "load.probes"),
        ] {
            let text = PLAN.replace(from, to);
            let error = format!("{:#}", Plan::parse(&text).expect_err(to));
            assert!(error.contains(word), "{to}: {error}");
        }
    }
}
