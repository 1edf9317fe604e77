//! The span of a run: from its place in front of the queue to its verdict, found by its id. The
//! processes of the run are told of it.

use instrumentation::propagation::{baggage_of_test, join, traceparent_of};
use load_runner::options::RunnerKind;
use load_runner::runner::RunHandle;
use load_runner::trace::TraceContext;
use performance_store::{Outcome, Run, RunStatus};
use tracing::{Span, field};

/// Ends when it is dropped. It is entered nowhere: what is asked of a target each second would make
/// its trace as long as the run.
pub(super) struct RunSpan(Span);

impl RunSpan {
    /// Begins with a run; what carries it out is known later.
    pub(super) fn begin(run: &Run) -> Self {
        Self(tracing::info_span!(
            parent: None,
            "run",
            otel.name = format!("run {}", run.scenario),
            otel.status_code = field::Empty,
            "test.id" = %run.id,
            "test.name" = run.test_name,
            "test.scenario" = run.scenario,
            "test.runner" = field::Empty,
            "test.status" = field::Empty,
            "test.verdict" = field::Empty,
            "tenant.id" = run.tenant.as_str(),
            "k6.version" = field::Empty,
            "process.pid" = field::Empty,
        ))
    }

    /// Goes on with a run that an earlier life of the service began, in the same trace. The span of
    /// that life was lost with it.
    pub(super) fn resume(run: &Run, handle: &RunHandle) -> Self {
        let span = Self::begin(run);
        if let Some(traceparent) = &handle.trace.traceparent {
            join(&span.0, traceparent);
        }
        span.note_load(handle);
        span
    }

    /// What the processes of the run are told.
    pub(super) fn context(&self, run: &Run) -> TraceContext {
        let scenario = run.scenario.to_ascii_lowercase();
        TraceContext {
            traceparent: traceparent_of(&self.0),
            baggage: Some(baggage_of_test(&run.id.to_string(), Some(&scenario))),
        }
    }

    /// The load is on.
    pub(super) fn note_load(&self, handle: &RunHandle) {
        let runner = match (handle.kind, handle.artifacts.processes.len()) {
            (RunnerKind::Container, _) => "container",
            (RunnerKind::Process, 0 | 1) => "process",
            (RunnerKind::Process, _) => "processes",
        };
        self.0.record("test.runner", runner);
        self.0.record("k6.version", &*handle.version);
        self.0.record("process.pid", i64::from(handle.process.pid));
    }

    /// The run is over; `verdict` is its level in lower case.
    pub(super) fn settle(self, outcome: &Outcome, verdict: &str) {
        self.0.record("test.status", outcome.status.as_str());
        self.0.record("test.verdict", verdict);
        if outcome.status == RunStatus::Failed {
            self.0.record("otel.status_code", "ERROR");
        }
    }
}
