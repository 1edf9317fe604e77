//! Steps in series of runs.

use load_analysis::change_points::{MAX_SERIES, SMALLEST_LEVEL, change_points};

use crate::made_runs::MadeRuns;

fn indices(series: &[f64]) -> Vec<usize> {
    change_points(series, 1)
        .iter()
        .map(|point| point.index)
        .collect()
}

#[test]
fn a_step_names_its_first_run_and_its_size() {
    let mut made = MadeRuns::new(5, 0.03, 0.0);
    let series = [made.take(14, 203.0), made.take(9, 241.0)].concat();
    let points = change_points(&series, 1);
    assert_eq!(points.len(), 1, "{points:?}");
    let point = points[0];
    assert_eq!(point.index, 14);
    assert!((point.effect - 0.187).abs() < 0.04, "{point:?}");
    assert!(
        point.interval.low < 0.187 && point.interval.high > 0.187,
        "{point:?}"
    );
    assert!((point.before - 203.0).abs() < 8.0 && (point.after - 241.0).abs() < 8.0);
    assert!(point.p <= 0.01);
    assert_eq!(
        change_points(&series, 1),
        points,
        "the same seed, the same answer"
    );
}

#[test]
fn planted_steps_are_found_where_they_are() {
    let mut exact = 0;
    for seed in 0..20 {
        let mut made = MadeRuns::new(seed, 0.04, 0.0);
        let series = [
            made.take(15, 100.0),
            made.take(15, 120.0),
            made.take(15, 90.0),
        ]
        .concat();
        let found = indices(&series);
        let near = |index: usize, planted: usize| index.abs_diff(planted) <= 1;
        assert!(found.len() >= 2, "{seed}: {found:?}");
        assert!(
            [15, 30]
                .iter()
                .all(|planted| found.iter().any(|it| near(*it, *planted)))
        );
        exact += usize::from(found == [15, 30]);
    }
    assert!(exact >= 18, "{exact} of 20");
}

#[test]
fn a_series_without_a_step_has_none() {
    let alarms = (0..200).filter(|seed| {
        let series = MadeRuns::new(1_000 + seed, 0.04, 0.0).take(40, 100.0);
        !indices(&series).is_empty()
    });
    assert!(alarms.count() <= 4);
}

#[test]
fn a_spike_and_a_trifle_are_no_steps() {
    let mut made = MadeRuns::new(8, 0.02, 0.0);
    let mut spike = made.take(30, 100.0);
    spike[12] *= 3.0;
    spike[13] *= 2.5;
    assert!(indices(&spike).is_empty());
    let mut made = MadeRuns::new(8, 0.001, 0.0);
    let trifle = [made.take(20, 100.0), made.take(20, 101.0)].concat();
    assert!(indices(&trifle).is_empty());
}

#[test]
fn odd_series_are_answered() {
    assert!(indices(&[]).is_empty());
    assert!(indices(&[100.0; 2 * SMALLEST_LEVEL - 1]).is_empty());
    assert!(indices(&[7.0; 50]).is_empty());
    assert!(indices(&[&[1.0; 20][..], &[f64::NAN], &[2.0; 20]].concat()).is_empty());
    // Values that have no logarithms.
    assert_eq!(indices(&[[0.0; 10], [5.0; 10]].concat()), [10]);
    let long = [vec![1.0; MAX_SERIES], vec![2.0; 30]].concat();
    assert_eq!(indices(&long), [MAX_SERIES]);
}
