//! Which calls the rules hit, and which rules are refused.

use std::time::Duration;

use http::HeaderMap;

use super::{Candidate, Fault, FaultPlan, FaultRule, FaultRules, Refusing};
use crate::{dialect::Dialect, seed::generator};

fn parse(json: &str) -> Vec<FaultRule> {
    serde_json::from_str(json).unwrap()
}

fn plan(json: &str) -> FaultPlan {
    FaultPlan::new(FaultRules::check(parse(json)).unwrap())
}

fn candidate(dialect: Dialect) -> Candidate<'static> {
    Candidate {
        dialect,
        model: "claude-sonnet-5-5",
        streamed: true,
        headers: None,
    }
}

fn hits(json: &str, calls: u64) -> Vec<u64> {
    let plan = plan(json);
    let hit = |number: &u64| {
        plan.decide(&candidate(Dialect::Anthropic), &mut generator(1, *number))
            .is_some()
    };
    (1..=calls).filter(hit).collect()
}

#[test]
fn rules_hit_the_calls_they_name() {
    let status = r#""fault":{"status":{"code":503}}"#;
    for (condition, expected) in [
        (r#""nth":3"#, &[3][..]),
        (r#""times":2"#, &[1, 2]),
        (r#""dialect":"ollama""#, &[]),
        (r#""model":"other""#, &[]),
        (r#""streamed":false"#, &[]),
        (r#""streamed":true,"nth":9"#, &[9]),
        (r#""probability":0"#, &[]),
        (r#""window":{"fromMs":3600000}"#, &[]),
        (r#""header":{"name":"x-test"}"#, &[]),
    ] {
        assert_eq!(
            hits(&format!("[{{{condition},{status}}}]"), 9),
            expected,
            "{condition}"
        );
    }
    let share = hits(&format!("[{{\"probability\":0.2,{status}}}]"), 1000).len();
    assert!((150..250).contains(&share), "{share}");
}

#[test]
fn a_header_is_looked_for_in_all_its_values() {
    let plan = plan(
        r#"[{"header":{"name":"Baggage","contains":"test.id=run-7"},"fault":{"silence":{}}}]"#,
    );
    assert!(plan.looks_at_headers());
    let decide = |values: &[&'static str]| {
        let headers: HeaderMap = values
            .iter()
            .map(|value| {
                (
                    http::HeaderName::from_static("baggage"),
                    value.parse().unwrap(),
                )
            })
            .collect();
        let candidate = Candidate {
            headers: Some(&headers),
            ..candidate(Dialect::Ollama)
        };
        plan.decide(&candidate, &mut generator(1, 1)).is_some()
    };
    assert!(decide(&["a=1", "b=2, test.id=run-7"]));
    assert!(!decide(&["test.id=run-"]) && !decide(&[]));
}

#[tokio::test(start_paused = true)]
async fn a_window_opens_and_closes() {
    let plan = plan(
        r#"[{"window":{"fromMs":100,"toMs":200},"fault":{"silence":{}}},
            {"window":{"fromMs":300,"toMs":400},"fault":{"refused":{}}}]"#,
    );
    let begun = tokio::time::Instant::now();
    let hits = || {
        plan.decide(&candidate(Dialect::Ollama), &mut generator(1, 1))
            .is_some()
    };
    let at = |ms| begun + Duration::from_millis(ms);
    let mut seen = Vec::new();
    for moment in [0, 100, 199, 200, 300, 400] {
        tokio::time::advance(at(moment) - tokio::time::Instant::now()).await;
        seen.push((hits(), plan.refusing()));
    }
    assert_eq!(
        seen,
        [
            (false, Refusing::From(at(300))),
            (true, Refusing::From(at(300))),
            (true, Refusing::From(at(300))),
            (false, Refusing::From(at(300))),
            (false, Refusing::Until(at(400))),
            (false, Refusing::Never),
        ]
    );
}

#[test]
fn the_first_rule_that_hits_decides() {
    let plan = plan(r#"[{"nth":2,"fault":{"cut":{"afterTokens":5}}},{"fault":{"silence":{}}}]"#);
    let decide = |n| {
        plan.decide(&candidate(Dialect::Ollama), &mut generator(1, n))
            .unwrap()
    };
    let silence = Fault::Silence {
        after_tokens: None,
        after_head: false,
    };
    let cut = Fault::Cut {
        after_tokens: 5,
        within: None,
    };
    assert_eq!((decide(1), decide(2)), (silence, cut));
    let hits: Vec<u64> = plan.hits().map(|(_, hits)| hits).collect();
    assert_eq!(hits, [1, 1]);
}

#[test]
fn a_rule_for_all_hits_only_the_dialects_that_can_express_it() {
    let plan = plan(r#"[{"fault":{"wrongCrc":{}}}]"#);
    let hit: Vec<Dialect> = Dialect::ALL
        .into_iter()
        .filter(|dialect| {
            plan.decide(&candidate(*dialect), &mut generator(1, 1))
                .is_some()
        })
        .collect();
    assert_eq!(hit, [Dialect::Bedrock]);
}

#[test]
fn connections_are_reset_as_often_as_the_rule_says() {
    let plan = plan(r#"[{"times":2,"fault":{"reset":{"at":"accept"}}}]"#);
    let reset = |n| plan.resets_connection(&mut generator(1, n));
    assert_eq!([reset(1), reset(2), reset(3)], [true, true, false]);
    let call = candidate(Dialect::Anthropic);
    assert_eq!(plan.decide(&call, &mut generator(1, 1)), None);
}

#[test]
fn wrong_rules_are_refused_with_their_field() {
    for (rule, field) in [
        (r#""nth":0,"fault":{"silence":{}}"#, "nth"),
        (r#""probability":1.5,"fault":{"silence":{}}"#, "probability"),
        (r#""fault":{"status":{"code":200}}"#, "fault.status.code"),
        (
            "\"fault\":{\"status\":{\"code\":429,\"retryAfter\":\"1\\n2\"}}",
            "fault.status.retryAfter",
        ),
        (r#""fault":{"slow":{"factor":0.5}}"#, "fault.slow.factor"),
        (r#""fault":{"slow":{"gapMs":700000}}"#, "fault.slow.gapMs"),
        (
            r#""fault":{"silence":{"afterTokens":1,"afterHead":true}}"#,
            "fault.silence.afterHead",
        ),
        (
            r#""fault":{"hugeLine":{"bytes":1}}"#,
            "fault.hugeLine.bytes",
        ),
        (
            r#""dialect":"ollama","fault":{"wrongCrc":{}}"#,
            "fault.wrongCrc",
        ),
        (
            r#""dialect":"ollama","fault":{"cut":{"within":"frame"}}"#,
            "fault.cut.within",
        ),
        (
            r#""window":{"fromMs":5,"toMs":5},"fault":{"silence":{}}"#,
            "window.toMs",
        ),
        (
            r#""header":{"name":"Authorization"},"fault":{"silence":{}}"#,
            "header.name",
        ),
        (
            r#""header":{"name":"a b"},"fault":{"silence":{}}"#,
            "header.name",
        ),
        (
            r#""window":{"toMs":600001},"fault":{"refused":{}}"#,
            "window.toMs",
        ),
        (r#""model":"m","fault":{"reset":{"at":"accept"}}"#, "model"),
        (
            r#""window":{"toMs":9},"times":1,"fault":{"refused":{}}"#,
            "times",
        ),
    ] {
        let refused = FaultRules::check(parse(&format!("[{{{rule}}}]"))).unwrap_err();
        assert_eq!(refused.field, format!("rules[0].{field}"));
    }
    assert!(serde_json::from_str::<FaultRule>(r#"{"fault":{"explode":{}}}"#).is_err());
}

#[test]
fn a_refusal_always_ends() {
    let windows = |rules: &str| {
        let rules = FaultRules::check(parse(rules)).unwrap().into_inner();
        let ends = rules.iter().map(|rule| rule.window.unwrap().to_ms);
        ends.collect::<Vec<_>>()
    };
    let rules = r#"[{"fault":{"refused":{}}},{"window":{"fromMs":50000},"fault":{"refused":{}}}]"#;
    assert_eq!(windows(rules), [Some(10_000), Some(60_000)]);
    let long = r#"{"window":{"toMs":300000},"fault":{"refused":{}}}"#;
    assert_eq!(windows(&format!("[{long},{long}]")).len(), 2);
    let too_long = parse(&format!(
        "[{long},{long},{{\"fault\":{{\"refused\":{{}}}}}}]"
    ));
    let refused = FaultRules::check(too_long).unwrap_err();
    assert_eq!(refused.field, "rules[2].window.toMs");
}

#[test]
fn a_file_spells_rules_as_json_does() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "[[rules]]\nmodel = 'm'\n[rules.fault.status]\ncode = 429\nretryAfter = 'soon'\n";
    std::fs::write(file.path(), text).unwrap();
    let path = file.path().to_str().unwrap();
    let json = r#"[{"model":"m","fault":{"status":{"code":429,"retryAfter":"soon"}}}]"#;
    assert_eq!(
        path.parse::<FaultRules>().unwrap(),
        FaultRules::check(parse(json)).unwrap()
    );
    std::fs::write(file.path(), text.replace("429", "200")).unwrap();
    let refused = path.parse::<FaultRules>().unwrap_err().to_string();
    assert!(
        refused.starts_with("rules[0].fault.status.code"),
        "{refused}"
    );
    assert!("/nonexistent.toml".parse::<FaultRules>().is_err());
}
