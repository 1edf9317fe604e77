//! Tests that were kept: what the form is filled with again.

use axum::extract::State;
use axum::response::Response;
use performance_store::Configuration;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;
use tenancy::{Principal, TenantId};

use super::see_other;
use super::typed::Typed;
use crate::app::App;
use crate::configured_tests::{self, requests};
use crate::problems;
use crate::runs::request::StartBody;

/// A test in the list.
pub(super) struct KeptTest {
    pub(super) id: String,
    pub(super) name: String,
    /// `load, staging`.
    pub(super) kind: String,
    pub(super) by: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::pages) struct IdInPath {
    id: String,
}

/// Keeps what stands in the form; the address of the form that is filled with it.
pub(super) async fn keep(app: &App, caller: &Principal, typed: &Typed) -> Result<String, Problem> {
    let request = typed.request().map_err(Problem::invalid)?;
    let id = requests::keep(app, caller, request).await?;
    Ok(format!("/new?test={id}"))
}

/// What a kept test asks for, and its name.
pub(super) async fn request(
    app: &App,
    tenant: &TenantId,
    id: &str,
) -> Result<(StartBody, String), Problem> {
    let test = app.store.configuration(tenant, id).await;
    let test = test.map_err(problems::from_store)?;
    Ok((requests::of(app, &test)?, test.name.name))
}

/// All of a tenant, the last changed first.
pub(super) async fn tests(app: &App, tenant: &TenantId) -> Result<Vec<KeptTest>, Problem> {
    let kept = app.store.configurations(tenant).await;
    let row = |test: Configuration| KeptTest {
        kind: format!("{}, {}", test.name.test_type, test.name.environment),
        id: test.id,
        name: test.name.name,
        by: test.changed_by,
    };
    Ok(kept
        .map_err(problems::from_store)?
        .into_iter()
        .map(row)
        .collect())
}

/// The button that forgets a test; its runs stay.
pub(in crate::pages) async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<IdInPath>,
) -> Result<Response, Problem> {
    configured_tests::remove(&app, &caller, &path.id).await?;
    Ok(see_other("/new"))
}
