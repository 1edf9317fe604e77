//! `GET /capacity/{id}/report`: a search in Markdown, for a ticket or a pull request.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use load_analysis::escape::markdown as plain;
use load_analysis::notation::number;
use service_defaults::problem::Problem;

use super::SearchInPath;
use super::body::SearchBody;
use super::get::found;
use crate::app::App;

#[derive(Template)]
#[template(path = "capacity.md")]
struct Report {
    name: String,
    status: String,
    target: String,
    sentence: String,
    spent: Option<String>,
    rows: Vec<Row>,
}

struct Row {
    rate: String,
    purpose: &'static str,
    level: &'static str,
    number: u64,
    why: String,
}

/// A search in Markdown.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/capacity/{id}/report",
    tag = "capacity",
    params(("id" = String, Path, description = "The search's id")),
    responses(
        (status = 200, content_type = "text/markdown", body = String),
        (status = 404, description = "No such search"),
    )
)]
pub(crate) async fn report(
    State(app): State<App>,
    search: SearchInPath,
) -> Result<Response, Problem> {
    let text = render(&found(&app, &search).await?).map_err(|error| {
        tracing::error!("a report cannot be rendered: {error}");
        Problem::internal()
    })?;
    let headers = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((headers, text).into_response())
}

fn render(search: &SearchBody) -> askama::Result<String> {
    let result = search.result.as_ref().map(|it| it.sentence.as_str());
    let sentence = search.error.as_deref().or(result);
    let rows = search.probes.iter().map(|probe| Row {
        rate: number(probe.rate),
        purpose: probe.purpose,
        level: probe.level,
        number: probe.number,
        why: plain(probe.reasons.first().map_or("", String::as_str)),
    });
    let report = Report {
        name: plain(&search.test_name),
        status: search.status.to_lowercase(),
        target: plain(&search.target),
        sentence: plain(sentence.unwrap_or("It goes on.")),
        spent: search.spent.text(),
        rows: rows.collect(),
    };
    report.render()
}
