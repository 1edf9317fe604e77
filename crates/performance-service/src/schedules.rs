//! Runs that start by the clock: the calls of `/api/v1/performancetest/schedules`, one file for
//! each, what they do, and the [`scheduler`] that watches the clock.

pub(crate) mod body;
pub(crate) mod change;
pub(crate) mod cost;
pub(crate) mod list;
pub(crate) mod run_now;
pub(crate) mod scheduler;
mod starting;
#[cfg(test)]
mod tests;
pub(crate) mod timetable;

use performance_store::{Schedule, StoreError};
use serde_json::Value;
use service_defaults::problem::{FieldError, Problem};
use tenancy::{Principal, Role};

use self::body::ScheduleDocument;
use self::cost::ExpectedCost;
use self::timetable::Timetable;
use crate::app::App;
use crate::audit::changes;
use crate::idempotency;
use crate::names;
use crate::problems;

/// What the runs of a schedule say of how they came about.
pub(crate) fn trigger(name: &str) -> String {
    format!("schedule {name}")
}

/// Keeps a new schedule of the caller's; the first start is the first time after now.
///
/// # Errors
/// 400 names every field that is refused, 403 as for a start, 409 for a name that is taken, 429
/// beyond the number that is kept.
pub(crate) async fn add(
    app: &App,
    caller: &Principal,
    name: &str,
    document: ScheduleDocument,
) -> Result<Schedule, Problem> {
    if let Some(reason) = names::refusal(name) {
        return Err(Problem::invalid_field("name", reason));
    }
    let schedule = checked(app, caller, name, document).await?;
    match app.store.add_schedule(schedule.clone()).await {
        Ok(()) => {}
        Err(StoreError::Exists { .. }) if idempotency::id_of_made().is_some() => {
            return made_before(app, schedule).await;
        }
        Err(error) => return Err(problems::from_change(error)),
    }
    changes::made(&object(&schedule));
    app.scheduler.changed();
    Ok(schedule)
}

/// What is a schedule's own, of what is kept of it.
fn object(schedule: &Schedule) -> (&str, &str, bool) {
    (&schedule.document, &schedule.owner, schedule.paused)
}

/// The schedule that the present request made before nobody knew: of the same owner, as it is asked
/// for now.
async fn made_before(app: &App, asked: Schedule) -> Result<Schedule, Problem> {
    let there = app.store.schedule(&asked.tenant, &asked.name).await;
    let there = there.map_err(problems::from_store)?;
    if there.owner == asked.owner && plain(&there)? == plain(&asked)? {
        return Ok(there);
    }
    Err(problems::from_change(StoreError::Exists {
        what: "schedule",
    }))
}

/// What was asked for, without what was computed from it.
fn plain(schedule: &Schedule) -> Result<Value, Problem> {
    let document = ScheduleDocument {
        expected: None,
        ..ScheduleDocument::stored(schedule)?
    };
    serde_json::to_value(document).map_err(|_| Problem::internal())
}

/// Puts another document in the place of a schedule's; it is the caller's from then on, and stays
/// paused if it was.
///
/// # Errors
/// As [`add`], 403 for somebody else's, 404 when there is none.
pub(crate) async fn replace(
    app: &App,
    caller: &Principal,
    name: &str,
    document: ScheduleDocument,
) -> Result<Schedule, Problem> {
    let before = own(app, caller, name).await?;
    let mut schedule = checked(app, caller, name, document).await?;
    if before.paused {
        (schedule.paused, schedule.next) = (true, None);
    }
    store(app, &before, schedule).await
}

/// Stops a schedule from starting anything.
///
/// # Errors
/// 403 for somebody else's, 404 when there is none.
pub(crate) async fn pause(app: &App, caller: &Principal, name: &str) -> Result<Schedule, Problem> {
    let before = own(app, caller, name).await?;
    let paused = Schedule {
        paused: true,
        next: None,
        ..before.clone()
    };
    store(app, &before, paused).await
}

/// Lets a schedule start again, from now on: nothing of the pause is caught up.
///
/// # Errors
/// As [`pause`].
pub(crate) async fn resume(app: &App, caller: &Principal, name: &str) -> Result<Schedule, Problem> {
    let before = own(app, caller, name).await?;
    let mut schedule = before.clone();
    if schedule.paused {
        let timetable = ScheduleDocument::stored(&schedule)?.timetable(name);
        let timetable = timetable.map_err(Problem::invalid)?;
        (schedule.paused, schedule.next) = (false, timetable.next_start(app.store.clock().now()));
    }
    store(app, &before, schedule).await
}

/// Removes a schedule; its runs stay.
///
/// # Errors
/// As [`pause`].
pub(crate) async fn remove(app: &App, caller: &Principal, name: &str) -> Result<(), Problem> {
    let before = own(app, caller, name).await?;
    let removed = app.store.remove_schedule(&caller.tenant, name).await;
    removed.map_err(problems::from_change)?;
    changes::removed(&object(&before));
    Ok(())
}

/// A schedule of the caller's tenant.
///
/// # Errors
/// 404 when there is none.
pub(crate) async fn find(app: &App, caller: &Principal, name: &str) -> Result<Schedule, Problem> {
    let found = app.store.schedule(&caller.tenant, name).await;
    found.map_err(problems::from_store)
}

/// A schedule that the caller may change: his own, or any as an administrator.
async fn own(app: &App, caller: &Principal, name: &str) -> Result<Schedule, Problem> {
    let schedule = find(app, caller, name).await?;
    if caller.role < Role::Admin && *schedule.owner != *caller.user {
        let detail = "the schedule of somebody else is changed by an administrator only";
        return Err(Problem::forbidden(detail).with_kind("role-needed"));
    }
    Ok(schedule)
}

async fn checked(
    app: &App,
    caller: &Principal,
    name: &str,
    mut document: ScheduleDocument,
) -> Result<Schedule, Problem> {
    let timetable = document.timetable(name).map_err(Problem::invalid)?;
    let rehearsed = app.conductor.rehearse(caller, document.run).await;
    let (run, expected) = rehearsed.map_err(|problem| problem.below("run"))?;
    document.run = run;
    document.expected = expected.as_ref().map(ExpectedCost::from);
    let now = app.store.clock().stored_now();
    Ok(Schedule {
        tenant: caller.tenant.clone(),
        name: name.to_owned(),
        document: serde_json::to_string(&document).map_err(|_| Problem::internal())?,
        owner: caller.user.to_string(),
        role: caller.role,
        changed_at: now,
        paused: false,
        next: timetable.next_start(now),
    })
}

async fn store(app: &App, before: &Schedule, schedule: Schedule) -> Result<Schedule, Problem> {
    let changed = app.store.change_schedule(schedule.clone()).await;
    changed.map_err(problems::from_change)?;
    changes::changed(&object(before), &object(&schedule));
    app.scheduler.changed();
    Ok(schedule)
}

impl ScheduleDocument {
    /// The document of a stored schedule.
    ///
    /// # Errors
    /// 500 when it was not written here.
    pub(crate) fn stored(schedule: &Schedule) -> Result<Self, Problem> {
        serde_json::from_str(&schedule.document).map_err(|error| {
            let name = &schedule.name;
            problems::from_store(StoreError::Corrupt(format!("schedule {name:?}: {error}")))
        })
    }

    /// When it begins.
    ///
    /// # Errors
    /// Every field that is refused.
    pub(crate) fn timetable(&self, name: &str) -> Result<Timetable, Vec<FieldError>> {
        let times = (&*self.cron, &*self.time_zone, self.jitter_seconds);
        Timetable::parse(times, name)
    }
}
