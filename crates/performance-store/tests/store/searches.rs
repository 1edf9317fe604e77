//! Searches: kept, changed from what was found only, bounded.

use performance_store::{
    MAX_SEARCHES_AT_ONCE, NewSearch, RunId, SearchChange, SearchRecord, SearchStatus, StoreError,
};
use tenancy::TenantId;

use crate::test_store::TestStore;

fn new(name: &str) -> NewSearch {
    NewSearch {
        id: RunId::generate(),
        test_name: name.to_owned(),
        environment: "local".to_owned(),
        started_by: "emil".to_owned(),
        request: "{}".to_owned(),
        document: "[]".to_owned(),
    }
}

fn change(status: SearchStatus, run: Option<RunId>) -> SearchChange {
    SearchChange {
        status,
        run,
        document: "[1]".to_owned(),
    }
}

async fn finish(test: &TestStore, search: &SearchRecord) -> anyhow::Result<()> {
    let done = change(SearchStatus::Done, None);
    test.store.change_search(search, done).await?;
    Ok(())
}

#[tokio::test]
async fn a_search_goes_on_after_a_restart_from_what_was_stored() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let added = test.store.add_search(&test.tenant, new("load")).await?;
    assert_eq!(
        (added.status, added.version, added.run),
        (SearchStatus::Searching, 1, None)
    );
    let run = RunId::generate();
    let begun = change(SearchStatus::Searching, Some(run));
    let begun = test.store.change_search(&added, begun).await?;
    assert_eq!((begun.run, begun.document.as_str()), (Some(run), "[1]"));

    let test = test.reopen().await?;
    let found = test.store.searching().await?;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].id, found[0].run, found[0].version),
        (added.id, Some(run), 2)
    );
    let late = test
        .store
        .change_search(&added, change(SearchStatus::Done, None))
        .await;
    assert!(matches!(late, Err(StoreError::Superseded)), "{late:?}");
    finish(&test, &found[0]).await?;
    assert!(test.store.searching().await?.is_empty());
    let done = test.store.search(&test.tenant, added.id).await?;
    assert!(done.completed_at.is_some() && done.status.is_final());
    let over = test
        .store
        .change_search(&done, change(SearchStatus::Searching, None))
        .await;
    assert!(matches!(over, Err(StoreError::Superseded)), "{over:?}");
    Ok(())
}

#[tokio::test]
async fn searches_are_bounded_and_nobody_elses() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    for number in 0..MAX_SEARCHES_AT_ONCE {
        let name = number.to_string();
        test.store.add_search(&test.tenant, new(&name)).await?;
    }
    let one_more = test.store.add_search(&test.tenant, new("more")).await;
    assert!(
        matches!(one_more, Err(StoreError::TenantQueueFull { .. })),
        "{one_more:?}"
    );

    let other = TenantId::parse("other")?;
    let theirs = test.store.add_search(&other, new("theirs")).await?;
    let foreign = test.store.search(&test.tenant, theirs.id).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)), "{foreign:?}");
    let listed = test.store.searches(&test.tenant).await?;
    let names: Vec<_> = listed.iter().map(|it| it.test_name.as_str()).collect();
    assert_eq!(names, ["2", "1", "0"]);

    finish(&test, &listed[2]).await?;
    assert!(
        test.store
            .add_search(&test.tenant, new("more"))
            .await
            .is_ok()
    );
    Ok(())
}
