//! Passes and fails of each check by name.

use std::collections::HashMap;

use super::MAX_CHECKS;
use crate::number;
use crate::results::CheckResult;
use crate::sample::Sample;

/// Counts by check, in the order of their first samples.
#[derive(Debug, Default)]
pub(super) struct Checks {
    positions: HashMap<String, usize>,
    counts: Vec<(String, u64, u64)>,
}

impl Checks {
    /// Counts one sample of the metric `checks`. False when its check comes after the bound.
    pub(super) fn add(&mut self, sample: &Sample<'_>) -> bool {
        let name = sample.tags.get("check").unwrap_or_default();
        let position = match self.positions.get(name) {
            Some(position) => *position,
            None if self.counts.len() >= MAX_CHECKS => return false,
            None => {
                self.positions.insert(name.to_owned(), self.counts.len());
                self.counts.push((name.to_owned(), 0, 0));
                self.counts.len() - 1
            }
        };
        let (_, passes, fails) = &mut self.counts[position];
        if sample.value == 0.0 {
            *fails += 1;
        } else {
            *passes += 1;
        }
        true
    }

    pub(super) fn results(&self) -> Vec<CheckResult> {
        self.counts
            .iter()
            .map(|(name, passes, fails)| CheckResult {
                name: name.clone(),
                passes: *passes,
                fails: *fails,
                success_rate: number::from_count(*passes) / number::from_count(passes + fails),
            })
            .collect()
    }
}
