//! Phases laid over runs whose load is known to the request.

use load_analysis::aggregate::Aggregator;
use load_analysis::execution::{Course, ExecutionPlan, PlannedLoad, PlannedScenario, Stage};
use load_analysis::phases::{MAX_PHASES, PhaseFold, PhaseKind, PhasePlan, Phases};
use load_analysis::span::Span;

use crate::{DURATION, FAILED, REQUESTS, add};

const START: f64 = 1_000.4;

fn course(from: f64, stages: &[(f64, f64)]) -> Course {
    let stage = |(seconds, to): &(f64, f64)| Stage {
        seconds: *seconds,
        to: *to,
    };
    Course {
        from,
        stages: stages.iter().map(stage).collect(),
    }
}

fn scenario(start: f64, load: PlannedLoad) -> PlannedScenario {
    PlannedScenario {
        name: "load".to_owned(),
        start,
        load,
    }
}

fn users(stages: &[(f64, f64)]) -> PlannedScenario {
    scenario(0.0, PlannedLoad::Users(course(1.0, stages)))
}

fn plan(scenarios: &[PlannedScenario]) -> ExecutionPlan {
    ExecutionPlan {
        scenarios: scenarios.to_vec(),
    }
}

fn span(seconds: f64) -> Span {
    let end = START + seconds;
    #[expect(clippy::cast_possible_truncation, reason = "small")]
    let whole = |time: f64| (time * 1e6).round() as i64;
    Span::of_load(whole(START), whole(end))
}

/// Kind, seconds and load of each phase, without figures.
fn laid_out(
    scenarios: &[PlannedScenario],
    warm_up: f64,
    seconds: f64,
) -> Vec<(PhaseKind, i64, i64, String, bool)> {
    let plan = PhasePlan::new(Some(&plan(scenarios)), warm_up, span(seconds));
    let phases = PhaseFold::new(plan, &Aggregator::new(Vec::new()).results(None)).finish();
    let row =
        |it: &load_analysis::phases::Phase| (it.kind, it.from, it.to, it.load.clone(), it.judged);
    phases.phases.iter().map(row).collect()
}

#[test]
fn stages_become_phases_and_the_highest_plateau_is_judged() {
    let spike = [
        (10.0, 5.0),
        (20.0, 5.0),
        (10.0, 50.0),
        (30.0, 50.0),
        (10.0, 5.0),
        (40.0, 5.0),
        (10.0, 0.0),
    ];
    let (up, steady, down) = (PhaseKind::RampUp, PhaseKind::Steady, PhaseKind::RampDown);
    let text = |it: &str| it.to_owned();
    assert_eq!(
        laid_out(&[users(&spike)], 0.0, 131.5),
        [
            (up, 0, 11, text("1 to 5 users"), false),
            (steady, 11, 30, text("5 users"), false),
            (up, 30, 41, text("5 to 50 users"), false),
            (steady, 41, 70, text("50 users"), true),
            (down, 70, 81, text("50 to 5 users"), false),
            (steady, 81, 120, text("5 users"), false),
            (down, 120, 131, text("5 to 0 users"), false),
            (PhaseKind::Ending, 131, 132, text(""), false),
        ]
    );
}

#[test]
fn a_load_of_one_level_is_steady_but_for_its_warm_up() {
    let constant = [users(&[(20.0, 1.0)])];
    let steady = |rows: Vec<(PhaseKind, i64, i64, String, bool)>| {
        let judged = rows.iter().find(|row| row.4).cloned();
        judged.map(|row| (row.1, row.2))
    };
    assert_eq!(steady(laid_out(&constant, 0.0, 22.3)), Some((0, 21)));
    assert_eq!(steady(laid_out(&constant, 5.0, 22.3)), Some((6, 21)));
    // A run that was stopped is as long as it was.
    assert_eq!(steady(laid_out(&constant, 0.0, 7.2)), Some((0, 8)));
    let kinds: Vec<_> = laid_out(&constant, 5.0, 22.3)
        .iter()
        .map(|row| row.0)
        .collect();
    assert_eq!(
        kinds,
        [PhaseKind::WarmUp, PhaseKind::Steady, PhaseKind::Ending]
    );
}

#[test]
fn several_executors_are_steady_when_all_are() {
    let rate = scenario(10.0, PlannedLoad::Arrivals(course(5.0, &[(30.0, 5.0)])));
    let rows = laid_out(&[users(&[(20.0, 1.0), (10.0, 3.0)]), rate], 0.0, 40.0);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.0, row.3.as_str(), row.4))
        .collect();
    assert_eq!(
        shown,
        [
            (PhaseKind::Steady, "1 user", false),
            (PhaseKind::Steady, "1 user and 5/s", true),
            (PhaseKind::RampUp, "1 to 3 users and 5/s", false),
            (PhaseKind::Steady, "5/s", false),
        ]
    );
}

/// Of a rate that grows from 0, samples begin when its first iteration does.
#[test]
fn the_first_iteration_of_a_ramp_comes_late() {
    let ramp = scenario(
        0.0,
        PlannedLoad::Arrivals(course(0.0, &[(50.0, 1.0), (30.0, 1.0)])),
    );
    // 0.02·t²/2 = 1 after 10 s: the ramp has 40 s left when the first sample begins.
    let rows = laid_out(&[ramp], 0.0, 70.0);
    assert_eq!((rows[0].1, rows[0].2), (0, 41), "{rows:?}");
    assert!(rows[1].4, "{rows:?}");
}

#[test]
fn a_run_without_a_steady_phase_says_so() {
    let laid =
        |scenarios: &[PlannedScenario]| PhasePlan::new(Some(&plan(scenarios)), 0.0, span(30.0));
    let ramp = laid(&[users(&[(30.0, 9.0)])]);
    let said = "Closed model: users wait for their answers. The load had no steady phase";
    assert!(ramp.sentence().starts_with(said));
    assert_eq!(ramp.span().steady, ramp.span().load);
    let unknown = PhasePlan::new(None, 0.0, span(30.0));
    assert!(unknown.sentence().starts_with("Nobody knows"));
    assert!(
        laid(&[users(&[(30.0, 1.0)])])
            .sentence()
            .contains("judge the steady phase, 00:00 to 00:3")
    );
    let many: Vec<(f64, f64)> = (0..400).map(|step| (0.05, f64::from(step % 7))).collect();
    assert!(laid_out(&[users(&many)], 0.0, 30.0).len() <= MAX_PHASES);
}

/// Ten requests a second: 100 ms in the ramp of the first ten seconds, 40 ms after; each tenth
/// fails at once.
fn measured() -> Phases {
    let mut aggregator = Aggregator::new(Vec::new());
    for tick in 0_u32..300 {
        let time = START + 0.1 + f64::from(tick) * 0.1;
        let fails = tick % 10 == 9;
        let answer = if fails { "false" } else { "true" };
        let tags = [("scenario", "load"), ("expected_response", answer)];
        let slow = if tick < 100 { 100.0 } else { 40.0 };
        let duration = if fails { 1.0 } else { slow };
        add(&mut aggregator, DURATION, (time, duration), &tags);
        add(&mut aggregator, REQUESTS, (time, 1.0), &tags);
        add(
            &mut aggregator,
            FAILED,
            (time, f64::from(u8::from(fails))),
            &tags,
        );
    }
    // Setup is no load.
    add(
        &mut aggregator,
        DURATION,
        (1_012.0, 60_000.0),
        &[("group", "::setup")],
    );
    let plan = plan(&[users(&[(10.0, 5.0), (20.0, 5.0)])]);
    let plan = PhasePlan::new(Some(&plan), 0.0, aggregator.load_span().unwrap());
    let mut fold = PhaseFold::new(plan, &aggregator.results(None));
    for second in aggregator.take_rest() {
        fold.add(&second);
    }
    fold.finish()
}

#[test]
fn each_phase_has_its_own_figures_with_failures_apart() {
    let phases = measured();
    let of_all: u64 = phases.phases.iter().map(|it| it.figures.requests).sum();
    assert_eq!(
        (of_all, phases.whole.requests),
        (300, 300),
        "each second is of one phase"
    );
    let judged = phases.judged().unwrap();
    let figures = &judged.figures;
    let successes = figures.successes.unwrap();
    assert_eq!(successes.n + figures.failures.unwrap().n, figures.requests);
    assert!((successes.p50.unwrap() - 40.0).abs() < 0.1, "{successes:?}");
    assert!(
        (successes.mean - 40.0).abs() < 0.1,
        "no ramp and no failure in it: {successes:?}"
    );
    assert_eq!(successes.p99, None, "too few for a p99");
    assert!((figures.failures.unwrap().max - 1.0).abs() < 0.01);
    assert!((figures.failed.unwrap() - 0.1).abs() < 0.01, "{figures:?}");
    assert!(
        (figures.requests_per_second - 10.0).abs() < 0.3,
        "{figures:?}"
    );
    let ramp = phases.phases[0].figures.successes.unwrap();
    assert!(ramp.max > 99.0, "{ramp:?}");

    let steady = phases.steady.as_ref().unwrap();
    let durations = &steady["http_req_duration"].values;
    assert!(
        (durations["med"] - 40.0).abs() < 0.1 && durations["max"] < 41.0,
        "{durations:?}"
    );
    let expected = &steady["http_req_duration{expected_response:true}"];
    assert_eq!(expected.count_of("count"), Some(successes.n));
    let line = judged.line();
    assert!(
        line.starts_with("steady 00:1") && line.contains("at 5 users"),
        "{line}"
    );
}

/// Two minutes at 100 to 120 ms: the interval is around the percentile, in the judged phase alone.
#[test]
fn percentiles_of_the_judged_phase_say_how_sure_they_are() {
    let mut aggregator = Aggregator::new(Vec::new());
    for tick in 0_u32..1_300 {
        let time = START + 0.1 + f64::from(tick) * 0.1;
        let duration = 100.0 + f64::from(tick * 7 % 20);
        add(
            &mut aggregator,
            DURATION,
            (time, duration),
            &[("scenario", "load")],
        );
    }
    let plan = plan(&[users(&[(10.0, 5.0), (120.0, 5.0)])]);
    let plan = PhasePlan::new(Some(&plan), 0.0, aggregator.load_span().unwrap());
    let mut fold = PhaseFold::new(plan, &aggregator.results(None));
    for second in aggregator.take_rest() {
        fold.add(&second);
    }
    let phases = fold.finish();
    let judged = phases.judged().unwrap();
    let latency = judged.figures.successes.unwrap();
    let (p95, lies) = (latency.p95.unwrap(), latency.p95_interval.unwrap());
    assert!(lies.low <= p95 && p95 <= lies.high, "{latency:?}");
    assert!(lies.low > 115.0 && lies.high < 121.0, "{latency:?}");
    assert!(
        judged.line().contains("95 % interval 11"),
        "{}",
        judged.line()
    );
    let ramp = phases.phases[0].figures.successes.unwrap();
    assert_eq!(ramp.p95_interval, None);
}
