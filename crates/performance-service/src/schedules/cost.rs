//! What a schedule costs in a month: what one of its runs costs, times its starts.

use load_analysis::dollars::Dollars;
use load_analysis::notation::{number, whole};
use performance_store::Schedule;
use serde::{Deserialize, Serialize};
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::body::ScheduleDocument;
use super::trigger;
use crate::app::App;
use crate::conductor::Expected;
use crate::problems;

/// Runs that the mean is made of, at most: older ones were of other code.
const MOST_RUNS: u32 = 20;

/// What one run was forecast to cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ExpectedCost {
    /// Real dollars; absent where nobody could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) real: Option<Dollars>,
    /// Simulated dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) simulated: Option<Dollars>,
}

/// What a schedule costs in a month of average length. Paused ones cost it when they are resumed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MonthlyCost {
    /// Starts in a month.
    pub(crate) starts: f64,
    /// Real dollars; absent where nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) real: Option<Dollars>,
    /// Simulated dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) simulated: Option<Dollars>,
    /// What it rests on: `by the one run that it started`.
    pub(crate) basis: String,
    /// The same for people: `about $1.2000 a month`.
    pub(crate) text: String,
}

/// What a schedule costs in a month, by the runs that it started, else by the forecast of when it
/// was made.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn in_a_month(
    app: &App,
    schedule: &Schedule,
    document: &ScheduleDocument,
) -> Result<MonthlyCost, Problem> {
    let timetable = document.timetable(&schedule.name).ok();
    let starts = timetable.map_or(0.0, |it| it.starts_in_a_month(app.store.clock().now()));
    let name = trigger(&schedule.name);
    let cost = app
        .store
        .mean_cost(&schedule.tenant, &name, MOST_RUNS)
        .await;
    Ok(match cost.map_err(problems::from_store)? {
        Some(mean) => MonthlyCost::new(
            starts,
            ExpectedCost {
                real: Some(mean.real),
                simulated: Some(mean.simulated),
            },
            match mean.runs {
                1 => "by the one run that it started".to_owned(),
                runs => format!(
                    "by the mean of the latest {} runs that it started",
                    whole(runs)
                ),
            },
        ),
        None => {
            let expected = document.expected.unwrap_or_default();
            let basis = if expected == ExpectedCost::default() {
                "and no run yet to tell"
            } else {
                "by the forecast of when it was made; it has started no run yet"
            };
            MonthlyCost::new(starts, expected, basis.to_owned())
        }
    })
}

impl MonthlyCost {
    fn new(starts: f64, one: ExpectedCost, basis: String) -> Self {
        let times =
            |cost: Option<Dollars>| Some(Dollars::estimated(cost?.approximate_pico() * starts));
        let (real, simulated) = (times(one.real), times(one.simulated));
        Self {
            text: text(real, simulated),
            starts,
            real,
            simulated,
            basis,
        }
    }

    /// What the figure is made of.
    pub(crate) fn made_of(&self) -> String {
        format!("{} starts a month, {}", number(self.starts), self.basis)
    }
}

fn text(real: Option<Dollars>, simulated: Option<Dollars>) -> String {
    let simulated = simulated.filter(|amount| !amount.is_zero());
    match (real, simulated) {
        (None, None) => "nobody knows what it costs".to_owned(),
        (Some(real), None) if real.is_zero() => "costs nothing".to_owned(),
        (Some(real), None) => format!("about {real} a month"),
        (Some(real), Some(simulated)) if !real.is_zero() => {
            format!("about {real} and sim {simulated} a month")
        }
        (_, Some(simulated)) => format!("about sim {simulated} a month"),
    }
}

impl From<&Expected> for ExpectedCost {
    fn from(expected: &Expected) -> Self {
        let forecast = &expected.forecast;
        Self {
            real: forecast.real.range.map(|range| range.expected),
            simulated: forecast.simulated.range.map(|range| range.expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(text: &str) -> Option<Dollars> {
        text.parse().ok()
    }

    #[test]
    fn a_month_is_as_many_runs_as_it_has_starts() {
        let one = ExpectedCost {
            real: dollars("0.04"),
            simulated: dollars("0"),
        };
        let month = MonthlyCost::new(30.0, one, "by a test".to_owned());
        assert_eq!(
            (month.real, month.simulated),
            (dollars("1.2"), dollars("0"))
        );
        assert_eq!(month.text, "about $1.2000 a month");
        assert_eq!(month.made_of(), "30 starts a month, by a test");
    }

    #[test]
    fn what_is_not_known_is_not_nothing() {
        for (real, simulated, expected) in [
            ("", "", "nobody knows what it costs"),
            ("0", "0", "costs nothing"),
            ("0", "2", "about sim $2.0000 a month"),
            ("", "2", "about sim $2.0000 a month"),
            ("3", "2", "about $3.0000 and sim $2.0000 a month"),
        ] {
            assert_eq!(text(dollars(real), dollars(simulated)), expected);
        }
    }
}
