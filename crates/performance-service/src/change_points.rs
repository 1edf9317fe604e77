//! The steps in series of runs, kept in memory once they are found: the search for them grows with
//! the square of the runs, and pages ask for the same series again and again.
//!
//! They follow from the figures alone, which are what they are found again by. Stored with the last
//! run they would have to be found anew whenever retention or a person removes a run.

use std::sync::Arc;

use load_analysis::change_points::{ChangePoint, change_points};
use service_defaults::problem::Problem;

use crate::conductor::blocking;
use crate::recently_made::RecentlyMade;

/// Always the same: the same series gives the same answer.
const SEED: u64 = 1;

/// Series that are kept: those of some tenants' home pages, of less than two kilobytes each.
const MOST_KEPT: usize = 300;

/// Steps that were found.
pub(crate) struct KnownSteps(RecentlyMade<Vec<u64>, Arc<[ChangePoint]>>);

impl KnownSteps {
    pub(crate) fn new() -> Self {
        Self(RecentlyMade::new(MOST_KEPT))
    }

    /// The steps in a series, oldest run first.
    ///
    /// # Errors
    /// 500 when the search panics.
    pub(crate) async fn of(&self, series: Vec<f64>) -> Result<Arc<[ChangePoint]>, Problem> {
        let key = series.iter().map(|figure| figure.to_bits()).collect();
        let search = blocking(move || change_points(&series, SEED).into());
        self.0.get(key, search).await
    }
}
