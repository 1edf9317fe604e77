//! Holds what was seen against the plan.

mod counters;
#[cfg(test)]
pub(crate) mod fixtures;
mod history;
mod of_load;
mod recovery;
pub(crate) mod windows;

use serde::Serialize;

use self::windows::{before, during, figures, users};
use crate::faults::Happened;
use crate::ledger::Losses;
use crate::load::Ended;
use crate::metrics::MetricsPage;
use crate::plan::{Expectation, Plan};
use crate::samples::{Figures, Sample, share};

/// What an experiment left.
pub(crate) struct Evidence {
    pub(crate) samples: Vec<Sample>,
    pub(crate) ended: Ended,
    pub(crate) happened: Vec<Happened>,
    pub(crate) pages: Vec<MetricsPage>,
    /// The store held against the ledger; or why it could not be read.
    pub(crate) losses: Result<Losses, String>,
    /// When users ceased to ask.
    pub(crate) seconds: f64,
    /// What is to be known of the load.
    pub(crate) note: Option<String>,
}

/// What an experiment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Everything that the plan wants came true.
    Pass,
    /// Something could not be told: the system was not steady before it was broken, or nobody
    /// asked at the moment in question.
    Inconclusive,
    /// Something that the plan wants did not come true.
    Fail,
    /// There was no experiment: its stack did not start, or a fault could not be caused.
    Broken,
}

impl Verdict {
    /// 0, 1, 2 and 3.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Inconclusive => 1,
            Self::Fail => 2,
            Self::Broken => 3,
        }
    }

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Fail => "FAIL",
            Self::Broken => "BROKEN",
        }
    }
}

/// One thing that was wanted, and what came.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// What is judged.
    pub what: String,
    /// What was wanted.
    pub wanted: String,
    /// What came.
    pub actual: String,
    /// What follows.
    pub verdict: Verdict,
}

impl Judged {
    fn new(what: String, wanted: String, actual: String, holds: bool) -> Self {
        let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
        Self {
            what,
            wanted,
            actual,
            verdict,
        }
    }

    fn untold(what: String, wanted: String, actual: &str) -> Self {
        Self {
            what,
            wanted,
            actual: actual.to_owned(),
            verdict: Verdict::Inconclusive,
        }
    }
}

/// Everything that the plan wants, in its order.
pub(crate) fn judge(plan: &Plan, evidence: &Evidence) -> Vec<Judged> {
    let mut judged = vec![steady(plan, evidence)];
    for expectation in &plan.expectations {
        judged.push(expected(expectation, evidence));
    }
    for bound in &plan.metrics {
        judged.push(counters::judge(bound, evidence));
    }
    for one in &evidence.happened {
        judged.push(recovery::judge(plan, one, evidence));
        for wrong in &one.wrong {
            let wanted = "done as planned".to_owned();
            judged.push(Judged::new(one.name.clone(), wanted, wrong.clone(), false));
        }
    }
    judged.push(losses(&evidence.losses));
    judged.extend(of_load::judge(plan, &evidence.ended));
    judged.extend(history::judge(plan, &evidence.ended));
    judged
}

fn steady(plan: &Plan, evidence: &Evidence) -> Judged {
    let window = before(&evidence.happened, evidence.seconds);
    let seen = figures(&evidence.samples, &window, &users);
    let (least, most) = (plan.steady.share, plan.steady.p95_ms);
    let what = "steady before the first fault".to_owned();
    let wanted = format!("right >= {}, p95 <= {most:.0} ms", percent(least));
    let (Some(right), Some(p95)) = (seen.right, seen.p95_ms) else {
        return Judged::untold(what, wanted, "nobody asked");
    };
    let actual = format!("right {}, p95 {p95:.0} ms", percent(right));
    if right >= least && p95 <= most {
        Judged::new(what, wanted, actual, true)
    } else {
        Judged::untold(what, wanted, &actual)
    }
}

fn expected(expectation: &Expectation, evidence: &Evidence) -> Judged {
    let Expectation {
        probe,
        status,
        share: least,
        p95_ms,
        max_ms,
        ..
    } = expectation;
    let codes: Vec<String> = status.iter().map(ToString::to_string).collect();
    let mut wanted = format!("{} >= {}", codes.join(" or "), percent(*least));
    for (name, bound) in [("p95", p95_ms), ("longest", max_ms)] {
        if let Some(bound) = bound {
            wanted.push_str(&format!(", {name} <= {bound:.0} ms"));
        }
    }
    let what = format!("{probe}, {}", expectation.during.0);
    let window = during(expectation, evidence);
    let of_probe = |sample: &Sample| sample.probe == probe.as_str();
    let seen = figures(&evidence.samples, &window, &of_probe);
    let meant = |sample: &Sample| {
        let as_before = sample.right && window.is_at_edge(sample);
        of_probe(sample) && (as_before || status.iter().any(|one| one.is(sample.answer)))
    };
    let right = figures(&evidence.samples, &window, &meant).requests;
    let (Some(right), Some(p95), Some(longest)) =
        (share(right, seen.requests), seen.p95_ms, seen.max_ms)
    else {
        return Judged::untold(what, wanted, "nobody asked");
    };
    let holds = right >= *least
        && p95_ms.is_none_or(|most| p95 <= most)
        && max_ms.is_none_or(|most| longest <= most);
    let actual = format!(
        "{} of {}, p95 {p95:.0} ms, longest {longest:.0} ms; {}",
        percent(right),
        seen.requests,
        classes(&seen)
    );
    Judged::new(what, wanted, actual, holds)
}

fn losses(found: &Result<Losses, String>) -> Judged {
    let what = "writes".to_owned();
    let wanted = "lost 0, phantom 0, duplicate 0".to_owned();
    let found = match found {
        Ok(found) => found,
        Err(why) => return Judged::new(what, wanted, why.clone(), false),
    };
    let actual = format!(
        "lost {}, phantom {}, duplicate {} of {} ({} acknowledged, {} refused, {} unknown)",
        found.lost,
        found.phantom,
        found.duplicate,
        found.asked,
        found.acknowledged,
        found.refused,
        found.unknown
    );
    Judged::new(what, wanted, actual, found.is_none())
}

/// `1,234 x 2xx, 5 x 503` would need all codes; classes are enough to see what came.
pub(crate) fn classes(figures: &Figures) -> String {
    let counts = [
        ("2xx", figures.status_2xx),
        ("4xx", figures.status_4xx),
        ("5xx", figures.status_5xx),
        ("stream errors", figures.stream_errors),
        ("unreached", figures.unreached),
        ("unanswered", figures.nothing),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let words: Vec<String> = counts
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    words.join(", ")
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::fixtures::{evidence, sample};
    use super::*;
    use crate::samples::Answer;

    fn verdict(samples: Vec<Sample>) -> Verdict {
        let text = "during = \"one\"\nprobe = \"list\"\nstatus = [503]\nmax_ms = 2_000";
        let expectation = toml::from_str(text).expect("an expectation");
        expected(&expectation, &evidence(samples)).verdict
    }

    fn refused(at: f64) -> Sample {
        Sample {
            answer: Answer::Status(503),
            ..sample(at, false)
        }
    }

    #[test]
    fn what_was_under_way_when_the_fault_began_must_be_answered() {
        let refusals = || vec![refused(5.5), refused(6.5)];
        let and = |one: Sample| verdict([refusals(), vec![one]].concat());
        assert_eq!(verdict(refusals()), Verdict::Pass);
        // As before the fault, or as in it; but not as neither, and not late.
        assert_eq!(and(sample(4.95, true)), Verdict::Pass);
        assert_eq!(and(refused(4.95)), Verdict::Pass);
        assert_eq!(and(sample(4.95, false)), Verdict::Fail);
        let mut late = sample(4.95, true);
        late.took_ms = 2_100.0;
        assert_eq!(and(late), Verdict::Fail);
        // In its middle only the fault's own answer will do; near its end either.
        assert_eq!(and(sample(6.0, true)), Verdict::Fail);
        assert_eq!(and(sample(7.5, true)), Verdict::Pass);
        assert_eq!(and(sample(7.5, false)), Verdict::Fail);
    }

    #[test]
    fn a_store_that_cannot_be_read_keeps_no_promise() {
        assert_eq!(losses(&Ok(Losses::default())).verdict, Verdict::Pass);
        let unread = losses(&Err("the API does not answer".to_owned()));
        assert_eq!(unread.verdict, Verdict::Fail);
    }
}
