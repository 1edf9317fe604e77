//! Records that are added, and what a look at the chain finds.

use performance_store::{AuditFilter, AuditHash, NewAuditRecord, ObjectHashes, StoreError};
use rusqlite::Connection;
use tenancy::TenantId;

use crate::test_store::TestStore;

fn entry(tenant: Option<&str>, user: &str) -> NewAuditRecord {
    NewAuditRecord {
        tenant: tenant.and_then(|name| TenantId::parse(name).ok()),
        user: user.to_owned(),
        action: "POST /start".to_owned(),
        object: "/runs/1".to_owned(),
        outcome: "done".to_owned(),
        status: 201,
        request_id: "r".to_owned(),
        hashes: ObjectHashes {
            before: None,
            after: Some(AuditHash::of(user.as_bytes())),
        },
    }
}

impl TestStore {
    async fn with_records(count: usize) -> anyhow::Result<Self> {
        let store = Self::open().await?;
        for number in 0..count {
            let user = format!("user-{number}");
            store.store.append_audit(entry(Some("acme"), &user)).await?;
        }
        Ok(store)
    }

    /// What somebody with the file can do.
    fn tamper(&self, sql: &str) -> anyhow::Result<()> {
        let path = self.directory.path().join("data/performance.sqlite");
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_removed;",
        )?;
        connection.execute_batch(sql)?;
        Ok(())
    }
}

#[tokio::test]
async fn a_chain_that_nobody_touched_is_whole() -> anyhow::Result<()> {
    let empty = TestStore::open().await?.store.verify_audit().await?;
    assert_eq!((empty.records, empty.broken_at), (0, None));
    let store = TestStore::with_records(5).await?.reopen().await?;
    let added = store.store.append_audit(entry(None, "")).await?;
    assert_eq!(added.number, 6);
    let state = store.store.verify_audit().await?;
    assert_eq!((state.records, state.broken_at), (6, None));
    assert_eq!(state.head, added.hash);
    assert_eq!(state.head.to_string().len(), 64);
    Ok(())
}

#[tokio::test]
async fn a_chain_is_checked_beyond_one_reading() -> anyhow::Result<()> {
    let store = TestStore::with_records(1_005).await?;
    let state = store.store.verify_audit().await?;
    assert_eq!((state.records, state.broken_at), (1_005, None));
    store.tamper("UPDATE audit SET user = 'eve' WHERE number = 1003")?;
    let state = store.store.verify_audit().await?;
    assert_eq!((state.records, state.broken_at), (1_002, Some(1_003)));
    Ok(())
}

#[tokio::test]
async fn every_kind_of_tampering_is_found() -> anyhow::Result<()> {
    for (sql, found_at) in [
        ("UPDATE audit SET user = 'eve' WHERE number = 3", 3),
        ("UPDATE audit SET tenant = 'other' WHERE number = 1", 1),
        ("UPDATE audit SET tenant = 'no tenant' WHERE number = 2", 2),
        ("UPDATE audit SET outcome = 'refused' WHERE number = 5", 5),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE number = 2", 2),
        ("UPDATE audit SET status = 204 WHERE number = 4", 4),
        ("UPDATE audit SET hash = zeroblob(32) WHERE number = 4", 4),
        (
            "UPDATE audit SET object_after = zeroblob(32) WHERE number = 2",
            2,
        ),
        ("UPDATE audit SET object_after = NULL WHERE number = 3", 3),
        (
            "UPDATE audit SET object_before = object_after, object_after = NULL WHERE number = 4",
            4,
        ),
        // Text that moves from one field to the next.
        (
            "UPDATE audit SET user = user || 'P', action = substr(action, 2) WHERE number = 2",
            2,
        ),
        ("DELETE FROM audit WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 5", 5),
        ("DELETE FROM audit", 1),
        (
            "UPDATE audit SET number = 9 WHERE number = 4;
             UPDATE audit SET number = 4 WHERE number = 3;
             UPDATE audit SET number = 3 WHERE number = 9;",
            3,
        ),
    ] {
        let store = TestStore::with_records(5).await?;
        store.tamper(sql)?;
        let state = store.store.verify_audit().await?;
        assert_eq!(state.broken_at, Some(found_at), "{sql}");
        assert_eq!(state.records, found_at - 1, "{sql}");
    }
    Ok(())
}

/// Records of before objects had hashes stay whole: theirs are made as they were then.
#[tokio::test]
async fn a_record_without_hashes_of_its_object_is_whole() -> anyhow::Result<()> {
    let store = TestStore::open().await?.store;
    let old = NewAuditRecord {
        hashes: ObjectHashes::default(),
        ..entry(Some("acme"), "ana")
    };
    let kept = store.append_audit(old).await?;
    let new = store.append_audit(entry(Some("acme"), "ana")).await?;
    assert_eq!(
        (kept.entry.hashes.after, new.entry.hashes.before),
        (None, None)
    );
    let found = store
        .audit(&TenantId::parse("acme")?, AuditFilter::default(), 2)
        .await?;
    assert_eq!(found, [new, kept]);
    assert_eq!(store.verify_audit().await?.broken_at, None);
    Ok(())
}

#[tokio::test]
async fn records_are_not_changed_in_passing() -> anyhow::Result<()> {
    let store = TestStore::with_records(2).await?;
    let path = store.directory.path().join("data/performance.sqlite");
    let connection = Connection::open(path)?;
    for sql in ["UPDATE audit SET user = 'eve'", "DELETE FROM audit"] {
        let refused = connection.execute_batch(sql).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn a_tenant_finds_its_own_records_and_those_of_nobody() -> anyhow::Result<()> {
    let store = TestStore::open().await?.store;
    for (tenant, user) in [
        (Some("acme"), "ana"),
        (Some("other"), "bob"),
        (None, ""),
        (Some("acme"), "cora"),
    ] {
        store.append_audit(entry(tenant, user)).await?;
    }
    let acme = TenantId::parse("acme")?;
    let users = async |filter: AuditFilter, limit| -> Result<Vec<String>, StoreError> {
        let found = store.audit(&acme, filter, limit).await?;
        Ok(found.into_iter().map(|one| one.entry.user).collect())
    };
    assert_eq!(
        users(AuditFilter::default(), 10).await?,
        ["cora", "", "ana"]
    );
    assert_eq!(users(AuditFilter::default(), 1).await?, ["cora"]);
    let older = |before| AuditFilter {
        before: Some(before),
        ..AuditFilter::default()
    };
    assert_eq!(users(older(4), 10).await?, ["", "ana"]);
    assert_eq!(users(older(u64::MAX), 1).await?, ["cora"]);
    let of_ana = AuditFilter {
        user: Some("ana".to_owned()),
        outcome: Some("done".to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(users(of_ana, 10).await?, ["ana"]);
    let refused = AuditFilter {
        outcome: Some("refused".to_owned()),
        ..AuditFilter::default()
    };
    assert!(users(refused, 10).await?.is_empty());
    Ok(())
}
