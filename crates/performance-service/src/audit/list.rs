//! `GET /audit`.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use jiff::Timestamp;
use performance_store::{AuditFilter, AuditRecord, MAX_AUDIT_PAGE};
use serde::{Deserialize, Serialize};
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use tenancy::TenantId;
use utoipa::ToSchema;

use crate::app::App;
use crate::problems;

/// Records of a page when nobody says how many.
const USUAL_LIMIT: u32 = 50;

/// Which records.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Of this user.
    pub(crate) user: Option<String>,
    /// With this action, such as `POST /api/v1/performancetest/start`.
    pub(crate) action: Option<String>,
    /// About this object, such as `/api/v1/performancetest/{id}` with the id of a run.
    pub(crate) object: Option<String>,
    /// `done`, `refused`, `failed` or `abandoned`.
    pub(crate) outcome: Option<String>,
    /// From this time on (RFC 3339).
    pub(crate) from: Option<String>,
    /// Before this time.
    pub(crate) to: Option<String>,
    /// Older than the record with this number: the next page.
    pub(crate) before: Option<u64>,
    /// Records of a page, 1 to 500.
    pub(crate) limit: Option<u32>,
    /// `json` (the default) or `csv`.
    format: Option<String>,
}

impl AuditQuery {
    /// What records must be like, as parts of an address; the page and the number of them are none
    /// of it.
    pub(crate) fn filter(&self) -> String {
        let parts = [
            ("user", &self.user),
            ("action", &self.action),
            ("object", &self.object),
            ("outcome", &self.outcome),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let given = parts.into_iter().filter_map(|(name, value)| {
            let value = value.as_deref().filter(|value| !value.is_empty())?;
            Some((name, value))
        });
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(given);
        match encoded.finish() {
            none if none.is_empty() => none,
            some => format!("&{some}"),
        }
    }
}

/// A page of records, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    pub(crate) records: Vec<AuditBody>,
    /// The `before` of the next page, when there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
}

/// Something that somebody did, or tried to do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditBody {
    /// Counts the records of all tenants.
    pub(crate) number: u64,
    pub(crate) at: String,
    /// Absent when the caller is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// Empty when the caller is not known.
    pub(crate) user: String,
    pub(crate) action: String,
    /// What was made or called.
    pub(crate) object: String,
    /// `done`, `refused`, `failed`, or `abandoned` when the caller left before the answer.
    pub(crate) outcome: String,
    /// The status of the answer; 0 when there was none.
    pub(crate) status: u16,
    pub(crate) request_id: String,
    /// SHA-256 of the object before the change, as JSON; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object_before: Option<String>,
    /// The same after it; absent when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object_after: Option<String>,
    /// SHA-256 over this record and the hash of the one before.
    pub(crate) hash: String,
}

impl From<AuditRecord> for AuditBody {
    fn from(record: AuditRecord) -> Self {
        let entry = record.entry;
        Self {
            number: record.number,
            at: record.at.to_string(),
            tenant: entry.tenant.map(|tenant| tenant.to_string()),
            user: entry.user,
            action: entry.action,
            object: entry.object,
            outcome: entry.outcome,
            status: entry.status,
            request_id: entry.request_id,
            object_before: entry.hashes.before.map(|hash| hash.to_string()),
            object_after: entry.hashes.after.map(|hash| hash.to_string()),
            hash: record.hash.to_string(),
        }
    }
}

/// Who changed what in the tenant, or tried to, newest first; with what callers tried whom nobody
/// knows.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/audit",
    tag = "audit",
    params(AuditQuery),
    responses(
        (status = 200, body = AuditPage),
        (status = 400, description = "A part of the query is invalid"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<AuditQuery>,
) -> Result<Response, Problem> {
    let page = page(&app, &caller.tenant, &query).await?;
    match query.format.as_deref() {
        None | Some("json") => Ok(Json(page).into_response()),
        Some("csv") => {
            let head = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"audit.csv\"",
                ),
            ];
            Ok((head, csv(&page.records)).into_response())
        }
        Some(_) => Err(Problem::invalid_field("format", "must be json or csv")),
    }
}

/// The page that a query asks for.
pub(crate) async fn page(
    app: &App,
    tenant: &TenantId,
    query: &AuditQuery,
) -> Result<AuditPage, Problem> {
    let limit = query.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MAX_AUDIT_PAGE).contains(&limit) {
        let reason = format!("must be 1 to {MAX_AUDIT_PAGE}");
        return Err(Problem::invalid_field("limit", reason));
    }
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let filter = AuditFilter {
        user: given(&query.user),
        action: given(&query.action),
        object: given(&query.object),
        outcome: given(&query.outcome),
        from: time("from", given(&query.from))?,
        to: time("to", given(&query.to))?,
        before: query.before,
    };
    let found = app.store.audit(tenant, filter, limit).await;
    let records: Vec<AuditBody> = found
        .map_err(problems::from_store)?
        .into_iter()
        .map(AuditBody::from)
        .collect();
    let full = records.len() == limit as usize;
    let next = records.last().filter(|_| full).map(|last| last.number);
    Ok(AuditPage { records, next })
}

fn time(field: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let invalid = |_| Problem::invalid_field(field, "must be a time such as 2026-11-21T14:00:00Z");
    text.map(|text| text.parse().map_err(invalid)).transpose()
}

/// RFC 4180, each field in quotes.
fn csv(records: &[AuditBody]) -> String {
    let mut text = String::from(
        "number,at,tenant,user,action,object,outcome,status,request_id,before,after,hash\r\n",
    );
    for record in records {
        let _infallible = write!(text, "{}", record.number);
        for field in [
            record.at.as_str(),
            record.tenant.as_deref().unwrap_or(""),
            &record.user,
            &record.action,
            &record.object,
            &record.outcome,
            &record.status.to_string(),
            &record.request_id,
            record.object_before.as_deref().unwrap_or(""),
            record.object_after.as_deref().unwrap_or(""),
            &record.hash,
        ] {
            let _infallible = write!(text, ",\"{}\"", inert(field));
        }
        text.push_str("\r\n");
    }
    text
}

/// A field that no spreadsheet takes for a formula (OWASP, CSV injection).
fn inert(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if formula { "'" } else { "" };
    format!("{mark}{}", field.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stay_fields() {
        assert_eq!(inert("=1+1"), "'=1+1");
        assert_eq!(inert("a\"b,c"), "a\"\"b,c");
        assert_eq!(inert("/runs/1"), "/runs/1");
    }
}
