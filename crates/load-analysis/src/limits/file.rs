//! Limits as a TOML file, read strictly: what is not understood is refused, with its line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::{Limit, Window};
use crate::objective::{Better, Priority};
use crate::series::SeriesTags;
use crate::threshold::{Selector, Statistic};
use crate::unit::Unit;

/// Limits of a file: a script has about ten metrics that matter, in a few classes of routes.
pub const MAX_LIMITS: usize = 100;

/// A file of [`MAX_LIMITS`] with comments is well below it.
pub const MAX_FILE_BYTES: usize = 64 * 1024;

/// Values of tags beyond those that every run is kept apart by, in one file. Each of them may double
/// the series of the metrics that carry it, of which a run has a bounded number.
pub const MAX_OWN_TAG_VALUES: usize = 20;

/// The longest name of a tag.
const MAX_TAG_NAME: usize = 64;

/// The longest tag value; samples with longer ones are not kept apart.
const MAX_TAG_LENGTH: usize = crate::aggregate::MAX_TAG_LENGTH;

/// A file that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct InvalidLimits {
    /// Everything that is wrong with it, in the order of its lines. A file that is no TOML, or
    /// has a key that is not known, has its first problem only.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    limit: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    metric: Spanned<String>,
    #[serde(default)]
    tags: BTreeMap<Spanned<String>, Spanned<String>>,
    stat: Spanned<String>,
    target: Spanned<f64>,
    warning: Option<Spanned<f64>>,
    unit: Spanned<String>,
    priority: Option<Spanned<String>>,
    window: Option<Spanned<String>>,
    better: Option<Spanned<Better>>,
}

pub(super) fn parse(text: &str) -> Result<Vec<Limit>, InvalidLimits> {
    let one = |line, reason: String| InvalidLimits {
        problems: vec![Problem { line, reason }],
    };
    if text.len() > MAX_FILE_BYTES {
        return Err(one(
            1,
            format!("the file is larger than {MAX_FILE_BYTES} bytes"),
        ));
    }
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        one(line_of(text, at), error.message().to_owned())
    })?;
    if file.limit.is_empty() {
        return Err(one(1, "there is no [[limit]]".to_owned()));
    }
    if let Some(next) = file.limit.get(MAX_LIMITS) {
        let reason = format!("more than {MAX_LIMITS} limits");
        return Err(one(line_of(text, next.span().start), reason));
    }
    let mut problems = Problems {
        text,
        found: Vec::new(),
    };
    let mut limits: Vec<Limit> = Vec::new();
    for entry in file.limit {
        let start = entry.span().start;
        let Some(limit) = problems.read(entry.into_inner()) else {
            continue;
        };
        if limits.iter().any(|known| is_same(known, &limit)) {
            problems.add(
                start,
                format!("{} has a limit for this window already", limit.name()),
            );
        }
        limits.push(limit);
    }
    let own = Limit::wanted_tags(&limits);
    let own: usize = own.values().map(BTreeSet::len).sum();
    if own > MAX_OWN_TAG_VALUES {
        let names = SeriesTags::NAMES.join(" ");
        let reason = format!(
            "{own} values of tags other than {names}; at most {MAX_OWN_TAG_VALUES} are kept apart"
        );
        problems.add(0, reason);
    }
    if problems.found.is_empty() {
        return Ok(limits);
    }
    problems.found.sort_by_key(|problem| problem.line);
    Err(InvalidLimits {
        problems: problems.found,
    })
}

fn is_same(a: &Limit, b: &Limit) -> bool {
    let of = |limit: &Limit| (limit.stat, limit.window);
    a.metric == b.metric && a.tags == b.tags && of(a) == of(b)
}

/// A metric's name without tags; those have a key of their own.
fn metric_name(text: &str) -> Option<String> {
    let selector = Selector::parse(text).ok()?;
    selector.tags.is_empty().then_some(selector.metric)
}

fn is_tag_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=MAX_TAG_NAME).contains(&name.len()) && name.chars().all(allowed)
}

/// The line of a position, counted from 1.
fn line_of(text: &str, position: usize) -> usize {
    let before = text.as_bytes().get(..position).unwrap_or_default();
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// What was found wrong so far.
struct Problems<'t> {
    text: &'t str,
    found: Vec<Problem>,
}

impl Problems<'_> {
    fn add(&mut self, position: usize, reason: String) {
        let line = line_of(self.text, position);
        self.found.push(Problem { line, reason });
    }

    /// What a text means, or a problem at its place.
    fn meaning<T>(
        &mut self,
        text: &Spanned<String>,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let meaning = parse(text.get_ref());
        if meaning.is_none() {
            let reason = format!("`{}` is not known: {expected}", text.get_ref());
            self.add(text.span().start, reason);
        }
        meaning
    }

    /// One limit, when nothing is wrong with it.
    fn read(&mut self, entry: Entry) -> Option<Limit> {
        let stat_expected = "stat is count, rate, value, avg, min, med, max or p(N)";
        let stat = self.meaning(&entry.stat, Statistic::parse, stat_expected);
        let units = format!("unit is one of {}", Unit::names());
        let unit = self.meaning(&entry.unit, Unit::parse, &units);
        let metric_expected = "a metric name is made of letters, digits and underscores";
        let metric = self.meaning(&entry.metric, metric_name, metric_expected);
        let priority = match &entry.priority {
            None => Some(Priority::P1),
            Some(text) => self.meaning(text, Priority::parse, "priority is P0, P1 or P2"),
        };
        let window_expected = "window is run, steady, `every 30s` or `60s to 5m`";
        let window = match &entry.window {
            None => Some(Window::default()),
            Some(text) => self.meaning(text, Window::parse, window_expected),
        };
        let tags = self.tags(entry.tags);
        let (stat, unit, metric) = (stat?, unit?, metric?);
        if !unit.fits(stat) {
            let (stat, unit) = (stat.name(), unit.as_str());
            self.add(
                entry.unit.span().start,
                format!("`{stat}` is not counted in {unit}"),
            );
            return None;
        }
        let better = match entry.better {
            Some(better) => better.into_inner(),
            None => Better::of(&metric, stat),
        };
        let (target, warning) = self.bounds(better, &entry.target, entry.warning.as_ref())?;
        Some(Limit {
            metric,
            tags: tags?,
            stat,
            target: unit.to_k6(target),
            warning: unit.to_k6(warning),
            unit,
            priority: priority?,
            window: window?,
            better,
        })
    }

    fn tags(
        &mut self,
        tags: BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> Option<BTreeMap<String, String>> {
        let mut read = BTreeMap::new();
        let before = self.found.len();
        for (name, value) in tags {
            let at = name.span().start;
            let (name, value) = (name.into_inner(), value.into_inner());
            if !is_tag_name(&name) {
                let reason = format!(
                    "`{name}` is no name of a tag: 1 to {MAX_TAG_NAME} letters, digits, `_`, `-` \
                     and `.`"
                );
                self.add(at, reason);
            } else if value.is_empty() || value.len() > MAX_TAG_LENGTH {
                self.add(
                    at,
                    format!("the value of `{name}` has 1 to {MAX_TAG_LENGTH} bytes"),
                );
            }
            read.insert(name, value);
        }
        (self.found.len() == before).then_some(read)
    }

    /// Target and outer bound, the latter on the other side of the target from where values
    /// should be.
    fn bounds(
        &mut self,
        better: Better,
        target: &Spanned<f64>,
        warning: Option<&Spanned<f64>>,
    ) -> Option<(f64, f64)> {
        let outer = warning.unwrap_or(target);
        for bound in [target, outer] {
            let value = *bound.get_ref();
            if !value.is_finite() || value < 0.0 {
                self.add(
                    bound.span().start,
                    "a bound is a number from 0 on".to_owned(),
                );
                return None;
            }
        }
        let (wanted, last) = (*target.get_ref(), *outer.get_ref());
        if better.harm(last - wanted) < 0.0 {
            let (word, order) = match better {
                Better::Lower => ("lower", "below"),
                Better::Higher => ("higher", "above"),
            };
            let reason = format!(
                "{word} is better here, so that warning must not be {order} target: {last} and \
                 {wanted}"
            );
            self.add(outer.span().start, reason);
            return None;
        }
        Some((wanted, last))
    }
}
