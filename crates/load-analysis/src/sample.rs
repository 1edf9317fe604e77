//! One measurement of the load generator, borrowed from the line that carried it.

use std::borrow::Cow;

use crate::metric::{Contains, MetricKind};

/// One value of one metric. Nothing is copied out of the line unless it was escaped there.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    /// Microseconds since the Unix epoch. k6 stamps a request at its end, not at its start.
    pub time: i64,
    /// The metric's name, for example `http_req_duration`.
    pub metric: Cow<'a, str>,
    /// How values of this metric are put together.
    pub kind: MetricKind,
    /// The unit of the value.
    pub contains: Contains,
    /// The value in k6's unit: milliseconds for times, bytes for data. Always finite.
    pub value: f64,
    /// The tags of this sample. Samples of one request share them.
    pub tags: &'a Tags<'a>,
    /// The trace that it belongs to, where the script names one: 32 hexadecimal digits.
    pub trace_id: Option<&'a str>,
}

impl Sample<'_> {
    /// Whether it belongs to the load: those of setup and teardown, and k6's gauges, carry no
    /// scenario.
    #[must_use]
    pub fn is_load(&self) -> bool {
        self.tags
            .get("scenario")
            .is_some_and(|scenario| !scenario.is_empty())
    }
}

/// The tags of one sample, in the order of its line. A handful, so a list is quicker than a map.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tags<'a>(pub Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Tags<'_> {
    /// The value of a tag; `None` when the sample does not carry it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_ref())
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Tags<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}
