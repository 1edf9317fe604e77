//! From a request to a run in the queue.

use performance_store::{NewConfiguration, NewRun, Run, RunAddress, StoreError};
use service_defaults::problem::Problem;
use tenancy::{Principal, TenantId};

use super::forecasting::Expected;
use super::{Conductor, blocking};
use crate::audit::changes;
use crate::money_limits::dollars;
use crate::planner::Planned;
use crate::runs::request::StartBody;
use crate::{announcer, idempotency, problems, tenant_limits};

/// What may ask on a caller's behalf by its own word; others are known here.
const TRIGGERS: [&str; 2] = ["gate", "webhook"];

/// Who asks for a run.
pub(crate) struct Asked<'a> {
    pub(crate) started_by: &'a str,
    /// What asks on the user's behalf; empty when nothing does.
    pub(crate) triggered_by: String,
    /// The configured test that is kept with the run.
    pub(crate) configuration: Option<NewConfiguration>,
}

impl Conductor {
    /// Checks a request and queues its run.
    ///
    /// # Errors
    /// 400 and 403 as the planner says, 503 without k6, 429 at a limit of queue or tenant, 409
    /// without the confirmation of dollars that it is expected to spend, 507 without room, 504
    /// when the run may be queued or not.
    pub(crate) async fn submit(
        &self,
        caller: &Principal,
        mut body: StartBody,
    ) -> Result<Run, Problem> {
        let trigger = taken_trigger(&mut body)?;
        self.submit_for(caller, body, trigger).await
    }

    /// The same, and keeps the configured test that the run is of: both or neither.
    ///
    /// # Errors
    /// As [`Conductor::submit`]; 429 also when there are as many tests as are kept.
    pub(crate) async fn submit_keeping(
        &self,
        caller: &Principal,
        mut body: StartBody,
        configuration: NewConfiguration,
    ) -> Result<Run, Problem> {
        let asked = Asked {
            started_by: &caller.user,
            triggered_by: taken_trigger(&mut body)?,
            configuration: Some(configuration),
        };
        self.submit_as(caller, body, asked).await
    }

    /// The same for something that asks on the caller's behalf, such as `schedule nightly`.
    ///
    /// # Errors
    /// As [`Conductor::submit`].
    pub(crate) async fn submit_for(
        &self,
        caller: &Principal,
        body: StartBody,
        triggered_by: String,
    ) -> Result<Run, Problem> {
        let asked = Asked {
            started_by: &caller.user,
            triggered_by,
            configuration: None,
        };
        self.submit_as(caller, body, asked).await
    }

    async fn submit_as(
        &self,
        caller: &Principal,
        body: StartBody,
        asked: Asked<'_>,
    ) -> Result<Run, Problem> {
        if let Some(run) = self.made_before(&caller.tenant).await? {
            return Ok(run);
        }
        self.count_trigger(&caller.tenant)?;
        let (run, planned, body) = self.check(caller, body).await?;
        let queued = self.queue(run, asked, planned, body).await?;
        changes::made(&queued.request);
        Ok(queued)
    }

    /// The run of the present request, where that was carried out before and nobody knew.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn made_before(&self, tenant: &TenantId) -> Result<Option<Run>, Problem> {
        let Some(id) = idempotency::id_of_made() else {
            return Ok(None);
        };
        let tenant = tenant.clone();
        match self.shared.store.get(&RunAddress { tenant, id }).await {
            Ok(run) => Ok(Some(run)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(problems::from_store(error)),
        }
    }

    /// Checks what a caller asks for without queueing it.
    ///
    /// # Errors
    /// As [`Self::submit`], but for the limits of queue and money.
    pub(crate) async fn admit(
        &self,
        caller: &Principal,
        body: StartBody,
    ) -> Result<Planned, Problem> {
        self.count_trigger(&caller.tenant)?;
        Ok(self.check(caller, body).await?.1)
    }

    /// Queues a run that was granted before, under an id that is stored already.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub(crate) async fn submit_child(
        &self,
        run: RunAddress,
        asked: Asked<'_>,
        body: StartBody,
    ) -> Result<Run, Problem> {
        let (planned, body) = self.plan(&run, body).await?;
        self.queue(run, asked, planned, body).await
    }

    /// The most virtual users of a run.
    pub(crate) fn most_users(&self) -> u32 {
        self.shared.planner.tenant_limits.bounds().virtual_users
    }

    async fn queue(
        &self,
        run: RunAddress,
        asked: Asked<'_>,
        planned: Planned,
        body: StartBody,
    ) -> Result<Run, Problem> {
        let expected = self.shared.confirmed(&run, &planned, &body).await?;
        let forecast = expected.as_ref().map(|expected| &expected.forecast);
        self.shared.check_day(&run, forecast).await?;
        self.shared.check_room(&run).await?;
        let new = NewRun {
            test_name: planned.test_name,
            scenario: planned.scenario.name().to_owned(),
            script: planned.script,
            environment: planned.target.name,
            started_by: asked.started_by.to_owned(),
            triggered_by: asked.triggered_by,
            virtual_user_seconds: tenant_limits::load_of(&planned.plan.options),
            request: serde_json::to_string(&body).map_err(|_| Problem::internal())?,
            forecast: forecast.and_then(|forecast| serde_json::to_string(forecast).ok()),
        };
        let told = announcer::status(&run, "Queued", "waits for its turn");
        let (stored, events) = self
            .shared
            .store
            .enqueue_keeping(&run, new, told, asked.configuration)
            .await
            .map_err(problems::from_change)?;
        self.shared.announcer.announce(&run, events);
        self.note_queue().await;
        self.shared.queued.notify_one();
        Ok(stored)
    }

    /// Checks a request that may be made later; it comes back with one place for each thing, and
    /// with what it is expected to take, as far as that is known in time.
    ///
    /// # Errors
    /// 400 and 403 as the planner says, 503 without k6, 409 without the confirmation of dollars,
    /// 429 when the tenant asks too often.
    pub(crate) async fn rehearse(
        &self,
        caller: &Principal,
        body: StartBody,
    ) -> Result<(StartBody, Option<Expected>), Problem> {
        self.count_trigger(&caller.tenant)?;
        let (run, planned, body) = self.check(caller, body).await?;
        let expected = self.shared.confirmed(&run, &planned, &body).await?;
        Ok((body, expected))
    }

    /// Counts that a tenant has k6 or this service do the work of a start.
    ///
    /// # Errors
    /// 429 when it has done so too often.
    pub(crate) fn count_trigger(&self, tenant: &TenantId) -> Result<(), Problem> {
        self.shared.triggers.count(tenant)
    }

    /// What a run would take, without starting it.
    ///
    /// # Errors
    /// What a start would be refused for, and 400 and 403 for a script that would not start.
    pub(crate) async fn forecast(
        &self,
        caller: &Principal,
        body: StartBody,
    ) -> Result<Expected, Problem> {
        self.count_trigger(&caller.tenant)?;
        let (run, mut planned, body) = self.check(caller, body).await?;
        let store = &self.shared.store;
        let load = tenant_limits::load_of(&planned.plan.options);
        let admitted = store.admits(&run.tenant, load).await;
        admitted.map_err(problems::from_store)?;
        if load == 0 {
            let left = store.load_left(&run.tenant).await;
            planned.plan.bounds.virtual_user_seconds = Some(left.map_err(problems::from_store)?);
        }
        let expected = self.shared.forecast(&run.tenant, &planned, &body).await?;
        self.shared
            .check_day(&run, Some(&expected.forecast))
            .await?;
        Ok(expected)
    }

    /// Everything that is checked of a request before anything is created.
    async fn check(
        &self,
        caller: &Principal,
        body: StartBody,
    ) -> Result<(RunAddress, Planned, StartBody), Problem> {
        let run = RunAddress {
            tenant: caller.tenant.clone(),
            id: idempotency::id_of_new(self.shared.store.clock()),
        };
        let (planned, body) = self.plan(&run, body).await?;
        self.shared.planner.grant(caller.role, &planned, &body)?;
        Ok((run, planned, body))
    }

    async fn plan(
        &self,
        run: &RunAddress,
        body: StartBody,
    ) -> Result<(Planned, StartBody), Problem> {
        let body = body.canonical();
        let planner = self.shared.planner.clone();
        let address = run.clone();
        let (planned, body) = blocking(move || (planner.plan(&address, &body), body)).await?;
        let planned = planned?;
        dollars("confirmDollars", body.confirm_dollars.as_ref())?;
        self.shared.generators.check(&planned.plan).await?;
        Ok((planned, body))
    }
}

/// What a caller says that asks on his behalf.
fn taken_trigger(body: &mut StartBody) -> Result<String, Problem> {
    let trigger = body.trigger.take().unwrap_or_default();
    if !trigger.is_empty() && !TRIGGERS.contains(&trigger.as_str()) {
        let reason = format!("must be one of {}", TRIGGERS.join(", "));
        return Err(Problem::invalid_field("trigger", reason));
    }
    Ok(trigger)
}
