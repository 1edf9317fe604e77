//! The journeys that are shipped: their scripts are what their configurations say.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use script_generation::configuration::Configuration;
use script_generation::script;
use serde_json::Value;
use test_support::tools::workspace;

use crate::k6::{Script, told};

fn configurations() -> anyhow::Result<Vec<(PathBuf, Configuration)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(workspace().join("k6/journeys"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = std::fs::read_to_string(&path)?;
            let read = Configuration::parse(&text).map_err(|it| told(&it));
            found.push((
                path.clone(),
                read.with_context(|| path.display().to_string())?,
            ));
        }
    }
    ensure!(found.len() >= 4, "the journeys are missing");
    Ok(found)
}

/// `UPDATE=1` writes them anew.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of this test, no setting"
)]
fn the_scripts_are_what_the_configurations_say() -> anyhow::Result<()> {
    let update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    for (path, configuration) in configurations()? {
        let (script, data) = (path.with_extension("js"), path.with_extension("json"));
        let name = data
            .file_name()
            .and_then(|name| name.to_str())
            .context("a name")?;
        let files = script::write(&configuration, name, &[]).map_err(|it| told(&it))?;
        if update {
            std::fs::write(&script, &files.script)?;
            std::fs::write(&data, format!("{:#}\n", files.data))?;
        }
        let read =
            |path: &Path| std::fs::read_to_string(path).with_context(|| path.display().to_string());
        let kept: Value = serde_json::from_str(&read(&data)?)?;
        let same = read(&script)? == files.script && kept == files.data;
        ensure!(
            same,
            "{} is not of its configuration; run this test with UPDATE=1",
            script.display()
        );
    }
    Ok(())
}

#[tokio::test]
async fn both_lines_of_k6_take_them() -> anyhow::Result<()> {
    for (path, configuration) in configurations()? {
        let script = Script::of(&configuration, &[])?;
        let seen = script
            .inspect()
            .await
            .with_context(|| path.display().to_string())?;
        let thresholds = seen["thresholds"].as_object().context("thresholds")?;
        for journey in &configuration.journeys {
            let metric = format!("http_reqs{{journey:{}}}", journey.name);
            ensure!(thresholds.contains_key(&metric), "{metric}: {thresholds:?}");
        }
        ensure!(thresholds.contains_key("http_reqs{scenario:journeys}"));
    }
    Ok(())
}
