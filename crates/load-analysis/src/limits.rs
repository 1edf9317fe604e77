//! The limits of a test: a file beside the script that says what its runs must keep to.
//!
//! ```toml
//! [[limit]]
//! metric = "http_req_duration"       # any metric of the script
//! tags = { route_class = "catalogue" } # or any other that samples carry: check, model, your own
//! stat = "p(95)"                     # as in k6's thresholds
//! target = 150                       # what is wanted: PASS
//! warning = 200                      # up to here WARNING, beyond it the priority decides
//! unit = "ms"
//! priority = "P0"                    # P0 CRITICAL, P1 FAIL, P2 WARNING
//! window = "every 30s"               # each 30 s of the steady load on their own
//! ```
//!
//! These judge runs. What a service promises its users is another thing and stands elsewhere.

mod file;
mod judge;
mod summary;
mod window;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::file::{InvalidLimits, MAX_FILE_BYTES, MAX_LIMITS, MAX_OWN_TAG_VALUES, Problem};
pub use self::judge::LimitJudge;
pub use self::summary::judge_summary;
pub use self::window::Window;
use crate::objective::{Better, Priority};
use crate::series::{SeriesTags, WantedTags};
use crate::targets::NO_SAMPLE;
use crate::threshold::Statistic;
use crate::unit::Unit;
use crate::verdict::Level;

/// One limit. Values are in k6's unit of the metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// The metric's name in the script.
    pub metric: String,
    /// The tags that a series must have, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What is held against the bounds.
    pub stat: Statistic,
    /// What is wanted; a value at the target is within it.
    pub target: f64,
    /// The outer bound; the same as the target without a warning tier.
    pub warning: f64,
    /// The unit that the file had, and that sentences have.
    pub unit: Unit,
    /// What being beyond the outer bound means.
    pub priority: Priority,
    /// The time that is judged.
    pub window: Window,
    /// On which side of the bounds values should be.
    pub better: Better,
}

/// One judged limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitResult {
    /// The limit.
    pub limit: Limit,
    /// PASS, WARNING, FAIL or CRITICAL; INCONCLUSIVE with too few samples; INVALID without any.
    pub level: Level,
    /// The value that was held against the bounds, in k6's unit: of the worst slice where each is
    /// judged on its own, the slowest sample where there are too few for a percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<f64>,
    /// Whether `observed` is the extreme sample and only bounds the percentile, because there are
    /// too few samples for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extreme: bool,
    /// Samples that it is made of.
    pub samples: u64,
    /// How much of the outer bound is left, as a share of it; negative when it is crossed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<f64>,
    /// From the begin of the first slice as bad as this to the end of the last, in seconds since
    /// the load began; absent where the window is judged as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<(i64, i64)>,
    /// All of it in a sentence.
    pub sentence: String,
}

impl Limit {
    /// Reads a file of limits.
    ///
    /// # Errors
    /// [`InvalidLimits`] with every problem, its line and its reason.
    pub fn parse_file(text: &str) -> Result<Vec<Self>, InvalidLimits> {
        file::parse(text)
    }

    /// What the series of a run must be kept apart by for these limits, beside the tags by which
    /// those of every run are.
    #[must_use]
    pub fn wanted_tags(limits: &[Self]) -> WantedTags {
        let mut wanted = WantedTags::new();
        for (name, value) in limits.iter().flat_map(|limit| &limit.tags) {
            if !SeriesTags::NAMES.contains(&name.as_str()) {
                wanted
                    .entry(name.clone())
                    .or_default()
                    .insert(value.clone());
            }
        }
        wanted
    }

    /// How sentences call it: `p(95) of http_req_duration{route_class:ai}`.
    #[must_use]
    pub fn name(&self) -> String {
        let tags: Vec<String> = self
            .tags
            .iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        let tags = match tags.join(",") {
            none if none.is_empty() => none,
            tags => format!("{{{tags}}}"),
        };
        let every = match self.window {
            Window::Every(seconds) => format!(" in every {seconds} s"),
            Window::Run | Window::Steady | Window::Between(..) => String::new(),
        };
        format!("{} of {}{tags}{every}", self.stat.name(), self.metric)
    }

    /// A bound of it as text: `≤ 150 ms`.
    #[must_use]
    pub fn bound(&self, value: f64) -> String {
        let sign = match self.better {
            Better::Lower => "≤",
            Better::Higher => "≥",
        };
        format!("{sign} {}", self.unit.write(value))
    }

    /// How much of the outer bound a value leaves, as a share of it.
    fn left(&self, observed: Option<f64>) -> Option<f64> {
        let bound = self.warning;
        let observed = observed.filter(|_| bound > 0.0);
        observed.map(|value| self.better.harm(bound - value) / bound)
    }

    /// Whether a value keeps to a bound.
    fn keeps_to(&self, bound: f64, value: f64) -> bool {
        self.better.harm(value - bound) <= 0.0
    }

    /// What a value means.
    #[must_use]
    pub fn tier(&self, value: f64) -> Level {
        if self.keeps_to(self.target, value) {
            return Level::Pass;
        }
        if self.keeps_to(self.warning, value) {
            return Level::Warning;
        }
        match self.priority {
            Priority::P0 => Level::Critical,
            Priority::P1 => Level::Fail,
            Priority::P2 => Level::Warning,
        }
    }
}

impl LimitResult {
    /// The value that was held against the bounds, with its unit, behind a `≤` or `≥` where it
    /// only bounds the percentile; `no sample` without any, `not told` where a summary of them
    /// leaves it out.
    #[must_use]
    pub fn actual(&self) -> String {
        let Some(observed) = self.observed else {
            let missing = if self.samples == 0 {
                NO_SAMPLE
            } else {
                "not told"
            };
            return missing.to_owned();
        };
        let value = self.limit.unit.write(observed);
        match (self.extreme, self.limit.better) {
            (false, _) => value,
            (true, Better::Lower) => format!("≤ {value}"),
            (true, Better::Higher) => format!("≥ {value}"),
        }
    }
}
