//! `/api/v1/llm/experiments`.

use axum::{Json, extract::State};
use http::StatusCode;
use jiff::Timestamp;
use service_defaults::{
    access::Tenant,
    extract::{ValidJson, ValidPath},
    problem::Problem,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    StartError, collect,
    definition::{Known, Proposal},
    reply::{ExperimentList, ExperimentReply, ResultsReply},
    results::compare,
};
use crate::{
    accounts::catch_up, app::AppState, openapi::ProblemDocument, problems::ledger_problem,
};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_experiments, start_experiment))
        .routes(routes!(experiment_results))
        .routes(routes!(stop_experiment))
}

/// Lists the tenant's experiments, newest first.
#[utoipa::path(get, path = "/api/v1/llm/experiments", tag = "experiments",
    responses((status = 200, body = ExperimentList)))]
async fn list_experiments(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
) -> Json<ExperimentList> {
    let all = app.experiments.all(&tenant);
    let experiments = all.iter().map(|one| ExperimentReply::new(one)).collect();
    Json(ExperimentList { experiments })
}

/// Starts an experiment; one at a time may run. Requests that name a provider or a model are no
/// part of it.
#[utoipa::path(post, path = "/api/v1/llm/experiments", tag = "experiments",
    request_body = Proposal, responses(
    (status = 201, body = ExperimentReply),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn start_experiment(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidJson(proposal): ValidJson<Proposal>,
) -> Result<(StatusCode, Json<ExperimentReply>), Problem> {
    let prompts = app.prompts.current();
    let default = app.prompts.default_prompt();
    let known = Known {
        llm: &app.llm,
        prompts: &prompts,
        default_prompt: default.map(|prompt| prompt.label()).unwrap_or_default(),
    };
    let at = Timestamp::now().as_millisecond();
    let experiment = proposal.check(&known, at);
    let experiment = experiment.map_err(Problem::invalid)?;
    let reply = ExperimentReply::new(&experiment);
    let started = app.experiments.start(&tenant, experiment).await;
    started.map_err(start_problem)?;
    Ok((StatusCode::CREATED, Json(reply)))
}

/// Gets an experiment and what its calls have shown so far.
#[utoipa::path(get, path = "/api/v1/llm/experiments/{name}", tag = "experiments",
    params(("name" = String, Path)), responses(
    (status = 200, body = ResultsReply),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn experiment_results(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidPath(name): ValidPath<String>,
) -> Result<Json<ResultsReply>, Problem> {
    let experiment = app.experiments.get(&tenant, &name).ok_or_else(no_such)?;
    catch_up(&app).await;
    let mut seen = Vec::new();
    for variant in &experiment.variants {
        let label = experiment.label(variant);
        let observed = collect::observe(&app.ledger, &tenant, &experiment, &label).await;
        seen.push(observed.map_err(ledger_problem)?);
    }
    let compared = compare(&experiment, &seen);
    Ok(Json(ResultsReply::new(&experiment, &seen, &compared)))
}

/// Stops an experiment; one that is stopped stays so. Its results stay.
#[utoipa::path(post, path = "/api/v1/llm/experiments/{name}/stop", tag = "experiments",
    params(("name" = String, Path)), responses(
    (status = 200, body = ExperimentReply),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn stop_experiment(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidPath(name): ValidPath<String>,
) -> Result<Json<ExperimentReply>, Problem> {
    let stopped = app.experiments.stop(&tenant, &name).await;
    let stopped = stopped.map_err(ledger_problem)?.ok_or_else(no_such)?;
    Ok(Json(ExperimentReply::new(&stopped)))
}

fn no_such() -> Problem {
    Problem::not_found("there is no experiment of this name")
}

fn start_problem(error: StartError) -> Problem {
    match error {
        StartError::Exists => Problem::conflict(error.to_string()).with_kind("experiment-exists"),
        StartError::Running(_) => {
            Problem::conflict(error.to_string()).with_kind("experiment-running")
        }
        StartError::TooMany => Problem::conflict(error.to_string()),
        StartError::Ledger(error) => ledger_problem(error),
    }
}
