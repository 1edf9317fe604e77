//! `POST /schedules/{name}/run`.

use axum::extract::State;
use axum::response::Response;
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;

use super::list::NameInPath;
use crate::app::App;
use crate::runs::body::RunBody;
use crate::runs::start::created;

/// Queues the run of a schedule now, on the caller's behalf. The schedule goes on as it was.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/schedules/{name}/run",
    tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule's name"),
        crate::idempotency::KeyHeader
    ),
    responses(
        (status = 201, description = "The run is queued; `Location` is its address", body = RunBody),
        (status = 403, description = "The target is in production, and the caller no administrator"),
        (status = 404, description = "No such schedule"),
        (status = 429, description = "The queue is full"),
        (status = 503, description = "k6 is not installed"),
    )
)]
pub(crate) async fn run(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
) -> Result<Response, Problem> {
    let schedule = super::find(&app, &caller, &path.name).await?;
    let run = app.scheduler.start_now(&schedule, &caller).await?;
    Ok(created(&run))
}
