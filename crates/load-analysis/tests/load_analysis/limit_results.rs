//! Limits held against samples.

use load_analysis::aggregate::{Aggregator, MAX_TAG_SETS};
use load_analysis::limits::{Limit, LimitJudge, LimitResult};
use load_analysis::span::Span;
use load_analysis::verdict::Level;

use crate::{CHECKS, DURATION, FAILED, REQUESTS, USERS, add};

const START: i64 = 1_000;
const SECONDS: i64 = 100;

/// Ten requests a second for 100 s. They take 100 ms, in the seconds of `slow` 300 ms; those
/// seconds also have failures. Writers are a tenth of all. Two requests of a minute belong to no
/// scenario, one of them amid the load.
pub(crate) fn run(slow: std::ops::Range<i64>) -> Aggregator {
    let mut aggregator = Aggregator::new(Vec::new());
    let setup = [("group", "::setup")];
    for time in [999.0, 1_050.05] {
        add(&mut aggregator, DURATION, (time, 60_000.0), &setup);
        add(&mut aggregator, REQUESTS, (time, 1.0), &setup);
    }
    for second in START..START + SECONDS {
        for part in 0_u32..10 {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let time = second as f64 + f64::from(part) * 0.1;
            let is_slow = slow.contains(&(second - START));
            let journey = if part == 0 { "writer" } else { "reader" };
            let tags = [("scenario", "load"), ("journey", journey)];
            let failed = f64::from(u8::from(is_slow));
            for (metric, value) in [
                (DURATION, if is_slow { 300.0 } else { 100.0 }),
                (REQUESTS, 1.0),
                (FAILED, failed),
                (CHECKS, 1.0 - failed),
            ] {
                add(&mut aggregator, metric, (time, value), &tags);
            }
            add(&mut aggregator, USERS, (time, 7.0), &[]);
        }
    }
    aggregator
}

pub(crate) fn limit(lines: &str) -> Limit {
    Limit::parse_file(&format!("[[limit]]\n{lines}"))
        .unwrap()
        .remove(0)
}

fn span() -> Span {
    Span {
        load: START..START + SECONDS,
        steady: START + 10..START + 90,
        begin: 1_000.0,
        load_seconds: 99.9,
    }
}

pub(crate) fn judge_all(limits: Vec<Limit>, mut aggregator: Aggregator) -> Vec<LimitResult> {
    let mut judge = LimitJudge::new(limits, &span());
    for second in aggregator.take_rest() {
        judge.add(&second);
    }
    judge.results()
}

fn judge(lines: &str, aggregator: Aggregator) -> LimitResult {
    judge_all(vec![limit(lines)], aggregator).remove(0)
}

pub(crate) const P95: &str = "metric = 'http_req_duration'\nstat = 'p(95)'\nunit = 'ms'\n";

#[test]
fn each_tier_has_its_level() {
    let level = |target: f64, warning: f64, priority: &str| {
        let bounds = format!("target = {target}\nwarning = {warning}\npriority = '{priority}'\n");
        judge(&(P95.to_owned() + &bounds), run(0..100)).level
    };
    assert_eq!(level(301.0, 400.0, "P0"), Level::Pass);
    assert_eq!(level(200.0, 301.0, "P0"), Level::Warning);
    assert_eq!(level(200.0, 250.0, "P0"), Level::Critical);
    assert_eq!(level(200.0, 250.0, "P1"), Level::Fail);
    assert_eq!(level(200.0, 250.0, "P2"), Level::Warning);
}

#[test]
fn a_sentence_names_value_limit_and_distance() {
    let sentence = |bounds: &str| judge(&(P95.to_owned() + bounds), run(0..100)).sentence;
    assert_eq!(
        sentence("target = 310"),
        "p(95) of http_req_duration held: 300 ms, the target is 310 ms."
    );
    assert_eq!(
        sentence("target = 200\nwarning = 310"),
        "p(95) of http_req_duration was 300 ms, beyond its target of 200 ms and within 310 ms."
    );
    assert_eq!(
        sentence("target = 200"),
        "p(95) of http_req_duration was 300 ms, the limit is 200 ms (over by 100 ms, 50 %)."
    );
    let result = judge(
        &(P95.to_owned() + "target = 200\nwarning = 400"),
        run(0..100),
    );
    assert!((result.left.unwrap() - 0.25).abs() < 0.001, "{result:?}");
}

/// Five slow seconds of 80 are more than 5 %, of 100 they are just 5 %.
#[test]
fn a_window_says_which_seconds_count() {
    let level = |window: &str, slow| {
        let lines = format!("{P95}target = 200\nwindow = '{window}'\n");
        judge(&lines, run(slow)).level
    };
    assert_eq!(level("steady", 40..45), Level::Fail);
    assert_eq!(
        level("steady", 0..10),
        Level::Pass,
        "the ramp is not judged"
    );
    assert_eq!(level("run", 0..10), Level::Fail);
    assert_eq!(level("60s to 80s", 40..45), Level::Pass);
    assert_eq!(level("40s to 60s", 40..45), Level::Fail);
    assert_eq!(
        level("60s to 500s", 90..100),
        Level::Fail,
        "as far as the run goes"
    );
    assert_eq!(
        level("200s to 500s", 0..100),
        Level::Invalid,
        "after its end"
    );
}

#[test]
fn the_time_of_the_load_comes_from_its_samples() {
    let span = run(0..0).load_span().unwrap();
    // The first request of 100 ms ended as the second 1,000 began; setup is no load.
    assert_eq!(
        (span.load.clone(), span.steady.clone()),
        (999..1_100, 999..1_100)
    );
    assert!((span.load_seconds - 100.0).abs() < 1e-6, "{span:?}");
    assert!((span.begin - 999.9).abs() < 1e-6, "{span:?}");
    let steady = |seconds| span.clone().with_steady(seconds).steady;
    assert_eq!(steady(1_010..1_090), 1_010..1_090);
    assert_eq!(steady(0..1_090), 999..1_090);
    assert_eq!(steady(2_000..2_010), span.steady, "nothing of the load");
    assert_eq!(Aggregator::new(Vec::new()).load_span(), None);
}

#[test]
fn a_rate_is_of_the_time_in_which_the_load_was_on() {
    // Ten a second, from amid a second to amid another one.
    let mut aggregator = Aggregator::new(Vec::new());
    for part in 0_u32..100 {
        let time = 1_000.6 + f64::from(part) * 0.1;
        add(
            &mut aggregator,
            REQUESTS,
            (time, 1.0),
            &[("scenario", "load")],
        );
    }
    let seconds = aggregator.take_rest();
    let span = Span::of_load(1_000_600_000, 1_010_600_000);
    for window in ["run", "steady", "0s to 60s"] {
        let rate = "metric = 'http_reqs'\nstat = 'rate'\nunit = '/s'\ntarget = 9.9\n";
        let rate = limit(&format!("{rate}window = '{window}'"));
        let mut judge = LimitJudge::new(vec![rate], &span);
        for second in &seconds {
            judge.add(second);
        }
        let result = judge.results().remove(0);
        assert_eq!(result.level, Level::Pass, "{result:?}");
        assert!((result.observed.unwrap() - 10.0).abs() < 1e-6, "{result:?}");
    }
}

#[test]
fn each_slice_is_judged_on_its_own() {
    let mean = "metric = 'http_req_duration'\nstat = 'avg'\nunit = 'ms'\ntarget = 150\n";
    let result = judge(&(mean.to_owned() + "window = 'every 20s'\n"), run(40..58));
    assert_eq!(result.level, Level::Fail);
    // Slices of the steady load begin at its tenth second.
    assert_eq!(result.between, Some((30, 70)));
    assert_eq!(result.samples, 200);
    assert!(
        (result.observed.unwrap() - 200.0).abs() < 0.01,
        "{result:?}"
    );
    assert!(
        result
            .sentence
            .ends_with("(over by 50 ms, 33.3 %), between 00:30 and 01:10."),
        "{}",
        result.sentence
    );
    assert_eq!(
        judge(mean, run(40..58)).level,
        Level::Pass,
        "as a whole it held"
    );
    // 80 s have one slice of 60 s; what is left is not judged.
    let long = mean.to_owned() + "window = 'every 60s'\n";
    assert_eq!(judge(&long, run(70..90)).level, Level::Pass);
}

#[test]
fn few_samples_are_decided_by_the_slowest() {
    let writers = format!("{P95}tags = {{ journey = 'writer' }}\n");
    let pass = judge(&format!("{writers}target = 301"), run(40..41));
    assert_eq!((pass.level, pass.samples), (Level::Pass, 80));
    assert_eq!(pass.actual(), "≤ 300 ms", "it is no p95");
    assert_eq!(
        pass.sentence,
        "p(95) of http_req_duration{journey:writer} held: the largest of 80 samples is 300 ms, the \
         target is 301 ms."
    );
    let unsure = judge(
        &format!("{writers}target = 200\npriority = 'P0'"),
        run(40..41),
    );
    assert_eq!(unsure.level, Level::Inconclusive);
    assert_eq!(
        unsure.sentence,
        "p(95) of http_req_duration{journey:writer} cannot be told from 80 samples: the largest \
         is 300 ms, the target 200 ms."
    );
    let p99 = P95.replace("95", "99");
    let of_800 = judge(&format!("{p99}target = 200"), run(40..41));
    assert_eq!(
        of_800.level,
        Level::Inconclusive,
        "a p99 needs 1,000 samples"
    );
    let of_1000 = judge(&format!("{p99}target = 301\nwindow = 'run'"), run(40..41));
    assert_eq!((of_1000.level, of_1000.samples), (Level::Pass, 1_000));
    assert!(!of_1000.extreme, "{}", of_1000.actual());
}

#[test]
fn every_kind_of_metric_can_have_a_limit() {
    let check = |lines: &str, level: Level, observed: f64| {
        let result = judge(lines, run(40..48));
        assert_eq!(result.level, level, "{result:?}");
        assert!(
            (result.observed.unwrap() - observed).abs() < 0.01,
            "{result:?}"
        );
    };
    check(
        "metric = 'http_reqs'\nstat = 'rate'\ntarget = 9\nunit = '/s'",
        Level::Pass,
        10.0,
    );
    check(
        "metric = 'http_reqs'\nstat = 'rate'\ntarget = 11\nunit = '/s'",
        Level::Fail,
        10.0,
    );
    let all = "metric = 'http_reqs'\nstat = 'rate'\ntarget = 600\nunit = '/min'\nwindow = 'run'";
    check(all, Level::Pass, 10.01);
    check(
        "metric = 'http_reqs'\nstat = 'count'\ntarget = 800\nunit = 'count'",
        Level::Pass,
        800.0,
    );
    check(
        "metric = 'http_req_failed'\nstat = 'rate'\ntarget = 1\nunit = '%'",
        Level::Fail,
        0.1,
    );
    check(
        "metric = 'checks'\nstat = 'rate'\ntarget = 95\nunit = '%'",
        Level::Fail,
        0.9,
    );
    check(
        "metric = 'vus'\nstat = 'value'\ntarget = 7\nunit = 'count'",
        Level::Pass,
        7.0,
    );
    let slowest = "metric = 'http_req_duration'\nstat = 'max'\ntarget = 300\nunit = 'ms'";
    check(slowest, Level::Pass, 300.0);
    let writers = "metric = 'http_reqs'\nstat = 'rate'\ntarget = 1\nunit = '/s'\ntags = { journey = 'writer' }";
    check(writers, Level::Pass, 1.0);
}

#[test]
fn nothing_to_judge_is_invalid_and_a_silent_counter_counted_nothing() {
    let nobody = judge(
        &format!("{P95}target = 1\ntags = {{ journey = 'nobody' }}"),
        run(0..0),
    );
    assert_eq!(
        (nobody.level, nobody.observed, nobody.samples),
        (Level::Invalid, None, 0)
    );
    assert!(
        nobody.sentence.contains("had no sample"),
        "{}",
        nobody.sentence
    );
    let no_median = "metric = 'http_reqs'\nstat = 'med'\ntarget = 1\nunit = 'count'";
    assert_eq!(judge(no_median, run(0..0)).level, Level::Invalid);

    // An outage of the generator's own: no request at all in the last 40 s.
    let mut aggregator = Aggregator::new(Vec::new());
    for tenth in 0..500_u32 {
        let time = 1_000.0 + f64::from(tenth) * 0.1;
        add(
            &mut aggregator,
            REQUESTS,
            (time, 1.0),
            &[("scenario", "load")],
        );
    }
    let every =
        "metric = 'http_reqs'\nstat = 'rate'\ntarget = 9\nunit = '/s'\nwindow = 'every 20s'";
    let result = judge(every, aggregator);
    assert_eq!(
        (result.level, result.observed),
        (Level::Fail, Some(0.0)),
        "{result:?}"
    );
    assert_eq!(result.between, Some((50, 70)));
}

#[test]
fn samples_that_nobody_can_assign_leave_a_tagged_limit_open() {
    let mut aggregator = run(0..0);
    for number in 0..=MAX_TAG_SETS {
        let name = format!("route {number}");
        let tags = [("scenario", "load"), ("name", name.as_str())];
        add(&mut aggregator, DURATION, (1_050.5, 900.0), &tags);
    }
    let tagged = judge(
        &format!("{P95}target = 200\ntags = {{ journey = 'reader' }}"),
        aggregator,
    );
    assert_eq!(tagged.level, Level::Inconclusive);
    assert!(
        tagged.sentence.contains("may belong to it as well"),
        "{}",
        tagged.sentence
    );
}

#[test]
fn a_result_is_told_in_json() {
    let result = judge(&format!("{P95}target = 200"), run(0..100));
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!(
        (&json["level"], &json["limit"]["unit"]),
        (&"FAIL".into(), &"ms".into())
    );
    assert_eq!(serde_json::from_value::<LimitResult>(json).unwrap(), result);
}
