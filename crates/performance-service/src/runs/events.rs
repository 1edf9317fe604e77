//! `POST /{testId}/events`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use service_defaults::extract::ValidJson;
use service_defaults::problem::{FieldError, Problem};
use utoipa::ToSchema;

use super::RunInPath;
use super::request::OnlyAsObject;
use crate::app::App;
use crate::faults::{self, FaultEvent, FaultMoment, MAX_FAULT_EVENTS};
use crate::problems;

/// The longest name, which stands in a picture's list, in characters.
const MAX_NAME: usize = 80;

/// The longest detail, in characters: a sentence or two.
const MAX_DETAIL: usize = 300;

/// A fault that begins, ends or took no time.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct EventBody {
    /// `begin`, `end` or `instant`.
    moment: FaultMoment,
    /// What the fault is called, 1 to 80 characters; its begin and its end have the same name.
    #[schema(example = "Redis killed")]
    name: String,
    /// More about it, at most 300 characters.
    #[serde(default)]
    detail: String,
    /// See [`OnlyAsObject`].
    #[serde(flatten)]
    #[schema(ignore)]
    _only_as_object: OnlyAsObject,
}

/// Notes a fault that somebody causes while the run is on; pictures and reports of the run show
/// it over what was measured meanwhile. Its time is that of the call.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/{id}/events",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id")),
    request_body = EventBody,
    responses(
        (status = 201, description = "The fault is noted", body = FaultEvent),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 404, description = "No such run"),
        (status = 409, description = "The run waits or is over"),
        (status = 429, description = "As many faults of the run are noted as are kept"),
    )
)]
pub(crate) async fn tell(
    State(app): State<App>,
    RunInPath(run): RunInPath,
    ValidJson(body): ValidJson<EventBody>,
) -> Result<(StatusCode, Json<FaultEvent>), Problem> {
    let told = FaultEvent {
        test_id: run.id.to_string(),
        moment: body.moment,
        name: body.name.trim().to_owned(),
        detail: body.detail.trim().to_owned(),
        at: Timestamp::now().to_string(),
    };
    check(&told)?;
    let event = faults::event(&told);
    let stored = app.store.tell(&run, event, MAX_FAULT_EVENTS).await;
    let stored = stored.map_err(problems::from_change)?;
    app.announcer.announce(&run, vec![stored]);
    Ok((StatusCode::CREATED, Json(told)))
}

fn check(told: &FaultEvent) -> Result<(), Problem> {
    let mut errors = Vec::new();
    let fields = [
        ("name", &told.name, 1..=MAX_NAME),
        ("detail", &told.detail, 0..=MAX_DETAIL),
    ];
    for (field, text, characters) in fields {
        if !characters.contains(&text.chars().count()) {
            let (least, most) = (characters.start(), characters.end());
            let reason = format!("must have {least} to {most} characters");
            errors.push(FieldError::new(field, reason));
        } else if text.chars().any(char::is_control) {
            errors.push(FieldError::new(field, "must have no control characters"));
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(errors))
}
