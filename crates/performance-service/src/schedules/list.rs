//! `GET /schedules` and `GET /schedules/{name}`.

use axum::Json;
use axum::extract::State;
use performance_store::Schedule;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;

use super::body::{ScheduleBody, ScheduleDocument};
use super::cost;
use crate::app::App;
use crate::problems;

/// Times to come that are told.
const TOLD_TIMES: usize = 3;

/// Starts of each schedule in the list; all that are kept are told of one alone.
const LISTED_STARTS: u32 = 3;

/// The schedule that a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct NameInPath {
    pub(crate) name: String,
}

/// The tenant's schedules by name, each with its next three times and its latest starts.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/schedules",
    tag = "schedules",
    responses((status = 200, body = Vec<ScheduleBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<ScheduleBody>>, Problem> {
    let found = app.store.schedules(&caller.tenant).await;
    let mut bodies = Vec::new();
    for schedule in found.map_err(problems::from_store)? {
        bodies.push(body(&app, schedule, LISTED_STARTS).await?);
    }
    Ok(Json(bodies))
}

/// One schedule with all starts that are kept.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/schedules/{name}",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule's name")),
    responses(
        (status = 200, body = ScheduleBody),
        (status = 404, description = "No such schedule"),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
) -> Result<Json<ScheduleBody>, Problem> {
    let schedule = super::find(&app, &caller, &path.name).await?;
    let body = body(&app, schedule, performance_store::MAX_STARTS).await?;
    Ok(Json(body))
}

/// A schedule as JSON, with up to `starts` starts.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn body(
    app: &App,
    schedule: Schedule,
    starts: u32,
) -> Result<ScheduleBody, Problem> {
    let document = ScheduleDocument::stored(&schedule)?;
    let starts = app.store.starts(&schedule.tenant, &schedule.name, starts);
    let starts = starts.await.map_err(problems::from_store)?;
    // The database of time zones may have changed since it was made.
    let now = app.store.clock().now();
    let next = match document.timetable(&schedule.name) {
        Ok(timetable) if !schedule.paused => timetable.upcoming(now, TOLD_TIMES),
        _ => Vec::new(),
    };
    let cost = cost::in_a_month(app, &schedule, &document).await?;
    Ok(ScheduleBody::new(schedule, document, (&next, starts), cost))
}
