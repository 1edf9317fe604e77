//! Who did what: records that are added and never changed, each with a hash over itself and the
//! one before.
//!
//! Who can write the file can write a new chain as well. So the hash of each record is told when
//! it is added: who keeps one elsewhere, such as in a log, can compare.

mod chain;

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};
use tenancy::TenantId;

use self::chain::Link;
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::runs;

/// The most records that are kept: some 400 MB. There is no way to remove old ones, so that
/// nobody removes what shows what he did; more than this is no audit log but an attack.
pub const MAX_AUDIT_RECORDS: u64 = 1_000_000;

/// The most records that one listing gives.
pub const MAX_AUDIT_PAGE: u32 = 500;

/// Records of which one call checks the chain: far less than its deadline.
const LINKS_AT_ONCE: u32 = 1_000;

/// SHA-256 of a record and of the hash before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditHash([u8; 32]);

impl AuditHash {
    /// That of an object as it is written.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// What a change made of an object, as hashes: what it was and what it is can be held against them,
/// and the log has nobody's data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectHashes {
    /// Of the object before; absent when there was none, or nothing was changed.
    pub before: Option<AuditHash>,
    /// Of the object after; absent when it is gone, or nothing was changed.
    pub after: Option<AuditHash>,
}

/// Something that somebody did, or tried to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditRecord {
    /// Whose data it was about; nobody's when the caller is not known.
    pub tenant: Option<TenantId>,
    /// Who did it; empty when that is not known.
    pub user: String,
    /// Method and path with names in braces.
    pub action: String,
    /// What was made or changed.
    pub object: String,
    /// What became of it, in a word.
    pub outcome: String,
    /// The status of the answer; 0 when nobody was there to get one.
    pub status: u16,
    /// The request's id.
    pub request_id: String,
    /// What became of the object.
    pub hashes: ObjectHashes,
}

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Counts the records of all tenants from 1 without a gap.
    pub number: u64,
    /// When it was added.
    pub at: Timestamp,
    /// What was done.
    pub entry: NewAuditRecord,
    /// Over this record and the one before.
    pub hash: AuditHash,
}

/// Which records; what is absent is any.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this user.
    pub user: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// About this object.
    pub object: Option<String>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Older than the record with this number.
    pub before: Option<u64>,
}

/// What a look at the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditState {
    /// Records that are there and whole, up to the first that is not.
    pub records: u64,
    /// The hash of the last of them; zeros when there is none.
    pub head: AuditHash,
    /// The number of the first record that was changed, put in or taken away.
    pub broken_at: Option<u64>,
}

impl RunStore {
    /// Adds a record.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] also when there are [`MAX_AUDIT_RECORDS`].
    pub async fn append_audit(&self, entry: NewAuditRecord) -> Result<AuditRecord, StoreError> {
        self.write(Operation("insert", "audit"), move |connection| {
            let transaction = connection.transaction()?;
            let last = "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1";
            let last = transaction
                .query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (last, previous) = last.unwrap_or((0, [0; 32]));
            if last >= MAX_AUDIT_RECORDS {
                return Err(StoreError::DiskFull);
            }
            let link = Link {
                number: last + 1,
                at_ms: Timestamp::now().as_millisecond(),
                entry: &entry,
            };
            let hash = link.hash(AuditHash(previous));
            insert(&transaction, &link, hash)?;
            let (number, at_ms) = (link.number, link.at_ms);
            transaction.commit()?;
            Ok(AuditRecord {
                number,
                at: runs::timestamp(at_ms)?,
                entry,
                hash,
            })
        })
        .await
    }

    /// A tenant's records and those of nobody known, newest first, at most [`MAX_AUDIT_PAGE`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn audit(
        &self,
        tenant: &TenantId,
        filter: AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "audit"), move |connection| {
            let sql = "SELECT * FROM audit
                 WHERE tenant IN (?1, '')
                   AND user = coalesce(?2, user) AND action = coalesce(?3, action)
                   AND object = coalesce(?4, object) AND outcome = coalesce(?5, outcome)
                   AND at_ms >= coalesce(?6, at_ms) AND at_ms < coalesce(?7, at_ms + 1)
                   AND number < coalesce(?8, number + 1)
                 ORDER BY number DESC LIMIT ?9";
            let before = filter
                .before
                .map(|number| i64::try_from(number).unwrap_or(i64::MAX));
            let parameters = params![
                tenant.as_str(),
                filter.user,
                filter.action,
                filter.object,
                filter.outcome,
                filter.from.map(Timestamp::as_millisecond),
                filter.to.map(Timestamp::as_millisecond),
                before,
                limit.min(MAX_AUDIT_PAGE),
            ];
            collect(connection, sql, parameters)
        })
        .await
    }

    /// Checks the whole chain, all tenants together.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn verify_audit(&self) -> Result<AuditState, StoreError> {
        let mut state = AuditState {
            records: 0,
            head: AuditHash::default(),
            broken_at: None,
        };
        loop {
            let before = state.clone();
            let step = move |connection: &mut Connection| advance(connection, before);
            let (next, more) = self.read(Operation("find", "audit"), step).await?;
            state = next;
            if !more || state.broken_at.is_some() {
                return Ok(state);
            }
        }
    }
}

fn insert(connection: &Connection, link: &Link<'_>, hash: AuditHash) -> Result<(), StoreError> {
    let entry = link.entry;
    connection.execute(
        "INSERT INTO audit (number, at_ms, tenant, user, action, object, outcome, status,
                            request_id, hash, object_before, object_after)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            link.number,
            link.at_ms,
            entry.tenant.as_ref().map_or("", TenantId::as_str),
            entry.user,
            entry.action,
            entry.object,
            entry.outcome,
            entry.status,
            entry.request_id,
            hash.0,
            entry.hashes.before.map(|hash| hash.0),
            entry.hashes.after.map(|hash| hash.0),
        ],
    )?;
    Ok(())
}

/// Checks the next links; the second part says whether there may be more.
fn advance(
    connection: &mut Connection,
    mut state: AuditState,
) -> Result<(AuditState, bool), StoreError> {
    let sql = "SELECT * FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![state.records, LINKS_AT_ONCE])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let number = state.records + 1;
        let hash = match read(row) {
            Ok(record) if record.number == number => follows(&record, state.head),
            // What cannot even be read was not written here.
            Ok(_) | Err(StoreError::Corrupt(_)) => None,
            Err(error) => return Err(error),
        };
        let Some(hash) = hash else {
            state.broken_at = Some(number);
            return Ok((state, false));
        };
        (state.records, state.head) = (number, hash);
        seen += 1;
    }
    let more = seen == LINKS_AT_ONCE;
    // The newest records, taken away, leave a chain that is whole; but they were counted.
    let given = "SELECT seq FROM sqlite_sequence WHERE name = 'audit'";
    let given: Option<u64> = connection
        .query_row(given, [], |row| row.get(0))
        .optional()?;
    if !more && given.unwrap_or(0) > state.records {
        state.broken_at = Some(state.records + 1);
    }
    Ok((state, more))
}

/// The hash of a record, when it is the one that follows from the hash before.
fn follows(record: &AuditRecord, previous: AuditHash) -> Option<AuditHash> {
    let link = Link {
        number: record.number,
        at_ms: record.at.as_millisecond(),
        entry: &record.entry,
    };
    (link.hash(previous) == record.hash).then_some(record.hash)
}

fn collect(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<AuditRecord>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(read(row)?);
    }
    Ok(records)
}

fn read(row: &Row<'_>) -> Result<AuditRecord, StoreError> {
    let tenant: String = row.get("tenant")?;
    let corrupt = |error: tenancy::InvalidTenant| StoreError::Corrupt(format!("tenant {error}"));
    let object =
        |name| Ok::<_, rusqlite::Error>(row.get::<_, Option<[u8; 32]>>(name)?.map(AuditHash));
    let tenant = (!tenant.is_empty()).then(|| TenantId::parse(&tenant).map_err(corrupt));
    Ok(AuditRecord {
        number: row.get("number")?,
        at: runs::timestamp(row.get("at_ms")?)?,
        entry: NewAuditRecord {
            tenant: tenant.transpose()?,
            user: row.get("user")?,
            action: row.get("action")?,
            object: row.get("object")?,
            outcome: row.get("outcome")?,
            status: row.get("status")?,
            request_id: row.get("request_id")?,
            hashes: ObjectHashes {
                before: object("object_before")?,
                after: object("object_after")?,
            },
        },
        hash: AuditHash(row.get("hash")?),
    })
}

impl fmt::Display for AuditHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
