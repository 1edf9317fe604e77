//! Requests as configured tests, and the other way round.

use performance_store::Configuration;
use service_defaults::problem::Problem;
use tenancy::Principal;

use super::body::TestType;
use super::environments::Stage;
use crate::app::App;
use crate::runs::request::{StartBody, Word};
use crate::scenarios::Scenario;

/// Keeps what a request asks for as a configured test; its id.
///
/// # Errors
/// As for a start; 400 also for a scenario that no type of test stands for, and for a target that
/// is no environment; 403 for a test of somebody else.
pub(crate) async fn keep(
    app: &App,
    caller: &Principal,
    mut request: StartBody,
) -> Result<String, Problem> {
    let kind = kind_of(&request)?;
    let stage = stage_of(app, request.environment.remove("BASE_URL"))?;
    super::keep(app, caller, (kind, stage), request).await
}

/// The request that a configured test stands for.
///
/// # Errors
/// 403 for an environment without a target, 500 for a test that was not written here.
pub(crate) fn of(app: &App, test: &Configuration) -> Result<StartBody, Problem> {
    let (kind, stage) = super::kind_and_stage(test)?;
    let document = super::document(test)?;
    super::start(app, kind, stage, document)
}

fn kind_of(request: &StartBody) -> Result<TestType, Problem> {
    let scenario = match &request.scenario {
        Some(Word(text)) => Scenario::parse(text),
        None => Some(Scenario::Load),
    };
    let kind = TestType::ALL
        .into_iter()
        .find(|kind| Some(kind.scenario()) == scenario);
    kind.ok_or_else(|| {
        let names = TestType::ALL.map(|kind| kind.scenario().name()).join(", ");
        Problem::invalid_field(
            "scenario",
            format!("of a test that is kept is one of {names}"),
        )
    })
}

/// The environment whose target is asked for.
fn stage_of(app: &App, asked: Option<Word>) -> Result<Stage, Problem> {
    let Some(asked) = asked else {
        return Ok(Stage::Staging);
    };
    let same = |address: &str| address.trim_end_matches('/') == asked.0.trim_end_matches('/');
    let usual = app.conductor.target_of(None);
    let found =
        Stage::ALL
            .into_iter()
            .find(|stage| match (app.environments.address(*stage), *stage) {
                (Ok(Some(address)), _) => same(&address),
                (Ok(None), Stage::Staging) => usual.as_deref().is_some_and(same),
                (Ok(None) | Err(_), _) => false,
            });
    found.ok_or_else(|| {
        let reason = "of a test that is kept is staging or production; PERFORMANCE_ENVIRONMENTS \
                      names both";
        Problem::invalid_field("environment.BASE_URL", reason)
    })
}
