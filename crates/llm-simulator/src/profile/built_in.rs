//! Profiles by name or file.

use super::{Profile, ProfileError};

/// Longest profile file: a profile is a dozen lines.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The profiles that need no file.
pub const BUILT_IN: [&str; 5] = [
    "default",
    "instant",
    "claude-like",
    "gpt-like",
    "local-7b-cpu",
];

impl Profile {
    /// Quick, but with a visible stream: an answer takes about half a second
    /// and, at the 95th percentile, less than one.
    #[must_use]
    pub fn standard() -> Self {
        Self::constant(include_str!("../../profiles/default.toml"))
    }

    /// No delay at all: what is measured against it is the caller's own time.
    #[must_use]
    pub fn instant() -> Self {
        Self::constant(include_str!("../../profiles/instant.toml"))
    }

    /// The built-in profile of this name.
    ///
    /// # Errors
    /// The name is not one of [`BUILT_IN`].
    pub fn by_name(name: &str) -> Result<Self, ProfileError> {
        let text = match name {
            "default" => return Ok(Self::standard()),
            "instant" => return Ok(Self::instant()),
            "claude-like" => include_str!("../../profiles/claude-like.toml"),
            "gpt-like" => include_str!("../../profiles/gpt-like.toml"),
            "local-7b-cpu" => include_str!("../../profiles/local-7b-cpu.toml"),
            other => return Err(ProfileError::Unknown(other.to_owned())),
        };
        Ok(Self::constant(text))
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
        let file = crate::file::read(name_or_path, MAX_FILE_BYTES).map_err(refused)?;
        let text = toml::from_str(&file).map_err(|error| refused(error.to_string()))?;
        Self::check(text)
    }

    #[expect(
        clippy::expect_used,
        reason = "constants of this crate, loaded by a test"
    )]
    fn constant(toml: &str) -> Self {
        let text = toml::from_str(toml).expect("built-in profiles are well formed");
        Self::check(text).expect("built-in profiles are valid")
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Profile};

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
}
