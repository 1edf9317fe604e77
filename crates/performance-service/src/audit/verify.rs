//! `GET /audit/verify`.

use axum::Json;
use axum::extract::State;
use performance_store::AuditState;
use serde::Serialize;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use crate::app::App;
use crate::problems;

/// What a look at the whole chain found, all tenants together.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditStateBody {
    /// Whether nothing was changed, put in or taken away.
    pub(crate) intact: bool,
    /// Records that are whole, up to the first that is not.
    pub(crate) records: u64,
    /// The hash of the last of them, to be kept elsewhere and compared.
    pub(crate) head: String,
    /// The number of the first record that is not as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broken_at: Option<u64>,
}

impl From<AuditState> for AuditStateBody {
    fn from(state: AuditState) -> Self {
        Self {
            intact: state.broken_at.is_none(),
            records: state.records,
            head: state.head.to_string(),
            broken_at: state.broken_at,
        }
    }
}

/// Checks that the audit log is as it was written.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/audit/verify",
    tag = "audit",
    responses((status = 200, body = AuditStateBody))
)]
pub(crate) async fn verify(State(app): State<App>) -> Result<Json<AuditStateBody>, Problem> {
    let state = app.store.verify_audit().await;
    Ok(Json(state.map_err(problems::from_store)?.into()))
}
