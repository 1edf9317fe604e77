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

/// What a preset is called as what breaks.
pub(crate) const LOAD: &str = "load";

/// A user of the closed model makes a request in so many seconds at least.
const SECONDS_PER_REQUEST: f64 = 5.0;

/// The share of the asked rate without which an open load was none.
const LEAST_OF_RATE: f64 = 0.5;

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
    pub(crate) users: Option<u32>,
    /// Iterations that begin each second (the open model); `users` are the most at once then.
    pub(crate) rate: Option<f64>,
    /// A preset of the script, in the place of users and rate; a small plan shrinks it.
    pub(crate) preset: Option<String>,
    /// The share of the preset's time and users, above 0 and at most 1.
    pub(crate) scale: Option<f64>,
    /// The most users at once of the preset; where the machine carries fewer, the preset shrinks.
    pub(crate) most_users: Option<u32>,
    /// How often probes ask, as a share of their usual rates, above 0 and at most 1: for a store
    /// that is a stand-in, and carries less than the API.
    pub(crate) probes: Option<f64>,
    /// Further options of the run, as `POST /start` takes them.
    #[serde(default)]
    pub(crate) options: Map<String, Value>,
    /// Verdicts that the run may have; any when empty.
    #[serde(default)]
    pub(crate) verdicts: Vec<String>,
    /// Conditions of a valid run that need not hold, such as `targetRestart` where the target is
    /// killed.
    #[serde(default)]
    pub(crate) tolerates: Vec<String>,
    /// Conditions of a valid run of which one must not hold: why the run is to be INVALID.
    #[serde(default)]
    pub(crate) invalid_for: Vec<String>,
    /// The fewest requests of the whole run at full length, without which nothing was shown.
    /// Without it a request per user and five seconds, or half of the asked rate; a preset needs
    /// it.
    pub(crate) least_requests: Option<u32>,
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
            bound.check()?;
        }
        let breaks_by_load = self.load.preset.is_some();
        ensure!(
            self.faults.is_empty() || !breaks_by_load,
            "load.preset: is what breaks, so there can be no fault beside it"
        );
        self.load.check()
    }

    /// Refuses a moment that names no fault.
    fn known(&self, moment: &Moment) -> anyhow::Result<()> {
        if let Some(name) = moment.fault() {
            let by_load = self.load.preset.is_some() && name == LOAD;
            let found = by_load || self.faults.iter().any(|fault| fault.name == name);
            ensure!(found, "during: there is no fault {name:?}");
        }
        Ok(())
    }
}

impl LoadPlan {
    /// Whether more is judged of the run than that it was there. It ends by itself then; else we
    /// end it: k6 would go on until each user's iteration is over.
    pub(crate) fn is_judged(&self) -> bool {
        self.preset.is_some() || !self.verdicts.is_empty() || self.fails_with.is_some()
    }

    /// The fewest requests in so many seconds without which nothing was shown.
    pub(crate) fn least(&self, seconds: f64) -> f64 {
        // A preset shrinks in its time and in its users.
        let scale = self.scale.unwrap_or(1.0).powi(2);
        let of_users = f64::from(self.users.unwrap_or(1)) * seconds / SECONDS_PER_REQUEST;
        let of_rate = self.rate.map(|rate| rate * seconds * LEAST_OF_RATE);
        let given = self.least_requests.map(|least| f64::from(least) * scale);
        given.or(of_rate).unwrap_or(of_users).floor().max(1.0)
    }

    fn check(&self) -> anyhow::Result<()> {
        let chosen = [self.users.is_some(), self.preset.is_some()];
        if chosen.iter().filter(|given| **given).count() != 1 {
            bail!("load: needs either users or preset");
        }
        ensure!(
            self.preset.is_none() || self.least_requests.is_some(),
            "load.least_requests: a preset needs it"
        );
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
mod tests;
