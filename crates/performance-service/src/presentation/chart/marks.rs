//! The bounds that a run's durations were held against.

use load_analysis::limits::Limit;
use load_analysis::results::Results;
use load_analysis::threshold::{Statistic, Threshold};

/// The metric that the strip of durations shows.
const DURATION: &str = "http_req_duration";

/// A bound on the durations: the strip of durations draws a line for it.
pub(crate) struct Mark {
    pub(crate) label: String,
    pub(crate) milliseconds: f64,
}

/// The bounds on percentiles of all requests: those of single endpoints belong to no line of the
/// picture.
pub(crate) fn marks(results: &Results) -> Vec<Mark> {
    let thresholds = results.thresholds.results.keys().filter_map(|name| {
        let (metric, expression) = name.rsplit_once(": ")?;
        let threshold = Threshold::parse(metric, expression).ok()?;
        let of_all = metric == DURATION;
        of_all.then(|| mark(threshold.expression.statistic, threshold.expression.bound))?
    });
    let limits = results.limits.iter().filter_map(|result| {
        let Limit {
            metric,
            tags,
            stat,
            target,
            ..
        } = &result.limit;
        let of_all = metric == DURATION && tags.is_empty();
        of_all.then(|| mark(*stat, *target))?
    });
    let mut marks: Vec<Mark> = thresholds.chain(limits).collect();
    marks.sort_by(|one, other| one.milliseconds.total_cmp(&other.milliseconds));
    let same = |one: &mut Mark, other: &mut Mark| {
        let equal = one.milliseconds.total_cmp(&other.milliseconds).is_eq();
        equal && one.label == other.label
    };
    marks.dedup_by(same);
    marks
}

fn mark(statistic: Statistic, milliseconds: f64) -> Option<Mark> {
    let percent = statistic.percent()?;
    Some(Mark {
        label: format!("p{percent}, limit"),
        milliseconds,
    })
}
