//! The settings: where webhooks may be sent, and what their secrets are made from.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use service_defaults::environment::Environment;
use url::Url;

use super::signature;

const TARGETS: &str = "PERFORMANCE_WEBHOOK_TARGETS";
const SECRET: &str = "PERFORMANCE_WEBHOOK_SECRET";

/// Targets of the setting.
const MAX_TARGETS: usize = 64;

/// The shortest secret, in bytes: as long as what it makes.
const MIN_SECRET: usize = 32;

/// Addresses by name, and the secret that signs for all of them. Neither is ever shown: the
/// address of a Slack webhook is a secret of its own.
#[derive(Clone, Default)]
pub struct WebhookTargets {
    addresses: BTreeMap<String, Url>,
    secret: Option<SecretString>,
}

impl WebhookTargets {
    /// Reads the settings.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let help = "Addresses that webhooks may name, kept secret: name=https://host/path,…";
        let list = environment.secret(TARGETS, help);
        let help = "What the signing secrets of webhooks are made from, 32 bytes or more";
        let secret = environment.secret(SECRET, help);
        let addresses = match list.as_ref().map(|list| parse(list.expose_secret())) {
            None => BTreeMap::new(),
            Some(Ok(addresses)) => addresses,
            Some(Err(reason)) => {
                environment.reject(TARGETS, reason);
                BTreeMap::new()
            }
        };
        let length = secret.as_ref().map(|secret| secret.expose_secret().len());
        if length.is_some_and(|length| length < MIN_SECRET) {
            environment.reject(SECRET, format!("must have {MIN_SECRET} bytes or more"));
        }
        if secret.is_none() && !addresses.is_empty() {
            environment.reject(SECRET, format!("is needed with {TARGETS}"));
        }
        Self { addresses, secret }
    }

    /// The names.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.addresses.keys().map(String::as_str).collect()
    }

    /// The address of a name.
    pub(crate) fn address(&self, name: &str) -> Option<&Url> {
        self.addresses.get(name)
    }

    /// The signing secret of the webhook with this salt.
    pub(crate) fn secret_of(&self, salt: &[u8]) -> String {
        let secret = self.secret.as_ref();
        let secret = secret.map_or("", |secret| secret.expose_secret());
        signature::derive(secret, salt)
    }
}

impl fmt::Debug for WebhookTargets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.addresses.keys())
            .finish()
    }
}

/// Reads the list; a refusal repeats no address.
fn parse(text: &str) -> Result<BTreeMap<String, Url>, String> {
    let mut addresses = BTreeMap::new();
    let entries = text.split(',').map(str::trim);
    for entry in entries.filter(|entry| !entry.is_empty()) {
        let (name, address) = entry
            .split_once('=')
            .ok_or("must be name=https://host/path,…")?;
        if let Some(reason) = crate::names::refusal(name) {
            return Err(format!("has a name that is none: {reason}"));
        }
        let url = address.parse::<Url>().ok().filter(|url| {
            let plain = url.username().is_empty() && url.password().is_none();
            plain && matches!(url.scheme(), "http" | "https") && url.has_host()
        });
        let url =
            url.ok_or_else(|| format!("has no http address without credentials at {name}"))?;
        if addresses.insert(name.to_owned(), url).is_some() {
            return Err(format!("names {name} twice"));
        }
    }
    if addresses.len() > MAX_TARGETS {
        return Err(format!("has more than {MAX_TARGETS} targets"));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (WebhookTargets, Environment) {
        let owned = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let mut environment = Environment::of_pairs(owned);
        let targets = WebhookTargets::read(&mut environment);
        (targets, environment)
    }

    #[test]
    fn addresses_and_secret_are_never_shown() {
        let secret = "canary-secret".repeat(3);
        let list = "team=https://hooks.example/canary-path,own=http://127.0.0.1:9/";
        let (targets, environment) = read(&[(TARGETS, list), (SECRET, &secret)]);
        assert_eq!(targets.names(), ["own", "team"]);
        assert!(
            environment.errors().is_empty(),
            "{:?}",
            environment.errors()
        );
        let shown = format!("{targets:?} {:?}", environment.settings());
        assert!(!shown.contains("canary"), "{shown}");
        assert!(!targets.secret_of(b"salt").contains("canary"));
    }

    #[test]
    fn wrong_lists_are_refused_without_repeating_them() {
        let secret = "s".repeat(MIN_SECRET);
        for list in [
            "canary",
            "canary name=https://x/",
            "a=canary",
            "a=ftp://canary/",
            "a=https://u:canary@x/",
            "a=https://x/canary,a=https://y/canary",
        ] {
            let (_, environment) = read(&[(TARGETS, list), (SECRET, &secret)]);
            let errors = format!("{:?}", environment.errors());
            assert_eq!(environment.errors().len(), 1, "{list}: {errors}");
            assert!(!errors.contains("canary"), "{errors}");
        }
        let (_, environment) = read(&[(TARGETS, "a=https://x/")]);
        assert_eq!(environment.errors().len(), 1, "a secret is needed");
        let (_, environment) = read(&[(SECRET, "short")]);
        assert_eq!(environment.errors().len(), 1, "and a long one");
    }
}
