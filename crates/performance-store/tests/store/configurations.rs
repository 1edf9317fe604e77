//! Configured tests: one of each name, changed under the same id.

use performance_store::{ConfigurationName, MAX_CONFIGURATIONS, RunId, StoreError};
use tenancy::TenantId;

use crate::test_store::TestStore;

fn name(test: &TestStore, name: &str) -> ConfigurationName {
    ConfigurationName {
        tenant: test.tenant.clone(),
        test_type: "load".to_owned(),
        environment: "staging".to_owned(),
        name: name.to_owned(),
    }
}

async fn put(test: &TestStore, one: ConfigurationName) -> Result<String, StoreError> {
    let stored = test
        .store
        .put_configuration(one, "{}".to_owned(), "ana".to_owned());
    stored.await
}

#[tokio::test]
async fn a_test_keeps_its_id_whatever_changes() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let id = put(&test, name(&test, "a")).await?;
    let run = RunId::generate();
    test.store.note_run(&test.tenant, &id, run).await?;
    assert_eq!(put(&test, name(&test, "a")).await?, id);
    let other = put(&test, name(&test, "b")).await?;
    assert_ne!(other, id);
    let stranger = TenantId::parse("stranger")?;
    let document = "[]".to_owned();
    let changed =
        test.store
            .change_configuration(&test.tenant, &id, document.clone(), "bob".to_owned());
    changed.await?;
    let test = test.reopen().await?;
    let found = test.store.configuration(&test.tenant, &id).await?;
    assert_eq!((&*found.document, &*found.changed_by), ("[]", "bob"));
    assert_eq!(found.run, Some(run));
    let all = test.store.configurations(&test.tenant).await?;
    assert_eq!(all.len(), 2);
    for refused in [
        test.store.remove_configuration(&stranger, &id).await,
        test.store.note_run(&stranger, &id, run).await,
        test.store
            .change_configuration(&stranger, &id, document, "eve".to_owned())
            .await,
    ] {
        assert!(
            matches!(refused, Err(StoreError::Absent { .. })),
            "{refused:?}"
        );
    }
    test.store.remove_configuration(&test.tenant, &id).await?;
    let gone = test.store.configuration(&test.tenant, &id).await;
    assert!(matches!(gone, Err(StoreError::Absent { .. })), "{gone:?}");
    for number in 1..MAX_CONFIGURATIONS {
        put(&test, name(&test, &format!("n{number}"))).await?;
    }
    let full = put(&test, name(&test, "full")).await;
    assert!(matches!(full, Err(StoreError::TooMany { .. })), "{full:?}");
    Ok(())
}
