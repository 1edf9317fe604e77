//! `perf baseline`: what runs are compared with.

use clap::{Args, Subcommand};
use reqwest::StatusCode;
use serde_json::json;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::identify;
use crate::service::{Baseline, Service};
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
    /// Put an earlier version of the one in force in force again.
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
            let baseline = in_force(service, &arguments.which).await?;
            let end = service.withdraw(&baseline, &arguments.reason).await?;
            let text = format!("version {} of {}: none is in force", end.version, end.test);
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
            one.test.clone(),
            one.scenario.clone(),
            one.environment.clone(),
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
    let from = in_force(service, &arguments.which).await?;
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

/// The one baseline that the arguments mean.
async fn in_force(service: &Service, which: &WhichArguments) -> Result<Baseline, Failure> {
    let is_it = |one: &Baseline| {
        let wanted = |asked: &Option<String>, has: &str| {
            asked
                .as_ref()
                .is_none_or(|asked| asked.eq_ignore_ascii_case(has))
        };
        one.test == which.test
            && wanted(&which.target, &one.environment)
            && wanted(&which.scenario, &one.scenario)
    };
    let mut found = service.baselines().await?;
    found.retain(is_it);
    let one = found.pop().ok_or_else(|| {
        let test = &which.test;
        Failure::Usage(format!("no such baseline of {test} is in force"))
    })?;
    if found.is_empty() {
        return Ok(one);
    }
    let reason = "several baselines are in force: --target and --scenario tell them apart";
    Err(Failure::Usage(reason.to_owned()))
}

async fn show(service: &Service, which: &WhichArguments) -> Result<Answer, Failure> {
    let in_force = in_force(service, which).await?;
    let versions = service.versions(&in_force).await?;
    let mut text = shown(&in_force);
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
        "baseline of {} ({}, {}), version {}, {} runs\n{}",
        baseline.test,
        baseline.scenario,
        baseline.environment,
        baseline.version,
        baseline.runs.len(),
        table(&MEASURES, &rows)
    )
}
