//! Many tests at once.

use crate::number::from_size;

/// What becomes of one of several hypotheses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// p after correction, comparable with the level of all tests together.
    pub(crate) adjusted: f64,
    /// The level that the uncorrected p was held against.
    pub(crate) level: f64,
}

/// Holm's step-down correction (Scand. J. Statist. 6 (1979) 65): the smallest of m p-values is
/// held against level/m, the next against level/(m − 1), and so on up to the first that fails,
/// whose level all others are held against too. The chance of any false alarm among the m stays
/// within `level`.
pub(crate) fn holm(p_values: &[f64], level: f64) -> Vec<Step> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut steps = vec![
        Step {
            adjusted: 1.0,
            level
        };
        p_values.len()
    ];
    let mut largest: f64 = 0.0;
    let mut rejected = 0;
    for (rank, position) in order.into_iter().enumerate() {
        let p = p_values[position];
        largest = largest.max(p * from_size(p_values.len() - rank)).min(1.0);
        let step_level = level / from_size(p_values.len() - rejected);
        if rank == rejected && p <= step_level {
            rejected += 1;
        }
        steps[position] = Step {
            adjusted: largest,
            level: step_level,
        };
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R: `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")` is 0.03 0.06 0.06 0.02.
    #[test]
    fn as_in_r() {
        let steps = holm(&[0.01, 0.04, 0.03, 0.005], 0.05);
        let adjusted: Vec<f64> = steps.iter().map(|step| step.adjusted).collect();
        for (ours, theirs) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((ours - theirs).abs() < 1e-12, "{adjusted:?}");
        }
        let levels: Vec<f64> = steps.iter().map(|step| step.level).collect();
        for (ours, theirs) in levels.iter().zip([0.05 / 3.0, 0.025, 0.025, 0.0125]) {
            assert!((ours - theirs).abs() < 1e-12, "{levels:?}");
        }
    }

    #[test]
    fn one_test_is_not_corrected() {
        let step = Step {
            adjusted: 0.04,
            level: 0.05,
        };
        assert_eq!(holm(&[0.04], 0.05), [step]);
        assert!(holm(&[], 0.05).is_empty());
    }
}
