//! The runs of a test before and after a run.

use performance_store::{Neighbours, RunId};
use tenancy::TenantId;

use crate::test_store::TestStore;

#[tokio::test]
async fn neighbours_are_of_the_same_test_and_tenant() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let stranger = TenantId::parse("acme")?;
    let first = test.enqueue().await?;
    test.enqueue_as(&test.tenant, RunId::generate(), "another")
        .await?;
    test.enqueue_for(&stranger).await?;
    let second = test.enqueue().await?;
    test.enqueue_for(&stranger).await?;
    let third = test.enqueue().await?;
    for (run, before, after) in [
        (&first, None, Some(second.id)),
        (&second, Some(first.id), Some(third.id)),
        (&third, Some(second.id), None),
    ] {
        let found = test.store.neighbours(run).await?;
        assert_eq!(found, Neighbours { before, after });
    }
    Ok(())
}
