//! `/api/v1/books/{id}/generate-summary`.
#![expect(unused_qualifications, reason = "utoipa's macro writes full paths")]

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::Book;
use http::{HeaderMap, HeaderValue, header};
use instrumentation::request;
use serde::Deserialize;
use service_defaults::{
    extract::{ValidPath, ValidQuery},
    problem::Problem,
};
use utoipa::IntoParams;

use super::{
    SummaryError, Wish,
    events::{self, SummaryEvent},
    reply::SummaryReply,
};
use crate::{
    app::AppState,
    openapi::ProblemDocument,
    problems::{
        llm_problem, malformed_id, no_such, not_configured, output_rejected, shutting_down,
        storage_problem, unknown_provider,
    },
    resource::Resource,
    user::Asker,
};

/// Which summary.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GenerateQuery {
    /// claude, openai, ollama, bedrock or lmstudio; without it the default provider is asked.
    provider: Option<String>,
    /// The model; without it the provider's configured one.
    model: Option<String>,
    /// true asks the model although there is a summary already.
    refresh: Option<bool>,
}

/// Generates a summary of a book, or gets the one that is there; with `Accept: text/event-stream` as
/// it comes. A stream ends with `summary.done` or `summary.error`; silence is filled with comments.
/// `Server-Timing` says where the time went; its `ttft` counts from the arrival of the request, in
/// either form.
#[utoipa::path(post, path = "/api/v1/books/{id}/generate-summary", tag = "summaries",
    params(("id" = String, Path), ("X-User-Id" = Option<String>, Header), GenerateQuery), responses(
    (status = 200, headers(("Server-Timing" = String)), content(
        (SummaryReply = "application/json"), (SummaryEvent = "text/event-stream"))),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 403, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 429, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 502, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 504, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn generate_summary(
    State(app): State<AppState>,
    Asker { tenant, user }: Asker,
    ValidPath(id): ValidPath<String>,
    ValidQuery(query): ValidQuery<GenerateQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let book = Book::parse_id(&id).ok_or_else(malformed_id)?;
    if query
        .model
        .as_deref()
        .is_some_and(|model| !llm::is_model_name(model))
    {
        return Err(Problem::invalid_field("model", "must be a model's name"));
    }
    let refresh = query.refresh.unwrap_or(false) || forbids_cache(&headers);
    let wish = Wish {
        tenant,
        book,
        provider: query.provider,
        model: query.model,
        refresh,
        user,
    };
    let book_id = id.to_ascii_lowercase();
    let summary = app.summaries.summarize(wish).await;
    let summary = summary.map_err(summary_problem)?;
    let joined = summary.is_joined();
    if events::are_wanted(&headers) {
        request::record_answer(summary.is_kept(), joined);
        return events::reply(book_id, summary, app.heartbeat).await;
    }
    let summary = summary.whole().await.map_err(summary_problem)?;
    request::record_answer(summary.answer.is_none(), joined);
    let reply = SummaryReply::new(book_id, &summary);
    let timing = reply.server_timing();
    let mut response = Json(reply).into_response();
    if let Ok(timing) = HeaderValue::try_from(timing) {
        response.headers_mut().insert("server-timing", timing);
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn forbids_cache(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"))
}

pub(super) fn summary_problem(error: SummaryError) -> Problem {
    match error {
        SummaryError::UnknownProvider { available } => unknown_provider(&available),
        SummaryError::NotConfigured(provider) => not_configured(provider.as_str()),
        SummaryError::NoBook => no_such("book"),
        SummaryError::Store(error) => storage_problem(error),
        SummaryError::Model { provider, error } => llm_problem(provider.as_str(), &error),
        SummaryError::UnknownModel(provider) => {
            Problem::invalid_field("model", format!("{provider} has no such model"))
        }
        SummaryError::Rejected { provider, fault } => {
            output_rejected(provider.as_str(), fault.as_str(), fault.reason())
        }
        SummaryError::Prompt(reason) => {
            tracing::error!("a prompt cannot be made: {reason}");
            Problem::internal()
        }
        SummaryError::ShuttingDown => shutting_down(),
    }
}
