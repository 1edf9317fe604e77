//! `/api/v1/books/{id}/summary/feedback`.

use axum::{Json, extract::State};
use domain::{Book, BookSummary};
use instrumentation::catalogue;
use llm::{Assessment, Assessor, LedgerFilter, LedgerPage};
use serde::{Deserialize, Serialize};
use service_defaults::{
    extract::{ValidJson, ValidPath},
    problem::Problem,
};
use tenancy::TenantId;
use utoipa::ToSchema;
use uuid::Uuid;

use super::FEATURE;
use crate::{
    accounts::catch_up,
    app::AppState,
    openapi::ProblemDocument,
    problems::{ledger_problem, malformed_id, no_such, storage_problem},
    resource::Resource,
    user::Asker,
};

/// Longest comment that is taken; it is not kept.
const MAX_COMMENT: usize = 2_000;

/// What `up` and `down` count as.
const UP: u8 = 5;
const DOWN: u8 = 1;

/// What somebody thinks of a summary.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FeedbackBody {
    rating: Rating,
    /// The `summaryId` of the reply that had it; without it the newest summary on the book.
    summary_id: Option<String>,
    /// At most 2000 characters; not kept.
    #[schema(max_length = 2_000)]
    comment: Option<String>,
}

/// up or down, or 1 (bad) to 5 (good).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Rating {
    Word(String),
    Stars(i64),
}

/// What was taken down.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedbackReply {
    summary_id: String,
    /// 1 to 5; up is 5, down is 1.
    rating: u8,
    /// The experiment and its variant that made the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

/// Rates a summary. Each user (`X-User-Id`, else the tenant) has one rating of each summary: the
/// last one.
#[utoipa::path(post, path = "/api/v1/books/{id}/summary/feedback", tag = "summaries",
    request_body = FeedbackBody,
    params(("id" = String, Path), ("X-User-Id" = Option<String>, Header)), responses(
    (status = 200, body = FeedbackReply),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn summary_feedback(
    State(app): State<AppState>,
    Asker { tenant, user }: Asker,
    ValidPath(id): ValidPath<String>,
    ValidJson(body): ValidJson<FeedbackBody>,
) -> Result<Json<FeedbackReply>, Problem> {
    let id = Book::parse_id(&id).ok_or_else(malformed_id)?;
    let score = body.rating.score()?;
    if body.comment.as_deref().unwrap_or("").chars().count() > MAX_COMMENT {
        let reason = format!("must have at most {MAX_COMMENT} characters");
        return Err(Problem::invalid_field("comment", reason));
    }
    let named = body
        .summary_id
        .as_deref()
        .map(read_summary_id)
        .transpose()?;
    let book = app
        .books
        .read(&tenant, &id)
        .await
        .map_err(storage_problem)?;
    let book = book.ok_or_else(|| no_such("book"))?;
    let (call_id, variant) = match (named, book.summary.as_ref().and_then(of_book)) {
        (None, None) => return Err(Problem::not_found("there is no summary of this book")),
        (None, Some(newest)) => newest,
        (Some(named), Some(newest)) if named == newest.0 => newest,
        (Some(named), _) => (named, of_call(&app, &tenant, named).await?),
    };
    let assessment = Assessment {
        tenant: tenant.clone(),
        call_id,
        assessor: Assessor::Reader(user.unwrap_or_else(|| tenant.as_str().to_owned())),
        variant: variant.clone().unwrap_or_default(),
        score,
    };
    app.ledger
        .assess(assessment)
        .await
        .map_err(ledger_problem)?;
    let good = if score > 3 { "good" } else { "other" };
    catalogue::SUMMARY_FEEDBACK
        .counter(&[("rating", good)])
        .increment(1);
    Ok(Json(FeedbackReply {
        summary_id: call_id.to_string(),
        rating: score,
        variant,
    }))
}

impl Rating {
    fn score(&self) -> Result<u8, Problem> {
        let stars = match self {
            Self::Word(word) if word == "up" => Some(UP),
            Self::Word(word) if word == "down" => Some(DOWN),
            Self::Stars(stars) => u8::try_from(*stars).ok(),
            Self::Word(_) => None,
        };
        let stars = stars.filter(|stars| (DOWN..=UP).contains(stars));
        stars.ok_or_else(|| Problem::invalid_field("rating", "must be up, down or 1 to 5"))
    }
}

fn read_summary_id(text: &str) -> Result<Uuid, Problem> {
    let reason = "must be the summaryId of a reply";
    Uuid::parse_str(text).map_err(|_| Problem::invalid_field("summaryId", reason))
}

fn of_book(summary: &BookSummary) -> Option<(Uuid, Option<String>)> {
    let call_id = Uuid::parse_str(summary.call_id.as_deref()?).ok()?;
    Some((call_id, summary.variant.clone()))
}

/// The variant of a call that made a summary, as the ledger knows it.
async fn of_call(
    app: &AppState,
    tenant: &TenantId,
    call_id: Uuid,
) -> Result<Option<String>, Problem> {
    catch_up(app).await;
    let filter = LedgerFilter {
        call_id: Some(call_id),
        feature: Some(FEATURE.to_owned()),
        ..LedgerFilter::of(tenant.clone())
    };
    let page = LedgerPage {
        offset: 0,
        limit: 1,
    };
    let rows = app
        .ledger
        .rows(filter, page)
        .await
        .map_err(ledger_problem)?;
    let row = rows.into_iter().next();
    let row = row.ok_or_else(|| Problem::not_found("there is no summary with this summaryId"))?;
    Ok(row.variant)
}
