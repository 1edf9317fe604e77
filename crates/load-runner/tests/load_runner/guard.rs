//! A run reaches its target and nothing else.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use load_runner::binary::{BinaryError, K6Binary, MajorVersion};
use load_runner::options::RequestedOptions;
use load_runner::runner::StartError;

use crate::lab::{Lab, finish, on_both_versions};

on_both_versions!(
    only_the_target_can_be_reached,
    the_directory_is_private_and_new,
    a_wrong_binary_is_told,
);

/// k6's code for an address that is blocked.
const BLOCKED: u64 = 1110;

async fn only_the_target_can_be_reached(lab: Lab) -> anyhow::Result<()> {
    lab.run(lab.plan("elsewhere.js", &RequestedOptions::default()))
        .await?;
    let reports = lab.target.reports();
    let codes = reports.first().context("a report")?["codes"]
        .as_object()
        .context("codes")?;
    for (host, code) in codes {
        let expected = if host == "127.0.0.1" { 0 } else { BLOCKED };
        ensure!(code == expected, "{host}: {code}");
    }
    ensure!(codes.len() == 6, "{codes:?}");
    ensure!(reports[0]["status"] == 307, "nothing is followed unasked");
    Ok(())
}

async fn the_directory_is_private_and_new(lab: Lab) -> anyhow::Result<()> {
    let plan = lab.ending("crossed");
    let handle = lab.start(plan.clone()).await?;
    let mode = std::fs::metadata(&plan.directory)?.permissions().mode();
    finish(&handle).await?;
    ensure!(mode & 0o777 == 0o700, "{mode:o}");
    let again = lab.start(plan).await.err().context("an error")?;
    ensure!(matches!(again, StartError::Files(_)), "{again}");
    Ok(())
}

async fn a_wrong_binary_is_told(lab: Lab) -> anyhow::Result<()> {
    let right = lab.runner.binary(lab.version).await?;
    ensure!(
        right.major == lab.version && right.version.starts_with(['1', '2']),
        "{right:?}"
    );
    let other = if lab.version == MajorVersion::V1 {
        MajorVersion::V2
    } else {
        MajorVersion::V1
    };
    let error = K6Binary::find(right.path, other)
        .await
        .err()
        .context("an error")?;
    ensure!(matches!(error, BinaryError::WrongVersion { .. }), "{error}");

    let missing = K6Binary::find(PathBuf::from("/nowhere/k6"), other)
        .await
        .err()
        .context("an error")?;
    ensure!(missing.to_string().contains("make setup"), "{missing}");
    let broken = K6Binary::find(PathBuf::from("/proc/self/status"), other)
        .await
        .err();
    ensure!(
        matches!(broken, Some(BinaryError::Broken { .. })),
        "{broken:?}"
    );
    Ok(())
}
