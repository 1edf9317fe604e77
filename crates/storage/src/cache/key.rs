//! Under what an entity is cached.

use std::fmt::Write as _;

use tenancy::TenantId;

use crate::Entity;

/// A tenant's entity. Neither a tenant's name nor an id can contain the separator, so two keys
/// never have the same text.
#[derive(Debug)]
pub(super) struct Key<E: Entity> {
    pub(super) tenant: TenantId,
    pub(super) id: E::Id,
}

impl<E: Entity> Key<E> {
    pub(super) fn new(tenant: &TenantId, id: E::Id) -> Self {
        Self {
            tenant: tenant.clone(),
            id,
        }
    }

    /// Its name in Redis while this epoch lasts.
    pub(super) fn in_redis(&self, epoch: u64) -> String {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let tenant = self.tenant.as_str();
        let mut text = String::with_capacity(64 + tenant.len());
        // Writing to a string never fails.
        let _written = write!(text, "v1:{epoch}");
        for part in [":t:", tenant, ":", E::NAME, ":"] {
            text.push_str(part);
        }
        for byte in E::id_bytes(&self.id) {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        text
    }
}

// Derived, these would ask the same of the entity itself.
impl<E: Entity> Clone for Key<E> {
    fn clone(&self) -> Self {
        Self {
            tenant: self.tenant.clone(),
            id: self.id,
        }
    }
}

impl<E: Entity> PartialEq for Key<E> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.tenant == other.tenant
    }
}

impl<E: Entity> Eq for Key<E> {}

impl<E: Entity> std::hash::Hash for Key<E> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        self.tenant.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use domain::{Author, Book, BookId};

    use super::*;

    #[test]
    fn names_in_redis_carry_epoch_tenant_and_kind() {
        let tenant = TenantId::parse("acme").unwrap();
        let id: BookId = "65a1b2c3d4e5f60718293a4b".parse().unwrap();
        assert_eq!(
            Key::<Book>::new(&tenant, id).in_redis(7),
            "v1:7:t:acme:book:65a1b2c3d4e5f60718293a4b"
        );
        let author = Key::<Author>::new(&tenant, domain::AuthorId::from_bytes(id.bytes()));
        assert_eq!(
            author.in_redis(7),
            "v1:7:t:acme:author:65a1b2c3d4e5f60718293a4b"
        );
    }
}
