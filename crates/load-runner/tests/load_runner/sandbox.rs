//! What scripts cannot do, tried by real k6.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use load_runner::exit::K6Exit;
use load_runner::inspect::InspectError;
use load_runner::options::RequestedOptions;
use load_runner::runner::StartError;
use load_runner::sandbox::{Confinement, Limits, Sandbox};
use load_runner::script::Origin;
use load_runner::target::Target;
use test_support::process::Program;

use crate::lab::{Lab, PROGRAM, environment, on_both_versions, users_and_duration};

/// k6 starts in a second.
const DEADLINE: Duration = Duration::from_secs(30);

on_both_versions!(
    a_hostile_script_gets_nowhere,
    a_summary_stays_in_its_directory,
    imports_from_elsewhere_are_refused,
    targets_by_name_are_reached,
    a_process_without_its_parent_does_not_begin,
    uploaded_scripts_need_the_whole_sandbox,
);

/// Somebody else's listener on the target's address.
struct Stranger(TcpListener);

impl Stranger {
    fn listen() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    fn port(&self) -> anyhow::Result<u16> {
        Ok(self.0.local_addr()?.port())
    }

    fn met_nobody(&self) -> bool {
        matches!(self.0.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

async fn a_hostile_script_gets_nowhere(lab: Lab) -> anyhow::Result<()> {
    let secret = tempfile::NamedTempFile::new()?;
    std::fs::write(secret.path(), "secret")?;
    let secret = secret.path().display().to_string();
    let stranger = Stranger::listen()?;
    let mut plan = lab.plan("hostile.js", &RequestedOptions::default());
    let port = stranger.port()?.to_string();
    plan.environment = environment(&[("SEED", &port), ("PROVIDER", &secret)]);
    let finished = lab.run(plan).await?;
    ensure!(finished.end.exit == K6Exit::Code(0), "{:?}", finished.log);

    let reports = lab.target.reports();
    let report = reports.first().context("the target is reached")?;
    let read = report["read"].as_object().context("what it read")?;
    ensure!(read.len() == 5 && read.contains_key(&secret), "{report}");
    for (file, outcome) in read {
        let refused = outcome.as_str().unwrap_or_default();
        let expected = ["permission denied", "input/output error"];
        ensure!(
            expected.iter().any(|it| refused.contains(it)),
            "{file}: {outcome}"
        );
    }
    ensure!(report["own"].as_u64() > Some(0), "its own data: {report}");
    ensure!(report["connected"] == 0, "{report}");
    let error = report["error"].as_str().unwrap_or_default();
    ensure!(error.contains("permission denied"), "{report}");
    ensure!(stranger.met_nobody());
    let given = serde_json::json!(["BASE_URL", "PROVIDER", "SEED"]);
    ensure!(report["environment"] == given, "{report}");
    ensure!(finished.summary.is_some(), "the summary is written");
    Ok(())
}

/// Runs a k6 of a sandbox to its end and gives what it logged.
async fn k6(lab: &Lab, sandbox: &Sandbox, script: &Path) -> anyhow::Result<(i32, String)> {
    let process = Program::new("k6", PROGRAM)?
        .arg("confine-k6")
        .arg(std::process::id().to_string())
        .arg(serde_json::to_string(sandbox)?)
        .args(["run", "-q", "--address", ""])
        .arg(script)
        .start()?;
    let status = process.wait(DEADLINE).await?;
    let code = status.code().with_context(|| process.log())?;
    ensure!(lab.target.reports().is_empty());
    Ok((code, process.log()))
}

async fn sandbox_of(lab: &Lab, directory: PathBuf) -> anyhow::Result<Sandbox> {
    Ok(Sandbox {
        program: lab.runner.binary(lab.version).await?.path.canonicalize()?,
        directory,
        readable: Vec::new(),
        connect: Vec::new(),
        bind: Vec::new(),
        limits: Limits::default(),
    })
}

/// `handleSummary` writes to any path that it likes. Scripts of plans have none of their own.
async fn a_summary_stays_in_its_directory(lab: Lab) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let own = directory.path().join("own");
    std::fs::create_dir(&own)?;
    let (inside, parent) = (own.join("inside.txt"), directory.path().join("parent.txt"));
    let script = own.join("script.js");
    let text = format!(
        "export default () => {{}};
         export const handleSummary = () => ({{ {:?}: 'x', {:?}: 'x', {:?}: 'x' }});",
        inside,
        parent,
        own.join("../relative.txt")
    );
    std::fs::write(&script, text)?;
    let (code, log) = k6(&lab, &sandbox_of(&lab, own).await?, &script).await?;
    ensure!(code == 0, "{log}");
    ensure!(inside.exists(), "{log}");
    ensure!(!parent.exists() && !directory.path().join("relative.txt").exists());
    ensure!(log.contains("permission denied"), "{log}");
    Ok(())
}

async fn imports_from_elsewhere_are_refused(lab: Lab) -> anyhow::Result<()> {
    let stranger = Stranger::listen()?;
    let scripts = tempfile::tempdir()?;
    let port = stranger.port()?;
    let imports = [
        format!("https://127.0.0.1:{port}/module.js"),
        format!(
            "{}/module.js",
            lab.target.base_url.replace("http:", "https:")
        ),
        "k6/x/exec".to_owned(),
    ];
    for import in imports {
        let text = format!("import it from {import:?}; export default () => it;");
        std::fs::write(scripts.path().join("script.js"), text)?;
        let plan = lab.plan_in(
            scripts.path().to_owned(),
            "script.js",
            &RequestedOptions::default(),
        );
        let refused = lab.start(plan).await.err().context("an error")?;
        let StartError::Inspect(InspectError::Refused { exit, log }) = refused else {
            anyhow::bail!("{import}: {refused}");
        };
        ensure!(exit == K6Exit::Code(107), "{import}: {log}");
    }
    ensure!(stranger.met_nobody());
    Ok(())
}

async fn targets_by_name_are_reached(lab: Lab) -> anyhow::Result<()> {
    let mut plan = lab.plan("default.js", &users_and_duration(1, "1s"));
    plan.target = Target::parse(&lab.target.base_url.replace("127.0.0.1", "localhost"))?;
    let finished = lab.run(plan).await?;
    ensure!(!lab.target.reports().is_empty(), "{:?}", finished.log);
    Ok(())
}

/// Nobody would end it.
async fn a_process_without_its_parent_does_not_begin(lab: Lab) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let sandbox = sandbox_of(&lab, directory.path().to_owned()).await?;
    let process = Program::new("k6", PROGRAM)?
        .args([
            "confine-k6",
            "1",
            &serde_json::to_string(&sandbox)?,
            "version",
        ])
        .start()?;
    let status = process.wait(DEADLINE).await?;
    ensure!(status.code() == Some(126), "{status}");
    ensure!(process.log().contains("has ended"), "{}", process.log());
    Ok(())
}

async fn uploaded_scripts_need_the_whole_sandbox(lab: Lab) -> anyhow::Result<()> {
    let mut plan = lab.plan("default.js", &users_and_duration(1, "1s"));
    let unconfined = lab.runner.clone().with_confinement(Confinement::Missing);
    let gap = start_and_end(&unconfined, plan.clone()).await?;
    ensure!(gap.is_some_and(|gap| gap.contains("Landlock")), "{gap:?}");

    plan.script.origin = Origin::Upload;
    plan.directory = plan.directory.with_file_name("upload");
    ensure!(start_and_end(&lab.runner, plan.clone()).await?.is_none());
    plan.directory = plan.directory.with_file_name("refused");
    let refused = start_and_end(&unconfined, plan)
        .await
        .err()
        .context("an error")?;
    ensure!(refused.to_string().contains("whole sandbox"), "{refused}");
    Ok(())
}

/// Begins a run, stops it, and gives the gap in its sandbox.
async fn start_and_end(
    runner: &load_runner::local::LocalProcess,
    plan: load_runner::plan::RunPlan,
) -> anyhow::Result<Option<&'static str>> {
    use load_runner::runner::LoadRunner;
    let handle = runner.start(plan).await?;
    handle.stop();
    handle.ended().await;
    Ok(handle.gap)
}
