//! The runs that a gate judges.

use serde_json::{Map, Value};

use super::GateArguments;
use crate::failure::Failure;
use crate::follow;
use crate::identify;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::service::{Run, Service};
use crate::start::LoadArguments;

/// What of a run is asked for again.
const ASKED: [&str; 3] = ["testScript", "environment", "options"];

/// Finished runs of the test.
pub(super) async fn taken(service: &Service, test: &str, list: &str) -> Result<Vec<Run>, Failure> {
    let ids = identify::list(service, list).await?;
    let mut runs = Vec::new();
    for id in ids.split(',') {
        let run = service.run(id).await?;
        if !run.is_over() {
            let status = run.status.to_lowercase();
            return Err(Failure::Usage(format!(
                "{} is {status}, not over",
                run.name()
            )));
        }
        if run.test_name != test {
            return Err(Failure::Usage(format!(
                "{} is no run of {test}",
                run.name()
            )));
        }
        runs.push(run);
    }
    Ok(runs)
}

/// New runs, one after the other. An interrupt cancels the one that goes on and starts no more.
pub(super) async fn made(
    service: &Service,
    arguments: &GateArguments,
    shown: bool,
) -> Result<Vec<Run>, Failure> {
    let mut interrupt = Interrupt::listen()?;
    let mut body = match &arguments.what {
        Some(what) => arguments.load.body(what, Some(&arguments.test)),
        None => {
            let mut body = again(service, &arguments.test).await?;
            arguments.load.add_to(&mut body);
            body
        }
    };
    body["trigger"] = "gate".into();
    let mut runs = Vec::new();
    for _ in 0..arguments.runs {
        let run = service.start(&body).await?;
        let mut progress = Progress::new(shown, LoadArguments::planned(&body));
        progress.say(&format!("{}: {}", run.name(), service.page(&run.test_id)));
        let run = follow::to_end(service, &run, progress, &mut interrupt).await?;
        let cancelled = run.status == "Cancelled";
        runs.push(run);
        if cancelled {
            break;
        }
    }
    Ok(runs)
}

/// What the latest run of a test was asked for with.
async fn again(service: &Service, test: &str) -> Result<Value, Failure> {
    let runs = service.runs(Some(test), 1).await?;
    let missing = || {
        let reason =
            format!("there is no run of {test} to make again: name a scenario or a script");
        Failure::Usage(reason)
    };
    let latest = runs.first().ok_or_else(missing)?;
    let mut body = Map::new();
    body.insert("testName".to_owned(), test.into());
    body.insert("scenario".to_owned(), latest.scenario.as_str().into());
    for name in ASKED {
        let member = latest.member(name);
        body.extend(member.map(|value| (name.to_owned(), value.clone())));
    }
    Ok(Value::Object(body))
}
