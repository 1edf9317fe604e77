//! `/settings`: what is in force and where it comes from, who may do what, what may be loaded.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use service_defaults::access::{Caller, Need};
use service_defaults::environment::Setting;
use service_defaults::problem::Problem;
use tenancy::Role;

use super::page;
use super::preferences::{self, Choice};
use crate::app::App;
use crate::permissions::PERMISSIONS;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    user: String,
    tenant: String,
    role: &'static str,
    themes: Vec<Choice>,
    shortcuts: Vec<Choice>,
    targets: Vec<Target>,
    roles: Vec<RoleRow>,
    groups: Vec<Group>,
    /// Whether the settings of the process are among them.
    all: bool,
}

struct Target {
    name: String,
    address: String,
    production: bool,
}

/// A role and the routes that ask for it, and for no less.
struct RoleRow {
    name: &'static str,
    /// Whether it is the caller's.
    own: bool,
    routes: Vec<String>,
}

struct Group {
    title: &'static str,
    settings: Vec<Setting>,
}

/// What a setting is about, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Tenant,
    Retention,
    /// The process: where things are, how it is reached.
    Process,
}

/// The page of settings. Those of the process, which tell of its machine, are for administrators.
pub(super) async fn settings(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let all = caller.role == Role::Admin;
    let planner = app.conductor.planner();
    let targets = planner.targets.iter().map(|(name, url)| Target {
        name: name.to_owned(),
        address: url.to_string(),
        production: planner.production.contains(name),
    });
    let group = |title, about| Group {
        title,
        settings: of_subject(&app.settings, about),
    };
    let mut groups = vec![
        group("Limits of a tenant", Subject::Tenant),
        group("Retention", Subject::Retention),
    ];
    if all {
        groups.push(group("The process", Subject::Process));
    }
    page(&SettingsPage {
        user: caller.user.to_string(),
        tenant: caller.tenant.to_string(),
        role: caller.role.as_str(),
        themes: preferences::themes(&headers),
        shortcuts: preferences::shortcuts(&headers),
        targets: targets.collect(),
        roles: Role::ALL.map(|role| role_row(role, caller.role)).into(),
        groups,
        all,
    })
}

fn of_subject(settings: &[Setting], about: Subject) -> Vec<Setting> {
    let settings = settings
        .iter()
        .filter(|setting| subject(&setting.name) == about);
    settings.cloned().collect()
}

fn subject(name: &str) -> Subject {
    if name.contains("_TENANT_") {
        Subject::Tenant
    } else if name.contains("_KEPT") {
        Subject::Retention
    } else {
        Subject::Process
    }
}

fn role_row(role: Role, own: Role) -> RoleRow {
    let asks = PERMISSIONS.iter();
    let asks = asks.filter(|permission| permission.need == Need::Role(role));
    RoleRow {
        name: role.as_str(),
        own: role == own,
        routes: asks
            .map(|permission| format!("{} {}", permission.method, permission.path))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_one_subject() {
        for (name, expected) in [
            ("PERFORMANCE_TENANT_QUEUED", Subject::Tenant),
            ("PERFORMANCE_RUNS_KEPT", Subject::Retention),
            ("PERFORMANCE_TOKENS_FILE", Subject::Process),
        ] {
            assert!(subject(name) == expected, "{name}");
        }
    }
}
