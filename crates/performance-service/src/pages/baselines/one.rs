//! `/baselines/one`: a baseline, what the latest good runs would make of it and hide, its versions.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use performance_store::{BaselineName, BaselineVersion, Run, RunStore};
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use tenancy::{Principal, Role, TenantId};
use url::form_urlencoded;

use super::{Listed, listed};
use crate::app::App;
use crate::baselines::Wish;
use crate::baselines::weighing::{Outcome, Weighed, weigh};
use crate::comparing::is_told;
use crate::pages::compare;
use crate::pages::new::forbidden;
use crate::pages::page;
use crate::presentation::words::{self, Badge};
use crate::problems;

/// Which baseline of the caller's tenant.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::pages) struct Which {
    test: String,
    environment: String,
    scenario: String,
}

#[derive(Template)]
#[template(path = "baseline.html")]
struct OnePage {
    which: Which,
    proposal: Result<Proposal, String>,
    versions: Vec<Version>,
    is_in_force: bool,
    /// Why the caller may establish none.
    forbidden: Option<String>,
    /// Why the caller may do nothing by hand.
    not_by_hand: Option<String>,
}

impl OnePage {
    /// Why the caller may not take the proposal.
    fn refusal(&self, proposal: &Proposal) -> Option<&str> {
        let by_hand = self
            .not_by_hand
            .as_deref()
            .filter(|_| proposal.needs_reason);
        by_hand.or(self.forbidden.as_deref())
    }
}

/// The latest good runs as a baseline.
struct Proposal {
    runs: Vec<ProposedRun>,
    figures: Listed,
    told: Vec<compare::Row>,
    rest: Vec<compare::Row>,
    says: String,
    hides: Vec<String>,
    /// Whether it takes a reason.
    needs_reason: bool,
    /// Whether there is anything to take.
    is_new: bool,
}

impl Proposal {
    /// The runs that are looked at, so that no others are taken.
    fn ids(&self) -> String {
        let ids: Vec<&str> = self.runs.iter().map(|run| run.id.as_str()).collect();
        ids.join(",")
    }
}

struct ProposedRun {
    id: String,
    name: String,
    when: String,
    badge: Option<Badge>,
}

struct Version {
    listed: Listed,
    in_force: bool,
    pinned: bool,
    /// Whether it has all its runs: one that withdrew the baseline has none, and of others some
    /// were removed.
    has_runs: bool,
}

/// The page of a baseline.
pub(in crate::pages) async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(which): ValidQuery<Which>,
) -> Result<Response, Problem> {
    let name = which.name(&caller.tenant);
    let versions = app.store.baseline_versions(&name).await;
    let versions = versions.map_err(problems::from_store)?;
    let pinned = app.store.pinned_baselines(&name).await;
    let pinned = pinned.map_err(problems::from_store)?;
    let weighed = weigh(&app, &caller, &which.wish()).await;
    let proposal = match weighed {
        Ok(weighed) => Ok(proposal(&weighed)),
        Err(problem) if says_why(&problem) => Err(reason(&problem)),
        Err(problem) => return Err(problem),
    };
    let gone = gone(&app.store, &caller.tenant, &versions).await?;
    let newest = versions.first().filter(|newest| newest.is_reference());
    let in_force = newest.map(|newest| newest.version);
    let version = |version: BaselineVersion| Version {
        in_force: in_force == Some(version.version),
        pinned: pinned.contains(&version.version),
        has_runs: version.is_reference() && !gone.contains(&version.version),
        listed: listed(version),
    };
    page(&OnePage {
        is_in_force: in_force.is_some(),
        proposal,
        versions: versions.into_iter().map(version).collect(),
        which,
        forbidden: forbidden(&caller),
        not_by_hand: not_by_hand(&caller),
    })
}

/// The versions of which a run was removed.
async fn gone(
    store: &RunStore,
    tenant: &TenantId,
    versions: &[BaselineVersion],
) -> Result<Vec<u64>, Problem> {
    let runs = versions.iter().flat_map(BaselineVersion::runs).collect();
    let missing = store.missing_runs(tenant, runs).await;
    let missing = missing.map_err(problems::from_store)?;
    let is_gone =
        |version: &&BaselineVersion| version.runs().iter().any(|run| missing.contains(run));
    let gone = versions.iter().filter(is_gone);
    Ok(gone.map(|version| version.version).collect())
}

impl Which {
    pub(in crate::pages) const fn new(test: String, environment: String, scenario: String) -> Self {
        Self {
            test,
            environment,
            scenario,
        }
    }

    pub(super) fn of(name: &BaselineName) -> Self {
        Self {
            test: name.test.clone(),
            environment: name.environment.clone(),
            scenario: name.scenario.clone(),
        }
    }

    /// The address of its page.
    pub(in crate::pages) fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("test", &self.test);
        query.append_pair("environment", &self.environment);
        query.append_pair("scenario", &self.scenario);
        format!("/baselines/one?{}", query.finish())
    }

    pub(super) fn name(&self, tenant: &TenantId) -> BaselineName {
        BaselineName {
            tenant: tenant.clone(),
            test: self.test.clone(),
            environment: self.environment.clone(),
            scenario: self.scenario.clone(),
        }
    }

    fn wish(&self) -> Wish {
        Wish {
            test: self.test.clone(),
            environment: Some(self.environment.clone()),
            scenario: Some(self.scenario.clone()),
            ..Wish::default()
        }
    }
}

fn not_by_hand(caller: &Principal) -> Option<String> {
    (caller.role < Role::Admin).then(|| {
        let role = caller.role.as_str();
        format!("Your role is {role}: what is done by hand takes an administrator.")
    })
}

fn proposal(weighed: &Weighed) -> Proposal {
    let outcome = weighed.outcome();
    let is_new = outcome != Outcome::InForce;
    // Runs held against themselves tell nothing.
    let compared = weighed.compared.iter().flatten().filter(|_| is_new);
    let (mut told, rest): (Vec<_>, Vec<_>) = compared.partition(is_told);
    // What decides stands first, the worst of it on top.
    told.sort_by_key(|one| std::cmp::Reverse(one.level));
    let rows = |of: Vec<_>| of.into_iter().map(compare::row).collect();
    let hides = weighed.hides();
    let next = weighed.newest.as_ref().map_or(0, |newest| newest.version) + 1;
    Proposal {
        runs: weighed.runs.iter().map(proposed).collect(),
        figures: listed(BaselineVersion {
            name: weighed.name.clone(),
            version: next,
            created_at: jiff::Timestamp::now(),
            created_by: String::new(),
            replacement: None,
            baseline: weighed.baseline.clone(),
        }),
        told: rows(told),
        rest: rows(rest),
        says: says(&outcome, next),
        needs_reason: matches!(outcome, Outcome::ForAReason(_)),
        is_new,
        hides,
    }
}

fn says(outcome: &Outcome, next: u64) -> String {
    match outcome {
        Outcome::First => format!("None is in force: they become version {next}."),
        Outcome::InForce => "These runs are in force.".to_owned(),
        Outcome::ByThemselves(measures) => {
            let measures = measures.join(", ");
            format!("They replace those in force by themselves: better in {measures}.")
        }
        Outcome::ForAReason(against) => {
            format!("They do not replace those in force by themselves. {against}")
        }
    }
}

fn proposed(run: &Run) -> ProposedRun {
    ProposedRun {
        id: run.id.to_string(),
        name: format!("#{}", run.number),
        when: words::clock(run.started_at.unwrap_or(run.queued_at)),
        badge: words::badge(run.verdict.as_ref()),
    }
}

/// Whether a problem says why there is no proposal, not that there is none now.
fn says_why(problem: &Problem) -> bool {
    let status = problem.status();
    status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS
}

/// Why there is no proposal.
fn reason(problem: &Problem) -> String {
    let first = problem.errors().first();
    let reason = first.map_or_else(|| problem.detail(), |error| &error.reason);
    words::sentence(reason)
}
