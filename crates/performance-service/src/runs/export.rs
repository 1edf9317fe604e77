//! `GET /{testId}/export`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use load_analysis::verdict::Level;
use performance_store::RunAddress;
use serde::Deserialize;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::compare::{BASELINE, CompareQuery, Groups, of_groups};
use super::{RunInPath, resources, results};
use crate::app::App;
use crate::faults;
use crate::picture::{self, REPORT_ROWS, View};
use crate::problems;
use crate::reports::{Compared, Format, Report};
use crate::timeline;

/// Which report.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `json` (the default), `csv`, `k6-summary`, `html`, `markdown` or `junit`.
    format: Option<String>,
    /// What the run stands beside in `markdown`: `baseline` (the default), the one in force, or
    /// `none`.
    comparison: Option<String>,
}

/// A run that is over as one file.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/{id}/export",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id"), ExportQuery),
    responses(
        (status = 200, description = "The report, under a name to save it by", body = String),
        (status = 400, description = "The format is unknown"),
        (status = 404, description = "No such run"),
        (status = 409, description = "The run is not over"),
        (status = 429, description = "Too many comparisons of the tenant wait: `markdown` holds the run against the baseline"),
        (status = 503, description = "Too many comparisons are under way"),
    )
)]
pub(crate) async fn export(
    State(app): State<App>,
    RunInPath(address): RunInPath,
    ValidQuery(query): ValidQuery<ExportQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = format(query.format.as_deref())?;
    let is_compared = is_compared(query.comparison.as_deref())? && format == Format::Markdown;
    let from_store = problems::from_store;
    let run = app.store.get(&address).await.map_err(from_store)?;
    if !run.status.is_final() {
        let detail = format!("the run is not over: it is {}", run.status);
        return Err(Problem::conflict(detail));
    }
    let view = View {
        most_rows: REPORT_ROWS,
        ..View::default()
    };
    let picture = picture::of_run(&app, &address, view).await;
    let seconds = match format {
        Format::Json | Format::Csv => timeline::of_run(&app.store, &address, 1, 0).await,
        _ => Ok(Vec::new()),
    };
    let counts = run.verdict.as_ref().map(|verdict| verdict.level);
    let compared = if is_compared && counts.is_some_and(|level| level != Level::Invalid) {
        beside_baseline(&app, &address).await?
    } else {
        Compared::NotAsked
    };
    let report = Report {
        run,
        compared,
        results_json: app.store.results(&address).await.map_err(from_store)?,
        results: results::document(&app, &address).await?,
        forecast: app.store.forecast(&address).await.map_err(from_store)?,
        resources: resources::document(&app, &address).await?,
        seconds: seconds.map_err(from_store)?,
        picture: picture.map_err(from_store)?,
        faults: faults::of_run(&app.store, &address)
            .await
            .map_err(from_store)?,
        address: format!("{}/runs/{}", origin(&headers), address.id),
    };
    let text = report.render(format).map_err(|error| {
        tracing::error!(test.id = %address.id, "a report cannot be written: {error}");
        Problem::internal()
    })?;
    let disposition = format!("attachment; filename=\"{}\"", report.file_name(format));
    let head = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((head, text).into_response())
}

fn format(name: Option<&str>) -> Result<Format, Problem> {
    let name = name.unwrap_or(Format::Json.name());
    Format::parse(name).ok_or_else(|| {
        let names = Format::ALL.map(Format::name).join(", ");
        Problem::invalid_field("format", format!("must be one of {names}"))
    })
}

fn is_compared(with: Option<&str>) -> Result<bool, Problem> {
    match with {
        None | Some(BASELINE) => Ok(true),
        Some("none") => Ok(false),
        Some(_) => {
            let reason = "must be baseline or none";
            Err(Problem::invalid_field("comparison", reason))
        }
    }
}

/// The run beside the baseline in force. Without one, or where it has no other run, the report says
/// so.
async fn beside_baseline(app: &App, run: &RunAddress) -> Result<Compared, Problem> {
    let query = CompareQuery {
        reference: Some(BASELINE.to_owned()),
        candidate: Some(run.id.to_string()),
        ..CompareQuery::default()
    };
    match of_groups(app, &run.tenant, &query, Groups::compared).await {
        Ok((_, body)) => Ok(Compared::Against(Box::new(body))),
        Err(busy) if busy.status() == StatusCode::TOO_MANY_REQUESTS => Err(busy),
        Err(missing) if missing.status().is_client_error() => {
            Ok(Compared::Missing(missing.detail().to_owned()))
        }
        Err(failure) => Err(failure),
    }
}

/// Where the caller reached this service; whether that is a name of it was checked before.
fn origin(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    host.map(|host| format!("http://{host}"))
        .unwrap_or_default()
}
