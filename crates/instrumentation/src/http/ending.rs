//! How the reply to a request ended, which its status alone does not tell: a stream has sent it
//! before anything can fail.

use http::StatusCode;

/// How a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// All of it was sent.
    Whole,
    /// All of it was sent, and says that it failed; else it would have had this status.
    Failed(StatusCode),
    /// Its body broke off by our fault.
    BrokenOff,
    /// The client left before its end.
    Cancelled,
}

impl Ending {
    /// `error.type` of a reply of this status, as the conventions for HTTP want it: the status of a
    /// failure, or a word for what has none.
    pub(super) fn error_type<'a>(&'a self, status: &'a StatusCode) -> Option<&'a str> {
        match self {
            Self::Whole => status.is_server_error().then(|| status.as_str()),
            Self::Failed(status) => Some(status.as_str()),
            Self::BrokenOff => Some("body"),
            Self::Cancelled => Some("cancelled"),
        }
    }

    /// Whether it is our failure, or that of what we stand on.
    pub(super) fn is_failure(self, status: StatusCode) -> bool {
        match self {
            Self::Whole => status.is_server_error(),
            Self::Failed(_) | Self::BrokenOff => true,
            Self::Cancelled => false,
        }
    }

    /// What a log line says of it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Whole | Self::Cancelled => "",
            Self::Failed(_) => ", and failed then",
            Self::BrokenOff => ", broken off",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_whatever_the_status_said() {
        for (ending, status, error_type, is_failure) in [
            (Ending::Whole, StatusCode::OK, None, false),
            (Ending::Whole, StatusCode::NOT_FOUND, None, false),
            (Ending::Whole, StatusCode::BAD_GATEWAY, Some("502"), true),
            (
                Ending::Failed(StatusCode::GATEWAY_TIMEOUT),
                StatusCode::OK,
                Some("504"),
                true,
            ),
            (Ending::BrokenOff, StatusCode::OK, Some("body"), true),
            (Ending::Cancelled, StatusCode::OK, Some("cancelled"), false),
        ] {
            assert_eq!(
                ending.error_type(&status),
                error_type,
                "{ending:?} {status}"
            );
            assert_eq!(ending.is_failure(status), is_failure, "{ending:?} {status}");
        }
    }
}
