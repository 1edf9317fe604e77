//! Quantiles against sorted values, and parts against the whole.

use load_analysis::distribution::{ABSOLUTE_ERROR, Distribution, RELATIVE_ERROR};
use load_analysis::series::SeriesValue;
use proptest::prelude::*;

/// k6's rule, on every value: `position = share × (n − 1)`, interpolated.
fn exact_quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the tests have few values")]
    let position = share * (sorted.len() - 1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position is an index"
    )]
    let lower = position as usize;
    let upper = (lower + 1).min(sorted.len() - 1);
    sorted[lower] + (sorted[upper] - sorted[lower]) * position.fract()
}

fn distribution(values: &[f64]) -> Distribution {
    let mut distribution = Distribution::default();
    values.iter().for_each(|value| distribution.record(*value));
    distribution
}

/// Latencies, byte counts and values of both signs, in lists below and above the size at which
/// a list becomes buckets.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        Just(0.0),
        0.0..5.0_f64,
        0.0..60_000.0_f64,
        -1_000.0..1_000.0_f64,
        0.0..1e12_f64,
    ];
    prop_oneof![
        proptest::collection::vec(value.clone(), 1..40),
        proptest::collection::vec(value, 500..1_500),
    ]
}

fn statistics(distribution: &Distribution) -> (u64, Option<f64>, Option<f64>, Vec<Option<f64>>) {
    let shares = [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0];
    let quantiles = shares
        .iter()
        .map(|share| distribution.quantile(*share))
        .collect();
    (
        distribution.count(),
        distribution.min(),
        distribution.max(),
        quantiles,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn quantiles_are_within_the_stated_error(values in values(), share in 0.0..=1.0_f64) {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let ours = distribution(&values).quantile(share).unwrap();
        // Interpolation lies between two values, each off by its own error.
        let exact = exact_quantile(&sorted, share);
        let rank = sorted.partition_point(|value| *value < exact);
        let next = sorted.get(rank).copied().unwrap_or(exact);
        let before = sorted.get(rank.saturating_sub(1)).copied().unwrap_or(exact);
        let largest = exact.abs().max(next.abs()).max(before.abs());
        let allowed = largest * RELATIVE_ERROR + ABSOLUTE_ERROR;
        prop_assert!((ours - exact).abs() <= allowed, "{ours} for {exact} ± {allowed}");
    }

    #[test]
    fn sum_and_extremes_are_exact(values in values()) {
        let distribution = distribution(&values);
        #[expect(clippy::cast_precision_loss, reason = "the tests have few values")]
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        prop_assert!((distribution.mean().unwrap() - mean).abs() <= mean.abs() * 1e-9 + 1e-9);
        prop_assert_eq!(distribution.min(), values.iter().copied().reduce(f64::min));
        prop_assert_eq!(distribution.max(), values.iter().copied().reduce(f64::max));
    }

    #[test]
    fn merged_parts_answer_like_the_whole(values in values(), cuts in proptest::collection::vec(0..1_500_usize, 0..5)) {
        let whole = distribution(&values);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(values.len())).chain([values.len()]).collect();
        cuts.sort_unstable();
        let mut merged = Distribution::default();
        let mut start = 0;
        for cut in cuts {
            merged.merge(&distribution(&values[start..cut]));
            start = cut;
        }
        prop_assert_eq!(statistics(&merged), statistics(&whole));
    }

    #[test]
    fn what_is_stored_is_read_back(values in values()) {
        let whole = distribution(&values);
        let bytes = SeriesValue::Trend(whole.clone()).to_bytes();
        let SeriesValue::Trend(read) = SeriesValue::from_bytes(&bytes).unwrap() else {
            panic!("another kind was read");
        };
        prop_assert_eq!(statistics(&read), statistics(&whole));
        prop_assert_eq!(read.mean(), whole.mean());
    }

    #[test]
    fn damaged_bytes_are_an_error_or_a_value(values in values(), position in 0..4_000_usize, byte in any::<u8>()) {
        let mut bytes = SeriesValue::Trend(distribution(&values)).to_bytes();
        let position = position % bytes.len();
        bytes[position] = byte;
        if let Ok(SeriesValue::Trend(read)) = SeriesValue::from_bytes(&bytes) {
            statistics(&read);
        }
        prop_assert!(SeriesValue::from_bytes(&bytes[..position]).is_err());
    }
}

#[test]
fn values_that_are_no_numbers_are_left_out() {
    let distribution = distribution(&[f64::NAN, f64::INFINITY, 2.0]);
    assert_eq!((distribution.count(), distribution.max()), (1, Some(2.0)));
}

#[test]
fn nothing_has_no_statistics() {
    let empty = Distribution::default();
    assert_eq!(statistics(&empty), (0, None, None, vec![None; 8]));
    let mut one = distribution(&[-3.0]);
    one.merge(&empty);
    assert_eq!(
        (one.count(), one.max(), one.quantile(0.5)),
        (1, Some(-3.0), Some(-3.0))
    );
}

#[test]
fn a_second_of_few_requests_takes_few_bytes() {
    let bytes = SeriesValue::Trend(distribution(&[1.25, 1.31, 4.0])).to_bytes();
    assert!(bytes.len() < 50, "{} bytes", bytes.len());
}

/// Bounds lie between buckets, so that both forms count alike.
#[test]
fn values_are_counted_up_to_bounds() {
    for copies in [1, 200] {
        let values = [-3.0, 0.0, 0.25, 10.0, 10.0, 900.0].repeat(copies);
        let counts = distribution(&values).counts_up_to(&[-5.0, 0.1, 20.0, 5_000.0]);
        let copies = copies as u64;
        assert_eq!(counts, [0, 2 * copies, 5 * copies, 6 * copies]);
    }
}
