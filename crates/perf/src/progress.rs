//! What is shown while a run goes on: on a terminal one line that changes, elsewhere a line for
//! each second.

use std::io::{IsTerminal, Write};

use load_analysis::escape;
use load_analysis::notation::{number, share};

use crate::service::Point;

/// Characters of the bar.
const BAR: usize = 20;

/// Back to the line's begin, the line cleared, and no wrapping until it is written: a line that
/// wrapped could not be cleared.
const REDRAW: &str = "\r\u{1b}[2K\u{1b}[?7l";
const WRAP_AGAIN: &str = "\u{1b}[?7h";
const CLEAR: &str = "\r\u{1b}[2K";

/// How much is shown, and how.
#[derive(Debug)]
pub(crate) struct Progress {
    style: Style,
    /// Seconds that the load is to take, where that was asked for.
    planned: Option<u64>,
    drawn: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Bar,
    Lines,
    Silent,
}

impl Progress {
    /// Progress on standard output; `planned` is a duration as k6 writes it.
    pub(crate) fn new(shown: bool, planned: Option<&str>) -> Self {
        let style = match (shown, std::io::stdout().is_terminal()) {
            (false, _) => Style::Silent,
            (true, true) => Style::Bar,
            (true, false) => Style::Lines,
        };
        Self {
            style,
            planned: planned.and_then(seconds),
            drawn: false,
        }
    }

    /// A line that stays.
    pub(crate) fn say(&mut self, text: &str) {
        if self.style == Style::Silent {
            return;
        }
        self.clear();
        write(&format!("  {}\n", escape::terminal(text)));
    }

    /// Seconds that have passed.
    pub(crate) fn seconds(&mut self, points: &[Point]) {
        match self.style {
            Style::Silent => {}
            Style::Lines => {
                for point in points {
                    write(&format!("{:>6} s  {}\n", point.t, figures(point)));
                }
            }
            Style::Bar => {
                let Some(point) = points.last() else {
                    return;
                };
                let bar = bar(point.t + 1, self.planned);
                write(&format!("{REDRAW}{bar}  {}{WRAP_AGAIN}", figures(point)));
                self.drawn = true;
            }
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            write(CLEAR);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A terminal that has gone ends no run.
fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn figures(point: &Point) -> String {
    let mut parts = Vec::new();
    if let Some(users) = point.virtual_users {
        parts.push(format!("{users:>4.0} VUs"));
    }
    parts.push(format!("{:>7} req/s", number(point.requests_per_second)));
    for (name, value) in [("p50", point.p50), ("p95", point.p95)] {
        if let Some(value) = value {
            parts.push(format!("{name} {:>6} ms", number(value)));
        }
    }
    if let Some(rate) = point.error_rate {
        parts.push(format!("failed {}", share(rate)));
    }
    let checks = point.checks_passed + point.checks_failed;
    if checks > 0 {
        parts.push(format!("checks {}/{checks}", point.checks_passed));
    }
    parts.extend(point.cost.as_ref().map(|cost| escape::terminal(&cost.text)));
    parts.join("  ")
}

/// `[##########----------] 00:30 / 01:00`, or the time alone.
fn bar(passed: u64, planned: Option<u64>) -> String {
    let clock = |seconds: u64| format!("{:02}:{:02}", seconds / 60, seconds % 60);
    let Some(planned) = planned.filter(|planned| *planned > 0) else {
        return clock(passed);
    };
    let share = passed.min(planned) * BAR as u64 / planned;
    let full = usize::try_from(share).unwrap_or(BAR);
    let (done, left) = ("#".repeat(full), "-".repeat(BAR - full));
    format!("[{done}{left}] {} / {}", clock(passed), clock(planned))
}

/// Whole seconds of a duration such as `1m30s`; `None` when it is none.
fn seconds(text: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, after) = rest.split_at(digits);
        let (size, unit) = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)]
            .into_iter()
            .find(|(unit, _)| after.starts_with(unit))
            .map(|(unit, size)| (size, unit))?;
        total += amount.parse::<f64>().ok()? * size;
        rest = after.strip_prefix(unit)?;
    }
    std::time::Duration::try_from_secs_f64(total)
        .ok()
        .map(|duration| duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Cost;

    #[test]
    fn durations_are_read_as_k6_writes_them() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("1m30s", Some(90)),
            ("1.5h", Some(5_400)),
            ("2500ms", Some(2)),
            ("soon", None),
            ("5", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn the_bar_ends_with_its_plan() {
        assert_eq!(bar(15, Some(60)), "[#####---------------] 00:15 / 01:00");
        assert_eq!(bar(75, Some(60)), "[####################] 01:15 / 01:00");
        assert_eq!(bar(75, None), "01:15");
    }

    #[test]
    fn a_second_shows_what_it_measured() {
        let point = Point {
            requests_per_second: 41.0,
            p95: Some(12.34),
            error_rate: Some(0.0),
            checks_passed: 4,
            checks_failed: 1,
            cost: Some(Cost {
                text: "sim $1.8700".to_owned(),
            }),
            ..Point::default()
        };
        assert_eq!(
            figures(&point),
            "     41 req/s  p95   12.3 ms  failed 0 %  checks 4/5  sim $1.8700"
        );
    }
}
