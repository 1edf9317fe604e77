//! The six shapes of load that clients may ask for by name or number, as data.

use crate::runs::request::Limits;

/// A shape of load. The numbers and names are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scenario {
    /// Few users, short: does it work at all?
    Smoke,
    /// The expected load.
    Load,
    /// Load that grows until something gives.
    Stress,
    /// A sudden peak and the time after it.
    Spike,
    /// The expected load for a long time.
    Soak,
    /// The expected load on much data.
    Volume,
}

/// What a quick start asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Preset {
    /// Virtual users.
    pub(crate) virtual_users: u32,
    /// The duration, as k6 spells it.
    pub(crate) duration: &'static str,
    /// The limits on duration and failures; `None` where the original has none.
    pub(crate) limits: Option<Limits>,
}

impl Scenario {
    /// All of them; the index is the number that clients send.
    pub(crate) const ALL: [Self; 6] = [
        Self::Smoke,
        Self::Load,
        Self::Stress,
        Self::Spike,
        Self::Soak,
        Self::Volume,
    ];

    /// Reads a name in any case, or a number from 0 to 5.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let by_number = || {
            let number: usize = text.parse().ok()?;
            Self::ALL.get(number).copied()
        };
        Self::ALL
            .into_iter()
            .find(|scenario| scenario.name().eq_ignore_ascii_case(text))
            .or_else(by_number)
    }

    /// What a test of it is called that nobody named.
    #[must_use]
    pub(crate) fn default_name(self) -> String {
        format!("{} test", self.name())
    }

    /// The name as the API writes it.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Smoke => "Smoke",
            Self::Load => "Load",
            Self::Stress => "Stress",
            Self::Spike => "Spike",
            Self::Soak => "Soak",
            Self::Volume => "Volume",
        }
    }

    /// The name as the suites and metric labels spell it.
    #[must_use]
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Load => "load",
            Self::Stress => "stress",
            Self::Spike => "spike",
            Self::Soak => "soak",
            Self::Volume => "volume",
        }
    }

    /// The number that clients send.
    #[must_use]
    pub(crate) const fn value(self) -> u8 {
        match self {
            Self::Smoke => 0,
            Self::Load => 1,
            Self::Stress => 2,
            Self::Spike => 3,
            Self::Soak => 4,
            Self::Volume => 5,
        }
    }

    /// One sentence for people who choose.
    #[must_use]
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Smoke => "A few users for a short time: shows that the target works.",
            Self::Load => "The expected number of users: shows that the target keeps its limits.",
            Self::Stress => "More and more users: shows where the target gives way.",
            Self::Spike => "A sudden peak: shows how the target takes it and recovers.",
            Self::Soak => "The expected load for long: shows leaks and slow decay.",
            Self::Volume => "The expected load on much data: shows what grows with it.",
        }
    }

    /// The suite that runs when a request names none.
    #[must_use]
    pub(crate) const fn default_script(self) -> &'static str {
        match self {
            Self::Smoke => "tests/smoke.js",
            // On much data is a matter of COUNT.
            Self::Load | Self::Volume => "tests/load.js",
            Self::Stress => "tests/stress.js",
            Self::Spike => "tests/spike.js",
            Self::Soak => "tests/soak.js",
        }
    }

    /// What a quick start asks for: the numbers of the original system.
    #[must_use]
    pub(crate) const fn preset(self) -> Preset {
        match self {
            Self::Smoke => preset(2, "2m", 3_000, 5_000, "0.05"),
            Self::Load => preset(10, "5m", 2_000, 3_000, "0.01"),
            Self::Stress => preset(30, "10m", 5_000, 10_000, "0.05"),
            Self::Spike => preset(50, "3m", 10_000, 15_000, "0.1"),
            Self::Soak | Self::Volume => Preset {
                virtual_users: 10,
                duration: "5m",
                limits: None,
            },
        }
    }
}

const fn preset(
    virtual_users: u32,
    duration: &'static str,
    p95_ms: u32,
    p99_ms: u32,
    failed_below: &'static str,
) -> Preset {
    Preset {
        virtual_users,
        duration,
        limits: Some(Limits {
            p95_ms,
            p99_ms,
            failed_below,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case_and_numbers_too() {
        for (text, expected) in [
            ("Smoke", Some(Scenario::Smoke)),
            ("sPiKe", Some(Scenario::Spike)),
            ("5", Some(Scenario::Volume)),
            ("6", None),
            ("-1", None),
            ("", None),
            ("chaos", None),
        ] {
            assert_eq!(Scenario::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_number_is_the_index() {
        for (index, scenario) in Scenario::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(scenario.value()), index);
        }
    }
}
