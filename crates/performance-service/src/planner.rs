//! From what a client asks for to a plan that may be started: every field checked, the
//! target on the list.

mod limits;

use std::collections::BTreeSet;
use std::path::PathBuf;

use load_analysis::limits::Limit;
use load_runner::binary::MajorVersion;
use load_runner::environment::RunEnvironment;
use load_runner::options::RunOptions;
use load_runner::plan::RunPlan;
use load_runner::script::{Script, ScriptDirectory, ScriptError};
use load_runner::target::Target;
use load_runner::trace::TraceContext;
use performance_store::{RunAddress, RunId};
use service_defaults::allow_list::AllowList;
use service_defaults::problem::{FieldError, Problem};
use tenancy::{Role, TenantId};

pub(crate) use self::limits::LimitFile;
use crate::generated_scripts::GeneratedScripts;
use crate::ledger::BilledTarget;
use crate::money_limits::{MoneyLimits, RunBudget};
use crate::problems;
use crate::relay::Relay;
use crate::runs::request::{StartBody, Word};
use crate::scenarios::Scenario;
use crate::tenant_limits::TenantLimits;

/// The variables that a client may set; the run's id is ours.
const CLIENT_VARIABLES: [&str; 7] = [
    "BASE_URL", "SCENARIO", "MODEL", "SCALE", "PROVIDER", "COUNT", "SEED",
];

/// The longest name of a test, in characters: it is a heading.
const MAX_NAME_LENGTH: usize = 200;

/// The longest address of a person (RFC 5321, 4.5.3.1.3).
const MAX_EMAIL_LENGTH: usize = 254;

/// Checks requests against the scripts and targets of this service.
#[derive(Debug, Clone)]
pub(crate) struct Planner {
    pub(crate) scripts: ScriptDirectory,
    pub(crate) generated: GeneratedScripts,
    pub(crate) targets: AllowList,
    /// The names of those that real people use.
    pub(crate) production: BTreeSet<String>,
    pub(crate) tenant_limits: TenantLimits,
    pub(crate) money: MoneyLimits,
    pub(crate) runs_directory: PathBuf,
    /// Days that the raw files of a finished run are kept.
    pub(crate) raw_kept_days: u32,
    /// Where the relay listens.
    pub(crate) relay_port: u16,
}

/// A request that passed.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) test_name: String,
    pub(crate) scenario: Scenario,
    pub(crate) script: String,
    /// The target, whose ledger and metrics are not below what the request may have appended to
    /// its address.
    pub(crate) target: BilledTarget,
    /// What the run must keep to beside its thresholds.
    pub(crate) limits: Vec<Limit>,
    /// What it may spend on model calls.
    pub(crate) budget: RunBudget,
    pub(crate) plan: RunPlan,
}

impl Planner {
    /// Checks a request and makes the plan of a run. Nothing is created yet.
    ///
    /// # Errors
    /// 400 names every field that is refused, 403 the target that is not listed.
    pub(crate) fn plan(&self, run: &RunAddress, body: &StartBody) -> Result<Planned, Problem> {
        let id = run.id;
        let scenario = scenario(body)?;
        let test_name = test_name(body, scenario)?;
        check_labels(body)?;
        check_model(body)?;
        let script_name = body
            .test_script
            .as_deref()
            .unwrap_or(scenario.default_script());
        let script = self.script(&run.tenant, script_name)?;
        let options =
            RunOptions::parse(&body.options.requested()).map_err(problems::from_fields)?;
        self.tenant_limits.check(&options)?;
        let budget = self.money.budget(body)?;
        let relay = body.options.relay.unwrap_or(false);
        let relay = relay.then_some(self.relay_port);
        let environment = environment(id, body, scenario, relay)?;
        let (target_name, target) = self.target(body.environment.get("BASE_URL"))?;
        let billed = self.billed(target_name).ok_or_else(Problem::internal)?;
        let plan = RunPlan {
            target,
            script,
            options,
            environment,
            relay,
            bounds: self.tenant_limits.bounds(),
            expected_rate: None,
            version: version(body)?,
            directory: self.directory(id),
            trace: TraceContext::default(),
        };
        Ok(Planned {
            test_name,
            scenario,
            script: script_name.to_owned(),
            target: billed,
            limits: self.limits(script_name, scenario)?,
            budget,
            plan,
        })
    }

    /// Checks the grant that a production target asks for: an administrator who repeats its name.
    /// It is given with the request; what is stored is not asked again.
    ///
    /// # Errors
    /// 403 without it.
    pub(crate) fn grant(
        &self,
        role: Role,
        planned: &Planned,
        body: &StartBody,
    ) -> Result<(), Problem> {
        let target = &planned.target.name;
        let confirmed = body.confirm_production.as_ref() == Some(target);
        if !self.production.contains(target) || (confirmed && role == Role::Admin) {
            return Ok(());
        }
        let detail = format!(
            "the target {target} is in production: a run against it needs the role admin and \
             \"confirmProduction\": \"{target}\""
        );
        Err(Problem::forbidden(detail).with_kind("production-target"))
    }

    fn script(&self, tenant: &TenantId, name: &str) -> Result<Script, Problem> {
        let found = match GeneratedScripts::name_of(name) {
            Some(name) => self.generated.resolve(tenant, name),
            None => self.scripts.resolve(name),
        };
        found.map_err(|error| refused_script(&error))
    }

    /// Where the files of a run are.
    pub(crate) fn directory(&self, id: RunId) -> PathBuf {
        self.runs_directory.join(id.to_string())
    }

    /// A target as it is listed; `None` where it is not any more.
    pub(crate) fn billed(&self, name: &str) -> Option<BilledTarget> {
        let listed = self.targets.named(name)?;
        Some(BilledTarget {
            name: name.to_owned(),
            base_url: listed.as_str().trim_end_matches('/').to_owned(),
        })
    }

    /// The target and its name: the one that is asked for, `local`, or else the first.
    pub(crate) fn target(&self, base_url: Option<&Word>) -> Result<(&str, Target), Problem> {
        const FIELD: &str = "environment.BASE_URL";
        let (name, text) = match base_url {
            Some(Word(text)) => {
                let url = text
                    .parse()
                    .map_err(|error| Problem::invalid_field(FIELD, format!("{error}")))?;
                let name = self.targets.check(&url).map_err(|refused| {
                    Problem::forbidden(format!("{FIELD}: {refused}")).with_kind("target-refused")
                })?;
                (name, text.as_str())
            }
            None => {
                let mut listed = self.targets.iter();
                let local = listed.clone().find(|(name, _)| *name == "local");
                let (name, url) = local.or_else(|| listed.next()).ok_or_else(|| {
                    Problem::forbidden("this service has no target; set PERFORMANCE_TARGETS")
                })?;
                (name, url.as_str())
            }
        };
        let target = Target::parse(text)
            .map_err(|error| Problem::invalid_field(FIELD, error.to_string()))?;
        Ok((name, target))
    }
}

fn scenario(body: &StartBody) -> Result<Scenario, Problem> {
    let Some(Word(text)) = &body.scenario else {
        return Ok(Scenario::Load);
    };
    Scenario::parse(text).ok_or_else(|| unknown_scenario("scenario"))
}

/// 400 for a scenario that does not exist; `field` is where it was given.
pub(crate) fn unknown_scenario(field: &str) -> Problem {
    let names = Scenario::ALL.map(Scenario::name).join(", ");
    Problem::invalid_field(
        field,
        format!(
            "must be one of {names}, or 0 to 5; a script is given by its path, such as tests/smoke.js"
        ),
    )
}

fn test_name(body: &StartBody, scenario: Scenario) -> Result<String, Problem> {
    let name = match &body.test_name {
        Some(name) => name.trim().to_owned(),
        None => scenario.default_name(),
    };
    let reason = plain_text(&name, MAX_NAME_LENGTH);
    match reason {
        None => Ok(name),
        Some(reason) => Err(Problem::invalid_field("testName", reason)),
    }
}

fn check_labels(body: &StartBody) -> Result<(), Problem> {
    let labels = [
        ("userEmail", &body.user_email, MAX_EMAIL_LENGTH),
        ("tenantName", &body.tenant_name, MAX_NAME_LENGTH),
    ];
    let mut errors: Vec<FieldError> = labels
        .into_iter()
        .filter_map(|(field, label, limit)| {
            let reason = plain_text(label.as_deref()?, limit)?;
            Some(FieldError::new(field, reason))
        })
        .collect();
    if body.revision.as_deref().is_some_and(|it| !is_revision(it)) {
        let reason = "must be 1 to 64 letters, digits and . _ - + /";
        errors.push(FieldError::new("revision", reason));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(errors))
    }
}

fn is_revision(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+/".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(good)
}

/// Arrivals of the open model come at the rate of the scenario. Users, a time or iterations would
/// replace them by users who, as the model has it, do not think between two requests.
fn check_model(body: &StartBody) -> Result<(), Problem> {
    let model = body.environment.get("MODEL");
    if body.options.rate.is_some()
        || !model.is_some_and(|Word(model)| model.eq_ignore_ascii_case("open"))
    {
        return Ok(());
    }
    let options = &body.options;
    let errors: Vec<FieldError> = [
        ("virtualUsers", options.virtual_users.is_some()),
        ("duration", options.duration.is_some()),
        ("iterations", options.iterations.is_some()),
    ]
    .into_iter()
    .filter(|(_, asked)| *asked)
    .map(|(option, _)| {
        let reason = "does not go with MODEL=open, whose load is the scenario's; SCALE changes \
                      it, options.rate replaces it";
        FieldError::new(format!("options.{option}"), reason)
    })
    .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(errors))
    }
}

/// Why a text is no single line of bounded length; `None` when it is one.
fn plain_text(text: &str, limit: usize) -> Option<String> {
    if text.chars().count() > limit {
        return Some(format!("must have at most {limit} characters"));
    }
    let control = text.chars().any(char::is_control);
    control.then(|| "must not hold control characters".to_owned())
}

fn environment(
    id: RunId,
    body: &StartBody,
    scenario: Scenario,
    relay: Option<u16>,
) -> Result<RunEnvironment, Problem> {
    let unknown: Vec<FieldError> = body
        .environment
        .keys()
        .filter(|name| !CLIENT_VARIABLES.contains(&name.as_str()))
        .map(|name| {
            let name: String = name.chars().take(MAX_NAME_LENGTH).collect();
            let reason = format!("is not one of {}", CLIENT_VARIABLES.join(", "));
            FieldError::new(format!("environment.{name}"), reason)
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Problem::invalid(unknown));
    }
    let ours = [
        ("SCENARIO".to_owned(), scenario.slug().to_owned()),
        ("TEST_ID".to_owned(), id.to_string()),
    ];
    let relay = relay.map(|port| ("LLM_RELAY_URL".to_owned(), Relay::address(port, id)));
    // Users who come at a rate do not think between two requests.
    let model = ("MODEL".to_owned(), "open".to_owned());
    let model = body.options.rate.map(|_| model);
    let theirs = body
        .environment
        .iter()
        .map(|(name, Word(value))| (name.clone(), value.clone()));
    let ours = ours.into_iter().chain(relay).chain(model);
    RunEnvironment::parse(ours.chain(theirs)).map_err(problems::from_fields)
}

fn version(body: &StartBody) -> Result<MajorVersion, Problem> {
    match body.options.k6_version.as_deref() {
        None | Some("") => Ok(MajorVersion::V2),
        Some(text) => MajorVersion::parse(text)
            .ok_or_else(|| Problem::invalid_field("options.k6Version", "must be v1 or v2")),
    }
}

fn refused_script(error: &ScriptError) -> Problem {
    match error {
        ScriptError::InvalidName | ScriptError::Outside | ScriptError::NotFound => {
            Problem::invalid_field("testScript", error.to_string())
        }
        ScriptError::Unreadable(_) => {
            tracing::error!("the scripts cannot be read: {error}");
            Problem::internal()
        }
    }
}
