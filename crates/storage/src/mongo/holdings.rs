//! How much lies in a collection.

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Document, doc},
};
use tokio::time::Instant;

use super::{batch::MARK, collection::left, error::from_mongo};
use crate::{Holdings, StorageError};

/// Counts what all tenants have, and adds up `units` of it.
pub(super) async fn count(
    collection: Collection<Document>,
    units: Option<&'static str>,
    deadline: Instant,
) -> Result<Holdings, StorageError> {
    let visible = doc! { MARK: { "$exists": false } };
    let entries = collection.count_documents(visible.clone());
    let entries = entries.max_time(left(deadline)).await.map_err(from_mongo)?;
    let Some(units) = units else {
        return Ok(Holdings { entries, units: 0 });
    };
    // A question of its own: of several sums the test stand-in makes the first one only.
    let sum = doc! { "_id": null, "units": { "$sum": format!("${units}") } };
    let summed = collection.aggregate([doc! { "$match": visible }, doc! { "$group": sum }]);
    let groups = summed.max_time(left(deadline)).await;
    let groups: Vec<Document> = groups
        .map_err(from_mongo)?
        .try_collect()
        .await
        .map_err(from_mongo)?;
    // Of nothing there is no group.
    let units = groups.first().map_or(0, |sums| number(sums, "units"));
    Ok(Holdings { entries, units })
}

/// A sum, which servers give in the smallest type that holds it.
fn number(sums: &Document, name: &str) -> u64 {
    let whole = sums
        .get_i64(name)
        .or_else(|_| sums.get_i32(name).map(i64::from));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "stocks stay far below 2^53"
    )]
    let sum = whole.or_else(|_| sums.get_f64(name).map(|sum| sum as i64));
    sum.map_or(0, |sum| u64::try_from(sum).unwrap_or(0))
}
