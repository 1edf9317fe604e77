//! How long something is waited for, as a setting.

use std::{str::FromStr, time::Duration};

/// The longest wait that can be set; longer ones would outlive every caller.
const LONGEST: Duration = Duration::from_secs(600);

/// A wait such as `250ms` or `10s`: above 0 and at most ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl FromStr for Patience {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "must be a time such as 250ms or 10s, above 0, at most 10 minutes";
        let time: jiff::SignedDuration = text.parse().map_err(|_| EXPECTED)?;
        Duration::try_from(time)
            .ok()
            .filter(|time| !time.is_zero() && *time <= LONGEST)
            .map(Self)
            .ok_or(EXPECTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_within_their_bounds() {
        for (text, milliseconds) in [("250ms", 250), ("10s", 10_000), ("10m", 600_000)] {
            let expected = Patience(Duration::from_millis(milliseconds));
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "0s", "-1s", "15", "601s", "1e9h", "soon"] {
            assert!(text.parse::<Patience>().is_err(), "{text}");
        }
    }
}
