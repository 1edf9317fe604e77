//! `/new`: what a run is to do, as a form that works without scripts.

mod copies;
mod forecast;
mod inputs;
mod kept;
mod typed;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use performance_store::{Run, RunAddress};
use serde::Deserialize;
use service_defaults::access::{Authentication, Caller};
use service_defaults::extract::ValidQuery;
use service_defaults::problem::{FieldError, Problem};
use tenancy::{Principal, Role, TenantId};

use self::copies::Copies;
use self::forecast::{ForecastPanel, NoForecast};
use self::inputs::{Choices, Control, Group};
use self::kept::KeptTest;
pub(super) use self::kept::remove;
use self::typed::Typed;
use super::{page, see_other};
use crate::app::App;
use crate::conductor::blocking;
use crate::generated_scripts::SavedScript;
use crate::planner::unknown_scenario;
use crate::problems;
use crate::runs::request::StartBody;
use crate::scenarios::Scenario;

/// What the form begins with.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NewQuery {
    /// A run to repeat.
    run: Option<String>,
    /// A scenario whose preset it is.
    scenario: Option<String>,
    /// A test that was kept.
    test: Option<String>,
    /// `forecast` where the rest of the query is what was typed.
    #[serde(rename = "do", default)]
    action: String,
}

#[derive(Template)]
#[template(path = "new.html")]
struct NewPage {
    presets: Vec<Preset>,
    /// Tests that were kept.
    kept: Vec<KeptTest>,
    /// Where the form comes from: words and a link.
    from: Option<(String, String)>,
    /// What stands in the form, to be started from elsewhere; absent while something is wrong in it.
    copies: Option<Copies>,
    /// Why nothing was started.
    refusal: Option<String>,
    /// What is wrong with fields that the form does not have.
    elsewhere: Vec<String>,
    groups: Vec<Group>,
    /// What the run would take, or why nobody can tell; absent where the caller may not start it.
    forecast: Option<Result<ForecastPanel, NoForecast>>,
    /// Why the caller may not start runs.
    forbidden: Option<String>,
}

struct Preset {
    name: &'static str,
    slug: &'static str,
    text: String,
    description: &'static str,
    chosen: bool,
}

/// The page, filled with a preset, with what an earlier run was asked to do, or with what was typed
/// and is to be forecast.
pub(super) async fn form(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<NewQuery>,
    RawQuery(text): RawQuery,
) -> Result<Response, Problem> {
    if query.action == "forecast" {
        let typed = Typed::read(text.unwrap_or_default().as_bytes());
        return show(&app, &caller, &typed, None, None).await;
    }
    let (request, from) = match (&query.run, &query.test, &query.scenario) {
        (Some(id), ..) => {
            let run = earlier(&app, &caller.tenant, id).await?;
            // What cannot be read any more begins as the script has it.
            let request = serde_json::from_str(&run.request).unwrap_or_default();
            let name = format!("{} #{}", run.test_name, run.number);
            (request, Some((name, format!("/runs/{}", run.id))))
        }
        (None, Some(id), _) => {
            let (request, name) = kept::request(&app, &caller.tenant, id).await?;
            (request, Some((name, format!("/new?test={id}"))))
        }
        (None, None, Some(name)) => {
            let scenario = Scenario::parse(name).ok_or_else(|| unknown_scenario("scenario"))?;
            (StartBody::quick_start(scenario), None)
        }
        (None, None, None) => (StartBody::quick_start(Scenario::Smoke), None),
    };
    show(&app, &caller, &Typed::of(&request), from, None).await
}

/// The buttons of the form: begins the run or keeps what is asked for, or shows the form again with what is wrong in it.
pub(super) async fn start(
    State(app): State<App>,
    Caller(caller): Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    let typed = Typed::read(&body);
    let done = match typed.get("do") {
        "keep" => kept::keep(&app, &caller, &typed).await,
        _ => submit(&app, &caller, &typed).await,
    };
    match done {
        Ok(address) => Ok(see_other(&address)),
        Err(problem) => {
            let mut response = show(&app, &caller, &typed, None, Some(&problem)).await?;
            *response.status_mut() = problem.status();
            Ok(response)
        }
    }
}

/// Queues the run; the address of its page.
async fn submit(app: &App, caller: &Principal, typed: &Typed) -> Result<String, Problem> {
    let request = typed.request().map_err(Problem::invalid)?;
    let run = app.conductor.submit(caller, request).await?;
    Ok(format!("/runs/{}", run.id))
}

async fn earlier(app: &App, tenant: &TenantId, id: &str) -> Result<Run, Problem> {
    let address = RunAddress {
        tenant: tenant.clone(),
        id: id.parse().map_err(|_| problems::no_such_run())?,
    };
    app.store.get(&address).await.map_err(problems::from_store)
}

async fn show(
    app: &App,
    caller: &Principal,
    typed: &Typed,
    from: Option<(String, String)>,
    problem: Option<&Problem>,
) -> Result<Response, Problem> {
    let choices = choices(app, &caller.tenant).await?;
    let forbidden = forbidden(caller);
    let forecast = match &forbidden {
        None => Some(forecast::of_typed(app, caller, typed).await),
        Some(_) => None,
    };
    let unforeseen = forecast
        .as_ref()
        .and_then(|forecast| forecast.as_ref().err());
    let errors = match (problem, unforeseen) {
        (Some(problem), _) => problem.errors(),
        (None, Some(unforeseen)) => &unforeseen.errors,
        (None, None) => &[],
    };
    let groups = inputs::groups(typed, &choices, errors);
    let shown = |error: &FieldError| {
        let mut inputs = groups.iter().flat_map(|group| &group.inputs);
        inputs.any(|input| input.is_about(&error.field))
    };
    let elsewhere = errors.iter().filter(|error| !shown(error));
    let elsewhere = elsewhere
        .map(|error| format!("{} {}", error.field, error.reason))
        .collect();
    let chosen = Scenario::parse(typed.get("scenario"));
    page(&NewPage {
        presets: Scenario::ALL.map(|one| preset(one, chosen)).into(),
        kept: kept::tests(app, &caller.tenant).await?,
        from,
        copies: copies(app, typed),
        refusal: problem.map(refusal),
        elsewhere,
        groups,
        forecast,
        forbidden,
    })
}

fn copies(app: &App, typed: &Typed) -> Option<Copies> {
    let with_token = matches!(app.authentication, Authentication::Tokens(_));
    let request = typed.request().ok()?;
    Some(copies::of(&request, with_token))
}

fn refusal(problem: &Problem) -> String {
    match problem.errors() {
        [] => problem.detail().to_owned(),
        [_] => "one field is invalid".to_owned(),
        several => format!("{} fields are invalid", several.len()),
    }
}

/// Why a caller may start nothing; `None` for one who may.
pub(super) fn forbidden(caller: &Principal) -> Option<String> {
    (caller.role < Role::Engineer).then(|| {
        format!(
            "Your role is {}: to start and stop runs takes an engineer.",
            caller.role.as_str()
        )
    })
}

async fn choices(app: &App, tenant: &TenantId) -> Result<Choices, Problem> {
    let planner = app.conductor.planner();
    let (scripts, generated) = (planner.scripts.clone(), planner.generated.clone());
    let tenant = tenant.clone();
    let names = blocking(move || {
        let mut names = scripts.suites()?;
        let saved = generated.list(&tenant);
        names.extend(saved.iter().map(SavedScript::test_script));
        Ok::<_, std::io::Error>(names)
    });
    let scripts = names.await?.map_err(|error| {
        tracing::error!("the scripts cannot be listed: {error}");
        Problem::internal()
    })?;
    let targets = planner.targets.iter().map(|(name, url)| {
        let in_production = planner.production.contains(name);
        let note = if in_production { ", in production" } else { "" };
        let address = url.as_str().trim_end_matches('/').to_owned();
        let words = format!("{name}: {address}{note}");
        (address, words)
    });
    Ok(Choices {
        scripts,
        targets: targets.collect(),
        production: !planner.production.is_empty(),
    })
}

fn preset(scenario: Scenario, chosen: Option<Scenario>) -> Preset {
    Preset {
        name: scenario.name(),
        slug: scenario.slug(),
        text: super::home::preset_text(scenario),
        description: scenario.description(),
        chosen: chosen == Some(scenario),
    }
}
