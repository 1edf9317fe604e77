//! Who a request is for and what its sender may do.
//!
//! A [`TenantId`] stands in every repository method, cache key and ledger row. It has no
//! `Default`: a code path without a tenant does not compile.

use std::{fmt, sync::Arc};

/// Longest tenant name.
const MAX_TENANT_LENGTH: usize = 64;

/// The tenant whose data a call may touch: 1 to 64 of `[A-Za-z0-9._-]`.
///
/// The alphabet leaves out everything that separates parts of a cache key or a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

/// A text that names no tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit"
)]
pub struct InvalidTenant;

/// What a principal may do, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, writes, starts and stops runs.
    Engineer,
    /// Everything, budgets and baselines included.
    Admin,
}

/// The sender of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose data it may touch.
    pub tenant: TenantId,
    /// Who it is.
    pub user: Arc<str>,
    /// What it may do.
    pub role: Role,
}

impl Role {
    /// All roles, from least to most.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Engineer, Self::Admin];

    /// The name, as token files spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Engineer => "engineer",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl TenantId {
    /// Reads a tenant name.
    ///
    /// # Errors
    /// A name that is empty, too long, or has a character outside the alphabet.
    pub fn parse(name: &str) -> Result<Self, InvalidTenant> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let starts_well = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        if starts_well && name.len() <= MAX_TENANT_LENGTH && name.bytes().all(allowed) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidTenant)
        }
    }

    /// The tenant of a development request that names none.
    #[must_use]
    pub fn development() -> Self {
        Self("default".into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, for who keeps it.
    #[must_use]
    pub const fn shared(&self) -> &Arc<str> {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_tenants() {
        for name in ["default", "a", "team-1.eu_west", "0"] {
            assert!(TenantId::parse(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "a:b",
            "a*",
            "{a}",
            "a\nb",
            "..",
            ".a",
            "tenänt",
            &"x".repeat(65),
        ] {
            assert!(TenantId::parse(name).is_err(), "{name}");
        }
    }
}
