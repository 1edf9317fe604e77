//! What is used up: processors, circuits, and a target that does no more however many ask.

use super::{Finding, FindingKind, LoadPoint, Observed, total};
use crate::notation::{number, share};
use crate::resources::Signal;

/// Busier workers than this leave no room for what arrives unevenly.
const MOST_WORKERS_BUSY: f64 = 0.85;

/// Workers that are busy while the process uses fewer processors than this wait for one, or for a
/// call that blocks them.
const LEAST_CPU: f64 = 0.5;

/// What such a wait explains at most: other findings say more.
const WEIGHT_OF_WAITING: f64 = 0.3;

/// Seconds of a circuit that was not closed that are worth a word.
const LEAST_OPEN_POINTS: usize = 2;

/// Users must have grown at least so much for a rate to say anything.
const LEAST_GROWTH: f64 = 1.5;

/// Of the growth of the load, the rate must have followed at least this share.
const LEAST_FOLLOWED: f64 = 0.3;

/// Steps on each side of a comparison of rates.
const LEAST_STEPS: usize = 3;

pub(super) fn find(observed: &Observed<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = processors(observed).into_iter().collect();
    findings.extend(circuits(observed));
    findings.extend(knee(observed));
    findings
}

fn processors(observed: &Observed<'_>) -> Option<Finding> {
    let judged = &observed.judged;
    let busy = total(observed, Signal::WorkersBusy, judged)?;
    if busy < MOST_WORKERS_BUSY {
        return None;
    }
    let cpu = total(observed, Signal::Cpu, judged);
    let used = cpu.map_or_else(String::new, |cpu| {
        format!(", the process used {} processors", number(cpu))
    });
    let waiting = total(observed, Signal::TasksWaiting, judged).filter(|tasks| *tasks >= 1.0);
    let waiting = waiting.map_or_else(String::new, |tasks| {
        format!(", {} tasks waited for a worker", number(tasks))
    });
    let waits = cpu.is_some_and(|cpu| cpu < LEAST_CPU);
    let recommendation = if waits {
        "Other processes of the machine, k6 among them, took the processors, or calls blocked the \
         workers: make the run again on a machine of the target's own."
    } else {
        "Give the target more processors, or find with a profiler what its requests compute; k6 \
         on the same machine takes some of them."
    };
    Some(Finding {
        kind: FindingKind::Processors,
        part: "processors".to_owned(),
        sentence: format!(
            "The target's workers were busy {} of the time{used}{waiting}.",
            share(busy)
        ),
        recommendation: recommendation.to_owned(),
        weight: if waits {
            WEIGHT_OF_WAITING
        } else {
            busy.min(1.0)
        },
    })
}

fn circuits(observed: &Observed<'_>) -> Vec<Finding> {
    let judged = &observed.judged;
    let of = observed.resources.of(Signal::Circuit).filter_map(|series| {
        let points: Vec<(f64, f64)> = series.within(judged).collect();
        let open = points.iter().filter(|(_, state)| *state >= 1.0).count();
        if open < LEAST_OPEN_POINTS {
            return None;
        }
        let part = crate::number::from_size(open) / crate::number::from_size(points.len());
        let refused = observed.resources.of(Signal::ModelRefusals);
        let refused = refused.filter(|it| it.of.starts_with(&series.of));
        let refused: f64 = refused.filter_map(|it| it.mean(judged)).sum();
        let refused = if refused > 0.0 {
            format!(", {} attempts per second were not made", number(refused))
        } else {
            String::new()
        };
        Some(Finding {
            kind: FindingKind::CircuitOpen,
            part: series.of.clone(),
            sentence: format!(
                "The circuit of {} was open or half open {} of the time{refused}.",
                series.of,
                share(part)
            ),
            recommendation: format!(
                "Latencies of this run are those of refusals in part. See why {} failed: its \
                 errors before the circuit opened.",
                series.of
            ),
            weight: part,
        })
    });
    of.collect()
}

/// More users, no more requests, longer waits: the target does what it can.
fn knee(observed: &Observed<'_>) -> Option<Finding> {
    let steps: Vec<&LoadPoint> = observed
        .load
        .iter()
        .filter(|it| it.users.is_some())
        .collect();
    let most = steps.iter().filter_map(|it| it.users).fold(0.0, f64::max);
    let in_band = |low: f64, high: f64| {
        let within = move |it: &&&LoadPoint| {
            it.users
                .is_some_and(|users| users >= most * low && users <= most * high)
        };
        average(steps.iter().filter(within).copied())
    };
    let (few, many) = (in_band(0.25, 0.6)?, in_band(0.9, 1.0)?);
    let load = many.users / few.users;
    let done = many.rate / few.rate;
    let slower = many.p95 / few.p95;
    let followed = (done - 1.0) / (load - 1.0);
    if load < LEAST_GROWTH || followed > LEAST_FOLLOWED || slower < LEAST_GROWTH {
        return None;
    }
    Some(Finding {
        kind: FindingKind::Saturation,
        part: "target".to_owned(),
        sentence: format!(
            "From {} to {} users the rate went from {} to {} requests per second while the p95 \
             went from {} to {} ms: the target was saturated.",
            number(few.users),
            number(many.users),
            number(few.rate),
            number(many.rate),
            number(few.p95),
            number(many.p95)
        ),
        recommendation: format!(
            "About {} requests per second are what it does; more users only wait. Judge its \
             latency below that rate, and raise what the other findings name.",
            number(many.rate)
        ),
        weight: 0.4,
    })
}

struct Average {
    users: f64,
    rate: f64,
    p95: f64,
}

fn average<'a>(steps: impl Iterator<Item = &'a LoadPoint>) -> Option<Average> {
    let steps: Vec<(f64, f64, f64)> = steps
        .filter_map(|it| Some((it.users?, it.requests_per_second, it.p95?)))
        .collect();
    if steps.len() < LEAST_STEPS {
        return None;
    }
    let count = crate::number::from_size(steps.len());
    let mean = |of: fn(&(f64, f64, f64)) -> f64| steps.iter().map(of).sum::<f64>() / count;
    let average = Average {
        users: mean(|it| it.0),
        rate: mean(|it| it.1),
        p95: mean(|it| it.2),
    };
    (average.users > 0.0 && average.rate > 0.0 && average.p95 > 0.0).then_some(average)
}
