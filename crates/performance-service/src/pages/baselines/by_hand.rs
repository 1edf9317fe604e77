//! The forms that change a baseline by hand.

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;

use super::Which;
use crate::app::App;
use crate::baselines::{pins, reverting};
use crate::pages::see_other;

/// What a form sends that changes a version.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct ChangeForm {
    #[serde(flatten)]
    which: Which,
    #[serde(default)]
    version: String,
    #[serde(default)]
    reason: String,
    /// Whether a version is to be pinned.
    #[serde(default)]
    pinned: String,
}

/// The form that puts an earlier version in force again.
pub(in crate::pages) async fn roll_back(
    State(app): State<App>,
    Caller(caller): Caller,
    Form(form): Form<ChangeForm>,
) -> Result<Response, Problem> {
    let (name, version) = (form.which.name(&caller.tenant), form.version()?);
    reverting::roll_back(&app, &caller, name, version, &form.reason).await?;
    Ok(see_other(&form.which.address()))
}

/// The form that takes a baseline out of force.
pub(in crate::pages) async fn withdraw(
    State(app): State<App>,
    Caller(caller): Caller,
    Form(form): Form<ChangeForm>,
) -> Result<Response, Problem> {
    let name = form.which.name(&caller.tenant);
    reverting::withdraw(&app, &caller, name, &form.reason).await?;
    Ok(see_other(&form.which.address()))
}

/// The button that pins a version, or takes its pin away.
pub(in crate::pages) async fn pin(
    State(app): State<App>,
    Caller(caller): Caller,
    Form(form): Form<ChangeForm>,
) -> Result<Response, Problem> {
    let (name, version) = (form.which.name(&caller.tenant), form.version()?);
    let pinned = !form.pinned.is_empty();
    pins::pin(&app.store, &caller, (&name, version), pinned).await?;
    Ok(see_other(&form.which.address()))
}

impl ChangeForm {
    fn version(&self) -> Result<u64, Problem> {
        let version = self.version.parse();
        version.map_err(|_| Problem::invalid_field("version", "must be a number"))
    }
}
