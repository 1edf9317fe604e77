//! Whether the service's own record of its runs is one that can have happened.

use super::Judged;
use crate::load::{Ended, Recorded};
use crate::plan::{Action, Plan};

/// Both ends of a run are noted in whole seconds.
const ROUNDING_SECONDS: f64 = 1.0;

/// Where a clock was set: all runs completed, in the order in which they were asked for, the one
/// under load not shorter than its load and not longer than all of it took, with its faults in
/// the order in which they came.
pub(super) fn judge(plan: &Plan, ended: &Ended) -> Vec<Judged> {
    let sets_a_clock = |action: &Action| matches!(action, Action::Clock { .. });
    if !plan.faults.iter().any(|fault| sets_a_clock(&fault.action)) {
        return Vec::new();
    }
    let runs = &ended.history;
    let statuses: Vec<&str> = runs.iter().map(|run| run.status.as_str()).collect();
    let completed = !runs.is_empty() && statuses.iter().all(|status| *status == "Completed");
    let in_order = runs.is_sorted_by(|one, next| one.id < next.id && one.began <= next.began);
    let order = if in_order { "in" } else { "out of" };
    let told: Vec<&str> = plan.faults.iter().map(|it| it.name.as_str()).collect();
    let noted = runs.first().map_or(&[][..], |run| run.faults.as_slice());
    vec![
        Judged::new(
            "the record of the runs".to_owned(),
            "all Completed, ids and begins in order".to_owned(),
            format!("{}, {order} order", statuses.join(", ")),
            completed && in_order,
        ),
        Judged::new(
            "the faults in the run's record".to_owned(),
            told.join(", "),
            noted.join(", "),
            told == noted,
        ),
        duration(plan, runs.first(), ended.lasted),
    ]
}

fn duration(plan: &Plan, run: Option<&Recorded>, lasted: f64) -> Judged {
    let (least, most) = (plan.seconds - ROUNDING_SECONDS, lasted + ROUNDING_SECONDS);
    let what = "the length of the run by its record".to_owned();
    let wanted = format!("{least:.0} to {most:.0} s");
    let Some(run) = run else {
        return Judged::untold(what, wanted, "there is no run");
    };
    let seconds = f64::from(i32::try_from(run.seconds).unwrap_or(i32::MAX));
    let holds = (least..=most).contains(&seconds);
    Judged::new(what, wanted, format!("{} s", run.seconds), holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::Verdict;
    use crate::judgement::fixtures::ended;

    const PLAN: &str = r#"
question = "?"
seconds = 10
[load]
script = "tests/load.js"
users = 1
[[fault]]
name = "forward"
at = 4
lasts = 2
action = { clock = { process = "performance", seconds = 3600 } }
"#;

    fn run(id: &str, began: i64, seconds: i64) -> Recorded {
        Recorded {
            id: id.to_owned(),
            status: "Completed".to_owned(),
            began: jiff::Timestamp::from_second(began).expect("a time"),
            seconds,
            faults: vec!["forward".to_owned()],
        }
    }

    fn verdicts(history: Vec<Recorded>) -> Vec<Verdict> {
        let plan = Plan::parse(PLAN).expect("a plan");
        let ended = Ended { history, ..ended() };
        judge(&plan, &ended).iter().map(|it| it.verdict).collect()
    }

    #[test]
    fn a_record_that_cannot_have_happened_fails() {
        let (good, bad) = (Verdict::Pass, Verdict::Fail);
        let first = || run("a", 0, 12);
        assert_eq!(verdicts(vec![first(), run("b", 13, 1)]), [good; 3]);
        assert_eq!(verdicts(vec![first(), run("b", -3_590, 1)])[0], bad);
        assert_eq!(verdicts(vec![run("c", 0, 12), run("b", 13, 1)])[0], bad);
        let mut failed = first();
        failed.status = "Failed".to_owned();
        assert_eq!(verdicts(vec![failed])[0], bad);
        let mut silent = first();
        silent.faults.clear();
        assert_eq!(verdicts(vec![silent])[1], bad);
        assert_eq!(verdicts(vec![run("a", 0, 3_612)])[2], bad);
        assert_eq!(verdicts(vec![run("a", 0, 0)])[2], bad);
    }
}
