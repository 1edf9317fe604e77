//! Experiments and assessments as documents.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use mongodb::{
    Collection, Database,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind, WriteFailure},
};

use super::{DUPLICATE_KEY, READ, WRITE, carried::Places, from_mongo, make_indexes};
use crate::ledger::{Assessment, LedgerError, ScoreCount, StoredExperiment, assessment::CHECKS};

/// What no two experiments have in common: of a running one its tenant and what it runs for, of any
/// other one its id. All have it, since the tests' stand-in has no indexes of some documents.
const CLAIM: &str = "claim";

/// The collections beside the rows'.
pub(super) struct Experiments {
    experiments: Collection<Document>,
    assessments: Collection<Document>,
    places: Places,
}

impl Experiments {
    pub(super) fn of(database: &Database, places: &Places) -> Self {
        Self {
            experiments: database.collection("llm_experiments"),
            assessments: database.collection("llm_assessments"),
            places: places.clone(),
        }
    }

    /// Makes the indexes; that of the claims keeps a second experiment from running.
    pub(super) async fn prepare(&self) -> Result<(), Error> {
        let by_variant = [("by_variant", doc! { "tenant": 1, "variant": 1 })];
        make_indexes(&self.assessments, &by_variant, false).await?;
        // Experiments from before there were claims; who runs among them claims nothing.
        let unclaimed = doc! { CLAIM: { "$exists": false } };
        let found = self.experiments.find(unclaimed).await?;
        for document in found.try_collect::<Vec<Document>>().await? {
            let id = document.get_str("_id").unwrap_or_default();
            let claimed = doc! { "$set": { CLAIM: claim_of_itself(id) } };
            let one = doc! { "_id": id };
            self.experiments.update_one(one, claimed).await?;
        }
        make_indexes(&self.experiments, &[("by_claim", doc! { CLAIM: 1 })], true).await
    }

    pub(super) async fn all(&self) -> Result<Vec<StoredExperiment>, LedgerError> {
        let experiments = self.experiments.clone();
        let read = async move {
            let found = experiments.find(doc! {}).max_time(READ).await?;
            found.try_collect::<Vec<Document>>().await
        };
        let experiment = |document: &Document| {
            Ok(StoredExperiment {
                tenant: text(document, "tenant")?,
                name: text(document, "name")?,
                running_for: document.get_str("runningFor").ok().map(ToOwned::to_owned),
                body: text(document, "body")?,
            })
        };
        let found = self.places.read(READ, read).await?;
        found.map_err(from_mongo)?.iter().map(experiment).collect()
    }

    pub(super) async fn start(&self, experiment: StoredExperiment) -> Result<bool, LedgerError> {
        let (id, mut document) = document(experiment);
        document.insert("_id", id);
        let experiments = self.experiments.clone();
        let insert = async move { experiments.insert_one(document).await };
        match self.places.write(WRITE, insert).await? {
            Ok(_) => Ok(true),
            Err(error) if is_taken(&error) => Ok(false),
            Err(error) => Err(from_mongo(error)),
        }
    }

    pub(super) async fn put(&self, experiment: StoredExperiment) -> Result<(), LedgerError> {
        let (id, document) = document(experiment);
        let one = doc! { "_id": id };
        self.upsert(&self.experiments, one, doc! { "$set": document })
            .await
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
        self.upsert(&self.assessments, one, change).await
    }

    pub(super) async fn scores(
        &self,
        tenant: &str,
        variant: &str,
    ) -> Result<Vec<ScoreCount>, LedgerError> {
        let of_variant = doc! { "tenant": tenant, "variant": variant };
        let assessments = self.assessments.clone();
        let read = async move {
            let mut counts: BTreeMap<(bool, u8), u64> = BTreeMap::new();
            let mut found = assessments.find(of_variant).max_time(READ).await?;
            while let Some(document) = found.try_next().await? {
                let by_checks = document.get_str("assessor").is_ok_and(|by| by == CHECKS);
                let score = document.get("score").and_then(Bson::as_i64);
                let score = score.and_then(|score| u8::try_from(score).ok());
                *counts.entry((by_checks, score.unwrap_or(0))).or_default() += 1;
            }
            Ok(counts)
        };
        let counts = self.places.read(READ, read).await?.map_err(from_mongo)?;
        let count = |((by_checks, score), count)| ScoreCount {
            by_checks,
            score,
            count,
        };
        Ok(counts.into_iter().map(count).collect())
    }

    async fn upsert(
        &self,
        collection: &Collection<Document>,
        one: Document,
        change: Document,
    ) -> Result<(), LedgerError> {
        let collection = collection.clone();
        let write = async move { collection.update_one(one, change).upsert(true).await };
        let written = self.places.write(WRITE, write).await?;
        written.map(drop).map_err(from_mongo)
    }
}

/// An experiment's id and its members.
fn document(experiment: StoredExperiment) -> (String, Document) {
    let StoredExperiment {
        tenant,
        name,
        running_for,
        body,
    } = experiment;
    let own = id(&tenant, &name);
    let claim = match &running_for {
        Some(what) => format!("running {}", id(&tenant, what)),
        None => claim_of_itself(&own),
    };
    let members = doc! { "tenant": tenant, "name": name, "runningFor": running_for, CLAIM: claim,
    "body": body };
    (own, members)
}

fn claim_of_itself(id: &str) -> String {
    format!("itself {id}")
}

fn is_taken(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        _ => false,
    }
}

/// One text for two, from which no other two make the same.
fn id(tenant: &str, rest: &str) -> String {
    format!("{} {tenant} {rest}", tenant.len())
}

fn text(document: &Document, field: &str) -> Result<String, LedgerError> {
    let text = document.get_str(field);
    text.map(ToOwned::to_owned)
        .map_err(|_| LedgerError::Corrupt(format!("experiment: {field}")))
}
