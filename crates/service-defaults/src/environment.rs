//! Settings from environment variables: read once, every error reported together.

mod setting;

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use secrecy::SecretString;

pub use self::setting::{Setting, Source};

/// Largest secret file that is read.
const MAX_SECRET_BYTES: u64 = 64 * 1_024;

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct SettingError {
    /// The variable.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads settings and collects what it read and what was wrong.
///
/// A setting that is empty counts as not set.
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Variables that are no UTF-8.
    unreadable: Vec<String>,
    /// Variables that the command line set.
    overridden: Vec<String>,
    settings: Vec<Setting>,
    errors: Vec<SettingError>,
}

impl Environment {
    /// The process' own environment.
    #[must_use]
    pub fn of_process() -> Self {
        let mut unreadable = Vec::new();
        let pairs = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            match value.into_string() {
                Ok(value) => Some((name, value)),
                Err(_) => {
                    unreadable.push(name);
                    None
                }
            }
        });
        let mut environment = Self::of_pairs(pairs);
        environment.unreadable = unreadable;
        environment
    }

    /// An environment of these variables, for tests and embedding.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            variables: pairs.into_iter().collect(),
            unreadable: Vec::new(),
            overridden: Vec::new(),
            settings: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Sets a variable from the command line, which wins over the environment.
    #[must_use]
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self.overridden.push(variable.to_owned());
        self
    }

    /// A text with a default.
    pub fn text(&mut self, name: &'static str, default: &str, help: &'static str) -> String {
        let value = self.value(name).unwrap_or_else(|| default.to_owned());
        self.note(name, default, help, &value);
        value
    }

    /// A text that may be absent.
    pub fn optional_text(&mut self, name: &'static str, help: &'static str) -> Option<String> {
        let value = self.value(name);
        self.note(name, "", help, value.as_deref().unwrap_or(""));
        value
    }

    /// A value of any type that reads itself from text. `default` is a constant of the program
    /// and must itself be readable.
    ///
    /// # Panics
    /// When the default cannot be read: a mistake in the program that shows at every start.
    #[expect(
        clippy::panic,
        reason = "a start-up mistake of ours, found by any start"
    )]
    pub fn parsed<T>(&mut self, name: &'static str, default: &str, help: &'static str) -> T
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let text = self.value(name).unwrap_or_else(|| default.to_owned());
        self.note(name, default, help, &text);
        match text.parse() {
            Ok(value) => value,
            Err(error) => {
                self.reject(name, format!("{:?} {error}", without_userinfo(&text)));
                match default.parse() {
                    Ok(value) => value,
                    Err(error) => panic!("the default of {name}: {error}"),
                }
            }
        }
    }

    /// A value that may be absent.
    pub fn optional_parsed<T>(&mut self, name: &'static str, help: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let text = self.value(name);
        self.note(name, "", help, text.as_deref().unwrap_or(""));
        match text?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.reject(name, error.to_string());
                None
            }
        }
    }

    /// One of a fixed list of words.
    pub fn choice(
        &mut self,
        name: &'static str,
        default: &'static str,
        choices: &[&'static str],
        help: &'static str,
    ) -> &'static str {
        let text = self.value(name).unwrap_or_else(|| default.to_owned());
        self.note(name, default, help, &text);
        self.chosen(name, choices, &text).unwrap_or(default)
    }

    /// One of several words, or none.
    pub fn optional_choice(
        &mut self,
        name: &'static str,
        choices: &[&'static str],
        help: &'static str,
    ) -> Option<&'static str> {
        let text = self.value(name);
        self.note(name, "", help, text.as_deref().unwrap_or(""));
        self.chosen(name, choices, &text?)
    }

    /// A secret: from the variable, or from the file that `<name>_FILE` names.
    pub fn secret(&mut self, name: &'static str, help: &'static str) -> Option<SecretString> {
        let file = self.value(&format!("{name}_FILE"));
        let secret = match (self.value(name), file) {
            (Some(_), Some(_)) => {
                self.reject(name, format!("is given twice: {name} and {name}_FILE"));
                None
            }
            (Some(value), None) => Some(value),
            (None, Some(path)) => self.secret_file(name, Path::new(&path)),
            (None, None) => None,
        };
        let shown = if secret.is_some() { "(set)" } else { "" };
        self.note(name, "", help, shown);
        let from_file = secret.is_some() && self.value(name).is_none();
        if let Some(setting) = self.settings.last_mut().filter(|_| from_file) {
            setting.source = Source::File;
        }
        secret.map(SecretString::from)
    }

    /// Refuses a setting whose value only makes sense together with others.
    pub fn reject(&mut self, name: &str, reason: impl Into<String>) {
        self.errors.push(SettingError {
            name: name.to_owned(),
            reason: reason.into(),
        });
    }

    /// What was read, in reading order.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// What was wrong, in reading order.
    #[must_use]
    pub fn errors(&self) -> &[SettingError] {
        &self.errors
    }

    fn chosen(&mut self, name: &str, choices: &[&'static str], text: &str) -> Option<&'static str> {
        let chosen = choices
            .iter()
            .find(|choice| choice.eq_ignore_ascii_case(text));
        if chosen.is_none() {
            self.reject(name, format!("must be one of {}", choices.join(", ")));
        }
        chosen.copied()
    }

    fn value(&self, name: &str) -> Option<String> {
        self.variables
            .get(name)
            .filter(|value| !value.is_empty())
            .cloned()
    }

    fn note(&mut self, name: &str, default: &str, help: &'static str, effective: &str) {
        if self.unreadable.iter().any(|unreadable| unreadable == name) {
            self.reject(name, "is not UTF-8");
        }
        self.settings.push(Setting {
            name: name.to_owned(),
            default: default.to_owned(),
            help,
            effective: without_userinfo(effective),
            source: self.source(name),
        });
    }

    fn source(&self, name: &str) -> Source {
        if self.overridden.iter().any(|overridden| overridden == name) {
            Source::CommandLine
        } else if self.value(name).is_some() {
            Source::Environment
        } else {
            Source::Default
        }
    }

    fn secret_file(&mut self, name: &str, path: &Path) -> Option<String> {
        let read = std::fs::metadata(path).and_then(|metadata| {
            if metadata.len() > MAX_SECRET_BYTES {
                return Err(std::io::Error::other("is too large for a secret"));
            }
            std::fs::read_to_string(path)
        });
        match read {
            Ok(text) if text.trim().is_empty() => {
                self.reject(&format!("{name}_FILE"), "is empty");
                None
            }
            Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => {
                self.reject(
                    &format!("{name}_FILE"),
                    format!("{}: {error}", path.display()),
                );
                None
            }
        }
    }
}

/// A text without the credentials of the addresses in it, for showing it: whatever stands before an
/// `@`, back to the scheme or the beginning, may be a password.
#[must_use]
pub fn without_userinfo(text: &str) -> String {
    let mut parts = text.split('@').rev();
    let last = parts.next().unwrap_or_default();
    let mut shown = vec![last.to_owned()];
    for part in parts {
        let begin = part.rfind("://").map_or(0, |at| at + "://".len());
        shown.push(format!("{}***@", part.split_at(begin).0));
    }
    shown.reverse();
    shown.concat()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of_pairs(
            pairs
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn every_error_is_collected() {
        let mut environment = environment(&[("A", "x"), ("B", "y"), ("C", "maybe")]);
        assert_eq!(environment.parsed::<u16>("A", "1", ""), 1);
        assert_eq!(environment.parsed::<u16>("B", "2", ""), 2);
        assert_eq!(environment.choice("C", "on", &["on", "off"], ""), "on");
        assert_eq!(environment.errors().len(), 3);
        assert!(environment.errors()[2].to_string().contains("on, off"));
    }

    #[test]
    fn credentials_are_not_shown_wherever_they_stand() {
        for (text, shown) in [
            ("http://h:1/p", "http://h:1/p"),
            ("http://u:pw@h/p", "http://***@h/p"),
            ("u:pw@h", "***@h"),
            (
                "a=http://x,b=http://u:p@w@h",
                "a=http://x,b=http://***@***@h",
            ),
        ] {
            assert_eq!(without_userinfo(text), shown);
        }
    }

    #[test]
    fn an_empty_secret_file_is_a_mistake() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\n").unwrap();
        let mut environment = environment(&[("KEY_FILE", file.path().to_str().unwrap())]);
        assert!(environment.secret("KEY", "").is_none());
        assert_eq!(environment.errors()[0].to_string(), "KEY_FILE: is empty");
    }

    #[test]
    fn secrets_come_from_files_and_are_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "canary-7\n").unwrap();
        let mut environment = environment(&[("KEY_FILE", file.path().to_str().unwrap())]);
        let secret = environment.secret("KEY", "").unwrap();
        assert_eq!(secret.expose_secret(), "canary-7");
        assert!(!format!("{:?}", environment.settings()).contains("canary"));
        assert_eq!(environment.settings()[0].source, Source::File);
    }

    #[test]
    fn each_setting_says_where_it_comes_from() {
        let given = environment(&[("A", "x"), ("EMPTY", "")]);
        let mut environment = given.with("C", "z");
        for name in ["A", "B", "C", "EMPTY"] {
            environment.text(name, "y", "");
        }
        let sources: Vec<Source> = environment
            .settings()
            .iter()
            .map(|one| one.source)
            .collect();
        use Source::{CommandLine, Default, Environment};
        assert_eq!(sources, [Environment, Default, CommandLine, Default]);
    }

    #[test]
    fn credentials_in_addresses_are_not_shown() {
        let mut environment = environment(&[("U", "mongodb://ana:canary@db:27017/x")]);
        environment.optional_text("U", "");
        assert_eq!(
            environment.settings()[0].effective,
            "mongodb://***@db:27017/x"
        );
    }
}
