//! What may be said of the variants of an experiment.

use super::{
    collect::{Counts, Observations},
    definition::{Experiment, Measure},
    statistics::{Evidence, Sample, always_valid_p},
};

/// The share of experiments in which something is called better that is not.
const ERROR_RATE: f64 = 0.05;

/// What is said of a variant beside the first one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Comparison {
    pub(super) evidence: Evidence,
    pub(super) verdict: Verdict,
}

/// What may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Better,
    Worse,
    NotEnoughData,
}

impl Verdict {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NotEnoughData => "not enough data",
        }
    }
}

/// Compares each variant with the first one, which is not in the list. The error rate is shared
/// among the comparisons (Bonferroni), so it holds for the experiment as a whole.
pub(super) fn compare(experiment: &Experiment, seen: &[Observations]) -> Vec<Comparison> {
    let Some((first, others)) = seen.split_first() else {
        return Vec::new();
    };
    let measure = experiment.decide_by;
    let comparisons = u32::try_from(others.len()).unwrap_or(u32::MAX).max(1);
    let level = ERROR_RATE / f64::from(comparisons);
    let compared = |other: &Observations| {
        let (one, two) = samples(measure, first, other);
        let evidence = always_valid_p(&one, &two);
        let more_is_better = matches!(measure, Measure::Checks | Measure::Feedback);
        let verdict = if evidence.p > level {
            Verdict::NotEnoughData
        } else if (evidence.difference > 0.0) == more_is_better {
            Verdict::Better
        } else {
            Verdict::Worse
        };
        Comparison { evidence, verdict }
    };
    others.iter().map(compared).collect()
}

fn samples(measure: Measure, first: &Observations, other: &Observations) -> (Sample, Sample) {
    let both = |sample: &dyn Fn(&Observations) -> Sample| (sample(first), sample(other));
    let rate = |counts: Counts| Sample::of_rate(counts.good, counts.all);
    match measure {
        Measure::Checks => both(&|seen| rate(seen.checks)),
        Measure::Feedback => both(&|seen| rate(seen.ratings)),
        Measure::Errors => both(&|seen| Sample::of_rate(seen.errors, seen.calls)),
        Measure::TimeToFirstToken => both(&|seen| Sample::of_ratio(&seen.first_token)),
        Measure::Latency => both(&|seen| Sample::of_ratio(&seen.latency)),
        Measure::Cost => {
            // One kind of money is compared with the same kind, or not at all.
            let simulated = first.real.per_call.is_empty() && other.real.per_call.is_empty();
            both(&|seen| {
                let spent = if simulated {
                    &seen.simulated
                } else {
                    &seen.real
                };
                Sample::of_ratio(&spent.per_call)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::definition::StickyBy;

    fn experiment(decide_by: Measure) -> Experiment {
        Experiment {
            name: "e".to_owned(),
            feature: "summary".to_owned(),
            sticky_by: StickyBy::Book,
            decide_by,
            variants: Vec::new(),
            started_at: 0,
            stopped_at: None,
        }
    }

    fn seen(calls: u64, errors: u64, good: u64, latency: f64) -> Observations {
        let counts = Counts { good, all: calls };
        let n = usize::try_from(calls).unwrap();
        let mut seen = Observations {
            calls,
            errors,
            checks: counts,
            ratings: counts,
            latency: vec![latency; n],
            first_token: vec![latency; n],
            ..Observations::default()
        };
        seen.simulated.per_call = vec![latency; n];
        seen
    }

    #[test]
    fn more_successes_and_less_of_the_rest_are_better() {
        for (measure, verdict) in [
            (Measure::Checks, Verdict::Better),
            (Measure::Feedback, Verdict::Better),
            (Measure::Errors, Verdict::Worse),
            (Measure::TimeToFirstToken, Verdict::Worse),
            (Measure::Latency, Verdict::Worse),
            (Measure::Cost, Verdict::Worse),
        ] {
            let both = [seen(500, 5, 200, 100.0), seen(500, 100, 400, 150.0)];
            let compared = compare(&experiment(measure), &both);
            assert_eq!(compared[0].verdict, verdict, "{measure:?}");
            let few = [seen(50, 0, 0, 100.0), seen(50, 50, 50, 900.0)];
            let compared = compare(&experiment(measure), &few);
            assert_eq!(compared[0].verdict, Verdict::NotEnoughData, "{measure:?}");
        }
    }

    #[test]
    fn real_money_is_never_compared_with_simulated() {
        let (mut real, simulated) = (seen(500, 0, 0, 1.0), seen(500, 0, 0, 9.0));
        std::mem::swap(&mut real.real, &mut real.simulated);
        let compared = compare(&experiment(Measure::Cost), &[real, simulated]);
        assert_eq!(compared[0].verdict, Verdict::NotEnoughData);
    }
}
