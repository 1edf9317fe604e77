//! `GET /{testId}/logs`.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use performance_store::LogLine;
use service_defaults::problem::Problem;

use super::RunInPath;
use crate::app::App;
use crate::problems;

/// What k6 and the service wrote about the run, one line each: time, writer, text.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/{id}/logs",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 200, content_type = "text/plain", body = String),
        (status = 404, description = "No such run"),
    )
)]
pub(crate) async fn logs(
    State(app): State<App>,
    RunInPath(run): RunInPath,
) -> Result<Response, Problem> {
    let lines = app.store.logs(&run).await.map_err(problems::from_store)?;
    let content_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((content_type, text(&lines)).into_response())
}

/// The lines as text.
pub(crate) fn text(lines: &[LogLine]) -> String {
    let mut text = String::new();
    for line in lines {
        let _infallible = writeln!(text, "{} {}: {}", line.at, line.source, line.text);
    }
    text
}
