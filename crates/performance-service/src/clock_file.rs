//! A clock that an experiment sets: a file says how far it is ahead of the machine's.
//!
//! Budgets, retention and schedules hang on the clock, so that only a service that nobody but its
//! own machine reaches, and that asks nobody who they are, follows one.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use performance_store::Clock;
use service_defaults::access::Authentication;
use service_defaults::environment::Environment;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const NAME: &str = "PERFORMANCE_CLOCK_FILE";

/// How often the file is looked at: who steps the clock waits for it.
const LOOK: Duration = Duration::from_millis(100);

/// Of what is read: a number of seconds has ten characters.
const MAX_BYTES: u64 = 32;

/// As far as it may be from the machine's clock, in seconds: a year.
const MAX_SECONDS: i64 = 366 * 24 * 3_600;

/// Where the seconds stand.
#[derive(Debug, Clone)]
pub struct ClockFile(PathBuf);

impl ClockFile {
    /// Reads the setting; none by default.
    pub(crate) fn read(
        environment: &mut Environment,
        http_addr: SocketAddr,
        authentication: &Authentication,
    ) -> Option<Self> {
        let help = "For experiments: a file with the seconds that the clock is ahead";
        let path = environment.optional_text(NAME, help)?;
        let development = matches!(authentication, Authentication::Development(_));
        if !http_addr.ip().is_loopback() || !development {
            environment.reject(NAME, "is for development mode on loopback only");
        }
        Some(Self(PathBuf::from(path)))
    }

    /// Steps the clock whenever the file says something else, until the shutdown.
    pub(crate) async fn follow(self, clock: Clock, shutdown: CancellationToken) {
        tracing::warn!("the clock follows {}", self.0.display());
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut ahead, mut complaint) = (0, String::new());
        while shutdown.run_until_cancelled(looks.tick()).await.is_some() {
            match self.seconds().await {
                Ok(seconds) if seconds != ahead => {
                    clock.step(SignedDuration::from_secs(seconds - ahead));
                    ahead = seconds;
                    tracing::warn!("the clock is {seconds} s ahead of the machine's");
                }
                Ok(_) => {}
                // What is wrong is said once, not ten times a second.
                Err(reason) if reason != complaint => {
                    tracing::error!("the clock stays as it is: {reason}");
                    complaint = reason;
                }
                Err(_) => {}
            }
        }
    }

    /// What the file says; 0 while there is none.
    async fn seconds(&self) -> Result<i64, String> {
        let file = match File::open(&self.0).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(format!("{NAME}: {error}")),
        };
        let mut text = String::new();
        let read = file.take(MAX_BYTES).read_to_string(&mut text).await;
        read.map_err(|error| format!("{NAME}: {error}"))?;
        let seconds: Option<i64> = text.trim().parse().ok();
        let near = seconds.filter(|it| (-MAX_SECONDS..=MAX_SECONDS).contains(it));
        near.ok_or_else(|| format!("{NAME}: {text:?} is no number of seconds within a year"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn errors(pairs: &[(&str, &str)]) -> Vec<String> {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut environment = Environment::of_pairs(pairs);
        Config::read(&mut environment);
        let errors = environment.errors().iter();
        errors.map(ToString::to_string).collect()
    }

    #[test]
    fn only_development_on_loopback_has_one() {
        assert_eq!(errors(&[(NAME, "/tmp/clock")]), Vec::<String>::new());
        let remote = [
            (NAME, "/tmp/clock"),
            ("PERFORMANCE_HTTP_ADDR", "0.0.0.0:7004"),
            ("PERFORMANCE_ALLOW_REMOTE", "yes"),
        ];
        let found = errors(&remote);
        assert!(found.iter().any(|it| it.starts_with(NAME)), "{found:?}");
        let directory = tempfile::tempdir().unwrap();
        let tokens = directory.path().join("tokens.toml");
        let one = "[[token]]\nsha256 = '{hash}'\ntenant = 'a'\nuser = 'ana'\nrole = 'viewer'\n";
        std::fs::write(&tokens, one.replace("{hash}", &"0".repeat(64))).unwrap();
        let guarded = [
            (NAME, "/tmp/clock"),
            ("PERFORMANCE_AUTH_MODE", "tokens"),
            ("PERFORMANCE_TOKENS_FILE", tokens.to_str().unwrap()),
        ];
        let found = errors(&guarded);
        assert!(found.iter().any(|it| it.starts_with(NAME)), "{found:?}");
    }

    #[tokio::test]
    async fn what_the_file_says_is_read_within_bounds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("clock");
        let file = ClockFile(path.clone());
        assert_eq!(file.seconds().await.unwrap(), 0, "there is none yet");
        for (text, expected) in [("3600\n", Some(3_600)), ("-3600", Some(-3_600))] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(file.seconds().await.ok(), expected, "{text}");
        }
        for text in ["", "an hour", "1e9", "99999999999", &"1".repeat(1_000)] {
            std::fs::write(&path, text).unwrap();
            assert!(file.seconds().await.is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn the_clock_goes_where_the_file_says_and_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("clock");
        let (clock, shutdown) = (Clock::default(), CancellationToken::new());
        let following = ClockFile(path.clone()).follow(clock.clone(), shutdown.clone());
        let following = tokio::spawn(following);
        let ahead = || clock.now().duration_since(jiff::Timestamp::now());
        for (text, least, most) in [("3600", 3_590, 3_610), ("x", 3_590, 3_610), ("0", -10, 10)] {
            std::fs::write(&path, text).unwrap();
            test_support::wait::until("the step", Duration::from_secs(10), async || {
                let seconds = ahead().as_secs();
                anyhow::ensure!((least..=most).contains(&seconds), "{seconds} s ahead");
                Ok(())
            })
            .await
            .unwrap();
        }
        shutdown.cancel();
        following.await.unwrap();
    }
}
