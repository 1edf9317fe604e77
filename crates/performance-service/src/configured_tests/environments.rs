//! Where the environments of configured tests are.

use std::collections::{BTreeMap, BTreeSet};

use service_defaults::allow_list::AllowList;
use service_defaults::environment::Environment;
use service_defaults::problem::Problem;

const SETTING: &str = "PERFORMANCE_ENVIRONMENTS";

/// What clients call an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Where nobody is hurt.
    Staging,
    /// What real people use: a run needs its grant.
    Production,
}

/// The addresses of the environments, of the listed targets.
#[derive(Debug, Clone, Default)]
pub struct Environments(BTreeMap<Stage, String>);

impl Stage {
    pub(crate) const RULE: &str = "must be staging or production";

    pub(crate) const ALL: [Self; 2] = [Self::Staging, Self::Production];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|one| one.as_str().eq_ignore_ascii_case(text))
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl Environments {
    /// Reads the setting. What it calls production must be marked as that, or no run would ask
    /// for a grant.
    pub(crate) fn read(
        environment: &mut Environment,
        targets: &AllowList,
        production: &BTreeSet<String>,
    ) -> Self {
        let help = "Targets of configured tests: staging=name,production=name; staging is the \
                    usual target when it is not named";
        let text = environment.text(SETTING, "", help);
        let mut addresses = BTreeMap::new();
        let entries = text.split(',').map(str::trim);
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let (stage, name) = entry.split_once('=').unwrap_or((entry, ""));
            match (Stage::parse(stage), targets.named(name)) {
                (None, _) => {
                    environment.reject(SETTING, format!("has {stage:?}, which {}", Stage::RULE));
                }
                (Some(_), None) => {
                    environment.reject(SETTING, format!("{name:?} is not in PERFORMANCE_TARGETS"));
                }
                (Some(Stage::Production), Some(_)) if !production.contains(name) => {
                    let reason = format!("{name:?} is not in PERFORMANCE_PRODUCTION_TARGETS");
                    environment.reject(SETTING, reason);
                }
                (Some(stage), Some(address)) => {
                    addresses.insert(stage, address.to_string());
                }
            }
        }
        Self(addresses)
    }

    /// The address of an environment; `None` for the usual target.
    ///
    /// # Errors
    /// 403 for production that no setting names.
    pub(crate) fn address(&self, stage: Stage) -> Result<Option<String>, Problem> {
        match (self.0.get(&stage), stage) {
            (Some(address), _) => Ok(Some(address.clone())),
            (None, Stage::Staging) => Ok(None),
            (None, Stage::Production) => {
                let detail = format!("no target is in production; {SETTING} names one");
                Err(Problem::forbidden(detail).with_kind("target-refused"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Environments, usize) {
        let pair = (SETTING.to_owned(), text.to_owned());
        let mut environment = Environment::of_pairs([pair]);
        let targets = "local=http://127.0.0.1:1,shop=http://127.0.0.1:2".parse();
        let production = BTreeSet::from(["shop".to_owned()]);
        let read = Environments::read(&mut environment, &targets.unwrap(), &production);
        (read, environment.errors().len())
    }

    #[test]
    fn environments_are_listed_targets() {
        let (environments, errors) = read("staging=local, production=shop");
        assert_eq!(errors, 0);
        let shop = environments.address(Stage::Production).unwrap();
        assert_eq!(shop.as_deref(), Some("http://127.0.0.1:2/"));
        let (none, errors) = read("");
        assert_eq!(errors, 0);
        assert!(none.address(Stage::Production).is_err());
        assert_eq!(none.address(Stage::Staging).unwrap(), None);
        for wrong in ["test=local", "staging", "staging=x", "production=local"] {
            assert_eq!(read(wrong).1, 1, "{wrong}");
        }
    }
}
