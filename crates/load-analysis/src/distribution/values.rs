//! Two forms of the same values: a plain list while they are few, buckets when they are many.
//!
//! The form depends on the count alone, so parts that are merged end up exactly like a whole.

use hdrhistogram::Histogram;

use super::SIGNIFICANT_DIGITS;
use crate::number;

/// Up to this many values stay a list (4 KiB). Most series see few requests a second; only
/// busier ones pay for the buckets of a histogram (16 KiB and more).
pub(super) const LIST_LIMIT: usize = 512;

/// Values in steps.
#[derive(Debug, Clone)]
pub(super) enum Values {
    List(Vec<i64>),
    Buckets(Box<Buckets>),
}

/// Histograms of the two signs; a histogram itself holds magnitudes.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    positive: Histogram<u64>,
    negative: Histogram<u64>,
}

impl Default for Values {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Values {
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::List(list) => list.len() as u64,
            Self::Buckets(buckets) => buckets.positive.len() + buckets.negative.len(),
        }
    }

    pub(super) fn record(&mut self, step: i64) {
        self.record_many(step, 1);
    }

    pub(super) fn record_many(&mut self, step: i64, times: u64) {
        if let Self::List(list) = self {
            let room = LIST_LIMIT - list.len();
            match usize::try_from(times) {
                Ok(times) if times <= room => {
                    list.extend(std::iter::repeat_n(step, times));
                    return;
                }
                _ => self.spread(),
            }
        }
        if let Self::Buckets(buckets) = self {
            buckets.record(step, times);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match other {
            Self::List(list) => list.iter().for_each(|step| self.record(*step)),
            Self::Buckets(theirs) => {
                self.spread();
                if let Self::Buckets(ours) = self {
                    ours.merge(theirs);
                }
            }
        }
    }

    /// The values at two ranks of the sorted values, counted from 0, in steps. A bucket answers
    /// with its middle.
    pub(super) fn at_ranks(&self, lower: u64, upper: u64) -> (f64, f64) {
        let mut seen = 0;
        let mut low = None;
        let mut last = 0.0;
        for (step, times) in self.ascending() {
            seen += times;
            last = step;
            if low.is_none() && seen > lower {
                low = Some(step);
            }
            if seen > upper {
                break;
            }
        }
        (low.unwrap_or(last), last)
    }

    /// Pairs of value and count in ascending order; a bucket is named by its lowest value.
    pub(super) fn pairs(&self) -> Vec<(i64, u64)> {
        match self {
            Self::List(list) => {
                let mut sorted = list.clone();
                sorted.sort_unstable();
                sorted
                    .chunk_by(|a, b| a == b)
                    .map(|run| (run[0], run.len() as u64))
                    .collect()
            }
            Self::Buckets(buckets) => buckets.pairs(Histogram::lowest_equivalent),
        }
    }

    /// Pairs of value and count in ascending order, in steps; a bucket is named by its middle.
    pub(super) fn ascending(&self) -> Vec<(f64, u64)> {
        let pairs = match self {
            Self::List(_) => self.pairs(),
            Self::Buckets(buckets) => buckets.pairs(Histogram::median_equivalent),
        };
        pairs
            .into_iter()
            .map(|(step, times)| (number::from_signed(step), times))
            .collect()
    }

    /// Hands out values with how often they are there, in no order; a bucket is named by its
    /// middle.
    pub(super) fn each(&self, mut take: impl FnMut(i64, u64)) {
        match self {
            Self::List(list) => list.iter().for_each(|step| take(*step, 1)),
            Self::Buckets(buckets) => {
                let pairs = buckets.pairs(Histogram::median_equivalent);
                pairs
                    .into_iter()
                    .for_each(|(step, times)| take(step, times));
            }
        }
    }

    /// Turns a list into buckets.
    fn spread(&mut self) {
        if let Self::List(list) = self {
            let mut buckets = Buckets::empty();
            list.iter().for_each(|step| buckets.record(*step, 1));
            *self = Self::Buckets(Box::new(buckets));
        }
    }
}

impl Buckets {
    #[expect(
        clippy::expect_used,
        reason = "the constructor refuses digits above 5 only, and the digits are a constant"
    )]
    fn empty() -> Self {
        let histogram = || Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are allowed");
        Self {
            positive: histogram(),
            negative: histogram(),
        }
    }

    fn record(&mut self, step: i64, times: u64) {
        let side = if step < 0 {
            &mut self.negative
        } else {
            &mut self.positive
        };
        put(side, step.unsigned_abs(), times);
    }

    fn merge(&mut self, other: &Self) {
        for (ours, theirs) in [
            (&mut self.positive, &other.positive),
            (&mut self.negative, &other.negative),
        ] {
            for bucket in theirs.iter_recorded() {
                put(ours, bucket.value_iterated_to(), bucket.count_at_value());
            }
        }
    }

    fn pairs(&self, representative: fn(&Histogram<u64>, u64) -> u64) -> Vec<(i64, u64)> {
        let side = |histogram: &Histogram<u64>, sign: i64| -> Vec<(i64, u64)> {
            histogram
                .iter_recorded()
                .map(|bucket| {
                    let step = representative(histogram, bucket.value_iterated_to());
                    (
                        sign * i64::try_from(step).unwrap_or(i64::MAX),
                        bucket.count_at_value(),
                    )
                })
                .collect()
        };
        let mut pairs = side(&self.negative, -1);
        pairs.reverse();
        pairs.extend(side(&self.positive, 1));
        pairs
    }
}

/// Not the saturating form: that one clamps values to the present size instead of growing.
fn put(histogram: &mut Histogram<u64>, magnitude: u64, times: u64) {
    let recorded = histogram.record_n(magnitude, times);
    debug_assert!(
        recorded.is_ok(),
        "histograms of this crate grow by themselves"
    );
}
