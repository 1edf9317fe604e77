//! `OpenMetrics` 1.0 out of the exporter's text, with exemplars.
//!
//! Source: <https://github.com/OpenObservability/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, PoisonError},
    time::UNIX_EPOCH,
};

use super::{Exemplars, Series};

/// The same metrics in the other format: a counter's family has no `_total`, which only its samples
/// carry; there are no empty lines, buckets and dollars have their exemplars, and the end is marked.
pub(crate) fn openmetrics(text: &str, exemplars: &Exemplars) -> String {
    let known = exemplars.series.read();
    let known = known.unwrap_or_else(PoisonError::into_inner);
    let series: HashMap<&str, &Arc<Series>> = known
        .values()
        .map(|series| (series.prefix.as_str(), series))
        .collect();
    let mut converted = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.is_empty()) {
        match described(line) {
            Some((keyword, family, rest)) => {
                let family = family.strip_suffix("_total").unwrap_or(family);
                converted.extend([keyword, family, " ", rest]);
            }
            None => {
                converted.push_str(line);
                add_exemplar(&mut converted, line, &series);
            }
        }
        converted.push('\n');
    }
    converted.push_str("# EOF\n");
    converted
}

/// Keyword, family and the rest of a line that describes a family.
fn described(line: &str) -> Option<(&str, &str, &str)> {
    let (keyword, rest) = ["# HELP ", "# TYPE "]
        .into_iter()
        .find_map(|keyword| Some((keyword, line.strip_prefix(keyword)?)))?;
    let (family, rest) = rest.split_once(' ')?;
    Some((keyword, family, rest))
}

/// Adds the exemplar of a bucket's or a counter's line, if it is one and has one.
fn add_exemplar(
    converted: &mut String,
    line: &str,
    series: &HashMap<&str, &Arc<Series>>,
) -> Option<()> {
    let (labels, _count) = line.rsplit_once("\"} ")?;
    let exemplar = match series.get(labels) {
        Some(counter) => counter.exemplar(0)?,
        None => {
            let begin = labels.rfind("le=\"")? + "le=\"".len();
            let (prefix, bound) = labels.split_at_checked(begin)?;
            let series = series.get(prefix)?;
            // Rust reads +Inf, which lies beyond all bounds, as Prometheus writes it.
            series.exemplar(series.bucket(bound.parse().ok()?))?
        }
    };
    let at = exemplar.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (trace_id, value) = (exemplar.trace_id.as_str(), exemplar.value);
    write!(
        converted,
        " # {{trace_id=\"{trace_id}\"}} {value} {:.3}",
        at.as_secs_f64()
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let text = "# HELP a_total Of a_total.\n# TYPE a_total counter\na_total{x=\"y\"} 1\n\n\
                    # TYPE b gauge\nb 2\n\n";
        assert_eq!(
            openmetrics(text, &Exemplars::new()),
            "# HELP a Of a_total.\n# TYPE a counter\na_total{x=\"y\"} 1\n\
             # TYPE b gauge\nb 2\n# EOF\n"
        );
    }
}
