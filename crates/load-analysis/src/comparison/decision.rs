//! From what the formulae say to an answer.

use super::{
    Basis, Comparison, Confidence, Direction, FALSE_ALARMS, Finding, Interval, MAX_RUNS, Method,
    Subject, groups, words,
};
use crate::number::from_size;
use crate::objective::Priority;
use crate::statistics::{Step, smallest_mann_whitney, student_quantile};
use crate::verdict::Level;

/// The chance to miss a relevant effect that the number of runs is made for.
const MISSED: f64 = 0.05;

/// Degrees of freedom from which on Student's t is the normal distribution to four digits.
const NEARLY_NORMAL: f64 = 10_000.0;

/// Runs that the test of ranks needs for each one that Welch's test does, with normal values:
/// 1 / (3/π). Hodges & Lehmann, Ann. Math. Statist. 27 (1956) 324.
const RANKS_NEED: f64 = std::f64::consts::PI / 3.0;

pub(super) fn decide(subject: &Subject, finding: &Finding, step: Option<Step>) -> Comparison {
    let level = step.map_or(FALSE_ALARMS, |step| step.level);
    let direction = direction(subject, finding, level);
    let mut comparison = Comparison {
        name: subject.name.clone(),
        direction,
        level: (subject.priority == Priority::P0).then(|| tier(subject, finding, direction)),
        reference: finding.reference,
        candidate: finding.candidate,
        difference: finding.difference,
        effect: finding.effect,
        interval: finding.interval,
        p: match finding.basis {
            Basis::Test(test) => Some(test.p),
            Basis::Distance(_) | Basis::Nothing => None,
        },
        corrected_p: step.map(|step| step.adjusted),
        noise: finding.noise,
        method: finding.method,
        confidence: match finding.basis {
            Basis::Test(_) => Confidence::Tested,
            Basis::Distance(_) | Basis::Nothing => Confidence::Low,
        },
        runs_needed: (direction == Direction::Inconclusive)
            .then(|| runs_needed(subject, finding, level))
            .flatten(),
        sentence: String::new(),
    };
    comparison.sentence = words::sentence(subject, &comparison);
    comparison
}

fn direction(subject: &Subject, finding: &Finding, level: f64) -> Direction {
    let effects = subject.effects;
    let changed = match subject.better {
        None => Direction::Changed,
        Some(better) if better.harm(finding.effect) > 0.0 => Direction::Worse,
        Some(_) => Direction::Better,
    };
    match finding.basis {
        Basis::Nothing => Direction::Inconclusive,
        Basis::Distance(distance) if distance.is_outlier => changed,
        Basis::Distance(distance) => {
            let within = finding.effect.abs() <= distance.usual;
            if within && distance.usual <= effects.relevant {
                Direction::Same
            } else {
                Direction::Inconclusive
            }
        }
        Basis::Test(test) => {
            if test.smallest_p > level {
                return Direction::Inconclusive;
            }
            let counts = finding.effect.abs() >= effects.smallest;
            if counts {
                let certain = test.p <= level;
                return if certain {
                    changed
                } else {
                    Direction::Inconclusive
                };
            }
            let limit = effects.relevant;
            let ruled_out = |it: Interval| it.low > -limit && it.high < limit;
            if finding.interval.is_some_and(ruled_out) {
                Direction::Same
            } else {
                Direction::Inconclusive
            }
        }
    }
}

/// How bad it is that a measure of the first priority became worse.
fn tier(subject: &Subject, finding: &Finding, direction: Direction) -> Level {
    match direction {
        Direction::Better | Direction::Same => Level::Pass,
        Direction::Changed => Level::Warning,
        Direction::Inconclusive => Level::Inconclusive,
        Direction::Worse => {
            let ends = finding.interval.map_or([0.0; 2], |it| [it.low, it.high]);
            let harm = |end| subject.better.map_or(0.0, |better| better.harm(end));
            let least = ends.map(harm);
            match least[0].min(least[1]) / subject.effects.smallest {
                times if times >= 2.0 => Level::Critical,
                times if times > 1.0 => Level::Fail,
                _ => Level::Warning,
            }
        }
    }
}

/// Runs of each side that find a relevant effect in 95 of 100 cases, and can reach the level at
/// all: the smallest n with n ≥ 2·σ²·(t(level) + t(power))² / δ², both quantiles for two groups of
/// n (Lehmann, Nonparametrics, 1975, §2.3), as many more as ranks need. `None` beyond
/// [`MAX_RUNS`].
fn runs_needed(subject: &Subject, finding: &Finding, level: f64) -> Option<usize> {
    let Basis::Test(test) = finding.basis else {
        return Some(groups::SMALLEST);
    };
    let counts = finding.method == Method::FisherExact;
    let (smallest, efficiency) = if counts {
        (1, 1.0)
    } else {
        (groups::SMALLEST, RANKS_NEED)
    };
    let effect = subject.effects.relevant.ln_1p();
    let suffices = |runs: &usize| {
        let observations = from_size(*runs) * test.per_run;
        let degrees = (2.0 * observations - 2.0).clamp(1.0, NEARLY_NORMAL);
        let quantiles = student_quantile(level, degrees) + student_quantile(2.0 * MISSED, degrees);
        let needed = 2.0 * test.variance * (quantiles / effect).powi(2) * efficiency;
        let reaches = counts || smallest_mann_whitney(*runs, *runs) / 2.0 <= level;
        observations >= needed && reaches
    };
    let has = finding.reference.runs.min(finding.candidate.runs);
    // What is there did not suffice, whatever the formula says of it.
    (smallest.max(has + 1)..=MAX_RUNS).find(suffices)
}
