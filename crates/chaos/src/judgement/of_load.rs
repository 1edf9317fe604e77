//! Whether there was the load that the plan asks for: what nobody used was not broken.

use super::Judged;
use crate::load::Ended;
use crate::plan::Plan;

const INVALID: &str = "INVALID";

/// How k6 ends when we end it, and what the service then says of the run.
const ENDED_BY_US: [&str; 2] = ["generatorEnd", "judgement"];

/// What is wanted of the run, and what became of it.
pub(super) fn judge(plan: &Plan, ended: &Ended) -> Vec<Judged> {
    let what = || "the run".to_owned();
    if let Some(words) = &plan.load.fails_with {
        let error = ended.error.clone().unwrap_or_default();
        let holds = error.contains(words.as_str());
        let wanted = format!("fails with {words:?}");
        return vec![Judged::new(what(), wanted, error, holds)];
    }
    let mut judged = vec![enough(ended), valid(plan, ended)];
    if !plan.load.verdicts.is_empty() {
        let verdict = ended.verdict.clone().unwrap_or_default();
        let wanted = plan.load.verdicts.join(" or ");
        let holds = plan.load.verdicts.contains(&verdict);
        let actual = format!("{verdict}: {}", ended.reasons.join("; "));
        judged.push(Judged::new(what(), wanted, actual, holds));
    }
    judged
}

fn enough(ended: &Ended) -> Judged {
    let Ended {
        requests,
        least_requests,
        ..
    } = ended;
    let wanted = format!("at least {least_requests} requests");
    let holds = requests >= least_requests;
    Judged::new("the load".to_owned(), wanted, requests.to_string(), holds)
}

/// The conditions of the run that did not hold are those that the plan allows, or wants one of.
fn valid(plan: &Plan, ended: &Ended) -> Judged {
    let (tolerated, wanted) = (&plan.load.tolerates, &plan.load.invalid_for);
    let allowed = |doubt: &String| {
        let by_us = ended.by_us && ENDED_BY_US.contains(&doubt.as_str());
        by_us || tolerated.contains(doubt) || wanted.contains(doubt)
    };
    let doubts = &ended.doubts;
    let named = doubts.iter().any(|doubt| wanted.contains(doubt));
    let invalid = ended.verdict.as_deref().is_none_or(|it| it == INVALID);
    let explained = !invalid || !doubts.is_empty();
    let holds = explained && doubts.iter().all(allowed) && (wanted.is_empty() || named);
    let words = if wanted.is_empty() {
        let but = tolerated.join(", ");
        let but = if but.is_empty() {
            but
        } else {
            format!(" but {but}")
        };
        format!("no doubt{but}")
    } else {
        format!("doubted for {}", wanted.join(" or "))
    };
    let actual = match (holds, doubts.is_empty()) {
        (true, true) => "none".to_owned(),
        (true, false) => doubts.join(", "),
        (false, _) => format!("{}: {}", doubts.join(", "), ended.reasons.join("; ")),
    };
    Judged::new("the run's validity".to_owned(), words, actual, holds)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::fixtures::ended;
    use super::*;

    fn plan(load: &str) -> Plan {
        let text = format!(
            "question = \"?\"\nseconds = 10\n[load]\nscript = \"tests/load.js\"\nusers = 1\n{load}"
        );
        Plan::parse(&text).expect("a plan")
    }

    fn passes(load: &str, ended: &Ended) -> bool {
        let judged = judge(&plan(load), ended);
        judged.iter().all(|one| one.verdict == Verdict::Pass)
    }

    fn doubted(doubts: &[&str]) -> Ended {
        Ended {
            verdict: Some(INVALID.to_owned()),
            doubts: doubts.iter().map(ToString::to_string).collect(),
            ..ended()
        }
    }

    #[test]
    fn a_plan_without_its_load_does_not_hold() {
        assert!(passes("", &ended()));
        let few = Ended {
            requests: 99,
            ..ended()
        };
        assert!(!passes("", &few));
        let never_ran = Ended {
            requests: 0,
            ..doubted(&[])
        };
        assert!(!passes("", &never_ran));
        assert!(!passes("", &doubted(&[])));
        assert!(!passes("", &doubted(&["droppedIterations"])));
    }

    #[test]
    fn a_run_that_we_ended_has_been_ended() {
        let mut run = doubted(&["generatorEnd"]);
        assert!(!passes("", &run));
        run.by_us = true;
        assert!(passes("", &run));
        run.doubts.push("generatorCpu".to_owned());
        assert!(!passes("", &run));
        assert!(passes("tolerates = [\"generatorCpu\"]", &run));
    }

    #[test]
    fn a_run_that_must_be_invalid_is_so_for_the_right_reason() {
        let load = "verdicts = [\"INVALID\"]\ninvalid_for = [\"outputs\", \"completeSamples\"]";
        assert!(passes(load, &doubted(&["outputs"])));
        assert!(!passes(load, &doubted(&["droppedIterations"])));
        assert!(!passes(load, &doubted(&["outputs", "droppedIterations"])));
        assert!(!passes(load, &doubted(&[])));
        assert!(!passes(load, &ended()));
    }
}
