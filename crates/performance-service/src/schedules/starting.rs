//! From a start that was taken to its run, or to the reason why there is none.

use performance_store::{
    NewAuditRecord, ObjectHashes, Run, Schedule, ScheduledStart, StartOutcome,
};
use service_defaults::problem::Problem;
use tenancy::Principal;

use super::body::{ScheduleDocument, WhenBusy};
use super::scheduler::{Scheduler, start};
use super::trigger;
use crate::audit::{self, changes};
use crate::problems;

impl Scheduler {
    /// Queues the run of a start that was taken, and notes what became of it.
    pub(super) async fn begin(
        &self,
        schedule: &Schedule,
        document: ScheduleDocument,
        mut start: ScheduledStart,
    ) {
        match self.obstacle(schedule, document.when_busy).await {
            Ok(Some(reason)) => (start.outcome, start.cause) = (StartOutcome::Skipped, reason),
            Ok(None) => {
                let owner = Principal {
                    tenant: schedule.tenant.clone(),
                    user: schedule.owner.as_str().into(),
                    role: schedule.role,
                };
                let trigger = trigger(&schedule.name);
                let begun = self.conductor.submit_for(&owner, document.run, trigger);
                let begun = begun.await;
                self.record(schedule, &begun).await;
                match begun {
                    Ok(run) => (start.outcome, start.run) = (StartOutcome::Started, Some(run.id)),
                    Err(problem) => refuse(&mut start, &problem),
                }
            }
            Err(problem) => refuse(&mut start, &problem),
        }
        let outcome = start.outcome.as_str();
        tracing::info!(schedule = %schedule.name, "a scheduled start was {outcome}: {}", start.cause);
        self.note(schedule, start).await;
    }

    /// Queues the run of a schedule now, for a caller.
    ///
    /// # Errors
    /// As [`Conductor::submit`](crate::conductor::Conductor::submit).
    pub(crate) async fn start_now(
        &self,
        schedule: &Schedule,
        caller: &Principal,
    ) -> Result<Run, Problem> {
        let document = ScheduleDocument::stored(schedule)?;
        let trigger = trigger(&schedule.name);
        let run = self.conductor.submit_for(caller, document.run, trigger);
        let run = run.await?;
        let now = self.store.clock().now();
        let cause = format!("by {}, outside of the schedule", caller.user);
        let mut begun = start(now, now, StartOutcome::Started, cause);
        begun.run = Some(run.id);
        self.note(schedule, begun).await;
        Ok(run)
    }

    /// Why there is no run this time.
    async fn obstacle(
        &self,
        schedule: &Schedule,
        when_busy: WhenBusy,
    ) -> Result<Option<String>, Problem> {
        let trigger = trigger(&schedule.name);
        let own = self.store.waiting_for(&schedule.tenant, &trigger).await;
        if own.map_err(problems::from_store)? > 0 {
            return Ok(Some("the run before still waits for its turn".to_owned()));
        }
        if when_busy == WhenBusy::Queue {
            return Ok(None);
        }
        let unfinished = self
            .store
            .unfinished()
            .await
            .map_err(problems::from_store)?;
        Ok((unfinished > 0).then(|| "another run was under way or waited".to_owned()))
    }

    async fn note(&self, schedule: &Schedule, start: ScheduledStart) {
        if let Err(error) = self.store.note_start(schedule, start).await {
            tracing::error!(schedule = %schedule.name, "what became of a start is not kept: {error}");
        }
    }

    /// The audit record of a start that nobody asked for by a call.
    async fn record(&self, schedule: &Schedule, begun: &Result<Run, Problem>) {
        let family = "/api/v1/performancetest";
        let (object, outcome, status) = match begun {
            Ok(run) => (format!("{family}/{}", run.id), "done", 201),
            Err(problem) => {
                let status = problem.status().as_u16();
                let outcome = if status < 500 { "refused" } else { "failed" };
                (
                    format!("{family}/schedules/{}", schedule.name),
                    outcome,
                    status,
                )
            }
        };
        let entry = NewAuditRecord {
            tenant: Some(schedule.tenant.clone()),
            user: schedule.owner.clone(),
            action: trigger(&schedule.name),
            object,
            outcome: outcome.to_owned(),
            status,
            request_id: String::new(),
            hashes: ObjectHashes {
                before: None,
                after: begun
                    .as_ref()
                    .ok()
                    .and_then(|run| changes::hash(&run.request)),
            },
        };
        audit::keep(&self.store, entry).await;
    }
}

fn refuse(start: &mut ScheduledStart, problem: &Problem) {
    let errors = problem.errors().iter();
    let errors: Vec<String> = errors
        .map(|error| format!("{} {}", error.field, error.reason))
        .collect();
    start.outcome = StartOutcome::Refused;
    start.cause = match errors.as_slice() {
        [] => problem.detail().to_owned(),
        some => some.join("; "),
    };
}
