//! How much the API's own counters grew.

use super::windows::pages_around;
use super::{Evidence, Judged};
use crate::plan::MetricBound;

pub(super) fn judge(bound: &MetricBound, evidence: &Evidence) -> Judged {
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
    if growth < 0.0 || last.is_of_another_process(first) {
        return Judged::untold(
            what,
            wanted,
            "the API counts from its start, which came later",
        );
    }
    let holds = bound.at_least.is_none_or(|least| growth >= least)
        && bound.at_most.is_none_or(|most| growth <= most);
    Judged::new(what, wanted, format!("{growth}"), holds)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::fixtures::evidence;
    use super::*;
    use crate::metrics::MetricsPage;

    const BOUND: &str = "during = \"one\"\nname = \"a\"\nat_most = 10";

    fn judged(counts: [u32; 2]) -> Verdict {
        let bound: MetricBound = toml::from_str(BOUND).expect("a bound");
        let mut seen = evidence(Vec::new());
        let page = |at: f64, count: u32| MetricsPage::of(at, format!("a {count}\n"));
        seen.pages = vec![page(5.0, counts[0]), page(8.0, counts[1])];
        judge(&bound, &seen).verdict
    }

    #[test]
    fn a_counter_of_another_process_tells_nothing() {
        let bound: MetricBound = toml::from_str(BOUND).expect("a bound");
        let mut seen = evidence(Vec::new());
        let page = |at: f64, count: u32, uptime: f64| {
            let text = format!("a {count}\nprocess_uptime_seconds {uptime}\n");
            MetricsPage::of(at, text)
        };
        for (uptime, verdict) in [(33.0, Verdict::Pass), (1.0, Verdict::Inconclusive)] {
            seen.pages = vec![page(5.0, 5, 30.0), page(8.0, 12, uptime)];
            assert_eq!(judge(&bound, &seen).verdict, verdict);
        }
    }

    #[test]
    fn a_counter_that_fell_tells_nothing() {
        assert_eq!(judged([5, 15]), Verdict::Pass);
        assert_eq!(judged([5, 16]), Verdict::Fail);
        assert_eq!(judged([5, 1]), Verdict::Inconclusive);
    }
}
