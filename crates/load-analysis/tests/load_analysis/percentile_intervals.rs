//! How sure a percentile of one run is.

use load_analysis::distribution::Distribution;
use load_analysis::percentile_interval::{has_enough_samples, percentile_interval};

/// Slices of exponential latencies of 100 ms in the mean; their p95 is 100·ln 20 = 299.57. Some
/// runs of slices are slower by a factor, as in a pause.
fn slices(seed: u64, slices: usize, samples: usize, slow: &[usize]) -> Vec<Distribution> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..slices)
        .map(|slice| {
            let factor = if slow.contains(&slice) { 3.0 } else { 1.0 };
            let mut distribution = Distribution::default();
            for _ in 0..samples {
                distribution.record(-100.0 * factor * (1.0 - random.f64()).ln());
            }
            distribution
        })
        .collect()
}

const TRUE_P95: f64 = 299.573_227_355_399_1;

#[test]
fn the_interval_covers_the_truth_as_often_as_it_says() {
    let covers = (0..100).filter(|seed| {
        let found = percentile_interval(&slices(*seed, 30, 60, &[]), 95.0, *seed).unwrap();
        assert!(found.interval.low <= found.estimate && found.estimate <= found.interval.high);
        found.interval.low <= TRUE_P95 && TRUE_P95 <= found.interval.high
    });
    // 95 of 100, less what thirty slices cost.
    let covers = covers.count();
    assert!((88..=99).contains(&covers), "{covers} of 100");
}

#[test]
fn slices_that_differ_widen_it_more_than_their_samples_do() {
    let wide = |slow: &[usize]| {
        let found = percentile_interval(&slices(7, 30, 200, slow), 95.0, 1).unwrap();
        found.interval.high - found.interval.low
    };
    assert!(wide(&[11, 12, 13]) > 2.0 * wide(&[]));
}

#[test]
fn the_same_seed_gives_the_same_answer_and_the_estimate_is_of_the_whole() {
    let slices = slices(3, 20, 600, &[]);
    let found = percentile_interval(&slices, 99.0, 5).unwrap();
    assert_eq!(percentile_interval(&slices, 99.0, 5), Some(found));
    assert_eq!(found.samples, 12_000);
    let mut whole = Distribution::default();
    slices.iter().for_each(|slice| whole.merge(slice));
    let exact = whole.quantile(0.99).unwrap();
    assert!(
        (found.estimate - exact).abs() / exact < 0.005,
        "{found:?} {exact}"
    );
}

#[test]
fn too_little_is_no_interval() {
    assert_eq!(
        percentile_interval(&slices(1, 9, 1_000, &[]), 95.0, 1),
        None
    );
    assert_eq!(percentile_interval(&slices(1, 20, 9, &[]), 95.0, 1), None);
    assert_eq!(percentile_interval(&[], 50.0, 1), None);
    for (percent, enough) in [
        (50.0, 20),
        (95.0, 200),
        (99.0, 1_000),
        (99.9, 10_000),
        (5.0, 200),
    ] {
        assert!(has_enough_samples(percent, enough), "{percent}");
        assert!(!has_enough_samples(percent, enough - 1), "{percent}");
    }
    assert!(!has_enough_samples(100.0, 1_000_000));
}
