//! Configured tests: one of each name, changed under the same id.

use performance_store::{
    ConfigurationName, MAX_CONFIGURATIONS, NewConfiguration, RunAddress, RunId, StoreError,
};
use tenancy::TenantId;

use crate::test_store::{TestStore, event, new_run};

fn name(test: &TestStore, name: &str) -> ConfigurationName {
    ConfigurationName {
        tenant: test.tenant.clone(),
        test_type: "load".to_owned(),
        environment: "staging".to_owned(),
        name: name.to_owned(),
    }
}

fn new(one: ConfigurationName, document: &str) -> NewConfiguration {
    NewConfiguration {
        name: one,
        document: document.to_owned(),
        changed_by: "ana".to_owned(),
    }
}

async fn put(test: &TestStore, one: ConfigurationName) -> Result<String, StoreError> {
    test.store.put_configuration(new(one, "{}")).await
}

/// Queues a run of a configured test.
async fn execute(test: &TestStore, one: NewConfiguration) -> Result<RunId, StoreError> {
    let address = RunAddress {
        tenant: test.tenant.clone(),
        id: RunId::generate(),
    };
    let queued = test
        .store
        .enqueue_keeping(&address, new_run("smoke"), event("queued"), Some(one));
    queued.await?;
    Ok(address.id)
}

#[tokio::test]
async fn a_test_is_kept_with_its_run_or_not_at_all() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.queue_limit = 2).await?;
    let id = put(&test, name(&test, "a")).await?;
    for number in 1..MAX_CONFIGURATIONS {
        put(&test, name(&test, &format!("n{number}"))).await?;
    }
    let full = execute(&test, new(name(&test, "one more"), "{}")).await;
    assert!(matches!(full, Err(StoreError::TooMany { .. })), "{full:?}");
    assert_eq!(test.store.queue_depth().await?, 0, "no run of it");
    let mut run = None;
    for document in ["[1]", "[2]"] {
        run = Some(execute(&test, new(name(&test, "a"), document)).await?);
    }
    let full = execute(&test, new(name(&test, "a"), "[3]")).await;
    assert!(
        matches!(full, Err(StoreError::QueueFull { .. })),
        "{full:?}"
    );
    let found = test.store.configuration(&test.tenant, &id).await?;
    assert_eq!((&*found.document, found.run), ("[2]", run));
    Ok(())
}

#[tokio::test]
async fn a_test_keeps_its_id_whatever_changes() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let id = put(&test, name(&test, "a")).await?;
    let run = execute(&test, new(name(&test, "a"), "{}")).await?;
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
