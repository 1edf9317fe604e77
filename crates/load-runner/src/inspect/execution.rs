//! The scenarios in the answer of `k6 inspect`, as a plan of load.

use std::collections::BTreeMap;
use std::time::Duration;

use load_analysis::execution::{Course, ExecutionPlan, PlannedLoad, PlannedScenario, Stage};
use serde::Deserialize;
use serde_json::Value;

use crate::duration;

/// k6's own, where a scenario does not say how long its iterations may take.
const LONGEST_ITERATIONS: Duration = Duration::from_mins(10);

/// k6's own, where a scenario does not say what its rate is counted over.
const TIME_UNIT: Duration = Duration::from_secs(1);

/// One scenario, of whatever executor; what is absent has k6's default.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Scenario {
    executor: String,
    start_time: Option<String>,
    vus: Option<f64>,
    #[serde(rename = "startVUs")]
    start_vus: Option<f64>,
    duration: Option<String>,
    stages: Option<Vec<RawStage>>,
    rate: Option<f64>,
    start_rate: Option<f64>,
    time_unit: Option<String>,
    iterations: Option<f64>,
    max_duration: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RawStage {
    duration: Option<String>,
    target: Option<f64>,
}

/// Reads all scenarios.
///
/// # Errors
/// The one that cannot be read, and why: an executor that k6 got later, for example.
pub(super) fn read(scenarios: &BTreeMap<String, Value>) -> Result<ExecutionPlan, String> {
    let scenario = |(name, value): (&String, &Value)| {
        let failed = |reason: String| format!("the scenario {name}: {reason}");
        let raw = Scenario::deserialize(value).map_err(|error| failed(error.to_string()))?;
        Ok(PlannedScenario {
            name: name.clone(),
            start: seconds(raw.start_time.as_deref(), Duration::ZERO).map_err(failed)?,
            load: raw.load().map_err(failed)?,
        })
    };
    let scenarios: Result<Vec<_>, String> = scenarios.iter().map(scenario).collect();
    Ok(ExecutionPlan {
        scenarios: scenarios?,
    })
}

impl Scenario {
    fn load(&self) -> Result<PlannedLoad, String> {
        let users = self.vus.unwrap_or(1.0);
        let length = || seconds(self.duration.as_deref(), Duration::ZERO);
        let iterations = |count| {
            Ok(PlannedLoad::Iterations {
                users,
                count,
                longest: seconds(self.max_duration.as_deref(), LONGEST_ITERATIONS)?,
            })
        };
        match self.executor.as_str() {
            "constant-vus" | "externally-controlled" => {
                Ok(PlannedLoad::Users(Course::constant(users, length()?)))
            }
            "ramping-vus" => {
                let from = self.start_vus.unwrap_or(1.0);
                Ok(PlannedLoad::Users(self.course(from, 1.0)?))
            }
            "constant-arrival-rate" => {
                let rate = self.rate.unwrap_or(0.0) / self.unit()?;
                Ok(PlannedLoad::Arrivals(Course::constant(rate, length()?)))
            }
            "ramping-arrival-rate" => {
                let unit = self.unit()?;
                let from = self.start_rate.unwrap_or(0.0) / unit;
                Ok(PlannedLoad::Arrivals(self.course(from, unit)?))
            }
            "shared-iterations" => iterations(self.iterations.unwrap_or(1.0)),
            "per-vu-iterations" => iterations(self.iterations.unwrap_or(1.0) * users),
            other => Err(format!("the executor {other} is not known")),
        }
    }

    /// The stages, with targets that are counted over so many seconds.
    fn course(&self, from: f64, unit: f64) -> Result<Course, String> {
        let mut before = from;
        let mut stages = Vec::new();
        for raw in self.stages.iter().flatten() {
            before = raw.target.map_or(before, |target| target / unit);
            stages.push(Stage {
                seconds: seconds(raw.duration.as_deref(), Duration::ZERO)?,
                to: before,
            });
        }
        Ok(Course { from, stages })
    }

    fn unit(&self) -> Result<f64, String> {
        let unit = seconds(self.time_unit.as_deref(), TIME_UNIT)?;
        if unit > 0.0 {
            Ok(unit)
        } else {
            Err("its timeUnit is nothing".to_owned())
        }
    }
}

fn seconds(text: Option<&str>, absent: Duration) -> Result<f64, String> {
    let Some(text) = text else {
        return Ok(absent.as_secs_f64());
    };
    let length = duration::parse(text).map_err(|error| format!("{text:?} {error}"))?;
    Ok(length.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(scenario: Value) -> Result<ExecutionPlan, String> {
        read(&BTreeMap::from([("one".to_owned(), scenario)]))
    }

    #[test]
    fn every_executor_is_read() {
        let stages = json!([{"duration": "10s", "target": 60}, {"duration": "20s", "target": 60}]);
        for (scenario, users, iterations, seconds) in [
            (
                json!({"executor": "constant-vus", "vus": 4, "duration": "2s"}),
                8.0,
                0.0,
                2.0,
            ),
            (
                json!({"executor": "constant-vus", "vus": null, "duration": "2s"}),
                2.0,
                0.0,
                2.0,
            ),
            (
                json!({"executor": "ramping-vus", "startVUs": 0, "stages": stages}),
                1_500.0,
                0.0,
                30.0,
            ),
            (
                json!({"executor": "ramping-arrival-rate", "timeUnit": "1m0s", "stages": stages}),
                0.0,
                25.0,
                30.0,
            ),
            (
                json!({"executor": "constant-arrival-rate", "rate": 5, "duration": "4s", "startTime": "1s"}),
                0.0,
                20.0,
                5.0,
            ),
            (
                json!({"executor": "per-vu-iterations", "vus": 3, "iterations": 2, "maxDuration": "1m"}),
                0.0,
                6.0,
                60.0,
            ),
            (
                json!({"executor": "shared-iterations", "iterations": 7}),
                0.0,
                7.0,
                600.0,
            ),
        ] {
            let what = scenario.to_string();
            let plan = plan(scenario).unwrap();
            let found = (
                plan.user_seconds(),
                plan.planned_iterations(),
                plan.seconds(None),
            );
            assert_eq!(found, (users, iterations, seconds), "{what}");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        for scenario in [
            json!({"executor": "tidal-vus"}),
            json!({"executor": "constant-vus", "duration": "soon"}),
            json!({"executor": "constant-arrival-rate", "rate": 1, "timeUnit": "0s"}),
            json!([]),
        ] {
            let what = scenario.to_string();
            let reason = plan(scenario).unwrap_err();
            assert!(reason.starts_with("the scenario one: "), "{what}: {reason}");
        }
    }
}
