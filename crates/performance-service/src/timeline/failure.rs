//! Why requests failed, in kinds that ask for different answers.

use load_analysis::series::SeriesTags;

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FailureKind {
    /// Status 5xx: the target failed.
    Server,
    /// Status 429: it was asked too much.
    TooMany,
    /// Another status that the script did not expect.
    Status,
    /// No answer in time.
    Timeout,
    /// No connection came about.
    Refused,
    /// The connection broke.
    Cut,
    /// No answer for another reason, or a script that does not say which.
    NoAnswer,
}

impl FailureKind {
    /// All, in the order in which pictures stack them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Server,
        Self::TooMany,
        Self::Status,
        Self::Timeout,
        Self::Refused,
        Self::Cut,
        Self::NoAnswer,
    ];

    /// The kind of requests with these tags; `None` where they did not fail. Numbers of errors are
    /// k6's (its manual, "Error codes").
    pub(crate) fn of(tags: &SeriesTags) -> Option<Self> {
        if tags.expected_response != "false" {
            return None;
        }
        Some(match (tags.status.as_str(), tags.error_code.as_str()) {
            // 1050 is the whole request, 1211 the connection.
            ("0" | "", "1050" | "1211") => Self::Timeout,
            // Names that lead nowhere, addresses that nobody listens on.
            ("0" | "", "1100" | "1101" | "1210" | "1212" | "1213") => Self::Refused,
            // A pipe that broke, a reset, a stream or connection of HTTP/2 that ended.
            ("0" | "", "1201" | "1202" | "1220" | "1221" | "1610" | "1630" | "1650") => Self::Cut,
            ("0" | "", _) => Self::NoAnswer,
            ("429", _) => Self::TooMany,
            (status, _) if status.starts_with('5') => Self::Server,
            _ => Self::Status,
        })
    }

    /// The kind in a word or two.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Server => "5xx",
            Self::TooMany => "429",
            Self::Status => "other status",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Cut => "cut",
            Self::NoAnswer => "no answer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_status_and_by_k6() {
        let kind = |expected: &str, status: &str, code: &str| {
            let tags = SeriesTags {
                expected_response: expected.to_owned(),
                status: status.to_owned(),
                error_code: code.to_owned(),
                ..SeriesTags::default()
            };
            FailureKind::of(&tags)
        };
        assert_eq!(kind("true", "404", "1404"), None);
        assert_eq!(kind("", "0", "1050"), None);
        for (status, code, expected) in [
            ("503", "1503", FailureKind::Server),
            ("429", "1429", FailureKind::TooMany),
            ("404", "1404", FailureKind::Status),
            ("0", "1050", FailureKind::Timeout),
            ("0", "1212", FailureKind::Refused),
            ("0", "1220", FailureKind::Cut),
            ("0", "", FailureKind::NoAnswer),
        ] {
            assert_eq!(
                kind("false", status, code),
                Some(expected),
                "{status} {code}"
            );
        }
    }
}
