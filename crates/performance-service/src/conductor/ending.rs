//! The end of a run: judged, and put into what is stored of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use load_analysis::execution::ExecutionPlan;
use load_analysis::results::Results;
use load_analysis::spend::Spend;
use load_analysis::validity::Validity;
use load_analysis::verdict::{Level, Verdict};
use load_runner::exit::K6Exit;
use load_runner::runner::{RunArtifacts, RunEnd, StopReason};
use performance_store::{Outcome, Run, RunStatus};

use super::collector::Collector;
use super::execution::lock;
use super::judgement::{self, Criteria};
use super::run_span::RunSpan;
use super::spending::{self, Exhausted};
use super::{Shared, blocking};
use crate::comparing;

/// Why we stopped a run.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// Somebody cancelled it.
    Cancelled,
    /// The service shuts down.
    Shutdown,
    /// Its measurements were being lost.
    Failed(String),
    /// It may spend no more.
    Budget(Exhausted),
}

/// How a run came to its end.
pub(super) enum Ending {
    /// No load was put on the target.
    NotStarted(String),
    /// It was stopped before load was on.
    Stopped(Stop),
    /// The load generator has ended.
    Ended(Box<Measured>),
}

/// What is known when the load generator has ended.
pub(super) struct Measured {
    pub(super) end: RunEnd,
    pub(super) stop: Option<Stop>,
    pub(super) artifacts: RunArtifacts,
    pub(super) collector: Arc<Mutex<Collector>>,
    /// What it is held against beside its thresholds.
    pub(super) criteria: Criteria,
    /// What k6 was asked to do over time.
    pub(super) execution: Option<ExecutionPlan>,
    /// Why the stored seconds end before the run.
    pub(super) cut: Option<String>,
    /// What its calls of models cost.
    pub(super) spend: Option<Spend>,
}

impl Stop {
    /// Why its money ran out, if that is the cause.
    pub(super) const fn exhausted(&self) -> Option<&Exhausted> {
        match self {
            Self::Budget(exhausted) => Some(exhausted),
            _ => None,
        }
    }
}

impl Shared {
    /// Judges a run and stores its end.
    pub(super) async fn finish(&self, run: Run, ending: Ending, span: RunSpan) {
        let outcome = match ending {
            Ending::NotStarted(reason) => without_load(RunStatus::Failed, reason),
            Ending::Stopped(stop) => {
                let (status, reason) = stopped(&stop, None);
                without_load(status, reason)
            }
            Ending::Ended(measured) => {
                let begun = Instant::now();
                let outcome = self.of_measured(&run, *measured).await;
                self.measures.judged(begun.elapsed());
                outcome
            }
        };
        let verdict = outcome.verdict.as_ref().map_or("none", level);
        self.measures
            .ended(&run.scenario.to_ascii_lowercase(), verdict);
        if let Some(spend) = &outcome.spend {
            self.measures.spent(spend);
        }
        if let Some(remote_write) = &self.remote_write {
            remote_write.mark_end(&run, verdict);
        }
        tracing::info!(
            test.id = %run.id,
            test.verdict = verdict,
            "run {} is {}{}",
            run.number,
            outcome.status,
            outcome.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default()
        );
        self.store_end(&run, &outcome).await;
        span.settle(&outcome, verdict);
    }

    /// Judges a run that put load on its target.
    async fn of_measured(&self, run: &Run, measured: Measured) -> Outcome {
        let read = blocking(move || {
            let results = judgement::results(&measured);
            (measured, results)
        });
        let (measured, results) = match read.await {
            Ok(read) => read,
            Err(problem) => return without_load(RunStatus::Failed, problem.detail().to_owned()),
        };
        let told = self.told(run, &measured, &results).await;
        let judged = blocking(move || {
            let (results, verdict) = judgement::judged(&measured, results, told);
            (measured, results, verdict)
        });
        match judged.await {
            Ok((measured, results, verdict)) => conclude(&measured, results, verdict),
            Err(problem) => without_load(RunStatus::Failed, problem.detail().to_owned()),
        }
    }
}

/// A run without figures, mostly because it put no load on its target, shows nothing.
pub(super) fn without_load(status: RunStatus, reason: String) -> Outcome {
    Outcome {
        status,
        verdict: Some(invalid(reason.clone())),
        error: Some(reason),
        results: None,
        figures: BTreeMap::new(),
        spend: None,
    }
}

/// A run whose figures do not count.
pub(super) fn invalid(reason: String) -> Verdict {
    Verdict {
        level: Level::Invalid,
        exit_code: Level::Invalid.exit_code(),
        reasons: vec![reason],
    }
}

fn conclude(measured: &Measured, mut results: Results, mut verdict: Verdict) -> Outcome {
    let first_error = lock(&measured.collector).first_error.clone();
    let by_itself = measured.end.stopped.is_none();
    let (status, error) = match (measured.end.exit, &measured.stop) {
        // It had ended before our signal reached it.
        (K6Exit::Code(0 | 99), None | Some(Stop::Cancelled | Stop::Shutdown | Stop::Budget(_)))
            if by_itself =>
        {
            (RunStatus::Completed, None)
        }
        (_, Some(stop)) => {
            let (status, reason) = stopped(stop, measured.spend.as_ref());
            verdict = overruled(&reason, verdict);
            (status, Some(reason))
        }
        (exit, None) => {
            let reason = cause(exit, measured.end.stopped);
            if by_itself {
                // The judge says how it ended; the log says why.
                let logged = first_error
                    .iter()
                    .map(|error| format!("{} logged: {}", error.of, error.text));
                verdict.reasons.extend(logged);
            } else {
                verdict = overruled(&reason, verdict);
            }
            let reason = match first_error.filter(|_| by_itself) {
                Some(error) => format!("{reason}: {}", error.text),
                None => reason,
            };
            (RunStatus::Failed, Some(reason))
        }
    };
    verdict
        .reasons
        .extend(spending::remark(measured.spend.as_ref()));
    if let Some(cut) = &measured.cut {
        verdict
            .reasons
            .push(format!("The picture over time ends early: {cut}."));
    }
    if let Some(validity) = results.validity.take() {
        results.validity = Some(agreeing(validity, &verdict));
    }
    Outcome {
        status,
        error,
        figures: comparing::figures(&results),
        results: serde_json::to_string(&results).ok(),
        verdict: Some(verdict),
        spend: measured.spend.clone(),
    }
}

/// The conditions of a run that is INVALID although all of them held: it was stopped, or what it
/// is held against could not be read.
fn agreeing(validity: Validity, verdict: &Verdict) -> Validity {
    match verdict.reasons.first() {
        Some(reason) if verdict.level == Level::Invalid && validity.doubts().is_empty() => {
            validity.and_failed("judgement", reason)
        }
        _ => validity,
    }
}

fn cause(exit: K6Exit, stopped: Option<StopReason>) -> String {
    match stopped {
        Some(StopReason::Deadline) => "it ran longer than its plan can take".to_owned(),
        Some(StopReason::DiskQuota) => "its files grew beyond their bound".to_owned(),
        Some(StopReason::Memory) => "it used more memory than it may".to_owned(),
        Some(StopReason::Requested) => "it was stopped".to_owned(),
        None if exit == K6Exit::Unknown => format!("interrupted: {}", exit.meaning()),
        None => exit.meaning(),
    }
}

/// The figures of a run that was stopped do not count, whatever they say.
pub(super) fn overruled(reason: &str, verdict: Verdict) -> Verdict {
    let mut reasons = vec![capitalised(reason)];
    reasons.extend(verdict.reasons);
    Verdict {
        reasons,
        ..invalid(String::new())
    }
}

fn stopped(stop: &Stop, spend: Option<&Spend>) -> (RunStatus, String) {
    match stop {
        Stop::Budget(exhausted) => (RunStatus::Cancelled, exhausted.sentence(spend)),
        Stop::Cancelled => (RunStatus::Cancelled, "cancelled on request".to_owned()),
        Stop::Shutdown => (
            RunStatus::Failed,
            "interrupted: the performance service was stopped during the run".to_owned(),
        ),
        Stop::Failed(reason) => (RunStatus::Failed, reason.clone()),
    }
}

fn level(verdict: &Verdict) -> &'static str {
    match verdict.level {
        Level::Pass => "pass",
        Level::Warning => "warning",
        Level::Inconclusive => "inconclusive",
        Level::Fail => "fail",
        Level::Critical => "critical",
        Level::Invalid => "invalid",
    }
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().map(|first| first.to_uppercase());
    let first = first.into_iter().flatten();
    let stop = if sentence.ends_with('.') { "" } else { "." };
    first.chain(characters).chain(stop.chars()).collect()
}
