//! `perf baseline`: what runs are compared with.

use clap::{Args, Subcommand};
use reqwest::StatusCode;
use serde_json::json;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::identify;
use crate::service::{Baseline, BaselineName, Service};
use crate::table::{Column, table};

const IN_FORCE: [Column; 6] = [
    Column::Left("test"),
    Column::Left("scenario"),
    Column::Left("target"),
    Column::Right("version"),
    Column::Right("runs"),
    Column::Left("since"),
];

const MEASURES: [Column; 5] = [
    Column::Left("measure"),
    Column::Right("median"),
    Column::Right("least"),
    Column::Right("most"),
    Column::Right("noise"),
];

/// The target that is meant when none is named.
const LOCAL: &str = "local";

/// The exit code of a baseline that stays, because the new runs are not better.
const STAYS: u8 = 1;

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Make good runs the baseline. The one in force gives way only to better ones, or for a
    /// reason.
    Establish(EstablishArguments),
    /// Show a baseline and how it came about.
    Show(WhichArguments),
    /// List the baselines in force.
    List,
    /// Put an earlier version in force again, also after a withdrawal.
    Rollback(RollbackArguments),
    /// Take a baseline out of force; its versions stay.
    Withdraw(WithdrawArguments),
}

#[derive(Debug, Args)]
pub(crate) struct EstablishArguments {
    #[command(flatten)]
    which: WhichArguments,
    /// The runs, oldest first, with commas between; else the latest good ones.
    #[arg(long)]
    runs: Option<String>,
    /// Why it replaces a baseline that is not worse.
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    #[command(flatten)]
    which: WhichArguments,
    /// The number of the version, as `show` lists them.
    #[arg(long, value_name = "VERSION")]
    to: u64,
    /// Why.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct WithdrawArguments {
    #[command(flatten)]
    which: WhichArguments,
    /// Why.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct WhichArguments {
    /// Name of the test.
    #[arg(long, value_name = "NAME")]
    test: String,
    /// Name of the target.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// The scenario.
    #[arg(long)]
    scenario: Option<String>,
}

/// One of the five.
///
/// # Errors
/// The service refuses, or there is no such baseline.
pub(crate) async fn baseline(
    service: &Service,
    command: &BaselineCommand,
) -> Result<Answer, Failure> {
    match command {
        BaselineCommand::Establish(arguments) => establish(service, arguments).await,
        BaselineCommand::Show(which) => show(service, which).await,
        BaselineCommand::List => list(service).await,
        BaselineCommand::Rollback(arguments) => rollback(service, arguments).await,
        BaselineCommand::Withdraw(arguments) => {
            let which = &arguments.which;
            let baseline = in_force(service, which).await?;
            let baseline = baseline.ok_or_else(|| none_in_force(which))?;
            let end = service.withdraw(&baseline.name, &arguments.reason).await?;
            let (version, test) = (end.version, &end.name.test);
            let text = format!("version {version} of {test}: none is in force");
            Ok(Answer::new(&text, json!(end)))
        }
    }
}

async fn establish(service: &Service, arguments: &EstablishArguments) -> Result<Answer, Failure> {
    let which = &arguments.which;
    let runs = match &arguments.runs {
        None => None,
        Some(runs) => Some(identify::list(service, runs).await?),
    };
    let runs: Option<Vec<&str>> = runs.as_ref().map(|runs| runs.split(',').collect());
    let body = json!({
        "test": which.test,
        "environment": which.target,
        "scenario": which.scenario,
        "runs": runs,
        "reason": arguments.reason,
    });
    match service.establish(&body).await {
        Ok(baseline) => Ok(Answer::new(&shown(&baseline), json!(baseline))),
        Err(Failure::Refused { status, reason, .. }) if status == StatusCode::CONFLICT => {
            let document = json!({"established": false, "reason": reason});
            Ok(Answer::new(&reason, document).with_exit_code(STAYS))
        }
        Err(failure) => Err(failure),
    }
}

async fn list(service: &Service) -> Result<Answer, Failure> {
    let baselines = service.baselines().await?;
    let row = |one: &Baseline| {
        vec![
            one.name.test.clone(),
            one.name.scenario.clone(),
            one.name.environment.clone(),
            one.version.to_string(),
            one.runs.len().to_string(),
            one.created_at.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = baselines.iter().map(row).collect();
    let text = if rows.is_empty() {
        "no baselines".to_owned()
    } else {
        table(&IN_FORCE, &rows)
    };
    Ok(Answer::new(&text, json!(baselines)))
}

async fn rollback(service: &Service, arguments: &RollbackArguments) -> Result<Answer, Failure> {
    let from = named(service, &arguments.which).await?;
    let body = json!({
        "test": from.test,
        "environment": from.environment,
        "scenario": from.scenario,
        "version": arguments.to,
        "reason": arguments.reason,
    });
    let baseline = service.roll_back(&body).await?;
    Ok(Answer::new(&shown(&baseline), json!(baseline)))
}

/// The one in force, or the one that is named in full: it may have been withdrawn.
async fn named(service: &Service, which: &WhichArguments) -> Result<BaselineName, Failure> {
    match (in_force(service, which).await?, &which.scenario) {
        // Without a target one that was withdrawn may be meant as well.
        (Some(one), Some(_)) if which.target.is_none() && one.name.environment != LOCAL => {
            let target = &one.name.environment;
            let reason = format!("the one in force is that of {target}: --target says which one");
            Err(Failure::Usage(reason))
        }
        (Some(one), _) => Ok(one.name),
        (None, Some(scenario)) => Ok(BaselineName {
            test: which.test.clone(),
            environment: which.target.clone().unwrap_or_else(|| LOCAL.to_owned()),
            scenario: scenario.clone(),
        }),
        (None, None) => Err(none_in_force(which)),
    }
}

/// The one baseline in force that the arguments mean, if there is one.
async fn in_force(service: &Service, which: &WhichArguments) -> Result<Option<Baseline>, Failure> {
    let is_it = |one: &Baseline| {
        let wanted = |asked: &Option<String>, has: &str| {
            asked
                .as_ref()
                .is_none_or(|asked| asked.eq_ignore_ascii_case(has))
        };
        one.name.test == which.test
            && wanted(&which.target, &one.name.environment)
            && wanted(&which.scenario, &one.name.scenario)
    };
    let mut found = service.baselines().await?;
    found.retain(is_it);
    let one = found.pop();
    if found.is_empty() {
        return Ok(one);
    }
    let reason = "several baselines are in force: --target and --scenario tell them apart";
    Err(Failure::Usage(reason.to_owned()))
}

fn none_in_force(which: &WhichArguments) -> Failure {
    let test = &which.test;
    let reason =
        format!("no such baseline of {test} is in force; --scenario names one that was withdrawn");
    Failure::Usage(reason)
}

async fn show(service: &Service, which: &WhichArguments) -> Result<Answer, Failure> {
    let name = named(service, which).await?;
    let versions = service.versions(&name).await?;
    let mut text = match versions.first() {
        Some(newest) if !newest.runs.is_empty() => shown(newest),
        _ => format!("baseline of {name}: none is in force\n"),
    };
    for version in &versions {
        let why = version.replacement.as_ref().map(ToString::to_string);
        text.push_str(&format!(
            "  version {} of {} by {} {}\n",
            version.version,
            version.created_at,
            version.created_by,
            why.unwrap_or_default()
        ));
    }
    Ok(Answer::new(&text, json!(versions)))
}

fn shown(baseline: &Baseline) -> String {
    let number = load_analysis::notation::number;
    let row = |(name, centre): (&String, &load_analysis::baseline::Centre)| {
        vec![
            name.clone(),
            number(centre.median),
            number(centre.min),
            number(centre.max),
            format!("± {:.1} %", centre.noise * 100.0),
        ]
    };
    let rows: Vec<Vec<String>> = baseline.measures.iter().map(row).collect();
    format!(
        "baseline of {}, version {}, {} runs\n{}",
        baseline.name,
        baseline.version,
        baseline.runs.len(),
        table(&MEASURES, &rows)
    )
}
