//! Paths whose requests have no trace.

/// Beginnings of paths; cheap to copy. Made once in a process, they live as long as it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExcludedPaths(&'static [String]);

impl ExcludedPaths {
    /// These paths and what is below them.
    #[must_use]
    pub fn new(paths: Vec<String>) -> Self {
        Self(Vec::leak(paths))
    }

    /// Whether the path is one of them, or below one.
    #[must_use]
    pub fn contains(self, path: &str) -> bool {
        let below = |start: &String| {
            let rest = path.strip_prefix(start.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().any(below)
    }
}
