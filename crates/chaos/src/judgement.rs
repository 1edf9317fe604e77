//! Holds what was seen against the plan.

mod history;
pub(crate) mod windows;

use serde::Serialize;

use self::windows::{before, during, figures, pages_around, recovered, users};
use crate::faults::Happened;
use crate::ledger::Losses;
use crate::load::Ended;
use crate::metrics::MetricsPage;
use crate::plan::{Expectation, MetricBound, Plan};
use crate::samples::{Figures, Sample, share};

/// What an experiment left.
pub(crate) struct Evidence {
    pub(crate) samples: Vec<Sample>,
    pub(crate) ended: Ended,
    pub(crate) happened: Vec<Happened>,
    pub(crate) pages: Vec<MetricsPage>,
    pub(crate) losses: Losses,
    /// How long users asked.
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
}

impl Verdict {
    /// 0, 1 and 2.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Inconclusive => 1,
            Self::Fail => 2,
        }
    }

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Fail => "FAIL",
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
        judged.push(counted(bound, evidence));
    }
    for one in &evidence.happened {
        judged.push(recovery(plan, one, evidence));
        for wrong in &one.wrong {
            let wanted = "done as planned".to_owned();
            judged.push(Judged::new(one.name.clone(), wanted, wrong.clone(), false));
        }
    }
    judged.push(losses(&evidence.losses));
    judged.extend(run_of_load(plan, &evidence.ended));
    judged.extend(history::judge(plan, &evidence.ended));
    judged
}

fn steady(plan: &Plan, evidence: &Evidence) -> Judged {
    let window = before(&evidence.happened, evidence.seconds);
    let seen = figures(&evidence.samples, window, &users);
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
    let seen = figures(&evidence.samples, window.clone(), &of_probe);
    let meant =
        |sample: &Sample| of_probe(sample) && status.iter().any(|one| one.is(sample.answer));
    let right = figures(&evidence.samples, window, &meant).requests;
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

fn counted(bound: &MetricBound, evidence: &Evidence) -> Judged {
    let labels: Vec<String> = bound
        .labels
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    let what = format!("{} {}, {}", bound.name, labels.join(" "), bound.during.0);
    let limits = [("at least", bound.at_least), ("at most", bound.at_most)];
    let limits = limits.iter().filter_map(|(word, limit)| {
        let limit = (*limit)?;
        Some(format!("{word} {limit}"))
    });
    let wanted = limits.collect::<Vec<_>>().join(", ");
    let Some((first, last)) = pages_around(&bound.during, evidence) else {
        return Judged::untold(what, wanted, "the API gave no metrics");
    };
    let growth = last.sum(bound) - first.sum(bound);
    let holds = bound.at_least.is_none_or(|least| growth >= least)
        && bound.at_most.is_none_or(|most| growth <= most);
    Judged::new(what, wanted, format!("{growth}"), holds)
}

fn recovery(plan: &Plan, one: &Happened, evidence: &Evidence) -> Judged {
    let within = plan.recovery.within;
    let what = format!("recovery after {}", one.name);
    let wanted = format!("within {within} s");
    let took = match recovered(one, evidence, within) {
        Ok(took) => took,
        Err(why) => return Judged::untold(what, wanted, why),
    };
    let actual = if took <= 0.0 {
        "at once".to_owned()
    } else {
        format!("{took:.2} s until the last wrong answer")
    };
    Judged::new(what, wanted, actual, took <= within)
}

fn losses(found: &Losses) -> Judged {
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
    let wanted = "lost 0, phantom 0, duplicate 0".to_owned();
    Judged::new("writes".to_owned(), wanted, actual, found.is_none())
}

fn run_of_load(plan: &Plan, ended: &Ended) -> Vec<Judged> {
    let verdict = ended.verdict.clone().unwrap_or_default();
    let mut judged = Vec::new();
    if !plan.load.verdicts.is_empty() {
        let wanted = plan.load.verdicts.join(" or ");
        let holds = plan.load.verdicts.contains(&verdict);
        let actual = format!("{verdict}: {}", ended.reasons.join("; "));
        judged.push(Judged::new("the run".to_owned(), wanted, actual, holds));
    }
    if let Some(words) = &plan.load.fails_with {
        let error = ended.error.clone().unwrap_or_default();
        let holds = error.contains(words.as_str());
        let wanted = format!("fails with {words:?}");
        judged.push(Judged::new("the run".to_owned(), wanted, error, holds));
    }
    judged
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
