//! Which model has which profile, and the machine that each profile stands for.

use std::{fmt, str::FromStr, sync::Arc};

use super::{Profile, ProfileError};
use crate::load::Slots;

/// Every call looks for its model among them.
const MAX_ASSIGNMENTS: usize = 32;
/// Longest pattern; no vendor's model has a longer name.
const MAX_PATTERN: usize = 256;

/// A profile for some models.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// A model's name, or its beginning with a `*` at the end.
    pub model: String,
    /// How these models answer.
    pub profile: Profile,
}

/// Profiles of single models; the first that fits decides.
#[derive(Debug, Clone, Default)]
pub struct ModelProfiles(Vec<Assignment>);

/// Why assignments were refused.
#[derive(Debug, thiserror::Error)]
pub enum AssignmentError {
    /// There are too many, or one names no model.
    #[error(
        "needs at most 32 of MODEL=PROFILE, each model 1 to 256 characters with a * only at its end"
    )]
    Pattern,
    /// A profile is wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// The profiles in force.
#[derive(Debug, Clone)]
pub(crate) struct Profiles {
    default: Assigned,
    models: Vec<(String, Assigned)>,
}

/// A profile with its machine.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    pub(crate) profile: Arc<Profile>,
    /// None where no load slows the machine down.
    pub(crate) slots: Option<Arc<Slots>>,
}

impl ModelProfiles {
    /// Checks assignments.
    ///
    /// # Errors
    /// There are too many, or a pattern is wrong.
    pub fn check(assignments: Vec<Assignment>) -> Result<Self, AssignmentError> {
        let is_pattern = |pattern: &str| {
            let name = pattern.strip_suffix('*').unwrap_or(pattern);
            (1..=MAX_PATTERN).contains(&pattern.len()) && !name.contains('*')
        };
        let all_fit = assignments
            .iter()
            .all(|assignment| is_pattern(&assignment.model));
        if assignments.len() > MAX_ASSIGNMENTS || !all_fit {
            return Err(AssignmentError::Pattern);
        }
        Ok(Self(assignments))
    }
}

impl Profiles {
    pub(crate) fn new(default: Profile, models: ModelProfiles) -> Self {
        let assign = |assignment: Assignment| (assignment.model, Assigned::new(assignment.profile));
        Self {
            default: Assigned::new(default),
            models: models.0.into_iter().map(assign).collect(),
        }
    }

    pub(crate) fn of(&self, model: &str) -> &Assigned {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == pattern,
        };
        let assigned = self.models.iter().find(|(pattern, _)| fits(pattern));
        assigned.map_or(&self.default, |(_, assigned)| assigned)
    }

    pub(crate) fn default_profile(&self) -> &Profile {
        &self.default.profile
    }

    pub(crate) fn models(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.models
            .iter()
            .map(|(pattern, assigned)| (pattern.as_str(), &*assigned.profile))
    }

    pub(crate) fn with_default(&self, profile: Profile) -> Self {
        Self {
            default: Assigned::new(profile),
            models: self.models.clone(),
        }
    }

    pub(crate) fn with_models(&self, models: ModelProfiles) -> Self {
        let models = Self::new(Profile::instant(), models).models;
        Self {
            default: self.default.clone(),
            models,
        }
    }
}

impl Assigned {
    fn new(profile: Profile) -> Self {
        let slots = profile.text().load.map(Slots::new).map(Arc::new);
        Self {
            profile: Arc::new(profile),
            slots,
        }
    }
}

/// `claude-*=claude-like,gpt-4o=slow.toml`
impl FromStr for ModelProfiles {
    type Err = AssignmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let assign = |part: &str| {
            let (model, profile) = part.split_once('=').ok_or(AssignmentError::Pattern)?;
            Ok(Assignment {
                model: model.trim().to_owned(),
                profile: Profile::load(profile.trim())?,
            })
        };
        let assignments: Result<_, AssignmentError> = text.split(',').map(assign).collect();
        Self::check(assignments?)
    }
}

impl fmt::Display for ModelProfiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|assignment| format!("{}={}", assignment.model, assignment.profile))
            .collect();
        formatter.write_str(&parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::{ModelProfiles, Profiles};
    use crate::profile::Profile;

    #[test]
    fn the_first_pattern_that_fits_decides() {
        let models: ModelProfiles = "gpt-4o=instant,gpt-*=gpt-like, claude-* = claude-like"
            .parse()
            .unwrap();
        assert_eq!(
            models.to_string(),
            "gpt-4o=instant,gpt-*=gpt-like,claude-*=claude-like"
        );
        let profiles = Profiles::new(Profile::standard(), models);
        for (model, profile) in [
            ("gpt-4o", "instant"),
            ("gpt-4o-mini", "gpt-like"),
            ("claude-sonnet-5-5", "claude-like"),
            ("llama3.2", "default"),
        ] {
            assert_eq!(profiles.of(model).profile.text().name, profile, "{model}");
        }
        assert!(profiles.of("gpt-5").slots.is_some() && profiles.of("gpt-4o").slots.is_none());
    }

    #[test]
    fn wrong_assignments_are_refused() {
        for text in ["", "gpt-4o", "=instant", "g*t=instant", "gpt=fastest"] {
            assert!(text.parse::<ModelProfiles>().is_err(), "{text}");
        }
        let many = vec!["m=instant"; 33].join(",");
        assert!(many.parse::<ModelProfiles>().is_err());
    }
}
