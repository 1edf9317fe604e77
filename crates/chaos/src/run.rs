//! One experiment from its begin to its end.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use crate::api::Api;
use crate::faults::Saboteur;
use crate::judgement::{Evidence, judge};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::plan::Plan;
use crate::probes::Probes;
use crate::report::Report;
use crate::samples::Samples;
use crate::stack::{Stack, wait_until_ready};

/// Where things are on this machine.
#[derive(Debug, Clone)]
pub struct Places {
    /// The directory with our own programs.
    pub binaries: PathBuf,
    /// The directory with the scripts of k6.
    pub scripts: PathBuf,
}

/// Carries out a plan. `say` is told what happens meanwhile. Dropping the future ends everything
/// that it started.
///
/// # Errors
/// The stack does not start, or a fault cannot be caused or mended: there is nothing to judge.
pub async fn run(
    name: &str,
    plan: &Plan,
    places: &Places,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    say(&format!("{name}: starting the stack"));
    let stack = Stack::start(&plan.stack, places).await?;
    let report = experiment(name, plan, &stack, say).await;
    stack.stop().await;
    report
}

async fn experiment(
    name: &str,
    plan: &Plan,
    stack: &Stack,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    let api = Api::new(&stack.api_url())?;
    let service = stack.performance_url();
    let load = Load::start(&service, name, &plan.load, plan.seconds).await;
    let load = load.context("the load")?;
    let samples = Samples::new();
    let ledger = Arc::new(Ledger::create(stack.directory())?);
    let share = plan.load.probes.unwrap_or(1.0);
    let probes = Probes::start(&api, &samples, &ledger, share).await?;
    say(&format!("{name}: load is on, users ask"));
    let saboteur = Saboteur {
        stack,
        api: &api,
        load: &load,
        samples: &samples,
        say,
    };
    let (happened, pages) = saboteur.carry_out(plan).await?;
    probes.stop().await;
    let ended = load.ended(&plan.load).await?;
    wait_until_ready(&api).await?;
    let losses = ledger.compare(&api.all_books().await?)?;
    let note = load.note.clone();
    let evidence = Evidence {
        samples: samples.all(),
        ended,
        happened,
        pages,
        losses,
        seconds: samples.now(),
        note,
    };
    // A run that never put load on has no picture.
    let page = load.report().await.ok();
    let judged = judge(plan, &evidence);
    Ok(Report::new(name, plan, &evidence, judged, page))
}
