//! Plans of experiments, as far as they go without a stack; `make test-chaos` carries them out.

use std::path::PathBuf;

use test_support::tools;

use crate::command::{end, perf, text};

const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn plans_are_checked_without_a_stack() -> anyhow::Result<()> {
    let plan = tools::workspace().join("k6/chaos/f01-store-killed.toml");
    let arguments = ["chaos", "--check", text(&plan)];
    let told = end(&perf(NOWHERE, &arguments)?.start()?).await?;
    let told = told.ended_with(0);
    assert!(told.contains("f01-store-killed"), "{told}");
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_plan_is_told_before_anything_starts() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let wrong = directory.path().join("wrong.toml");
    std::fs::write(
        &wrong,
        "question = \"?\"\nseconds = 5\n[load]\nscript = \"a.js\"\n",
    )?;
    let good = tools::workspace().join("k6/chaos/f01-store-killed.toml");
    let binaries = ["--binaries", text(directory.path())];
    let nowhere = PathBuf::from("/nowhere/plan.toml");
    for (arguments, reason) in [
        (
            vec![text(&wrong)],
            "wrong.toml: load: needs either users or preset",
        ),
        (vec![text(&nowhere)], "/nowhere/plan.toml"),
        (
            [&binaries[..], &["--scripts", "/nowhere", text(&good)]].concat(),
            "/nowhere",
        ),
        (vec![], "PLAN"),
    ] {
        let arguments = [&["chaos"][..], &arguments].concat();
        let told = end(&perf(NOWHERE, &arguments)?.start()?).await?;
        let told = told.ended_with(3);
        assert!(told.contains(reason), "{arguments:?}: {told}");
    }
    Ok(())
}

#[tokio::test]
async fn a_plan_that_cannot_be_carried_out_has_a_report_and_the_next_one_goes_on()
-> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let plan = |name: &str| tools::workspace().join(format!("k6/chaos/{name}.toml"));
    let (first, second) = (plan("f13-api-killed"), plan("f14-api-terminated"));
    let (scripts, results) = (
        tools::workspace().join("k6"),
        directory.path().join("results"),
    );
    let arguments = [
        &[
            "chaos",
            "--scripts",
            text(&scripts),
            "--output",
            text(&results),
        ][..],
        // There are no programs.
        &[
            "--binaries",
            text(directory.path()),
            text(&first),
            text(&second),
        ],
    ]
    .concat();
    let told = end(&perf(NOWHERE, &arguments)?.start()?).await?;
    let told = told.ended_with(3);
    for name in ["f13-api-killed", "f14-api-terminated"] {
        assert!(told.contains(&format!("BROKEN: {name}")), "{told}");
        let kept = std::fs::read_to_string(results.join(format!("{name}.md")))?;
        assert!(kept.contains("there is no llm-simulator"), "{kept}");
    }
    Ok(())
}
