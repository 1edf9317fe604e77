//! Whether the directory of runs takes another one, before a run is promised.

use std::io::ErrorKind;
use std::path::Path;

use performance_store::RunAddress;
use service_defaults::problem::Problem;

use super::{Shared, blocking};

impl Shared {
    /// Makes the directory of a run with a file in it, and removes both: what has room for no file
    /// has none for a run, and a database that is there already may have some all the same.
    ///
    /// # Errors
    /// 507 when that fails: the disk is full, has no more files to give, or is read-only.
    pub(super) async fn check_room(&self, run: &RunAddress) -> Result<(), Problem> {
        let directory = self.planner.directory(run.id);
        let tried = blocking(move || try_out(&directory)).await?;
        tried.map_err(|error| {
            let detail = format!("the directory of runs takes no files: {error}");
            tracing::error!("{detail}");
            Problem::insufficient_storage(detail)
        })
    }
}

fn try_out(directory: &Path) -> std::io::Result<()> {
    match std::fs::create_dir(directory) {
        // The run is made again, after a crash of this service.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        made => made?,
    }
    let written = std::fs::write(directory.join("trial"), "a run");
    std::fs::remove_dir_all(directory)?;
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_takes_files_is_left_as_it_was() {
        let runs = tempfile::tempdir().unwrap();
        try_out(&runs.path().join("run")).unwrap();
        assert_eq!(std::fs::read_dir(runs.path()).unwrap().count(), 0);
        std::fs::create_dir(runs.path().join("run")).unwrap();
        try_out(&runs.path().join("run")).unwrap();
        assert!(runs.path().join("run").exists());
        assert!(try_out(&runs.path().join("none/run")).is_err());
    }
}
