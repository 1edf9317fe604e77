//! A profile: how quickly the simulated model answers, and how much it says.

use serde::{Deserialize, Serialize};

use crate::distribution::{Delay, Percentiles};

/// Longest answer that a profile may ask for, in tokens; it bounds the memory
/// of an answer that is not streamed.
const MAX_OUTPUT_TOKENS: u64 = 100_000;
/// Longest profile file: a profile is a dozen lines.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What a profile looks like in TOML (settings) and JSON (control API).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileText {
    /// A name for people: 1 to 64 characters.
    pub name: String,
    /// From the request's arrival to the first token.
    #[serde(rename = "timeToFirstTokenMs", alias = "time_to_first_token_ms")]
    pub time_to_first_token_ms: Percentiles,
    /// From one token to the next.
    #[serde(rename = "interTokenGapMs", alias = "inter_token_gap_ms")]
    pub inter_token_gap_ms: Percentiles,
    /// Length of an answer; drawn evenly between both ends.
    #[serde(rename = "outputTokens", alias = "output_tokens")]
    pub output_tokens: TokenRange,
}

/// A number of tokens, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRange {
    /// Fewest; at least 1.
    pub min: u64,
    /// Most; at most 100,000.
    pub max: u64,
}

/// A checked profile.
#[derive(Debug, Clone)]
pub struct Profile {
    text: ProfileText,
    pub(crate) first_token: Delay,
    pub(crate) gap: Delay,
}

/// Why a profile was refused.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A field of the profile is out of its range.
    #[error("{field}: {reason}")]
    Field {
        /// The field as it is spelled in JSON.
        field: &'static str,
        /// What would be accepted.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read profile file {path}: {reason}")]
    File {
        /// The file that was asked for.
        path: String,
        /// What the system or the parser said.
        reason: String,
    },
    /// Neither a built-in profile nor a `.toml` file.
    #[error("unknown profile {0:?}; known: {known}, or the path of a .toml file", known = BUILT_IN.join(", "))]
    Unknown(String),
}

/// The profiles that need no file.
pub const BUILT_IN: [&str; 2] = ["default", "instant"];

impl Profile {
    /// Quick, but with a visible stream: an answer takes about half a second
    /// and, at the 95th percentile, less than one.
    #[must_use]
    pub fn standard() -> Self {
        Self::built_in(
            "default",
            Percentiles {
                p50: 40.0,
                p95: 120.0,
            },
            Percentiles {
                p50: 4.0,
                p95: 12.0,
            },
        )
    }

    /// No delay at all: what is measured against it is the caller's own time.
    #[must_use]
    pub fn instant() -> Self {
        let none = Percentiles { p50: 0.0, p95: 0.0 };
        Self::built_in("instant", none, none)
    }

    /// The built-in profile of this name.
    ///
    /// # Errors
    /// The name is not one of [`BUILT_IN`].
    pub fn by_name(name: &str) -> Result<Self, ProfileError> {
        match name {
            "default" => Ok(Self::standard()),
            "instant" => Ok(Self::instant()),
            other => Err(ProfileError::Unknown(other.to_owned())),
        }
    }

    /// The built-in profile of this name, or the one in this TOML file.
    ///
    /// # Errors
    /// The name is unknown, or the file is missing, too long or wrong.
    pub fn load(name_or_path: &str) -> Result<Self, ProfileError> {
        let is_file = std::path::Path::new(name_or_path)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if !is_file {
            return Self::by_name(name_or_path);
        }
        let refused = |reason: String| ProfileError::File {
            path: name_or_path.to_owned(),
            reason,
        };
        let length = std::fs::metadata(name_or_path)
            .map_err(|e| refused(e.to_string()))?
            .len();
        if length > MAX_FILE_BYTES {
            return Err(refused(format!("longer than {MAX_FILE_BYTES} bytes")));
        }
        let file = std::fs::read_to_string(name_or_path).map_err(|e| refused(e.to_string()))?;
        let text = toml::from_str(&file).map_err(|e| refused(e.to_string()))?;
        Self::check(text)
    }

    /// Checks a profile that was read.
    ///
    /// # Errors
    /// Names the field that is out of its range.
    pub fn check(text: ProfileText) -> Result<Self, ProfileError> {
        let field = |field, reason: &str| ProfileError::Field {
            field,
            reason: reason.to_owned(),
        };
        if text.name.is_empty() || text.name.chars().count() > 64 {
            return Err(field("name", "must have 1 to 64 characters"));
        }
        let TokenRange { min, max } = text.output_tokens;
        if min < 1 || max < min || max > MAX_OUTPUT_TOKENS {
            return Err(field("outputTokens", "needs 1 <= min <= max <= 100000"));
        }
        let first_token =
            Delay::from_percentiles(text.time_to_first_token_ms).map_err(|reason| {
                ProfileError::Field {
                    field: "timeToFirstTokenMs",
                    reason,
                }
            })?;
        let gap = Delay::from_percentiles(text.inter_token_gap_ms).map_err(|reason| {
            ProfileError::Field {
                field: "interTokenGapMs",
                reason,
            }
        })?;
        Ok(Self {
            text,
            first_token,
            gap,
        })
    }

    /// The profile as it is written.
    #[must_use]
    pub fn text(&self) -> &ProfileText {
        &self.text
    }

    fn built_in(name: &str, first_token: Percentiles, gap: Percentiles) -> Self {
        let text = ProfileText {
            name: name.to_owned(),
            time_to_first_token_ms: first_token,
            inter_token_gap_ms: gap,
            output_tokens: TokenRange { min: 60, max: 120 },
        };
        #[expect(
            clippy::expect_used,
            reason = "constants of this file, loaded by a test"
        )]
        Self::check(text).expect("built-in profiles are valid")
    }
}

impl std::str::FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::load(text)
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Profile, ProfileText};

    #[test]
    fn every_built_in_profile_loads_and_an_unknown_one_is_named() {
        for name in BUILT_IN {
            assert_eq!(Profile::load(name).unwrap().text().name, name);
        }
        let refused = Profile::load("fastest").unwrap_err().to_string();
        assert!(
            refused.contains("fastest") && refused.contains("instant"),
            "{refused}"
        );
        assert!(Profile::load("/nonexistent/slow.toml").is_err());
    }

    #[test]
    fn toml_and_json_spell_the_same_profile() {
        let toml = "name = 'slow'\n[time_to_first_token_ms]\np50 = 900\np95 = 2000\n\
                    [inter_token_gap_ms]\np50 = 20\np95 = 30\n[output_tokens]\nmin = 1\nmax = 2\n";
        let from_toml: ProfileText = toml::from_str(toml).unwrap();
        let json = serde_json::to_string(&from_toml).unwrap();
        assert!(json.contains("timeToFirstTokenMs"), "{json}");
        assert_eq!(
            serde_json::from_str::<ProfileText>(&json).unwrap(),
            from_toml
        );
        assert!(Profile::check(from_toml).is_ok());
    }

    #[test]
    fn a_wrong_field_is_named() {
        let mut text = Profile::standard().text().clone();
        text.output_tokens.min = 0;
        assert!(
            Profile::check(text.clone())
                .unwrap_err()
                .to_string()
                .starts_with("outputTokens")
        );
        text.output_tokens.min = 1;
        text.inter_token_gap_ms.p95 = 0.5;
        assert!(
            Profile::check(text)
                .unwrap_err()
                .to_string()
                .starts_with("interTokenGapMs")
        );
    }
}
