//! Files of limits: the shipped ones, and what is refused.

use std::path::Path;

use load_analysis::limits::{InvalidLimits, Limit, MAX_FILE_BYTES, MAX_LIMITS, Window};
use load_analysis::objective::{Better, Priority};
use load_analysis::threshold::Statistic;
use load_analysis::unit::Unit;

const GOOD: &str = r#"
[[limit]]
metric = "http_req_duration"
tags = { route_class = "ai", provider = "claude" }
stat = "p(95)"
target = 0.15
warning = 0.2
unit = "s"
priority = "P0"
window = "every 30s"
"#;

fn refused(text: &str) -> Vec<(usize, String)> {
    let InvalidLimits { problems } = Limit::parse_file(text).unwrap_err();
    let told = problems.into_iter();
    told.map(|problem| (problem.line, problem.reason)).collect()
}

/// The first problem of the good file with one line of it replaced.
fn with(line: &str, other: &str) -> (usize, String) {
    assert!(GOOD.contains(line), "{line}");
    refused(&GOOD.replacen(line, other, 1)).remove(0)
}

fn check((line, reason): (usize, String), expected: usize, part: &str) {
    assert!(
        line == expected && reason.contains(part),
        "line {line}: {reason}"
    );
}

#[test]
fn a_limit_is_read_in_k6_s_units() {
    let limits = Limit::parse_file(GOOD).unwrap();
    let tags = [("provider", "claude"), ("route_class", "ai")];
    let expected = Limit {
        metric: "http_req_duration".to_owned(),
        tags: tags
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        stat: Statistic::Percentile(95.0),
        target: 150.0,
        warning: 200.0,
        unit: Unit::Seconds,
        priority: Priority::P0,
        window: Window::Every(30),
        better: Better::Lower,
    };
    assert_eq!(limits, std::slice::from_ref(&expected));
    assert_eq!(
        expected.name(),
        "p(95) of http_req_duration{provider:claude,route_class:ai} in every 30 s"
    );
    let json = serde_json::to_string(&expected).unwrap();
    assert!(
        json.contains(r#""stat":"p(95)""#) && json.contains(r#""window":"every 30s""#),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Limit>(&json).unwrap(), expected);
}

#[test]
fn what_is_left_out_has_a_default() {
    let text = "[[limit]]\nmetric = 'checks'\nstat = 'rate'\ntarget = 99\nunit = '%'\n";
    let limit = Limit::parse_file(text).unwrap().remove(0);
    assert_eq!(
        (limit.priority, limit.window),
        (Priority::P1, Window::Steady)
    );
    assert_eq!(
        (limit.target.to_bits(), limit.warning.to_bits()),
        (0.99_f64.to_bits(), 0.99_f64.to_bits())
    );
    assert_eq!(limit.better, Better::Higher);
    let own = text.replace("checks", "cache_hits") + "better = 'higher'\nwarning = 90\n";
    assert_eq!(Limit::parse_file(&own).unwrap()[0].better, Better::Higher);
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    check(with("priority", "severity"), 9, "unknown field `severity`");
    check(with("[[limit]]", "[[limits]]"), 2, "unknown field `limits`");
    check(with(r#"stat = "p(95)""#, ""), 2, "missing field `stat`");
    check(
        with(r#""p(95)""#, r#""p95""#),
        5,
        "`p95` is not known: stat is count, rate,",
    );
    check(with(r#""p(95)""#, r#""p(101)""#), 5, "`p(101)`");
    check(
        with(r#"unit = "s""#, r#"unit = "sec""#),
        8,
        "unit is one of ms s %",
    );
    check(
        with(r#"unit = "s""#, r#"unit = "%""#),
        8,
        "`p(95)` is not counted in %",
    );
    check(
        with("0.15", "0.25"),
        7,
        "lower is better here, so that warning must not be below",
    );
    check(with("0.15", "-1"), 6, "a number from 0 on");
    check(with("0.15", "nan"), 6, "a number from 0 on");
    check(with("0.15", r#""much""#), 6, "invalid type");
}

#[test]
fn so_is_what_stands_around_a_bound() {
    check(with(r#""P0""#, r#""P3""#), 9, "priority is P0, P1 or P2");
    check(
        with("every 30s", "now and then"),
        10,
        "window is run, steady",
    );
    check(
        with("provider", "\"a colour\""),
        4,
        "`a colour` is no name of a tag",
    );
    check(with(r#""claude""#, r#""""#), 4, "the value of `provider`");
    check(
        with("http_req_duration", "http_req_duration{a:b}"),
        3,
        "a metric name",
    );
    check(
        with(r#"unit = "s""#, "unit = \"s\"\nbetter = \"faster\""),
        9,
        "unknown variant",
    );
    check(with("[[limit]]", "[[limit"), 2, "");
    check(refused("").remove(0), 1, "there is no [[limit]]");
    check(
        refused(&"#".repeat(MAX_FILE_BYTES + 1)).remove(0),
        1,
        "larger than",
    );
}

#[test]
fn the_direction_decides_which_order_is_right() {
    let rate = |metric: &str, warning: f64| {
        format!(
            "[[limit]]\nmetric = '{metric}'\nstat = 'rate'\ntarget = 50\nwarning = {warning}\nunit = '/s'\n"
        )
    };
    assert!(Limit::parse_file(&rate("http_reqs", 40.0)).is_ok());
    let (line, reason) = refused(&rate("http_reqs", 60.0)).remove(0);
    assert!(
        line == 5 && reason.contains("higher is better"),
        "{line}: {reason}"
    );
    assert!(Limit::parse_file(&rate("dropped_iterations", 60.0)).is_ok());
    assert_eq!(refused(&rate("dropped_iterations", 40.0)).len(), 1);
}

#[test]
fn every_problem_is_told_at_once_and_no_limit_twice() {
    let two = GOOD.to_owned() + &GOOD.replace("P0", "P7").replace("\"s\"", "\"h\"");
    let lines: Vec<usize> = refused(&two).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [18, 19]);
    let (line, reason) = refused(&(GOOD.to_owned() + GOOD)).remove(0);
    assert!(
        line == 12 && reason.contains("has a limit for this window already"),
        "{line} {reason}"
    );
    let many = |count: usize| -> String {
        (0..count)
            .map(|number| GOOD.replace("http_req", &format!("m{number}")))
            .collect()
    };
    assert_eq!(
        Limit::parse_file(&many(MAX_LIMITS)).unwrap().len(),
        MAX_LIMITS
    );
    assert!(
        refused(&many(MAX_LIMITS + 1))[0]
            .1
            .contains("more than 100")
    );
}

#[test]
fn the_shipped_files_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k6");
    let files: Vec<_> = std::fs::read_dir(folder.join("limits"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let limits = Limit::parse_file(&text);
        assert!(
            limits.is_ok(),
            "{}: {}",
            path.display(),
            limits.unwrap_err()
        );
        let decides = |limit: &Limit| limit.priority == Priority::P0;
        assert!(limits.unwrap().iter().any(decides), "{}", path.display());
    }
    let has = |name: &str| files.iter().any(|path| path.file_stem().unwrap() == name);
    for script in std::fs::read_dir(folder.join("tests")).unwrap() {
        let script = script.unwrap().path();
        assert!(
            has(script.file_stem().unwrap().to_str().unwrap()),
            "{}",
            script.display()
        );
    }
    assert!(has("preset-003") && has("preset-004"));
}

/// Mean 1,500 ms, p95 3,000 ms, errors 1 %, 50 requests per second.
#[test]
fn the_preset_of_four_has_its_numbers() {
    let text = include_str!("../../../../k6/limits/preset-003.toml");
    let read: Vec<(String, f64, f64)> = Limit::parse_file(text)
        .unwrap()
        .into_iter()
        .map(|limit| (limit.name(), limit.target, limit.warning))
        .collect();
    let expected = [
        ("avg of http_req_duration", 1_500.0),
        ("p(95) of http_req_duration", 3_000.0),
        ("rate of http_req_failed", 0.01),
        ("rate of http_reqs", 50.0),
    ];
    assert_eq!(
        read,
        expected.map(|(name, bound)| (name.to_owned(), bound, bound))
    );
}

proptest::proptest! {
    /// Whatever stands in a file: limits with bounds in their order, or problems with their lines.
    #[test]
    fn no_text_panics(
        cut in 0_usize..250,
        length in 0_usize..40,
        put in "[a-z0-9 =\\[\\]\"'{}.,%()\n\u{e4}-]{0,30}",
    ) {
        let mut text: Vec<char> = GOOD.chars().collect();
        let start = cut.min(text.len());
        let end = (start + length).min(text.len());
        text.splice(start..end, put.chars());
        let text: String = text.into_iter().collect();
        match Limit::parse_file(&text) {
            Ok(limits) => for limit in limits {
                proptest::prop_assert!(limit.target.is_finite() && limit.target >= 0.0);
                let order = limit.warning >= limit.target;
                proptest::prop_assert!(order || limit.better == Better::Higher);
            },
            Err(InvalidLimits { problems }) => for problem in problems {
                let lines = text.split('\n').count();
                proptest::prop_assert!((1..=lines).contains(&problem.line), "{}", problem);
            },
        }
    }
}
