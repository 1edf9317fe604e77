//! `/api/v1/books/llm-providers`.

use axum::{Json, extract::State};
use llm::{Llm, ProviderStatus};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;

/// The providers and how they are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Providers {
    /// Names that `provider=` takes.
    available_providers: Vec<&'static str>,
    /// Who is asked when no provider is named.
    default_provider: &'static str,
    providers: Vec<Provider>,
}

/// One provider.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Provider {
    name: &'static str,
    /// The configured model.
    model: String,
    /// Whether it has the key and the address that it needs.
    configured: bool,
    /// Whether its last call did not fail by its fault.
    healthy: bool,
    /// closed, `half_open` or open.
    circuit: &'static str,
    /// Whether a simulator answers in its place.
    simulated: bool,
}

/// Lists the providers.
#[utoipa::path(get, path = "/api/v1/books/llm-providers", tag = "summaries",
    responses((status = 200, body = Providers)))]
pub(super) async fn llm_providers(State(app): State<AppState>) -> Json<Providers> {
    let provider = |status: ProviderStatus| Provider {
        name: status.name.as_str(),
        model: status.model,
        configured: status.configured,
        healthy: status.healthy,
        circuit: status.circuit.as_str(),
        simulated: status.simulated,
    };
    Json(Providers {
        available_providers: Llm::available().collect(),
        default_provider: app.llm.default_provider().as_str(),
        providers: app.llm.statuses().into_iter().map(provider).collect(),
    })
}
