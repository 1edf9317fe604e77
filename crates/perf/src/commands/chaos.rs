//! `perf chaos`.

use std::path::{Path, PathBuf};

use chaos::{Places, Plan, Report, Verdict};
use clap::Args;
use load_analysis::escape;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// Plans of one call.
const MAX_PLANS: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct ChaosArguments {
    /// Plans, such as those of k6/chaos; each has a stack of its own, one after the other.
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<PathBuf>,
    /// A sixth of each time, and five kills at most: shows that the plan works.
    #[arg(long)]
    small: bool,
    /// Only read the plans, and say whether they can be used.
    #[arg(long)]
    check: bool,
    /// Where to write the results: NAME.md, NAME.json, and NAME.html with the run of the load.
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
    /// The directory with bookstore-api, performance-service and llm-simulator; that of this
    /// program without it.
    #[arg(long, value_name = "DIRECTORY")]
    binaries: Option<PathBuf>,
    /// The directory with the scripts of k6.
    #[arg(long, value_name = "DIRECTORY", default_value = "k6")]
    scripts: PathBuf,
}

/// Carries out plans one after the other. An interrupt ends everything that was started.
pub(crate) async fn chaos(arguments: &ChaosArguments, live: bool) -> Result<Answer, Failure> {
    let plans = read(arguments)?;
    if arguments.check {
        let names: Vec<&str> = plans.iter().map(|(name, _)| name.as_str()).collect();
        let text = format!("{} plans can be used: {}", plans.len(), names.join(", "));
        return Ok(Answer::new(&text, json!({"plans": names})));
    }
    let places = places(arguments)?;
    let mut interrupt = Interrupt::listen()?;
    let mut reports = Vec::with_capacity(plans.len());
    for (name, plan) in &plans {
        let say = |text: &str| {
            if live {
                say(text);
            }
        };
        let ended = tokio::select! {
            ended = chaos::run(name, plan, &places, &say) => ended,
            () = interrupt.received() => {
                let why = format!("{name} was interrupted; everything that it started has ended");
                return Err(Failure::Broken(why));
            }
        };
        // The others are other questions.
        let report = ended.unwrap_or_else(|error| {
            let why = format!("{error:#}");
            say(&format!("{name}: {why}"));
            Report::broken(name, plan, &why)
        });
        if let Some(directory) = &arguments.output {
            keep(directory, name, &report)?;
        }
        say(&format!("{name}: {}", report.verdict().as_str()));
        reports.push(report);
    }
    Ok(answer(&reports))
}

fn answer(reports: &[Report]) -> Answer {
    let texts: Vec<String> = reports.iter().map(Report::markdown).collect();
    let documents: Vec<Value> = reports.iter().map(Report::document).collect();
    let verdicts = reports.iter().map(Report::verdict);
    let worst = verdicts.max().unwrap_or(Verdict::Inconclusive);
    let document = json!({
        "verdict": worst,
        "exitCode": worst.exit_code(),
        "experiments": documents,
    });
    Answer::new(&texts.join("\n"), document).with_exit_code(worst.exit_code())
}

/// All plans by their files' names, before anything is started.
fn read(arguments: &ChaosArguments) -> Result<Vec<(String, Plan)>, Failure> {
    if arguments.plans.len() > MAX_PLANS {
        return Err(Failure::Usage(format!("at most {MAX_PLANS} plans")));
    }
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
        let plan = Plan::parse(&text)
            .map_err(|error| Failure::Usage(format!("{}: {error:#}", path.display())))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let plan = if arguments.small { plan.small() } else { plan };
        Ok((name.into_owned(), plan))
    };
    arguments.plans.iter().map(read).collect()
}

fn places(arguments: &ChaosArguments) -> Result<Places, Failure> {
    let own = || {
        let program = std::env::current_exe().ok()?;
        program.parent().map(Path::to_owned)
    };
    let binaries = arguments.binaries.clone().or_else(own);
    let absolute = |path: &Path| {
        path.canonicalize()
            .map_err(|error| Failure::file(path, error))
    };
    Ok(Places {
        binaries: absolute(&binaries.unwrap_or_default())?,
        scripts: absolute(&arguments.scripts)?,
    })
}

fn keep(directory: &Path, name: &str, report: &Report) -> Result<(), Failure> {
    let write = |ending: &str, text: &str| {
        let path = directory.join(format!("{name}.{ending}"));
        std::fs::write(&path, text).map_err(|error| Failure::file(&path, error))
    };
    std::fs::create_dir_all(directory).map_err(|error| Failure::file(directory, error))?;
    write("md", &report.markdown())?;
    write("json", &format!("{:#}\n", report.document()))?;
    if let Some(page) = report.page() {
        write("html", page)?;
    }
    Ok(())
}

/// What happens meanwhile goes beside the answer.
#[expect(clippy::print_stderr, reason = "the command line's own words")]
fn say(text: &str) {
    eprintln!("{}", escape::terminal(text));
}
