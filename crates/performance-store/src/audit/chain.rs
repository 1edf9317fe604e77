//! The hash of a record: SHA-256 over the hash before and every field, each with its length before
//! it, so that no text can move from one field to the next.

use sha2::{Digest, Sha256};
use tenancy::TenantId;

use super::{AuditHash, NewAuditRecord, ObjectHashes};

/// What a hash is made of, beside the hash before.
pub(super) struct Link<'a> {
    pub(super) number: u64,
    pub(super) at_ms: i64,
    pub(super) entry: &'a NewAuditRecord,
}

impl Link<'_> {
    pub(super) fn hash(&self, previous: AuditHash) -> AuditHash {
        let entry = self.entry;
        let mut hash = Sha256::new();
        hash.update(previous.0);
        hash.update(self.number.to_be_bytes());
        hash.update(self.at_ms.to_be_bytes());
        hash.update(entry.status.to_be_bytes());
        for text in [
            entry.tenant.as_ref().map_or("", TenantId::as_str),
            &entry.user,
            &entry.action,
            &entry.object,
            &entry.outcome,
            &entry.request_id,
        ] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        // Records of before there were any have none, and so does their hash.
        let ObjectHashes { before, after } = entry.hashes;
        for (place, object) in [(1_u8, before), (2, after)] {
            if let Some(object) = object {
                hash.update([place]);
                hash.update(object.0);
            }
        }
        AuditHash(hash.finalize().into())
    }
}
