//! Profiles: the one for all models, and those of single ones.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use service_defaults::{extract::ValidJson, problem::Problem};

use crate::{
    engine::Engine,
    profile::{
        Assignment, AssignmentError, BUILT_IN, ModelProfiles, Profile, ProfileError, ProfileText,
    },
};

/// A profile by its name, or written out.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ProfileChoice {
    Written(ProfileText),
    Named(NamedProfile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedProfile {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelChoices {
    models: Vec<ModelChoice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelChoice {
    model: String,
    profile: ProfileChoice,
}

/// Every profile in force, and the names of those that need no file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfilesInForce {
    default: ProfileText,
    models: Vec<ModelProfile>,
    built_in: [&'static str; BUILT_IN.len()],
}

#[derive(Serialize)]
struct ModelProfile {
    model: String,
    profile: ProfileText,
}

pub(super) async fn default(State(engine): State<Arc<Engine>>) -> Json<ProfileText> {
    Json(default_text(&engine))
}

pub(super) async fn set_default(
    State(engine): State<Arc<Engine>>,
    ValidJson(choice): ValidJson<ProfileChoice>,
) -> Result<Json<ProfileText>, Problem> {
    let profile = choice.profile().map_err(|error| refused("", &error))?;
    engine.set_profile(profile);
    Ok(Json(default_text(&engine)))
}

pub(super) async fn all(State(engine): State<Arc<Engine>>) -> Json<ProfilesInForce> {
    Json(in_force(&engine))
}

pub(super) async fn set_models(
    State(engine): State<Arc<Engine>>,
    ValidJson(choices): ValidJson<ModelChoices>,
) -> Result<Json<ProfilesInForce>, Problem> {
    let mut assignments = Vec::with_capacity(choices.models.len());
    for (index, choice) in choices.models.into_iter().enumerate() {
        let profile = choice
            .profile
            .profile()
            .map_err(|error| refused(&format!("models[{index}].profile."), &error))?;
        assignments.push(Assignment {
            model: choice.model,
            profile,
        });
    }
    let models = ModelProfiles::check(assignments)
        .map_err(|error: AssignmentError| Problem::invalid_field("models", error.to_string()))?;
    engine.set_model_profiles(models);
    Ok(Json(in_force(&engine)))
}

impl ProfileChoice {
    fn profile(self) -> Result<Profile, ProfileError> {
        match self {
            Self::Written(text) => Profile::check(text),
            Self::Named(named) => Profile::by_name(&named.name),
        }
    }
}

fn default_text(engine: &Engine) -> ProfileText {
    engine.settings().profiles.default_profile().text().clone()
}

fn in_force(engine: &Engine) -> ProfilesInForce {
    let profiles = engine.settings().profiles;
    let models = profiles.models().map(|(model, profile)| ModelProfile {
        model: model.to_owned(),
        profile: profile.text().clone(),
    });
    ProfilesInForce {
        default: profiles.default_profile().text().clone(),
        models: models.collect(),
        built_in: BUILT_IN,
    }
}

fn refused(path: &str, error: &ProfileError) -> Problem {
    match error {
        ProfileError::Field { field, reason } => {
            Problem::invalid_field(format!("{path}{field}"), reason)
        }
        ProfileError::Unknown(_) | ProfileError::File { .. } => {
            Problem::invalid_field(format!("{path}name"), error.to_string())
        }
    }
}
