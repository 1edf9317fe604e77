//! Which way a measure should go: as the limits of the run say, else as it is named, else nobody
//! knows, and it becomes another one, neither better nor worse.

use load_analysis::limits::Limit;
use load_analysis::metric::Contains;
use load_analysis::objective::Better;
use load_analysis::results::MetricResult;
use load_analysis::threshold::Statistic;

/// Parts of names that say that less of it is better: what went wrong.
const NAMES_OF_WRONG: [&str; 6] = ["fail", "error", "wrong", "timeout", "reject", "dropped"];

/// The same of what is waited or paid for, and k6's own that do not say so otherwise.
const NAMES_OF_BURDENS: [&str; 9] = [
    "duration",
    "latency",
    "delay",
    "ttft",
    "cost",
    "usd",
    "dollar",
    "data_sent",
    "browser_web_vital",
];

/// The direction of a rate.
pub(super) fn of_rate(metric: &str, limits: &[&Limit]) -> Option<Better> {
    by_limits(metric, limits).or_else(|| names_one_of(metric, &NAMES_OF_WRONG))
}

/// The direction of a figure: one of a trend, or a counter by the second.
pub(super) fn of_figures(
    name: &str,
    (metric, statistic): (&MetricResult, Statistic),
    limits: &[&Limit],
) -> Option<Better> {
    let whole = name.split('{').next().unwrap_or(name);
    by_limits(whole, limits).or_else(|| by_nature(whole, metric.contains, statistic))
}

/// What limits say of a metric, whatever part and statistic of it they are on; nothing where one
/// holds it up and another one down.
fn by_limits(metric: &str, limits: &[&Limit]) -> Option<Better> {
    let on_it = limits.iter().filter(|limit| limit.metric == metric);
    let mut directions = on_it.map(|limit| limit.better);
    let first = directions.next()?;
    directions.all(|other| other == first).then_some(first)
}

fn by_nature(metric: &str, contains: Contains, statistic: Statistic) -> Option<Better> {
    if Better::of(metric, statistic) == Better::Higher {
        return Some(Better::Higher);
    }
    if contains == Contains::Time {
        return Some(Better::Lower);
    }
    names_one_of(metric, &NAMES_OF_WRONG).or_else(|| names_one_of(metric, &NAMES_OF_BURDENS))
}

fn names_one_of(metric: &str, parts: &[&str]) -> Option<Better> {
    let has_one = parts.iter().any(|part| metric.contains(part));
    has_one.then_some(Better::Lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_went_wrong_or_nothing() {
        let rate = |metric| of_rate(metric, &[]);
        for metric in ["operation_failed", "error_answer_wrong", "request_timeouts"] {
            assert_eq!(rate(metric), Some(Better::Lower), "{metric}");
        }
        for metric in ["cache_hit", "login_ok", "used_fallback"] {
            assert_eq!(rate(metric), None, "{metric}");
        }
    }

    #[test]
    fn a_figure_goes_one_way_only_where_its_kind_or_name_says_so() {
        let of = |metric: &str, contains| by_nature(metric, contains, Statistic::Rate);
        for (metric, contains, expected) in [
            ("http_reqs", Contains::Default, Some(Better::Higher)),
            ("iterations", Contains::Default, Some(Better::Higher)),
            ("dropped_iterations", Contains::Default, Some(Better::Lower)),
            ("checkout_took", Contains::Time, Some(Better::Lower)),
            (
                "ai_cost_per_call_pico_usd",
                Contains::Default,
                Some(Better::Lower),
            ),
            ("errors_5xx", Contains::Default, Some(Better::Lower)),
            ("orders_placed", Contains::Default, None),
            ("answer_length", Contains::Default, None),
            ("thumbnail_size", Contains::Data, None),
        ] {
            assert_eq!(of(metric, contains), expected, "{metric}");
        }
    }

    #[test]
    fn a_limit_says_which_way_a_metric_goes() {
        let file = |better: &str, stat: &str| {
            let text = format!(
                "[[limit]]\nmetric = \"orders\"\nstat = \"{stat}\"\ntarget = 5\nunit = \"count\"\n{better}"
            );
            Limit::parse_file(&text).unwrap().remove(0)
        };
        let (least, most) = (file("better = \"higher\"", "med"), file("", "max"));
        assert_eq!(by_limits("orders", &[&least]), Some(Better::Higher));
        assert_eq!(by_limits("orders", &[&most, &most]), Some(Better::Lower));
        assert_eq!(by_limits("orders", &[&least, &most]), None);
        assert_eq!(by_limits("others", &[&least]), None);
        assert_eq!(of_rate("orders", &[&least]), Some(Better::Higher));
    }
}
