//! What limits make of a verdict.

use load_analysis::limits::Limit;
use load_analysis::verdict::{Level, Verdict};

use crate::limit_results::{P95, judge_all, limit, run};

fn passed() -> Verdict {
    Verdict {
        level: Level::Pass,
        exit_code: 0,
        reasons: vec!["No threshold was set.".to_owned()],
    }
}

#[test]
fn limits_enter_the_verdict_and_validity_comes_first() {
    let good = limit(&format!("{P95}target = 310"));
    let bad = limit(&format!(
        "{P95}target = 200\npriority = 'P0'\nwindow = 'run'"
    ));
    let warned = limit(&format!(
        "{P95}target = 200\nwarning = 310\nwindow = '50s to 70s'"
    ));
    let unseen = limit(&format!(
        "{P95}target = 200\ntags = {{ journey = 'nobody' }}"
    ));
    let verdict = |limits: &[&Limit]| {
        let limits = limits.iter().map(|one| (*one).clone()).collect();
        passed().with_limits(&judge_all(limits, run(0..100)))
    };
    let held = verdict(&[&good]);
    assert_eq!((held.level, held.exit_code), (Level::Pass, 0));
    assert_eq!(
        held.reasons,
        ["The one limit held.", "No threshold was set."]
    );
    assert_eq!(verdict(&[&good, &warned]).level, Level::Warning);
    let worst = verdict(&[&good, &warned, &bad]);
    assert_eq!((worst.level, worst.exit_code), (Level::Critical, 2));
    assert!(
        worst.reasons[0].contains("the limit is 200 ms"),
        "{worst:?}"
    );
    assert!(worst.reasons[1].contains("beyond its target"), "{worst:?}");
    assert_eq!(worst.reasons[2], "1 of 3 limits held.");
    assert_eq!(verdict(&[&good, &unseen]).level, Level::Invalid);
    assert_eq!(verdict(&[&bad, &unseen]).level, Level::Critical);
    assert_eq!(verdict(&[]), passed());

    let invalid = Verdict {
        level: Level::Invalid,
        exit_code: 2,
        reasons: vec!["k6 was ended by signal 9.".to_owned()],
    };
    let results = judge_all(vec![bad], run(0..100));
    assert_eq!(invalid.clone().with_limits(&results), invalid);
}
