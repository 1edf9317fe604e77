//! One run, from the queue to the end of its load generator.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use load_runner::runner::{RunHandle, StartError};
use performance_store::{LoadProcess, Run, RunAddress, Step, StoreError};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::collector::{Batch, Collector};
use super::ending::{Ending, Measured, Stop};
use super::interrupted::Adopted;
use super::judgement::Criteria;
use super::recorder::{Recorder, RecordingError};
use super::run_span::RunSpan;
use super::spending::{Billing, Exhausted, Spending};
use super::{Conductor, Current, Shared, blocking};
use crate::announcer;
use crate::relay::Admission;

/// How often k6's files are read: it flushes them every 0.2 s.
const READ_INTERVAL: Duration = Duration::from_millis(250);

/// Readings in a row (1 MiB each) before cancellations are looked at again.
const MAX_READINGS: usize = 32;

impl Conductor {
    /// Carries out the run that waited longest.
    pub(super) async fn execute(&self, queued: Run, shutdown: &CancellationToken) {
        let address = queued.address();
        // Before it leaves the queue: from then on a cancellation looks for it here.
        let (execution, over) = self.attend(&address, shutdown);
        if let Some(run) = self.shared.take(&queued, shutdown).await {
            let span = RunSpan::begin(&run);
            let (run, ending) = execution.carry_out(run, &span).await;
            self.shared.finish(run, ending, span).await;
            over.send_replace(true);
        }
        self.set_current(None);
        self.shared.tidy(&address.tenant).await;
    }

    /// Follows a run that goes on since an earlier life of the service.
    pub(super) async fn carry_on(&self, adopted: Adopted, shutdown: &CancellationToken) {
        let Adopted { run, begun, told } = adopted;
        let address = run.address();
        let (execution, over) = self.attend(&address, shutdown);
        self.shared.measures.resumed();
        let _admission = self.shared.admit(&run, &begun.criteria);
        let recorder = Recorder::resume(&self.shared.store, &run, told)
            .writing_to(self.shared.remote_write.as_ref(), &run);
        let span = RunSpan::resume(&run, &begun.handle);
        let ending = execution.watch(&run, begun, recorder).await;
        self.shared.finish(run, ending, span).await;
        over.send_replace(true);
        self.set_current(None);
        self.shared.tidy(&address.tenant).await;
    }

    /// Makes a run the one under way. What is returned last is set to true when it is over.
    fn attend(
        &self,
        run: &RunAddress,
        shutdown: &CancellationToken,
    ) -> (Execution<'_>, watch::Sender<bool>) {
        let (over, is_over) = watch::channel(false);
        let cancel = CancellationToken::new();
        self.set_current(Some(Current {
            run: run.clone(),
            cancel: cancel.clone(),
            over: is_over,
        }));
        let execution = Execution {
            shared: &self.shared,
            cancel,
            shutdown: shutdown.clone(),
        };
        (execution, over)
    }
}

/// A run whose load is on.
pub(super) struct Begun {
    pub(super) handle: RunHandle,
    /// What it is held against.
    pub(super) criteria: Criteria,
    /// Who counts its money.
    pub(super) billing: Billing,
    /// Why it is told to stop already.
    pub(super) stop: Option<Stop>,
}

/// A run under way.
struct Execution<'a> {
    shared: &'a Shared,
    cancel: CancellationToken,
    shutdown: CancellationToken,
}

impl Execution<'_> {
    async fn carry_out(&self, run: Run, span: &RunSpan) -> (Run, Ending) {
        let mut planned = match self.shared.plan_of(&run).await {
            Ok(planned) => planned,
            Err(reason) => return (run, Ending::NotStarted(reason)),
        };
        planned.plan.trace = span.context(&run);
        let billing = planned.billing();
        let criteria = Criteria::of(&planned);
        let _admission = self.shared.admit(&run, &criteria);
        let started = tokio::select! {
            started = self.shared.generators.runner.start(planned.plan) => started,
            stop = self.stopped() => return (run, Ending::Stopped(stop)),
        };
        let handle = match started {
            Ok(handle) => handle,
            Err(error) => {
                let reason = self.log_start_error(&run, &error).await;
                return (run, Ending::NotStarted(reason));
            }
        };
        span.note_load(&handle);
        self.shared.take_load(&run, &handle.requirements).await;
        let noted = self.note_start(&run, &handle).await;
        let mut begun = Begun {
            handle,
            criteria,
            billing,
            stop: None,
        };
        let run = match noted {
            Ok(run) => run,
            // The load is on all the same: it is ended, and what it did and cost is told.
            Err(error) => {
                let reason = format!("the start could not be recorded: {error}");
                begun.handle.stop();
                begun.stop = Some(Stop::Failed(reason));
                run
            }
        };
        let recorder = Recorder::new(&self.shared.store, &run)
            .writing_to(self.shared.remote_write.as_ref(), &run);
        let ending = self.watch(&run, begun, recorder).await;
        (run, ending)
    }

    /// Resolves when the run is to stop.
    async fn stopped(&self) -> Stop {
        tokio::select! {
            () = self.cancel.cancelled() => Stop::Cancelled,
            () = self.shutdown.cancelled() => Stop::Shutdown,
        }
    }

    /// Resolves when a run under way is to stop, for its money as well.
    async fn told_to_stop(&self, exhausted: impl Future<Output = Exhausted>) -> Stop {
        tokio::select! {
            why = self.stopped() => why,
            why = exhausted => Stop::Budget(why),
        }
    }

    async fn note_start(&self, run: &Run, handle: &RunHandle) -> Result<Run, StoreError> {
        let process = LoadProcess {
            pid: handle.process.pid,
            start_ticks: handle.process.start_ticks,
        };
        let spawned = self
            .shared
            .step(run, Step::Spawned(process), vec![])
            .await?;
        let address = run.address();
        let told = vec![
            announcer::started(&spawned),
            announcer::status(&address, "Running", "load is on"),
        ];
        let mut run = self.shared.step(&spawned, Step::Run, told).await?;
        run.container_id = self.shared.note_container(&run, handle).await;
        Ok(run)
    }

    /// Follows the run to its end.
    async fn watch(&self, run: &Run, begun: Begun, mut recorder: Recorder<'_>) -> Ending {
        let Begun {
            handle,
            criteria,
            billing,
            mut stop,
        } = begun;
        if let Some(gap) = handle.gap {
            self.shared.log(run, "service warning", gap).await;
        }
        let artifacts = handle.artifacts.clone();
        let collector = Collector::new(&artifacts, handle.requirements.clone(), &criteria.limits);
        let collector = Arc::new(Mutex::new(collector));
        let spending = Spending::of_run(self.shared, run, billing, &collector);
        let exhausted = spending.exhausted();
        tokio::pin!(exhausted);
        let mut readings = tokio::time::interval(READ_INTERVAL);
        readings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = handle.ended();
        tokio::pin!(ended);
        let end = loop {
            let end = tokio::select! {
                end = &mut ended => Some(end),
                why = self.told_to_stop(&mut exhausted), if stop.is_none() => {
                    stop = Some(why);
                    handle.stop();
                    None
                }
                _ = readings.tick() => None,
            };
            let failure = self
                .collect(&collector, &mut recorder, end.is_some())
                .await
                .err();
            if let Some(failure) = failure
                && stop.is_none()
            {
                stop = Some(Stop::Failed(failure.to_string()));
                handle.stop();
            }
            if let Some(end) = end {
                break end;
            }
        };
        let events = recorder.finish().await;
        self.shared.announcer.announce(recorder.run(), events);
        let spend = spending
            .settled(stop.as_ref().and_then(Stop::exhausted))
            .await;
        Ending::Ended(Box::new(Measured {
            end,
            stop,
            spend,
            artifacts,
            collector,
            criteria,
            execution: handle.requirements.execution.clone(),
            cut: recorder.cut(),
        }))
    }

    /// Reads and records what is new; everything that is left when k6 has ended.
    async fn collect(
        &self,
        collector: &Arc<Mutex<Collector>>,
        recorder: &mut Recorder<'_>,
        k6_has_ended: bool,
    ) -> Result<(), RecordingError> {
        if k6_has_ended {
            lock(collector).note_end();
        }
        let mut readings = 0;
        loop {
            let batch = read(collector).await?;
            let more = batch.more;
            self.shared.measures.ingested(batch.samples, batch.lag);
            let recorded = self.announce(recorder, batch).await;
            // After the end no load is put on for nothing, and what is not stored waits.
            if !k6_has_ended {
                recorded?;
            }
            readings += 1;
            if !more || (!k6_has_ended && readings >= MAX_READINGS) {
                break;
            }
        }
        if k6_has_ended {
            let seconds = lock(collector).aggregator.take_rest();
            let rest = Batch {
                seconds,
                ..Batch::default()
            };
            recorder.add(rest).await;
        }
        Ok(())
    }

    async fn announce(
        &self,
        recorder: &mut Recorder<'_>,
        batch: Batch,
    ) -> Result<(), RecordingError> {
        recorder.note_spend(self.shared.known_spend(recorder.run()));
        recorder.add(batch).await;
        let events = recorder.record().await?;
        self.shared.announcer.announce(recorder.run(), events);
        Ok(())
    }

    async fn log_start_error(&self, run: &Run, error: &StartError) -> String {
        let reason = error.to_string();
        self.shared.log(run, "service error", &reason).await;
        reason
    }
}

impl Shared {
    /// Lets the script of a run that asked for it reach its target through the relay.
    fn admit(&self, run: &Run, criteria: &Criteria) -> Option<Admission> {
        let admit = || self.relay.admit(run.id, &criteria.base_url);
        criteria.relayed.then(admit)
    }
}

async fn read(collector: &Arc<Mutex<Collector>>) -> Result<Batch, RecordingError> {
    let collector = Arc::clone(collector);
    let read = blocking(move || lock(&collector).read()).await;
    match read {
        Ok(Ok(batch)) => Ok(batch),
        Ok(Err(error)) => Err(RecordingError::Unreadable(error.to_string())),
        Err(problem) => Err(RecordingError::Unreadable(problem.detail().to_owned())),
    }
}

pub(super) fn lock(collector: &Mutex<Collector>) -> std::sync::MutexGuard<'_, Collector> {
    collector.lock().unwrap_or_else(PoisonError::into_inner)
}
