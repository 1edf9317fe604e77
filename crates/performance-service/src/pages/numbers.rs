//! Numbers as the pages write them: one locale, three significant digits.

/// `mm:ss`, or `h:mm:ss` from an hour on.
pub(super) fn run_time(seconds: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// Three significant digits; whole numbers from 1,000 on with a separator.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 999.5 {
        grouped(&format!("{value:.0}"))
    } else if size >= 99.95 || size == 0.0 {
        format!("{value:.0}")
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// A whole number with separators.
pub(super) fn whole(value: u64) -> String {
    grouped(&value.to_string())
}

/// Ends of axes are round numbers, so that zeros after the point say nothing.
pub(super) fn axis_label(value: f64) -> String {
    let text = number(value);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (0.8412, "0.84"),
            (84.12, "84.1"),
            (262.4, "262"),
            (1_240.2, "1,240"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
