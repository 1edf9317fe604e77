//! The variables that a script may be given.

use std::collections::BTreeMap;

use crate::options::InvalidField;

/// Names that scripts read. Everything else is refused: `K6_*` would overrule the script,
/// `HTTP_PROXY` would walk past the target guard.
pub const NAMES: [&str; 9] = [
    "BASE_URL",
    "SCENARIO",
    "MODEL",
    "SCALE",
    "PROVIDER",
    "COUNT",
    "SEED",
    "TEST_ID",
    "LLM_RELAY_URL",
];

/// The longest value, in bytes; a URL is the longest thing in use.
pub const MAX_VALUE_LENGTH: usize = 500;

/// Checked variables. They are passed as `-e NAME=value` and can be seen by every user of the
/// machine in the process list: no secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunEnvironment(BTreeMap<String, String>);

impl RunEnvironment {
    /// Checks names and values.
    ///
    /// # Errors
    /// Every variable that is refused, with its reason.
    pub fn parse<I>(variables: I) -> Result<Self, Vec<InvalidField>>
    where
        I: IntoIterator<Item = (String, String)>,
    {
        let mut accepted = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, value) in variables {
            match check(&name, &value) {
                Ok(()) => {
                    accepted.insert(name, value);
                }
                Err(reason) => {
                    let name: String = name.chars().take(MAX_VALUE_LENGTH).collect();
                    errors.push(InvalidField {
                        field: format!("environment.{name}"),
                        reason,
                    });
                }
            }
        }
        if errors.is_empty() {
            Ok(Self(accepted))
        } else {
            Err(errors)
        }
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn check(name: &str, value: &str) -> Result<(), String> {
    if !NAMES.contains(&name) {
        return Err(format!("is not one of {}", NAMES.join(", ")));
    }
    if value.len() > MAX_VALUE_LENGTH {
        return Err(format!("is longer than {MAX_VALUE_LENGTH} bytes"));
    }
    if value.chars().any(char::is_control) {
        return Err("holds a control character".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, value: &str) -> Result<RunEnvironment, Vec<InvalidField>> {
        RunEnvironment::parse([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn takes_the_names_that_scripts_read() {
        for name in NAMES {
            let value = "'); $(x) \u{2028} </script>";
            assert_eq!(parse(name, value).unwrap().get(name), Some(value));
        }
    }

    #[test]
    fn refuses_everything_else() {
        for name in [
            "LD_PRELOAD",
            "HTTP_PROXY",
            "K6_VUS",
            "PATH",
            "base_url",
            "BASE_URL=x",
            "",
            "-e",
            "GODEBUG",
        ] {
            let errors = parse(name, "x").unwrap_err();
            assert_eq!(errors[0].field, format!("environment.{name}"));
        }
        assert!(parse("SEED", "a\0b").is_err());
        assert!(parse("SEED", "a\nb").is_err());
        assert!(parse("SEED", &"x".repeat(501)).is_err());
    }
}
