//! Requests that carry a key, so that a repeated one is answered and not carried out again.
//!
//! A key is stored with the id of what its request makes, before it is made. So a request whose
//! service ended can be carried out again: what has the id is there, or it is made under it.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use tenancy::Principal;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunId;

/// How long a key is known.
pub const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Keys of a tenant that are known at once: more than its limit on triggers lets through is kept
/// out by it, and an answer has some kilobytes.
pub const MAX_KEYS: u64 = 10_000;

/// Keys that are forgotten at once, so that a call ends well before its deadline.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

/// A key and what it was first sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Whose key it is: two users' keys are two.
    pub caller: Principal,
    /// The key.
    pub key: String,
    /// SHA-256 of the request.
    pub fingerprint: [u8; 32],
}

/// An answer as it is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// `Location`, where there was one.
    pub location: Option<String>,
    /// `Content-Type`, where there was one.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: the request is to be carried out, and what it makes gets this id.
    New(RunId),
    /// Nobody knows what became of the same request: it is to be carried out again. What it made
    /// has this id, and if it made nothing, what it makes now gets it.
    Again(RunId),
    /// The same request was answered.
    Answered(KeptAnswer),
    /// The same request is being carried out.
    InFlight,
    /// It was sent with another request.
    OtherRequest,
}

impl RunStore {
    /// Takes a key for a request, unless it was taken before.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] when the tenant has [`MAX_KEYS`].
    pub async fn claim_key(
        &self,
        request: KeyedRequest,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let object = self.clock().run_id();
        self.write(Operation("insert", "idempotency_keys"), move |connection| {
            let transaction = connection.transaction()?;
            forget(&transaction, now)?;
            let claim = match known(&transaction, &request)? {
                Some(claim @ Claim::Again(_)) => {
                    set_state(&transaction, &request, "open")?;
                    claim
                }
                Some(claim) => claim,
                None => {
                    insert(&transaction, &request, (now, object))?;
                    Claim::New(object)
                }
            };
            transaction.commit()?;
            Ok(claim)
        })
        .await
    }

    /// Keeps the answer to a request whose key was taken.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn keep_answer(
        &self,
        request: KeyedRequest,
        answer: KeptAnswer,
    ) -> Result<(), StoreError> {
        self.write(Operation("update", "idempotency_keys"), move |connection| {
            connection.execute(
                "UPDATE idempotency_keys SET state = 'answered', status = ?4, location = ?5,
                                             content_type = ?6, body = ?7
                 WHERE tenant = ?1 AND user = ?2 AND key = ?3",
                params![
                    request.caller.tenant.as_str(),
                    &*request.caller.user,
                    request.key,
                    answer.status,
                    answer.location,
                    answer.content_type,
                    answer.body,
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Gives a key back whose request changed nothing.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn release_key(&self, request: KeyedRequest) -> Result<(), StoreError> {
        self.write(Operation("delete", "idempotency_keys"), move |connection| {
            connection.execute(
                "DELETE FROM idempotency_keys WHERE tenant = ?1 AND user = ?2 AND key = ?3",
                params![
                    request.caller.tenant.as_str(),
                    &*request.caller.user,
                    request.key
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Notes that nobody knows what became of the request of a key.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn abandon_key(&self, request: KeyedRequest) -> Result<(), StoreError> {
        self.write(Operation("update", "idempotency_keys"), move |connection| {
            set_state(connection, &request, "unknown")
        })
        .await
    }

    /// Notes that nobody knows what became of the requests that were being carried out when the
    /// service ended; how many they were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn abandon_keys(&self) -> Result<usize, StoreError> {
        self.write(Operation("update", "idempotency_keys"), |connection| {
            let sql = "UPDATE idempotency_keys SET state = 'unknown' WHERE state = 'open'";
            Ok(connection.execute(sql, [])?)
        })
        .await
    }
}

fn forget(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
    transaction.execute(
        "DELETE FROM idempotency_keys WHERE rowid IN (
             SELECT rowid FROM idempotency_keys WHERE created_at_ms <= ?1
             ORDER BY created_at_ms LIMIT ?2)",
        params![(now - KEY_LIFETIME).as_millisecond(), FORGOTTEN_AT_ONCE],
    )?;
    Ok(())
}

fn known(
    transaction: &Transaction<'_>,
    request: &KeyedRequest,
) -> Result<Option<Claim>, StoreError> {
    let sql = "SELECT * FROM idempotency_keys WHERE tenant = ?1 AND user = ?2 AND key = ?3";
    let (tenant, user) = (request.caller.tenant.as_str(), &*request.caller.user);
    let mut statement = transaction.prepare_cached(sql)?;
    let read = |row: &Row<'_>| Ok(read(row, request));
    let found = statement.query_row(params![tenant, user, request.key], read);
    found.optional()?.transpose()
}

fn set_state(
    connection: &Connection,
    request: &KeyedRequest,
    state: &str,
) -> Result<(), StoreError> {
    let (tenant, user) = (request.caller.tenant.as_str(), &*request.caller.user);
    connection.execute(
        "UPDATE idempotency_keys SET state = ?4 WHERE tenant = ?1 AND user = ?2 AND key = ?3",
        params![tenant, user, request.key, state],
    )?;
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    request: &KeyedRequest,
    (now, object): (Timestamp, RunId),
) -> Result<(), StoreError> {
    let tenant = request.caller.tenant.as_str();
    let sql = "SELECT count(*) FROM idempotency_keys WHERE tenant = ?1";
    let kept: u64 = transaction.query_row(sql, [tenant], |row| row.get(0))?;
    if kept >= MAX_KEYS {
        return Err(StoreError::TooMany {
            what: "idempotency keys",
            limit: MAX_KEYS,
        });
    }
    transaction.execute(
        "INSERT INTO idempotency_keys
             (tenant, user, key, fingerprint, state, created_at_ms, object)
         VALUES (?1, ?2, ?3, ?4, 'open', ?5, ?6)",
        params![
            tenant,
            &*request.caller.user,
            request.key,
            request.fingerprint,
            now.as_millisecond(),
            object.to_string(),
        ],
    )?;
    Ok(())
}

fn read(row: &Row<'_>, request: &KeyedRequest) -> Result<Claim, StoreError> {
    let fingerprint: [u8; 32] = row.get("fingerprint")?;
    if fingerprint != request.fingerprint {
        return Ok(Claim::OtherRequest);
    }
    let state: String = row.get("state")?;
    match state.as_str() {
        "open" => Ok(Claim::InFlight),
        "unknown" => {
            let object: String = row.get("object")?;
            let object = object.parse();
            let id = object.map_err(|error| StoreError::Corrupt(format!("a key: {error}")))?;
            Ok(Claim::Again(id))
        }
        "answered" => Ok(Claim::Answered(KeptAnswer {
            status: row.get("status")?,
            location: row.get("location")?,
            content_type: row.get("content_type")?,
            body: row.get("body")?,
        })),
        other => Err(StoreError::Corrupt(format!("a key that is {other:?}"))),
    }
}
