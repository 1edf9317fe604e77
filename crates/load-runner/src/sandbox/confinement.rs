//! How much of a sandbox the kernel holds.

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr};

/// What keeps a script inside of its sandbox on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// Files and TCP ports.
    Full,
    /// Files alone: the kernel is older than 6.7.
    FilesOnly,
    /// Nothing: the kernel has no Landlock, or it is switched off.
    Missing,
}

impl Confinement {
    /// Asks the kernel.
    #[must_use]
    pub fn of_this_kernel() -> Self {
        // Rules that are made and never applied bind nobody.
        let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let files = strict()
            .handle_access(AccessFs::from_all(ABI::V1))
            .and_then(Ruleset::create);
        let ports = strict()
            .handle_access(AccessNet::from_all(ABI::V4))
            .and_then(Ruleset::create);
        match (files, ports) {
            (Ok(_), Ok(_)) => Self::Full,
            (Ok(_), Err(_)) => Self::FilesOnly,
            (Err(_), _) => Self::Missing,
        }
    }

    /// What a script may do here beyond its sandbox, as a sentence; `None` when nothing.
    #[must_use]
    pub const fn gap(self) -> Option<&'static str> {
        match self {
            Self::Full => None,
            Self::FilesOnly => Some(
                "this kernel's Landlock has no rules on ports: scripts can connect to every \
                 port of their target's addresses",
            ),
            Self::Missing => Some(
                "this kernel has no Landlock: scripts can read and write every file that this \
                 service can",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_sandbox_has_no_gap() {
        assert_eq!(Confinement::Full.gap(), None);
        assert!(Confinement::FilesOnly.gap().unwrap().contains("ports"));
        assert!(Confinement::Missing.gap().unwrap().contains("every file"));
    }
}
