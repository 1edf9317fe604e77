//! The API's own counters, read when faults begin and end.

use instrumentation::catalogue::PROCESS_UPTIME;

use crate::api::Api;
use crate::plan::MetricBound;

/// How long the reading of a page may take, in seconds: by so much the begin of one process may
/// seem to move.
const READING: f64 = 3.0;

/// What a page of metrics said, and when.
#[derive(Debug, Clone)]
pub(crate) struct MetricsPage {
    /// In seconds from the first second of load.
    pub(crate) at: f64,
    text: String,
}

impl MetricsPage {
    /// Reads the page; `None` when the API does not answer.
    pub(crate) async fn read(api: &Api, at: f64) -> Option<Self> {
        let reply = api.get("/metrics").send().await.ok()?;
        let text = reply.error_for_status().ok()?.text().await.ok()?;
        Some(Self { at, text })
    }

    #[cfg(test)]
    pub(crate) const fn of(at: f64, text: String) -> Self {
        Self { at, text }
    }

    /// When the API began, in seconds from the first second of load.
    fn began(&self) -> Option<f64> {
        let name = PROCESS_UPTIME.prometheus;
        let mut values = self.text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            (series == name).then(|| value.parse::<f64>().ok())?
        });
        values.next().map(|uptime| self.at - uptime)
    }

    /// Whether another process gave this page than gave an earlier one.
    pub(crate) fn is_of_another_process(&self, earlier: &Self) -> bool {
        let began = self.began().zip(earlier.began());
        began.is_some_and(|(later, earlier)| later - earlier > READING)
    }

    /// All series of the bound's counter that have its labels, added up.
    pub(crate) fn sum(&self, bound: &MetricBound) -> f64 {
        let fits = |labels: &str| {
            let has =
                |(name, value): (&String, &String)| labels.contains(&format!("{name}=\"{value}\""));
            bound.labels.iter().all(has)
        };
        let lines = self.text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            (name == bound.name && fits(labels)).then(|| value.parse::<f64>().ok())?
        });
        lines.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_with_the_labels_are_added_up() {
        let page = MetricsPage {
            at: 0.0,
            text:
                "# TYPE a counter\na{x=\"1\",y=\"2\"} 3\na{x=\"1\",y=\"3\"} 4\na{x=\"2\"} 5\nab 9\n"
                    .to_owned(),
        };
        let bound = |labels: &str| -> MetricBound {
            let text = format!("during = \"always\"\nname = \"a\"\nlabels = {{ {labels} }}");
            toml::from_str(&text).expect("a bound")
        };
        assert!((page.sum(&bound("x = \"1\"")) - 7.0).abs() < f64::EPSILON);
        assert!((page.sum(&bound("")) - 12.0).abs() < f64::EPSILON);
    }
}
