//! Forecasts: what a plan takes by the runs before it.

use std::collections::BTreeMap;

use load_analysis::dollars::Dollars;
use load_analysis::execution::{Course, ExecutionPlan, PlannedLoad, PlannedScenario, Stage};
use load_analysis::forecast::{Estimate, Forecast, Observation, Planned, against, forecast};
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::results::{Coverage, MetricResult, Results};
use load_analysis::spend::{Amount, ModelSpend, Spend};

fn scenario(start: f64, load: PlannedLoad) -> PlannedScenario {
    PlannedScenario {
        name: "one".to_owned(),
        start,
        load,
    }
}

fn plan(scenarios: Vec<PlannedScenario>) -> ExecutionPlan {
    ExecutionPlan { scenarios }
}

fn expect(plan: &ExecutionPlan, history: &[Observation]) -> Forecast {
    let planned = Planned {
        execution: Some(plan),
        longest_seconds: plan.seconds(None) + 30.0,
        virtual_users: 10,
    };
    forecast(planned, history)
}

/// 100 iterations of 2 s each in 20 s, of three requests and a hundredth of a dollar.
fn observed() -> Observation {
    Observation {
        iterations: 100.0,
        iteration_seconds: 2.0,
        load_requests: 300.0,
        other_requests: 5.0,
        load_seconds: 20.0,
        input_tokens: 40_000.0,
        output_tokens: 10_000.0,
        real: 0.0,
        simulated: 1e12,
        unpriced_calls: 0,
        generator_cpu: Some(0.2),
    }
}

#[test]
fn a_closed_plan_is_scaled_by_the_time_of_an_iteration() {
    // 5 users for 40 s make 100 iterations of 2 s.
    let users = plan(vec![scenario(
        0.0,
        PlannedLoad::Users(Course::constant(5.0, 40.0)),
    )]);
    let forecast = expect(&users, &[observed(), observed()]);
    let range = |estimate: &Estimate<f64>| {
        let range = estimate.range.unwrap();
        (range.low, range.expected, range.high)
    };
    assert_eq!(range(&forecast.iterations), (100.0, 100.0, 100.0));
    assert_eq!(range(&forecast.requests), (305.0, 305.0, 305.0));
    assert_eq!(range(&forecast.mean_rate), (7.5, 7.5, 7.5));
    assert_eq!(range(&forecast.peak_rate), (7.5, 7.5, 7.5));
    assert_eq!(
        range(&forecast.input_tokens),
        (40_000.0, 40_000.0, 40_000.0)
    );
    // Half of the rate, half of the work.
    assert!((range(&forecast.generator_cpu).1 - 0.1).abs() < 1e-12);
    assert_eq!(range(&forecast.seconds), (40.0, 40.0, 70.0));
    let dollars = forecast.simulated.range.unwrap();
    assert_eq!(dollars.expected, "1".parse().unwrap());
    assert_eq!(forecast.real.range.unwrap().high, Dollars::ZERO);
    assert_eq!(forecast.remarks, [""; 0]);
}

#[test]
fn arrivals_say_their_iterations_without_any_history() {
    let ramp = Course {
        from: 0.0,
        stages: vec![
            Stage {
                seconds: 10.0,
                to: 4.0,
            },
            Stage {
                seconds: 10.0,
                to: 4.0,
            },
        ],
    };
    let open = plan(vec![
        scenario(0.0, PlannedLoad::Arrivals(ramp)),
        scenario(15.0, PlannedLoad::Arrivals(Course::constant(6.0, 5.0))),
    ]);
    let alone = expect(&open, &[]);
    let expected = |estimate: &Estimate<f64>| estimate.range.map(|range| range.expected);
    assert_eq!(expected(&alone.iterations), Some(90.0));
    assert_eq!(alone.iterations.basis, "the script's plan");
    for unknown in [&alone.requests, &alone.input_tokens, &alone.generator_cpu] {
        assert_eq!(unknown.range, None);
        assert!(unknown.basis.starts_with("no earlier run"));
    }
    assert_eq!(alone.real.range, None);
    assert!(
        alone.remarks[0].contains("plan alone"),
        "{:?}",
        alone.remarks
    );

    let known = expect(&open, &[observed()]);
    // Both scenarios together, at their end: 10 iterations a second of 3 requests.
    assert_eq!(expected(&known.peak_rate), Some(30.0));
    let requests = known.requests.range.unwrap();
    assert_eq!(
        (requests.low, requests.high),
        (137.5, 412.5),
        "half of it either way"
    );
}

#[test]
fn counted_iterations_take_as_long_as_before() {
    let counted = PlannedLoad::Iterations {
        users: 4.0,
        count: 10.0,
        longest: 600.0,
    };
    let counted = plan(vec![scenario(0.0, counted)]);
    let unknown = expect(&counted, &[]).seconds.range.unwrap();
    assert_eq!((unknown.low, unknown.high), (0.0, 630.0));
    // Three rounds of 2 s.
    let known = expect(&counted, &[observed()]).seconds.range.unwrap();
    assert_eq!((known.low, known.expected), (6.0, 6.0));
}

#[test]
fn a_load_beyond_all_that_was_measured_is_said() {
    let crowd = plan(vec![scenario(
        0.0,
        PlannedLoad::Users(Course::constant(100.0, 20.0)),
    )]);
    let mut unpriced = observed();
    unpriced.unpriced_calls = 3;
    let remarks = expect(&crowd, &[observed(), unpriced]).remarks;
    assert!(
        remarks[0].starts_with("The load is 10 times the largest"),
        "{remarks:?}"
    );
    assert!(
        remarks[1].starts_with("3 calls of the earlier runs"),
        "{remarks:?}"
    );
}

fn metric(kind: MetricKind, values: &[(&str, f64)]) -> MetricResult {
    MetricResult {
        kind,
        contains: Contains::Default,
        values: values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect(),
    }
}

/// What [`observed`] was observed in.
fn results() -> Results {
    let amount = Amount {
        calls: Some(100),
        unpriced_calls: 0,
        input_tokens: 40_000,
        output_tokens: 10_000,
        cost: Dollars::of_pico(1_000_000_000_000),
    };
    Results {
        metrics: BTreeMap::from([
            (
                "iterations".to_owned(),
                metric(MetricKind::Counter, &[("count", 100.0)]),
            ),
            (
                "iteration_duration".to_owned(),
                metric(MetricKind::Trend, &[("avg", 2_000.0)]),
            ),
            (
                "http_reqs".to_owned(),
                metric(MetricKind::Counter, &[("count", 305.0), ("rate", 15.0)]),
            ),
        ]),
        spend: Some(Spend::of_models(vec![ModelSpend {
            model: "sonnet".to_owned(),
            simulated: true,
            amount,
        }])),
        coverage: Coverage {
            load_seconds: 20.0,
            generator_cpu: Some(0.2),
            ..Coverage::default()
        },
        ..Results::default()
    }
}

#[test]
fn results_are_read_and_held_against_their_forecast() {
    let results = results();
    assert_eq!(Observation::of(&results), Some(observed()));
    assert_eq!(Observation::of(&Results::default()), None);
    let users = plan(vec![scenario(
        0.0,
        PlannedLoad::Users(Course::constant(5.0, 40.0)),
    )]);
    let forecast = expect(&users, &[observed(), observed()]);
    let json = serde_json::to_string(&forecast).unwrap();
    let forecast: Forecast = serde_json::from_str(&json).unwrap();
    let lines = against(&forecast, Some(&results));
    let line = |figure: &str| lines.iter().find(|line| line.figure == figure).unwrap();
    assert_eq!(line("requests").actual.as_deref(), Some("305"));
    assert_eq!(line("requests").within, Some(true));
    assert_eq!(line("time").within, Some(false), "20 s instead of 40");
    assert_eq!(line("simulated dollars").expected, "sim $1.0000");
    assert_eq!(line("simulated dollars").within, Some(true));
    assert_eq!(line("requests per second, peak").actual, None);
    let before = against(&forecast, None);
    assert!(
        before
            .iter()
            .all(|line| line.actual.is_none() && line.within.is_none())
    );
}

#[test]
fn what_the_script_counted_stands_in_for_a_ledger() {
    let counted = |metric: &str| match metric {
        "ai_cost_simulated_pico_usd" => Some(7_000.0),
        "ai_tokens_input" => Some(30.0),
        "ai_unpriced_calls" => Some(2.0),
        _ => None,
    };
    let spend = Spend::of_samples(counted);
    assert_eq!(spend.simulated.cost.pico(), 7_000);
    assert_eq!(
        (spend.simulated.input_tokens, spend.simulated.calls),
        (30, None)
    );
    assert!(spend.real.is_nothing());
    assert_eq!(spend.in_words(), "sim ≥ 0.007 \u{b5}$");
    assert_eq!(spend.made_of(), "30 tokens in, 0 out, 2 unpriced");
    let unknown = Spend::of_samples(|metric| counted(metric).filter(|_| !metric.contains("cost")));
    assert_eq!(unknown.in_words(), "unpriced");
    assert!(Spend::of_samples(|_| None).is_nothing());
    let json = serde_json::to_string(&spend).unwrap();
    assert_eq!(serde_json::from_str::<Spend>(&json).unwrap(), spend);
}
