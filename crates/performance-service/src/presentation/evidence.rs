//! Everything that stands behind the figures of a run: whether it counts, its phases, where the
//! time went, and what the target used.

use load_analysis::findings::Finding;
use load_analysis::resources::Resources;
use load_analysis::results::Results;

use super::phase_table::{self, PhaseTable, ValidityTable};
use super::resource_strips::{self, ResourceStrips};

/// The evidence of a run, for a page or a report.
#[derive(Default)]
pub(crate) struct Evidence {
    pub(crate) validity: Option<ValidityTable>,
    pub(crate) phases: Option<PhaseTable>,
    /// What was looked at; empty of a run that is not judged.
    pub(crate) looked_at: String,
    pub(crate) findings: Vec<Finding>,
    pub(crate) resources: Option<ResourceStrips>,
}

/// The evidence of a run of so many seconds.
pub(crate) fn of(results: Option<&Results>, resources: &Resources, seconds: u32) -> Evidence {
    let found = results.and_then(|results| results.findings.as_ref());
    Evidence {
        validity: results.and_then(phase_table::validity),
        phases: results.and_then(phase_table::phases),
        looked_at: found.map(|it| it.note.clone()).unwrap_or_default(),
        findings: found.map(|it| it.findings.clone()).unwrap_or_default(),
        resources: Some(resource_strips::draw(resources, seconds)),
    }
}
