//! `/baselines`: what tests measure when all is well, and the form that changes it.

mod by_hand;
mod one;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::Response;
use load_analysis::baseline::Replacement;
use performance_store::BaselineVersion;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;

use super::{page, see_other};
use crate::app::App;
use crate::baselines::{Wish, establish};
use crate::presentation::interval_bar::percent;
use crate::presentation::numbers::number;
use crate::presentation::words;
use crate::problems;
use crate::runs::compare::ids;
use crate::runs::trends::USUAL_MEASURE;

pub(super) use self::by_hand::{pin, roll_back, withdraw};
pub(super) use self::one::{Which, one};

#[derive(Template)]
#[template(path = "baselines.html")]
struct BaselinesPage {
    baselines: Vec<Listed>,
}

/// A baseline in a list.
pub(super) struct Listed {
    pub(super) test: String,
    pub(super) environment: String,
    pub(super) scenario: String,
    pub(super) version: u64,
    /// Where it is looked at and changed.
    pub(super) address: String,
    pub(super) since: String,
    pub(super) by: String,
    pub(super) runs: usize,
    /// Where the usual measure lies.
    pub(super) figure: String,
    /// Why it replaced the one before.
    pub(super) reason: String,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(super) struct EstablishForm {
    test: String,
    /// That of the latest run when absent, as is the scenario.
    environment: Option<String>,
    scenario: Option<String>,
    /// The ids of the runs, with commas between; the latest good ones when absent.
    runs: Option<String>,
    #[serde(default)]
    reason: String,
}

/// The page of all baselines.
pub(super) async fn baselines(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Response, Problem> {
    let found = app.store.baselines(&caller.tenant).await;
    let found = found.map_err(problems::from_store)?;
    page(&BaselinesPage {
        baselines: found.into_iter().map(listed).collect(),
    })
}

/// The button that makes the latest good runs of a test its baseline.
pub(super) async fn put_in_force(
    State(app): State<App>,
    Caller(caller): Caller,
    Form(form): Form<EstablishForm>,
) -> Result<Response, Problem> {
    let reason = form.reason.trim();
    let runs = form.runs.map(|list| ids("runs", list.split(',')));
    let wish = Wish {
        test: form.test,
        environment: form.environment,
        scenario: form.scenario,
        runs: runs.transpose()?,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
    };
    establish(&app, &caller, wish).await?;
    Ok(see_other("/baselines"))
}

/// A baseline as lists show it.
pub(super) fn listed(version: BaselineVersion) -> Listed {
    let usual = version.baseline.measures.get(USUAL_MEASURE);
    Listed {
        figure: usual.map_or_else(
            || "–".to_owned(),
            |centre| {
                let (low, high) = (number(centre.min), number(centre.max));
                let noise = percent(centre.noise);
                let noise = noise.trim_start_matches('+');
                format!(
                    "{} ms [{low}, {high}], noise ± {noise}",
                    number(centre.median)
                )
            },
        ),
        reason: match version.replacement {
            None if version.version == 1 => "the first".to_owned(),
            None => "none was in force before".to_owned(),
            Some(Replacement::Improved(measures)) => format!("better: {}", measures.join(", ")),
            Some(Replacement::ByHand { reason, hides }) => with_hidden(reason, &hides),
            Some(Replacement::RolledBack { to, reason, hides }) => {
                with_hidden(format!("back to version {to}: {reason}"), &hides)
            }
            Some(Replacement::Withdrawn { reason }) => format!("none from here on: {reason}"),
        },
        address: Which::of(&version.name).address(),
        since: words::clock(version.created_at),
        runs: version.baseline.runs.len(),
        test: version.name.test,
        environment: version.name.environment,
        scenario: version.name.scenario,
        version: version.version,
        by: version.created_by,
    }
}

fn with_hidden(reason: String, hides: &[String]) -> String {
    if hides.is_empty() {
        return reason;
    }
    format!("{reason} (hides: {})", hides.join(" "))
}
