//! Requested options, right and wrong.

use super::*;

#[test]
fn valid_options_become_those_of_k6() {
    let options = RunOptions::parse(&RequestedOptions {
        virtual_users: Some(5),
        duration: Some("1m30s".into()),
        thresholds: [("http_req_duration".into(), vec!["p(95)<500".into()])].into(),
        insecure_skip_tls_verify: Some(true),
        output_format: Some("json".into()),
        iterations: None,
        rate: None,
        processes: Some(1),
        warm_up: Some("20s".into()),
        runner: Some("process".into()),
    })
    .unwrap();
    assert_eq!(
        options.to_json(),
        serde_json::json!({
            "vus": 5,
            "duration": "90000ms",
            "thresholds": {"http_req_duration": ["p(95)<500"]},
            "insecureSkipTLSVerify": true,
        })
    );
}

#[test]
fn every_wrong_field_is_named() {
    let errors = RunOptions::parse(&RequestedOptions {
        virtual_users: Some(1_000_000_000),
        duration: Some("1e9h".into()),
        iterations: Some(0),
        rate: None,
        thresholds: [("http_reqs".into(), vec!["'); throw 1".into()])].into(),
        insecure_skip_tls_verify: None,
        output_format: Some("--out=x".into()),
        processes: Some(65),
        warm_up: Some("-1s".into()),
        runner: Some("kubernetes".into()),
    })
    .unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "options.virtualUsers",
            "options.duration",
            "options.iterations",
            "options.outputFormat",
            "options.runner",
            "options.processes",
            "options.warmUp",
            "options.thresholds"
        ]
    );
}

#[test]
fn bounds_are_inclusive() {
    let ask = |virtual_users, duration: &str| {
        RunOptions::parse(&RequestedOptions {
            virtual_users: Some(virtual_users),
            duration: Some(duration.into()),
            ..RequestedOptions::default()
        })
    };
    assert!(ask(1, "1s").is_ok());
    assert!(ask(1_000, "4h").is_ok());
    assert!(ask(0, "1s").is_err());
    assert!(ask(1_001, "1s").is_err());
    assert!(ask(1, "4h1ms").is_err());
    assert!(ask(1, "999ms").is_err());
}
