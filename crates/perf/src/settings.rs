//! What the environment says, in the place of absent options.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use service_defaults::environment::Environment;
use url::Url;

use crate::failure::Failure;

const TOKEN: &str = "PERFORMANCE_TOKEN";
const TOKEN_FILE: &str = "PERFORMANCE_TOKEN_FILE";

/// Where to ask and as whom.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) url: Url,
    pub(crate) token: Option<SecretString>,
    /// Where a pipeline's host wants summaries.
    pub(crate) step_summary: Option<PathBuf>,
}

impl Settings {
    /// # Errors
    /// Names every setting that cannot be used.
    pub(crate) fn read(
        mut environment: Environment,
        url: Option<&str>,
        token_file: Option<&Path>,
    ) -> Result<Self, Failure> {
        if let Some(url) = url {
            environment = environment.with("PERFORMANCE_URL", url);
        }
        if let Some(path) = token_file {
            let path = path.to_string_lossy();
            environment = environment.with(TOKEN, "").with(TOKEN_FILE, &path);
        }
        let url: Url = environment.parsed(
            "PERFORMANCE_URL",
            "http://127.0.0.1:7004",
            "Address of the performance service",
        );
        let plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain {
            environment.reject(
                "PERFORMANCE_URL",
                "must be http://HOST:PORT or https://HOST",
            );
        }
        let token = environment.secret(TOKEN, "Token that is sent to the service");
        let step_summary = environment.optional_text(
            "GITHUB_STEP_SUMMARY",
            "File that the host of a pipeline shows as its summary",
        );
        let errors: Vec<String> = environment
            .errors()
            .iter()
            .map(ToString::to_string)
            .collect();
        if !errors.is_empty() {
            return Err(Failure::Usage(errors.join("; ")));
        }
        Ok(Self {
            url,
            token,
            step_summary: step_summary.map(PathBuf::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)], url: Option<&str>) -> Result<Settings, Failure> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Settings::read(Environment::of_pairs(pairs), url, None)
    }

    #[test]
    fn an_option_wins_over_the_environment() {
        let of = |settings: Result<Settings, Failure>| settings.unwrap().url.to_string();
        assert_eq!(of(read(&[], None)), "http://127.0.0.1:7004/");
        let set = [("PERFORMANCE_URL", "http://a:1")];
        assert_eq!(of(read(&set, None)), "http://a:1/");
        assert_eq!(of(read(&set, Some("https://b"))), "https://b/");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["nonsense", "ftp://a", "http://user:secret@a"] {
            let failure = read(&[], Some(url)).unwrap_err().to_string();
            assert!(failure.contains("PERFORMANCE_URL"), "{failure}");
            assert!(!failure.contains("secret"), "{failure}");
        }
    }
}
