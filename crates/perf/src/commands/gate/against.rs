//! What the runs of a gate are compared with.

use std::convert::Infallible;
use std::str::FromStr;

use load_analysis::verdict::Level;

use crate::commands::compare::BASELINE;
use crate::failure::Failure;
use crate::identify;
use crate::service::{Compared, Run, Service};

/// The name of the baseline in force.
const MAIN: &str = "main";

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Against {
    /// The baseline in force.
    InForce,
    /// Nothing.
    None,
    /// Runs with commas between.
    Runs(String),
}

/// What there was.
#[derive(Debug)]
pub(super) enum Reference {
    /// Why nothing is compared.
    Missing(String),
    Found {
        name: String,
        compared: Compared,
    },
}

impl FromStr for Against {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            MAIN => Self::InForce,
            "none" => Self::None,
            runs => Self::Runs(runs.to_owned()),
        })
    }
}

impl Reference {
    /// What a missing comparison says of the runs: nothing.
    pub(super) fn level(&self) -> Level {
        self.compared()
            .map_or(Level::Pass, |compared| compared.level)
    }

    pub(super) const fn compared(&self) -> Option<&Compared> {
        match self {
            Self::Missing(_) => None,
            Self::Found { compared, .. } => Some(compared),
        }
    }

    /// `compared with version 3 of the baseline`, or why there is nothing to compare with.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Missing(reason) => reason,
            Self::Found { name, .. } => name,
        }
    }
}

/// Compares the runs with what was asked for.
pub(super) async fn compare(
    service: &Service,
    against: &Against,
    runs: &[Run],
) -> Result<Reference, Failure> {
    let missing = |reason: String| Ok(Reference::Missing(reason));
    let Some(first) = runs.first() else {
        return missing("there is no run to compare".to_owned());
    };
    if let Some(empty) = runs.iter().find(|run| run.results().is_none()) {
        return missing(format!("not compared: {} has no results", empty.name()));
    }
    let (reference, name) = match against {
        Against::None => return missing("compared with nothing, as asked".to_owned()),
        Against::Runs(list) => {
            let ids = identify::list(service, list).await?;
            (ids, format!("compared with {list}"))
        }
        Against::InForce => {
            let baselines = service.baselines().await?;
            match baselines.iter().find(|baseline| baseline.is_of(first)) {
                Some(baseline) => {
                    let version = baseline.version;
                    let name = format!("compared with version {version} of the baseline");
                    (BASELINE.to_owned(), name)
                }
                None => {
                    return missing(format!(
                        "not compared: no baseline of {} ({}, {}) is in force",
                        first.test_name, first.scenario, first.target
                    ));
                }
            }
        }
    };
    let ids: Vec<&str> = runs.iter().map(|run| run.test_id.as_str()).collect();
    let compared = service.compare(&reference, &ids.join(",")).await?;
    Ok(Reference::Found { name, compared })
}
