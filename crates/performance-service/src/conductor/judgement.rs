//! What a finished run is judged by: its figures by phase, its limits, whether it counts.

use std::num::NonZero;

use load_analysis::aggregate::SecondBucket;
use load_analysis::findings::Findings;
use load_analysis::limits::{Limit, LimitJudge, LimitResult};
use load_analysis::phases::{PhaseFold, PhasePlan, Phases, asked_load, silence};
use load_analysis::results::Results;
use load_analysis::span::Span;
use load_analysis::validity::Validity;
use load_analysis::verdict::{AskedLoad, Counted, Evidence, Seen, TargetStart, Verdict, judge};
use load_runner::runner::Usage;
use load_runner::summary::Summary;
use performance_store::{LongReader, Run};

use super::Shared;
use super::blocking;
use super::ending::{Measured, overruled};
use super::execution::lock;
use crate::planner::Planned;

/// Metrics of every script, each sample of which counts one.
const COUNTED: [&str; 2] = ["http_reqs", "iterations"];

/// What a run is held against, beside its thresholds.
#[derive(Debug, Clone)]
pub(super) struct Criteria {
    /// The limits of its test.
    pub(super) limits: Vec<Limit>,
    /// Seconds at its begin that are not judged.
    pub(super) warm_up: f64,
    /// The address that its script is given.
    pub(super) base_url: String,
    /// The target's own.
    pub(super) target_url: String,
    /// Whether its script reaches the target through the relay as well.
    pub(super) relayed: bool,
}

/// What the stored seconds say, and the target.
pub(super) struct Told {
    limits: Vec<LimitResult>,
    phases: Option<Phases>,
    asked: Seen<AskedLoad>,
    target_start: Seen<TargetStart>,
    findings: Option<Findings>,
    /// Why nothing is judged.
    failure: Option<String>,
}

/// Folded in one pass over the seconds.
struct Fold {
    limits: LimitJudge,
    phases: PhaseFold,
}

impl Criteria {
    pub(super) fn of(planned: &Planned) -> Self {
        Self {
            limits: planned.limits.clone(),
            warm_up: planned.plan.options.warm_up().as_secs_f64(),
            base_url: planned.plan.target.base_url().to_owned(),
            target_url: planned.target.base_url.clone(),
            relayed: planned.plan.relay.is_some(),
        }
    }
}

impl Criteria {
    /// Of seconds that cannot be read; whoever has limits must hear of it.
    fn not_judged(&self, why: &str) -> Told {
        let failure = format!("the limits cannot be judged: {why}");
        Told {
            failure: (!self.limits.is_empty()).then_some(failure),
            ..Told::nothing(&format!("The seconds of the run cannot be read: {why}."))
        }
    }
}

impl Shared {
    /// Asks the stored seconds and the target.
    pub(super) async fn told(&self, run: &Run, measured: &Measured, results: &Results) -> Told {
        let span = lock(&measured.collector).aggregator.load_span();
        let Some(span) = span else {
            return Told::nothing("Nothing was put on the target.");
        };
        let began = span.load.start;
        let target = &measured.criteria.target_url;
        let start = self.observation.target_start(target, span.begin);
        let used = async {
            let time = self.time_of(run).await?;
            Some((time, self.resources(run, measured, time).await))
        };
        let fold = self.fold(run, measured, results, span);
        let (mut told, target_start, used) = tokio::join!(fold, start, used);
        told.target_start = target_start;
        if let Some((time, resources)) = used {
            if let Some(phases) = &mut told.phases {
                phases.offset = began - time.first;
            }
            let phases = told.phases.as_ref();
            told.findings = Some(self.findings(run, time, phases, &resources).await);
        }
        told
    }

    async fn fold(&self, run: &Run, measured: &Measured, results: &Results, span: Span) -> Told {
        let criteria = &measured.criteria;
        let plan = PhasePlan::new(measured.execution.as_ref(), criteria.warm_up, span.clone());
        let fold = Fold {
            limits: LimitJudge::new(criteria.limits.clone(), &plan.span()),
            phases: PhaseFold::new(plan, results),
        };
        let mut metrics = fold.phases.metrics();
        metrics.extend(criteria.limits.iter().map(|limit| limit.metric.clone()));
        let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
        let address = run.address();
        let add = |fold: &mut Fold, second: SecondBucket| {
            fold.limits.add(&second);
            fold.phases.add(&second);
        };
        let folded = match &measured.cut {
            Some(cut) => Err(cut.clone()),
            None => {
                let folded =
                    self.store
                        .fold_seconds((&address, LongReader::Judge), &metrics, fold, add);
                folded.await.map_err(|error| error.to_string())
            }
        };
        match folded {
            Ok(fold) => {
                let iterations = fold.phases.iterations();
                let cut_off = (!measured.end.exit.is_complete()).then_some(span.load_seconds);
                let plan = measured.execution.as_ref();
                let asked = asked_load(plan, cut_off, iterations);
                let last_end = fold.phases.last_end().unwrap_or(span.load_seconds);
                let silent = silence(plan, last_end, longest_iteration(results));
                let failure = silent.filter(|_| cut_off.is_none());
                // The intervals of percentiles resample the run a thousand times.
                let finish = move || (fold.limits.results(), fold.phases.finish());
                match blocking(finish).await {
                    Ok((limits, phases)) => Told {
                        limits,
                        phases: Some(phases),
                        asked,
                        failure,
                        ..Told::nothing("Nobody looked.")
                    },
                    Err(problem) => criteria.not_judged(problem.detail()),
                }
            }
            Err(why) => criteria.not_judged(&why),
        }
    }
}

impl Told {
    fn nothing(why: &str) -> Self {
        Self {
            limits: Vec::new(),
            phases: None,
            asked: Seen::Unknown(why.to_owned()),
            target_start: Seen::Unknown(why.to_owned()),
            findings: None,
            failure: None,
        }
    }
}

/// Seconds of the longest iteration that came to its end.
fn longest_iteration(results: &Results) -> Option<f64> {
    let durations = results.metrics.get("iteration_duration")?;
    Some(durations.values.get("max")? / 1_000.0)
}

/// The figures of a run, with what k6 itself says of its thresholds.
pub(super) fn results(measured: &Measured) -> Results {
    // Absent when k6 was killed; the samples speak for themselves.
    let reported = match measured.artifacts.processes.as_slice() {
        [only] => Summary::read(&only.summary).ok(),
        // Each saw a part.
        _ => None,
    };
    let reported = reported.map(|summary| summary.thresholds());
    let collector = lock(&measured.collector);
    collector.aggregator.results(reported.as_ref())
}

/// What k6 says it counted, beside what its samples say. Who was stopped counted less than it
/// wrote, or left no summary.
fn counted(measured: &Measured, results: &Results) -> Seen<Vec<Counted>> {
    let end = measured.end.exit.evidence();
    if !end.is_regular() {
        return Seen::NotApplicable("k6 did not come to its own end".to_owned());
    }
    let mut reported = [0.0; COUNTED.len()];
    for process in &measured.artifacts.processes {
        let summary = match Summary::read(&process.summary) {
            Ok(summary) => summary,
            Err(error) => return Seen::Unknown(format!("k6's summary cannot be read: {error}.")),
        };
        for (sum, metric) in reported.iter_mut().zip(COUNTED) {
            *sum += summary.count(metric);
        }
    }
    let folded = |metric| results.metrics.get(metric)?.values.get("count").copied();
    let counted = COUNTED.into_iter().zip(reported);
    let counted = counted.map(|(metric, reported)| Counted {
        metric: metric.to_owned(),
        reported,
        folded: folded(metric).unwrap_or(0.0),
    });
    Seen::Value(counted.collect())
}

/// Judges a run; its results get what was told.
pub(super) fn judged(measured: &Measured, mut results: Results, told: Told) -> (Results, Verdict) {
    let generator_cpu = measured.end.usage.map(share_of_processors);
    results.spend.clone_from(&measured.spend);
    results.coverage.generator_cpu = generator_cpu;
    results.coverage.sample_format = Some(measured.artifacts.format().name().to_owned());
    let (verdict, validity) = {
        let collector = lock(&measured.collector);
        let evidence = Evidence {
            unreadable_lines: collector.unreadable_lines(),
            counted: counted(measured, &results),
            output_errors: collector.output_errors.clone(),
            exceptions: measured.end.exceptions,
            generator_cpu,
            asked: told.asked,
            target_start: told.target_start,
            ..Evidence::new(measured.end.exit.evidence(), &results)
        };
        (judge(&evidence), Validity::of(&evidence))
    };
    results.validity = Some(validity);
    results.phases = told.phases;
    results.findings = told.findings;
    match told.failure {
        None => {
            let mut verdict = verdict.with_limits(&told.limits);
            let steady = results
                .phases
                .as_ref()
                .map(|it| (it.judged().is_some(), &it.sentence));
            if let (Some((false, sentence)), false) = (steady, told.limits.is_empty()) {
                verdict.reasons.push(sentence.clone());
            }
            results.limits = told.limits;
            (results, verdict)
        }
        Some(reason) => (results, overruled(&reason, verdict)),
    }
}

/// What k6 used of the processors that this service may use, which are k6's as well, but for a
/// container with a bound.
fn share_of_processors(usage: Usage) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let cores = u32::try_from(cores).unwrap_or(u32::MAX);
    let cores = usage.processors.map_or(cores, |bound| bound.min(cores));
    let could = usage.wall.as_secs_f64() * f64::from(cores);
    if could > 0.0 {
        usage.cpu.as_secs_f64() / could
    } else {
        0.0
    }
}
