//! How sure a percentile of one run is.

use serde::{Deserialize, Serialize};

use crate::comparison::Interval;
use crate::distribution::Distribution;
use crate::number::{from_count, whole};

/// Slices that a run must have: with fewer blocks the interval is a guess.
pub const SMALLEST_SLICES: usize = 10;

/// Samples that must lie beyond a percentile: a p99 needs 1,000 samples, a p99.9 10,000.
const SAMPLES_BEYOND: f64 = 10.0;

/// Resampled runs. The ends of the interval are their 25th from both ends.
const RESAMPLES: usize = 1_000;

/// A percentile with the interval of 95 % in which it lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PercentileInterval {
    /// The percentile of the whole run.
    pub estimate: f64,
    /// Where it lies.
    pub interval: Interval,
    /// Samples that it is made of.
    pub samples: u64,
}

/// Whether so many samples tell a percentile at all; `percent` is 0 to 100. Ten must lie beyond
/// it, on the side where fewer lie.
#[must_use]
pub fn has_enough_samples(percent: f64, samples: u64) -> bool {
    let share = (percent / 100.0).clamp(0.0, 1.0);
    // Of 99 the rest is not exactly a hundredth.
    from_count(samples) * share.min(1.0 - share) >= SAMPLES_BEYOND - 1e-6
}

/// The interval of a percentile of one run by the circular block bootstrap (Politis & Romano,
/// in Exploring the Limits of Bootstrap, 1992, p. 263) with the percentile method (Efron, Ann.
/// Statist. 7 (1979) 1).
///
/// `slices` are equal parts of the steady load in the order of time, 10 s each: neighbouring
/// requests share a pause or a full queue, so that they are not drawn one by one. Blocks of
/// ⌈n^⅓⌉ neighbouring slices keep even what lasts longer than a slice. The same slices and seed
/// always give the same answer. `None` with too few slices or samples
/// ([`has_enough_samples`]); it tells nothing of how much whole runs differ.
#[must_use]
pub fn percentile_interval(
    slices: &[Distribution],
    percent: f64,
    seed: u64,
) -> Option<PercentileInterval> {
    let samples: u64 = slices.iter().map(Distribution::count).sum();
    if slices.len() < SMALLEST_SLICES || !has_enough_samples(percent, samples) {
        return None;
    }
    let all = Values::of(slices);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut estimates: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| all.percentile(percent, &times_drawn(slices.len(), &mut random)))
        .collect();
    estimates.sort_by(f64::total_cmp);
    let tail = estimates.len() / 40;
    Some(PercentileInterval {
        estimate: all.percentile(percent, &vec![1; slices.len()])?,
        interval: Interval {
            low: *estimates.get(tail)?,
            high: *estimates.get(estimates.len() - 1 - tail)?,
        },
        samples,
    })
}

/// How often each slice is in a run that is put together of blocks.
fn times_drawn(slices: usize, random: &mut fastrand::Rng) -> Vec<u64> {
    let block = (1..slices).find(|size| size.pow(3) >= slices).unwrap_or(1);
    let mut times = vec![0; slices];
    let mut drawn = 0;
    while drawn < slices {
        let start = random.usize(0..slices);
        for position in start..start + block.min(slices - drawn) {
            times[position % slices] += 1;
            drawn += 1;
        }
    }
    times
}

/// The values of all slices in ascending order, so that no resampled run must be merged.
struct Values(Vec<(f64, usize, u64)>);

impl Values {
    fn of(slices: &[Distribution]) -> Self {
        let mut values: Vec<(f64, usize, u64)> = slices
            .iter()
            .enumerate()
            .flat_map(|(slice, distribution)| {
                let counted = distribution.ascending().into_iter();
                counted.map(move |(value, count)| (value, slice, count))
            })
            .collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(values)
    }

    /// The smallest value that so many percent of a resampled run do not exceed.
    fn percentile(&self, percent: f64, times: &[u64]) -> Option<f64> {
        let of = |(_, slice, count): &(f64, usize, u64)| count * times[*slice];
        let all: u64 = self.0.iter().map(of).sum();
        let rank = whole((from_count(all) * percent / 100.0).ceil()).max(1);
        let mut seen = 0;
        let reaches = self.0.iter().find(|value| {
            seen += of(value);
            seen >= rank
        });
        reaches.map(|(value, ..)| *value)
    }
}
