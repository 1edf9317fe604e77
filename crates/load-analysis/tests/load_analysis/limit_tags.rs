//! Limits on tags of the script's own.

use load_analysis::aggregate::Aggregator;
use load_analysis::limits::{Limit, MAX_OWN_TAG_VALUES};
use load_analysis::metric::MetricKind;
use load_analysis::verdict::Level;

use crate::limit_results::{judge_all, limit};
use crate::{CHECKS, add};

/// Tags of the script's own, of which a run may have any number of values.
#[test]
fn one_check_and_one_model_have_limits_of_their_own() {
    let limits = [
        "metric = 'checks'\nstat = 'rate'\nunit = '%'\ntarget = 99\ntags = { check = 'has a title' }",
        "metric = 'checks'\nstat = 'rate'\nunit = '%'\ntarget = 99\ntags = { check = 'is quick' }",
        "metric = 'own_time'\nstat = 'max'\nunit = 'ms'\ntarget = 20\n\
         tags = { model = 'small', scenario = 'load' }",
    ];
    let limits: Vec<Limit> = limits.into_iter().map(limit).collect();
    let mut aggregator = Aggregator::new(Vec::new()).keeping(Limit::wanted_tags(&limits));
    let load = ("scenario", "load");
    for number in 0_u16..400 {
        let time = 1_020.0 + f64::from(number) / 10.0;
        let value = f64::from(u8::from(number != 7));
        for (check, value) in [("has a title", 1.0), ("is quick", value), ("is odd", 0.0)] {
            add(
                &mut aggregator,
                CHECKS,
                (time, value),
                &[load, ("check", check)],
            );
        }
        // A value for each request; one of them is asked for.
        let model = format!("model-{number}");
        let model = if number % 2 == 0 { "small" } else { &model };
        let took = if number % 2 == 0 { 15.0 } else { 900.0 };
        let metric = ("own_time", MetricKind::Trend);
        add(
            &mut aggregator,
            metric,
            (time, took),
            &[load, ("model", model)],
        );
    }
    let results = aggregator.results(None);
    assert_eq!(
        results.coverage.tag_sets, 4,
        "two checks, a model, and the rest"
    );
    assert_eq!(results.coverage.samples_in_other, 0);
    let judged = judge_all(limits, aggregator);
    let told: Vec<_> = judged.iter().map(|it| (it.level, it.samples)).collect();
    assert_eq!(
        told,
        [(Level::Pass, 400), (Level::Pass, 400), (Level::Pass, 200)]
    );
    assert!((judged[1].observed.unwrap() - 399.0 / 400.0).abs() < 1e-9);
    assert!(
        judged[1].sentence.contains("checks{check:is quick}"),
        "{}",
        judged[1].sentence
    );
}

#[test]
fn a_file_names_a_bounded_number_of_own_values() {
    let file = |values: usize| {
        let one = |number: usize| {
            format!(
                "[[limit]]\nmetric = 'checks'\nstat = 'rate'\nunit = '%'\ntarget = 99\n\
                 tags = {{ check = 'number {number}' }}\n"
            )
        };
        Limit::parse_file(&(0..values).map(one).collect::<String>())
    };
    assert_eq!(file(MAX_OWN_TAG_VALUES).unwrap().len(), MAX_OWN_TAG_VALUES);
    let refused = file(MAX_OWN_TAG_VALUES + 1).unwrap_err().to_string();
    assert!(
        refused.contains("21 values of tags other than scenario"),
        "{refused}"
    );
}
