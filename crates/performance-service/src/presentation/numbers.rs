//! Numbers as the pages write them: as sentences do, and times and axes.

pub(crate) use load_analysis::notation::{number, share, whole};

/// `mm:ss`, or `h:mm:ss` from an hour on.
pub(crate) fn run_time(seconds: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// Ends of axes are round numbers, so that zeros after the point say nothing.
pub(crate) fn axis_label(value: f64) -> String {
    let small = value > 0.0 && value < 0.01;
    let text = if small {
        format!("{value:.8}")
    } else {
        number(value)
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A length in a picture's own units.
pub(crate) fn px(value: f64) -> String {
    format!("{value:.1}")
}
