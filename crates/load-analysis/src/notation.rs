//! Numbers as people read them, the same in sentences and on pages: one locale, three
//! significant digits, and a unit where one belongs.

use crate::metric::{Contains, MetricKind};
use crate::threshold::Statistic;

/// Decimals of the smallest values: nanoseconds in milliseconds have six.
const MOST_DECIMALS: usize = 9;

/// Three significant digits. Whole numbers have no decimals, and from 1,000 on a separator. What is
/// not nothing does not read as such, down to a billionth.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 99.95 || size.fract() == 0.0 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.005 {
        2
    } else {
        decimals_of_small(size)
    };
    grouped(&format!("{value:.decimals$}"))
}

/// As many as it takes to its first digit.
fn decimals_of_small(size: f64) -> usize {
    let (mut decimals, mut scaled) = (3, size * 1_000.0);
    while scaled < 1.0 && decimals < MOST_DECIMALS {
        scaled *= 10.0;
        decimals += 1;
    }
    decimals
}

/// A count with separators.
#[must_use]
pub fn whole(count: u64) -> String {
    grouped(&count.to_string())
}

/// So many of what has a plural in `s`: `1 sample`, `1,200 samples`.
#[must_use]
pub fn counted(count: u64, singular: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", whole(count))
}

/// A share of 0 to 1 in percent. What is not all and not nothing never reads as such.
#[must_use]
pub fn share(share: f64) -> String {
    match share {
        share if share <= 0.0 => "0 %".to_owned(),
        share if share >= 1.0 => "100 %".to_owned(),
        share if share < 0.000_1 => "< 0.01 %".to_owned(),
        share if share > 0.999_9 => "> 99.99 %".to_owned(),
        share => format!("{:.2} %", share * 100.0),
    }
}

/// A time of some seconds: `5 min 40 s`.
#[must_use]
pub fn time(seconds: f64) -> String {
    let rounded = crate::number::whole(seconds.round());
    match (rounded / 60, rounded % 60) {
        (0, _) => format!("{} s", number(seconds)),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// What a value of a statistic is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Share,
    Plain(&'static str),
}

impl Unit {
    pub(crate) const fn of(statistic: Statistic, kind: MetricKind, contains: Contains) -> Self {
        Self::Plain(match (statistic, kind, contains) {
            (Statistic::Rate, MetricKind::Rate, _) => return Self::Share,
            (Statistic::Rate, _, Contains::Data) => " bytes/s",
            (Statistic::Rate, _, _) => "/s",
            (_, _, Contains::Data) => " bytes",
            (Statistic::Count, _, _) | (_, _, Contains::Default) => "",
            (_, _, Contains::Time) => " ms",
        })
    }

    /// A value beside a bound that it was held against: as many digits as tell them apart, up
    /// to three decimals.
    pub(crate) fn beside(self, value: f64, bound: f64) -> String {
        let (text, same, scale) = match self {
            Self::Share => (share(value), share(value) == share(bound), 100.0),
            Self::Plain(unit) => {
                let text = number(value);
                let same = text == number(bound);
                (format!("{text}{unit}"), same, 1.0)
            }
        };
        if !same || (value - bound).abs() < f64::EPSILON {
            return text;
        }
        let precise = grouped(&format!("{:.3}", value * scale));
        match self {
            Self::Share => format!("{precise} %"),
            Self::Plain(unit) => format!("{precise}{unit}"),
        }
    }
}

fn grouped(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (integer, fraction) = match digits.find('.') {
        Some(point) => digits.split_at(point),
        None => (digits, ""),
    };
    let mut written = String::from(sign);
    for (index, digit) in integer.chars().enumerate() {
        if index > 0 && (integer.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (0.8412, "0.84"),
            (0.0061, "0.01"),
            (0.0042, "0.004"),
            (-0.000_31, "-0.0003"),
            (34.0, "34"),
            (84.12, "84.1"),
            (262.4, "262"),
            (1_240.2, "1,240"),
            (-1_234_567.0, "-1,234,567"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(whole(7_183), "7,183");
    }

    #[test]
    fn the_ends_of_a_share_are_guarded() {
        for (value, expected) in [
            (0.0, "0 %"),
            (0.000_03, "< 0.01 %"),
            (0.003_1, "0.31 %"),
            (0.999_99, "> 99.99 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(share(value), expected);
        }
    }

    #[test]
    fn a_value_beside_its_bound_has_a_unit_and_differs_from_it() {
        let check = |statistic, kind, contains, (value, bound), expected: &str| {
            let unit = Unit::of(statistic, kind, contains);
            assert_eq!(unit.beside(value, bound), expected);
        };
        let (trend, time) = (MetricKind::Trend, Contains::Time);
        let p95 = Statistic::Percentile(95.0);
        check(p95, trend, time, (812.4, 500.0), "812 ms");
        check(p95, trend, time, (1_500.041, 1_500.0), "1,500.041 ms");
        check(p95, trend, Contains::Default, (12.04, 5.0), "12.0");
        let (counter, data) = (MetricKind::Counter, Contains::Data);
        check(
            Statistic::Count,
            counter,
            data,
            (9e6, 1.0),
            "9,000,000 bytes",
        );
        check(Statistic::Rate, counter, data, (12.34, 1.0), "12.3 bytes/s");
        let plain = Contains::Default;
        check(Statistic::Rate, counter, plain, (50.0, 50.0), "50/s");
        let rate = MetricKind::Rate;
        check(Statistic::Rate, rate, plain, (1.0, 0.01), "100 %");
        check(Statistic::Rate, rate, plain, (0.010_02, 0.01), "1.002 %");
    }
}
