//! What a script is made of: journeys of steps with their values, and the load that walks them.

mod check;
mod step;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use self::check::may_send;
pub use self::step::{Check, Method, Step};
use crate::MAX_DOCUMENT_BYTES;
use crate::invalid::{self, Invalid};

/// Journeys of one script: kinds of users, not single users.
pub const MAX_JOURNEYS: usize = 20;

/// Steps of one script, over all journeys: a recording of several pages.
pub const MAX_STEPS: usize = 300;

/// Rows of the data file.
pub const MAX_ROWS: usize = 10_000;

/// Stages of the load.
pub const MAX_STAGES: usize = 50;

/// Virtual users of one script: a runner takes no more.
pub const MAX_USERS: u32 = 1_000;

/// Everything that a script is written from. Member names are those of the TOML and JSON forms.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    /// One line: what is tested.
    pub title: String,
    /// What it asks of the target, for the reader of the script.
    #[serde(default)]
    pub about: String,
    /// The share of requests that are traced, unless `TRACE_SAMPLE` says another one.
    #[serde(default = "every_request")]
    pub trace_sample: f64,
    /// How much of it, for how long.
    #[serde(default)]
    pub load: Load,
    /// k6 expressions by metric, in the place of the usual ones.
    #[serde(default)]
    pub thresholds: BTreeMap<String, Vec<String>>,
    /// Values that differ between iterations: each takes the next row.
    #[serde(default)]
    pub rows: Vec<Map<String, Value>>,
    /// What users do.
    #[serde(rename = "journey", default)]
    pub journeys: Vec<Journey>,
}

/// How many users or arrivals there are, and when.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Load {
    /// Whether users wait for their answers.
    pub model: Model,
    /// The ramps, one after another.
    pub stages: Vec<Stage>,
    /// The most users at once of an open load; by the journeys' length when absent.
    pub max_users: Option<u32>,
}

/// Who decides when the next iteration begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// Arrivals at a rate, whether or not the target keeps up.
    Open,
    /// Users, each after its last iteration.
    Closed,
}

/// A ramp from where the load is to another one.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// How long it takes.
    pub seconds: u32,
    /// Users at its end (closed), or iterations per second (open).
    pub to: f64,
}

/// What one kind of user does in an iteration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Journey {
    /// A tag of its requests.
    pub name: String,
    /// How often it is walked, relative to the others.
    #[serde(default = "one")]
    pub weight: u32,
    /// Seconds between two steps, from and to, unless a step has its own.
    pub think: Option<Think>,
    /// Values that are made up anew in each iteration.
    #[serde(default)]
    pub make: BTreeMap<String, Made>,
    /// Requests in their order.
    #[serde(rename = "step", default)]
    pub steps: Vec<Step>,
}

/// Seconds that a user waits: at least, at most.
pub type Think = [f64; 2];

/// How a value is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Made {
    /// A valid ISBN-13 that nobody has.
    Isbn13,
    /// A text that names the run, the user and the iteration.
    Unique,
}

impl Configuration {
    /// Reads TOML, or JSON when it begins with a brace, and checks it.
    ///
    /// # Errors
    /// Everything that is refused, by its place.
    pub fn parse(text: &str) -> Result<Self, Vec<Invalid>> {
        if text.len() > MAX_DOCUMENT_BYTES {
            let reason = format!("must have at most {MAX_DOCUMENT_BYTES} bytes");
            return Err(vec![Invalid::new("", reason)]);
        }
        let configuration: Self = if text.trim_start().starts_with('{') {
            invalid::read_json(text)?
        } else {
            invalid::read_toml(text)?
        };
        configuration.check()?;
        Ok(configuration)
    }

    /// Checks every rule that a script needs.
    ///
    /// # Errors
    /// Everything that is refused, by its place.
    pub fn check(&self) -> Result<(), Vec<Invalid>> {
        check::check(self)
    }
}

impl Journey {
    /// Seconds that a user waits behind a step.
    #[must_use]
    pub fn think_behind(&self, step: &Step) -> Option<Think> {
        step.think.or(self.think).filter(|[_, to]| *to > 0.0)
    }
}

impl Default for Load {
    /// One user for half a minute: enough to see whether a script works.
    fn default() -> Self {
        Self {
            model: Model::Closed,
            stages: vec![Stage {
                seconds: 30,
                to: 1.0,
            }],
            max_users: None,
        }
    }
}

const fn every_request() -> f64 {
    1.0
}

const fn one() -> u32 {
    1
}
