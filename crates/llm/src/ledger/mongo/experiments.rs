//! Experiments and assessments as documents.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use mongodb::{
    Collection, Database,
    bson::{Bson, Document, doc},
};

use super::{READ, WRITE, within};
use crate::ledger::{Assessment, LedgerError, ScoreCount, StoredExperiment, assessment::CHECKS};

/// The collections beside the rows'.
pub(super) struct Experiments {
    experiments: Collection<Document>,
    assessments: Collection<Document>,
}

impl Experiments {
    pub(super) fn of(database: &Database) -> Self {
        Self {
            experiments: database.collection("llm_experiments"),
            assessments: database.collection("llm_assessments"),
        }
    }

    pub(super) const fn assessments(&self) -> &Collection<Document> {
        &self.assessments
    }

    pub(super) async fn all(&self) -> Result<Vec<StoredExperiment>, LedgerError> {
        let read = async {
            let found = self.experiments.find(doc! {}).max_time(READ).await?;
            found.try_collect::<Vec<Document>>().await
        };
        let experiment = |document: &Document| {
            Ok(StoredExperiment {
                tenant: text(document, "tenant")?,
                name: text(document, "name")?,
                body: text(document, "body")?,
            })
        };
        within(READ, read).await?.iter().map(experiment).collect()
    }

    pub(super) async fn put(&self, experiment: StoredExperiment) -> Result<(), LedgerError> {
        let StoredExperiment { tenant, name, body } = experiment;
        let one = doc! { "_id": id(&tenant, &name) };
        let change = doc! { "$set": { "tenant": tenant, "name": name, "body": body } };
        upsert(&self.experiments, one, change).await
    }

    pub(super) async fn assess(&self, assessment: &Assessment) -> Result<(), LedgerError> {
        let tenant = assessment.tenant.as_str();
        let assessor = assessment.assessor.key();
        let of_call = format!("{} {assessor}", assessment.call_id);
        let one = doc! { "_id": id(tenant, &of_call) };
        let change = doc! { "$set": {
            "tenant": tenant,
            "assessor": assessor,
            "variant": &assessment.variant,
            "score": i64::from(assessment.score),
        } };
        upsert(&self.assessments, one, change).await
    }

    pub(super) async fn scores(
        &self,
        tenant: &str,
        variant: &str,
    ) -> Result<Vec<ScoreCount>, LedgerError> {
        let mut counts: BTreeMap<(bool, u8), u64> = BTreeMap::new();
        let of_variant = doc! { "tenant": tenant, "variant": variant };
        let read = async {
            let found = self.assessments.find(of_variant).max_time(READ).await?;
            found
                .try_for_each(|document| {
                    let by_checks = document.get_str("assessor").is_ok_and(|by| by == CHECKS);
                    let score = document.get("score").and_then(Bson::as_i64);
                    let score = score.and_then(|score| u8::try_from(score).ok());
                    *counts.entry((by_checks, score.unwrap_or(0))).or_default() += 1;
                    futures_util::future::ok(())
                })
                .await
        };
        within(READ, read).await?;
        let count = |((by_checks, score), count)| ScoreCount {
            by_checks,
            score,
            count,
        };
        Ok(counts.into_iter().map(count).collect())
    }
}

/// One text for two, from which no other two make the same.
fn id(tenant: &str, rest: &str) -> String {
    format!("{} {tenant} {rest}", tenant.len())
}

async fn upsert(
    collection: &Collection<Document>,
    one: Document,
    change: Document,
) -> Result<(), LedgerError> {
    let write = async {
        let update = collection.update_one(one, change).upsert(true);
        update.await.map(drop)
    };
    within::<()>(WRITE, write).await
}

fn text(document: &Document, field: &str) -> Result<String, LedgerError> {
    let text = document.get_str(field);
    text.map(ToOwned::to_owned)
        .map_err(|_| LedgerError::Corrupt(format!("experiment: {field}")))
}
