//! Whether the figures of a run show what was asked: each condition with what was seen, its
//! limit, and what to do when it does not hold.

mod completeness;
mod conditions;

use serde::{Deserialize, Serialize};

use crate::verdict::Evidence;

/// All conditions of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Validity {
    /// `VALID, 10 of 10`, `VALID, 9 of 10, 1 unknown` or `INVALID, 9 of 10`.
    pub summary: String,
    /// The conditions, always in the same order.
    pub checks: Vec<ValidityCheck>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidityCheck {
    /// Its name: `droppedIterations`.
    pub name: String,
    /// Whether it held.
    pub state: CheckState,
    /// What was seen.
    pub value: String,
    /// What it is held against.
    pub limit: String,
    /// Why the run does not count, when it does not hold; why nobody knows, when it is unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// What to do about it, when it does not hold or is unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
}

/// What is known of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckState {
    /// It holds.
    Held,
    /// It does not, so that the run is INVALID.
    Failed,
    /// Nothing tells. The run counts all the same, and says so.
    Unknown,
}

impl CheckState {
    /// The state in a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl Validity {
    /// Holds the evidence of a run against every condition.
    #[must_use]
    pub fn of(evidence: &Evidence<'_>) -> Self {
        Self::summed_up(conditions::all(evidence))
    }

    /// The same with a further condition that does not hold.
    #[must_use]
    pub fn and_failed(self, name: &str, sentence: &str) -> Self {
        let mut checks = self.checks;
        checks.push(conditions::failed(
            name,
            (sentence.to_owned(), String::new()),
            sentence.to_owned(),
            String::new(),
        ));
        Self::summed_up(checks)
    }

    /// Why the run does not count; empty when it does.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let failed = self
            .checks
            .iter()
            .filter(|check| check.state == CheckState::Failed);
        failed.map(|check| check.sentence.clone()).collect()
    }

    fn summed_up(checks: Vec<ValidityCheck>) -> Self {
        let count = |state| checks.iter().filter(|check| check.state == state).count();
        let word = if count(CheckState::Failed) == 0 {
            "VALID"
        } else {
            "INVALID"
        };
        let unknown = match count(CheckState::Unknown) {
            0 => String::new(),
            some => format!(", {some} unknown"),
        };
        let held = count(CheckState::Held);
        Self {
            summary: format!("{word}, {held} of {}{unknown}", checks.len()),
            checks,
        }
    }
}
