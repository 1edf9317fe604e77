//! The samples of all k6 of a run as those of one.

use std::collections::VecDeque;
use std::io;

use load_analysis::sample::Sample;

use super::{Progress, SampleReader};
use crate::options::MAX_DURATION;
use crate::runner::RunArtifacts;

/// What each k6 tells of its own part once a second, and what only the sum says for the run.
const SUMMED: [&str; 2] = ["vus", "vus_max"];

/// Values that may wait for those of the other k6: one for each second of the longest run.
const MAX_WAITING: u64 = MAX_DURATION.as_secs();

/// Reads the sample files of a run by offset. Blocking: call it where blocking is allowed.
#[derive(Debug)]
pub struct RunSamples {
    readers: Vec<SampleReader>,
    sums: [Sum; SUMMED.len()],
}

/// Adds the first values of all, the second ones, and so on: all begin at the same time.
#[derive(Debug, Default)]
struct Sum(Vec<VecDeque<f64>>);

impl RunSamples {
    /// Reads the files of a run from their beginning; they need not exist yet.
    #[must_use]
    pub fn new(artifacts: &RunArtifacts) -> Self {
        Self {
            readers: artifacts.processes.iter().map(SampleReader::new).collect(),
            sums: Default::default(),
        }
    }

    /// Hands out the samples that are new, at most 1 MiB of lines of each file. Virtual users
    /// are those of all k6 together.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&mut self, mut each: impl FnMut(&Sample<'_>)) -> io::Result<Progress> {
        let Self { readers, sums } = self;
        let count = readers.len();
        let mut all = Progress {
            bytes: 0,
            more: false,
        };
        for (index, reader) in readers.iter_mut().enumerate() {
            let progress = reader.read(|sample| {
                let summed = SUMMED.iter().position(|name| *name == sample.metric);
                let value = match summed.filter(|_| count > 1) {
                    None => Some(sample.value),
                    Some(metric) => sums[metric].add(index, count, sample.value),
                };
                match value {
                    Some(value) if summed.is_some() => each(&Sample {
                        value,
                        ..sample.clone()
                    }),
                    Some(_) => each(sample),
                    None => {}
                }
            })?;
            all.bytes += progress.bytes;
            all.more |= progress.more;
        }
        Ok(all)
    }

    /// All k6 have ended; see [`SampleReader::note_end`].
    pub fn note_end(&mut self) {
        self.readers.iter_mut().for_each(SampleReader::note_end);
    }

    /// Lines of all files that could not be read; see [`SampleReader::unreadable_lines`].
    #[must_use]
    pub fn unreadable_lines(&self) -> u64 {
        let readers = self.readers.iter();
        readers.map(SampleReader::unreadable_lines).sum()
    }
}

impl Sum {
    /// Adds a value of one of `count`; gives a sum when all have told theirs.
    fn add(&mut self, index: usize, count: usize, value: f64) -> Option<f64> {
        self.0.resize_with(count, VecDeque::new);
        let waiting = &mut self.0[index];
        if waiting.len() as u64 >= MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(value);
        if self.0.iter().any(VecDeque::is_empty) {
            return None;
        }
        Some(self.0.iter_mut().filter_map(VecDeque::pop_front).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_same_turn_are_added() {
        let mut sum = Sum::default();
        assert_eq!(sum.add(0, 2, 1.0), None);
        assert_eq!(sum.add(0, 2, 5.0), None);
        assert_eq!(sum.add(1, 2, 2.0), Some(3.0));
        assert_eq!(sum.add(1, 2, 2.0), Some(7.0));
        assert_eq!(sum.add(1, 2, 2.0), None);
    }
}
