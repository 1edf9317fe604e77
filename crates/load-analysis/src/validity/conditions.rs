//! Each condition of a run that counts, held against its evidence.

use super::completeness::complete_samples;
use super::{CheckState, ValidityCheck};
use crate::notation::{number, share, whole};
use crate::number::from_count;
use crate::results::Results;
use crate::verdict::{Evidence, GeneratorEnd, Seen, THRESHOLDS_CROSSED};

/// The share of iterations that may be dropped: beyond it the load was not the one asked for.
const MOST_DROPPED: f64 = 0.001;

/// The share of the asked rate that must be reached: an open load is a set-point.
const LEAST_ACHIEVED: f64 = 0.99;

/// The share of the processors that a generator may use: beyond it requests wait inside of it
/// (k6's guide to large tests asks for 20 % of idle time).
const MOST_GENERATOR_CPU: f64 = 0.8;

/// The share of iterations that threw from which all did: when a log starts over, the lines that
/// are written meanwhile are lost.
const ALL_THREW: f64 = 0.99;

/// All of them, in their order.
pub(super) fn all(evidence: &Evidence<'_>) -> Vec<ValidityCheck> {
    vec![
        generator_end(evidence),
        measurements(evidence.results),
        readable_samples(evidence),
        complete_samples(evidence),
        outputs(evidence),
        dropped_iterations(evidence.results),
        exceptions(evidence),
        generator_cpu(evidence),
        asked_rate(evidence),
        target_restart(evidence),
    ]
}

pub(super) fn held(name: &str, (value, limit): (String, String)) -> ValidityCheck {
    ValidityCheck {
        name: name.to_owned(),
        state: CheckState::Held,
        value,
        limit,
        sentence: String::new(),
        advice: String::new(),
    }
}

pub(super) fn failed(
    name: &str,
    seen: (String, String),
    sentence: String,
    advice: String,
) -> ValidityCheck {
    ValidityCheck {
        state: CheckState::Failed,
        sentence,
        advice,
        ..held(name, seen)
    }
}

pub(super) fn unknown(name: &str, limit: &str, sentence: String, advice: &str) -> ValidityCheck {
    ValidityCheck {
        state: CheckState::Unknown,
        sentence,
        advice: advice.to_owned(),
        ..held(name, ("unknown".to_owned(), limit.to_owned()))
    }
}

fn generator_end(evidence: &Evidence<'_>) -> ValidityCheck {
    const NAME: &str = "generatorEnd";
    let limit = format!("exit code 0 or {THRESHOLDS_CROSSED}");
    let advice = "The run's log says what happened to k6.".to_owned();
    match &evidence.end {
        GeneratorEnd::Exited {
            code: code @ (0 | THRESHOLDS_CROSSED),
            ..
        } => held(NAME, (format!("exit code {code}"), limit)),
        GeneratorEnd::Exited { code, meaning } => {
            let sentence = format!("k6 ended with exit code {code}: {meaning}.");
            failed(NAME, (format!("exit code {code}"), limit), sentence, advice)
        }
        GeneratorEnd::Killed { signal } => {
            let sentence = format!("k6 was ended by signal {signal} before its run was over.");
            failed(NAME, (format!("signal {signal}"), limit), sentence, advice)
        }
        GeneratorEnd::Unknown => {
            let sentence = "Nobody saw how k6 ended.".to_owned();
            failed(NAME, ("not seen".to_owned(), limit), sentence, advice)
        }
    }
}

fn measurements(results: &Results) -> ValidityCheck {
    const NAME: &str = "measurements";
    let count = results.coverage.measurements;
    let seen = (whole(count), "at least 1".to_owned());
    if count > 0 {
        return held(NAME, seen);
    }
    let sentence = "The script measured nothing: no sample beyond k6's own counts.".to_owned();
    let advice = "See whether the script reaches a request, and the target answers.".to_owned();
    failed(NAME, seen, sentence, advice)
}

fn readable_samples(evidence: &Evidence<'_>) -> ValidityCheck {
    const NAME: &str = "readableSamples";
    let lines = whole(evidence.unreadable_lines);
    let seen = (format!("{lines} unreadable lines"), "0".to_owned());
    if evidence.unreadable_lines == 0 {
        return held(NAME, seen);
    }
    let sentence = format!("{lines} lines of the sample file could not be read.");
    let advice = "A full disk or a killed k6 cuts lines: free room, and make the run again.";
    failed(NAME, seen, sentence, advice.to_owned())
}

fn outputs(evidence: &Evidence<'_>) -> ValidityCheck {
    const NAME: &str = "outputs";
    let count = evidence.output_errors.len();
    let seen = (format!("{count} errors"), "0".to_owned());
    let Some(first) = evidence.output_errors.first() else {
        return held(NAME, seen);
    };
    let sentence = format!("k6 reported {count} errors of its outputs, the first: {first}.");
    let advice = "Samples are missing: free room on the disk, and make the run again.".to_owned();
    failed(NAME, seen, sentence, advice)
}

/// k6 ends with 0 also when it could not start the iterations that were asked for.
fn dropped_iterations(results: &Results) -> ValidityCheck {
    const NAME: &str = "droppedIterations";
    let (done, dropped) = (
        count(results, "iterations"),
        count(results, "dropped_iterations"),
    );
    let asked = done + dropped;
    let part = if asked > 0.0 { dropped / asked } else { 0.0 };
    let seen = (
        format!("{} of {} ({})", number(dropped), number(asked), share(part)),
        share(MOST_DROPPED),
    );
    if dropped <= asked * MOST_DROPPED {
        return held(NAME, seen);
    }
    let sentence = format!(
        "k6 dropped {} of {} iterations ({}): it had no free virtual user to start them. Allow \
         more users, or ask for a lower rate.",
        number(dropped),
        number(asked),
        share(part)
    );
    let advice = "Allow more users (maxVUs), or ask for a lower rate.".to_owned();
    failed(NAME, seen, sentence, advice)
}

/// k6 ends with 0 also when every iteration threw.
fn exceptions(evidence: &Evidence<'_>) -> ValidityCheck {
    const NAME: &str = "exceptions";
    let done = count(evidence.results, "iterations");
    let thrown = whole(evidence.exceptions);
    let seen = (
        format!("{thrown} of {} iterations", number(done)),
        format!("fewer than {}", share(ALL_THREW)),
    );
    if evidence.exceptions == 0 || from_count(evidence.exceptions) < done * ALL_THREW {
        return held(NAME, seen);
    }
    let sentence = format!("{thrown} of the {} iterations threw.", number(done));
    let advice = "The run's log has the exception and its line.".to_owned();
    failed(NAME, seen, sentence, advice)
}

fn generator_cpu(evidence: &Evidence<'_>) -> ValidityCheck {
    const NAME: &str = "generatorCpu";
    let limit = share(MOST_GENERATOR_CPU);
    let Some(used) = evidence.generator_cpu else {
        let sentence = "Nobody measured the processor time of k6.".to_owned();
        return unknown(NAME, &limit, sentence, "");
    };
    let seen = (share(used), limit.clone());
    if used <= MOST_GENERATOR_CPU {
        return held(NAME, seen);
    }
    let sentence = format!(
        "k6 itself used {} of the processors that it may use, the limit is {limit}: its latencies \
         are not the target's. Lower the rate, or run it on a machine of its own.",
        share(used),
    );
    let advice = "Lower the rate, or run k6 on a machine of its own.".to_owned();
    failed(NAME, seen, sentence, advice)
}

/// An open load is asked for as a rate; users ask for none.
fn asked_rate(evidence: &Evidence<'_>) -> ValidityCheck {
    const NAME: &str = "askedRate";
    let limit = format!("at least {} of the asked iterations", share(LEAST_ACHIEVED));
    let load = match &evidence.asked {
        Seen::Value(load) => load,
        Seen::NotApplicable(why) => return held(NAME, (why.clone(), limit)),
        Seen::Unknown(why) => return unknown(NAME, &limit, why.clone(), ""),
    };
    let part = if load.asked > 0.0 {
        (load.achieved / load.asked).min(1.0)
    } else {
        1.0
    };
    let text = format!(
        "{} of {} ({})",
        number(load.achieved),
        number(load.asked),
        share(part)
    );
    // One iteration may be on either side of an end of each executor.
    if load.achieved + load.slack >= load.asked * LEAST_ACHIEVED {
        return held(NAME, (text, limit));
    }
    let sentence = format!(
        "{} of the {} iterations that were asked for came to their end ({}), needed are {}: the \
         load was lower than its plan.",
        number(load.achieved),
        number(load.asked),
        share(part),
        share(LEAST_ACHIEVED)
    );
    let advice =
        "Iterations that take longer than the time to end are cut off: raise gracefulStop \
                  or ask for a lower rate."
            .to_owned();
    failed(NAME, (text, limit), sentence, advice)
}

fn target_restart(evidence: &Evidence<'_>) -> ValidityCheck {
    const NAME: &str = "targetRestart";
    const LIMIT: &str = "started before the load";
    match &evidence.target_start {
        Seen::Value(start) if start.after_load_began <= 0.0 => {
            let before = number((-start.after_load_began).round());
            held(
                NAME,
                (
                    format!("started {before} s before the load"),
                    LIMIT.to_owned(),
                ),
            )
        }
        Seen::Value(start) => {
            let after = number(start.after_load_began.round());
            let sentence = format!(
                "The target was started anew {after} s after the load began: its figures are of \
                 two processes, and of the time between them."
            );
            let advice = "Find out why it ended (its log, memory, a deployment), and make the run \
                          again."
                .to_owned();
            let seen = (
                format!("started {after} s after the load began"),
                LIMIT.to_owned(),
            );
            failed(NAME, seen, sentence, advice)
        }
        Seen::NotApplicable(why) => held(NAME, (why.clone(), LIMIT.to_owned())),
        Seen::Unknown(why) => unknown(
            NAME,
            LIMIT,
            why.clone(),
            "Give the target process_uptime_seconds or process_start_time_seconds at /metrics.",
        ),
    }
}

fn count(results: &Results, metric: &str) -> f64 {
    let found = results.metrics.get(metric);
    let found = found.and_then(|metric| metric.values.get("count"));
    found.copied().unwrap_or(0.0)
}
