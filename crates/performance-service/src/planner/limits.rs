//! The files of limits beside the scripts.

use load_analysis::limits::{Limit, MAX_FILE_BYTES};
use service_defaults::problem::Problem;

use super::{Planner, refused_script};
use crate::generated_scripts::GeneratedScripts;
use crate::scenarios::Scenario;

/// A file of limits.
#[derive(Debug)]
pub(crate) struct LimitFile {
    /// Without its directory and its ending.
    pub(crate) name: String,
    /// What it says, or why it is not understood.
    pub(crate) limits: Result<Vec<Limit>, String>,
}

impl Planner {
    /// Every file of limits, by name. Blocks.
    ///
    /// # Errors
    /// 500 when the directory cannot be read.
    pub(crate) fn limit_files(&self) -> Result<Vec<LimitFile>, Problem> {
        let names = self.scripts.limit_files().map_err(|error| {
            tracing::error!("the limits cannot be listed: {error}");
            Problem::internal()
        })?;
        let files = names.into_iter().filter_map(|name| self.limit_file(name));
        Ok(files.collect())
    }

    /// The file that runs of a script are held against in a scenario; none where there is none.
    /// Blocks.
    ///
    /// # Errors
    /// 400 for a script that is not there.
    pub(crate) fn limits_of(
        &self,
        script: &str,
        scenario: Scenario,
    ) -> Result<Vec<LimitFile>, Problem> {
        if GeneratedScripts::name_of(script).is_none() {
            let found = self.scripts.resolve(script);
            found.map_err(|error| refused_script(&error))?;
        }
        Ok(self.limits_file(script, scenario).into_iter().collect())
    }

    /// The limits of a run.
    ///
    /// # Errors
    /// 400 for a file that is not understood.
    pub(crate) fn limits(&self, script: &str, scenario: Scenario) -> Result<Vec<Limit>, Problem> {
        let Some(file) = self.limits_file(script, scenario) else {
            return Ok(Vec::new());
        };
        let name = file.name;
        file.limits.map_err(|reason| {
            Problem::invalid_field("testScript", format!("limits/{name}.toml: {reason}"))
        })
    }

    /// The limits of a script: those of `limits/SCRIPT-SCENARIO.toml`, or of `limits/SCRIPT.toml`
    /// for smoke, for load, and for a script of one scenario such as `ai-stress`. Other scenarios
    /// go beyond what a target holds on purpose; generated scripts have their own thresholds.
    fn limits_file(&self, script: &str, scenario: Scenario) -> Option<LimitFile> {
        if GeneratedScripts::name_of(script).is_some() {
            return None;
        }
        let stem = script.rsplit('/').next().unwrap_or(script);
        let stem = stem.trim_end_matches(".js");
        let own = format!("{stem}-{}", scenario.slug());
        let usual =
            matches!(scenario, Scenario::Smoke | Scenario::Load) || stem.ends_with(scenario.slug());
        let names = [Some(own), usual.then(|| stem.to_owned())];
        let mut names = names.into_iter().flatten();
        names.find_map(|name| self.limit_file(name))
    }

    fn limit_file(&self, name: String) -> Option<LimitFile> {
        let text = self.scripts.limits(&name, MAX_FILE_BYTES);
        let limits = match text.transpose()? {
            Ok(text) => Limit::parse_file(&text).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Some(LimitFile { name, limits })
    }
}
