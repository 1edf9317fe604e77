//! One table of entities: the statements that books and authors share.

use std::{slice::from_ref, sync::Arc};

use async_trait::async_trait;
use domain::{Page, PageRequest, Version};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};
use tenancy::TenantId;

use super::{Database, error::from_sqlite, values, writer::Size};
use crate::{
    Entity, Holdings, StorageError,
    calls::{Call, Calls, Operation},
    store::Store,
};

/// How an entity lies in its table.
pub(crate) trait SqlEntity: Entity {
    /// Its columns beside `tenant` and `id`, in the order of [`SqlEntity::values`].
    const COLUMNS: &'static [&'static str];
    /// Indexes the rows from `?1` to `?2`, where inserting a row does not do so by itself.
    const INDEX: Option<&'static str> = None;
    /// How many copies of it there are.
    const UNITS: &'static str = "0";

    /// Its values for [`SqlEntity::COLUMNS`].
    fn values(&self) -> Vec<Value>;
    /// The entity of a row of `id` and [`SqlEntity::COLUMNS`].
    fn from_row(row: &Row<'_>) -> Result<Self, StorageError>;
    /// The condition of a query: columns that are equal to values.
    fn equal(query: &Self::Query) -> Vec<(&'static str, Value)>;
    /// The order of a query.
    fn order(query: &Self::Query) -> &'static str;
}

/// A table of entities.
pub(crate) struct Table<E> {
    pub(super) database: Database,
    pub(super) calls: Calls,
    statements: Arc<Statements>,
    entity: std::marker::PhantomData<fn() -> E>,
}

struct Statements {
    insert: String,
    get: String,
    replace: String,
    version: String,
    delete: String,
}

impl<E: SqlEntity> Table<E> {
    pub(crate) fn new(database: &Database) -> Self {
        let calls = Calls::new(
            E::COLLECTION,
            database.reads.clone(),
            database.writes.clone(),
            database.limits.clone(),
        );
        Self {
            database: database.clone(),
            calls,
            statements: Arc::new(Statements::of::<E>()),
            entity: std::marker::PhantomData,
        }
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        call: Call,
        query: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let readers = Arc::clone(&self.database.readers);
        self.calls
            .run_in(call, |turn, _| readers.run(turn, query))
            .await
    }

    async fn write<T: Send + 'static>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Connection, &Statements) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let statements = Arc::clone(&self.statements);
        let writer = &self.database.writer;
        let size = if operation == Operation::InsertMany {
            Size::Bulk
        } else {
            Size::Single
        };
        let run = async |turn, deadline| {
            let work = move |connection: &Connection| work(connection, &statements);
            let result = writer.run(size, deadline, work).await;
            drop(turn);
            result
        };
        self.calls.run(operation, run).await
    }
}

#[async_trait]
impl<E: SqlEntity> Store<E> for Table<E> {
    async fn insert(&self, tenant: &TenantId, entity: &E) -> Result<(), StorageError> {
        let (tenant, entity) = (tenant.clone(), entity.clone());
        self.write(Operation::Insert, move |connection, statements| {
            insert(connection, statements, &tenant, from_ref(&entity))
        })
        .await
    }

    async fn insert_many(&self, tenant: &TenantId, entities: &[E]) -> Result<(), StorageError> {
        let (tenant, entities) = (tenant.clone(), entities.to_vec());
        self.write(Operation::InsertMany, move |connection, statements| {
            insert(connection, statements, &tenant, &entities)
        })
        .await
    }

    async fn get(&self, tenant: &TenantId, id: &E::Id) -> Result<Option<E>, StorageError> {
        let (tenant, id) = (tenant.clone(), E::id_bytes(id));
        let statements = Arc::clone(&self.statements);
        self.read(self.calls.begin(Operation::Get), move |connection| {
            let mut statement = connection
                .prepare_cached(&statements.get)
                .map_err(from_sqlite)?;
            let mut rows = statement
                .query(params![tenant.as_str(), id])
                .map_err(from_sqlite)?;
            rows.next()
                .map_err(from_sqlite)?
                .map(E::from_row)
                .transpose()
        })
        .await
    }

    async fn list(
        &self,
        tenant: &TenantId,
        query: &E::Query,
        page: PageRequest,
    ) -> Result<Page<E>, StorageError> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.read(self.calls.begin(Operation::List), move |connection| {
            list(connection, &tenant, &query, page)
        })
        .await
    }

    async fn replace(
        &self,
        tenant: &TenantId,
        entity: &E,
        expected: Version,
    ) -> Result<(), StorageError> {
        let (tenant, entity) = (tenant.clone(), entity.clone());
        self.write(Operation::Replace, move |connection, statements| {
            must_have::<E>(
                connection,
                statements,
                &tenant,
                &entity.id(),
                Some(expected),
            )?;
            let key = [values::text(tenant.as_str()), id_value::<E>(&entity.id())];
            let values = params_from_iter(key.into_iter().chain(entity.values()));
            execute(connection, &statements.replace, values)
        })
        .await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &E::Id,
        expected: Option<Version>,
    ) -> Result<(), StorageError> {
        let (tenant, id) = (tenant.clone(), *id);
        self.write(Operation::Delete, move |connection, statements| {
            must_have::<E>(connection, statements, &tenant, &id, expected)?;
            execute(
                connection,
                &statements.delete,
                params![tenant.as_str(), E::id_bytes(&id)],
            )
        })
        .await
    }

    async fn holdings(&self) -> Result<Holdings, StorageError> {
        let (units, table) = (E::UNITS, E::COLLECTION);
        let counted = format!("SELECT count(*), coalesce(sum({units}), 0) FROM {table}");
        self.read(self.calls.begin(Operation::Count), move |connection| {
            let mut statement = connection.prepare_cached(&counted).map_err(from_sqlite)?;
            let sums = statement.query_row([], |row| Ok([row.get::<_, i64>(0)?, row.get(1)?]));
            let [entries, units] = sums.map_err(from_sqlite)?.map(i64::unsigned_abs);
            Ok(Holdings { entries, units })
        })
        .await
    }

    async fn ping(&self) -> Result<(), StorageError> {
        let (readers, writer) = (&self.database.readers, &self.database.writer);
        let both = async |turn, deadline| {
            // The file is read, and the writer's transaction can lock it.
            let read = Arc::clone(readers).run(turn, |connection| {
                let tables = "SELECT count(*) FROM sqlite_schema";
                let counted = connection.query_row(tables, [], |_| Ok(()));
                counted.map_err(from_sqlite)
            });
            read.await?;
            writer.run(Size::Single, deadline, |_| Ok(())).await
        };
        self.calls.run(Operation::Ping, both).await
    }
}

impl Statements {
    fn of<E: SqlEntity>() -> Self {
        let table = E::COLLECTION;
        let columns = E::COLUMNS.join(", ");
        let places: Vec<String> = (3..E::COLUMNS.len() + 3)
            .map(|number| format!("?{number}"))
            .collect();
        let changes: Vec<String> = E::COLUMNS
            .iter()
            .zip(&places)
            .filter(|(column, _)| **column != "created_at")
            .map(|(column, place)| format!("{column} = {place}"))
            .collect();
        let (places, changes) = (places.join(", "), changes.join(", "));
        let one = "WHERE tenant = ?1 AND id = ?2";
        Self {
            insert: format!(
                "INSERT INTO {table} (tenant, id, {columns}) VALUES (?1, ?2, {places})"
            ),
            get: format!("SELECT id, {columns} FROM {table} {one}"),
            replace: format!("UPDATE {table} SET {changes} {one}"),
            version: format!("SELECT version FROM {table} {one}"),
            delete: format!("DELETE FROM {table} {one}"),
        }
    }
}

/// The entities of a statement that selects `id` and the entity's columns.
pub(super) fn select<E: SqlEntity>(
    connection: &Connection,
    statement: &str,
    values: &[Value],
) -> Result<Vec<E>, StorageError> {
    let mut statement = connection.prepare_cached(statement).map_err(from_sqlite)?;
    let mut rows = statement
        .query(params_from_iter(values))
        .map_err(from_sqlite)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        found.push(E::from_row(row)?);
    }
    Ok(found)
}

fn insert<E: SqlEntity>(
    connection: &Connection,
    statements: &Statements,
    tenant: &TenantId,
    entities: &[E],
) -> Result<(), StorageError> {
    let mut first = None;
    for (index, entity) in entities.iter().enumerate() {
        let key = [values::text(tenant.as_str()), id_value::<E>(&entity.id())];
        let values = params_from_iter(key.into_iter().chain(entity.values()));
        execute(connection, &statements.insert, values).map_err(|error| match error {
            StorageError::Duplicate { .. } => StorageError::Duplicate { index },
            other => other,
        })?;
        first.get_or_insert(connection.last_insert_rowid());
    }
    match (first, E::INDEX) {
        // Nobody else writes, so the numbers of the rows follow each other.
        (Some(first), Some(index)) => {
            execute(connection, index, [first, connection.last_insert_rowid()])
        }
        (None, _) | (_, None) => Ok(()),
    }
}

fn must_have<E: SqlEntity>(
    connection: &Connection,
    statements: &Statements,
    tenant: &TenantId,
    id: &E::Id,
    expected: Option<Version>,
) -> Result<(), StorageError> {
    let mut statement = connection
        .prepare_cached(&statements.version)
        .map_err(from_sqlite)?;
    let stored: Option<i64> = statement
        .query_row(params![tenant.as_str(), E::id_bytes(id)], |row| row.get(0))
        .optional()
        .map_err(from_sqlite)?;
    match (stored, expected) {
        (None, _) => Err(StorageError::NotFound),
        (Some(stored), Some(expected)) if u64::try_from(stored) != Ok(expected.get()) => {
            Err(StorageError::VersionConflict)
        }
        (Some(_), _) => Ok(()),
    }
}

fn list<E: SqlEntity>(
    connection: &Connection,
    tenant: &TenantId,
    query: &E::Query,
    page: PageRequest,
) -> Result<Page<E>, StorageError> {
    // Both statements see the same state of the file.
    let transaction = connection.unchecked_transaction().map_err(from_sqlite)?;
    let (table, columns, order) = (E::COLLECTION, E::COLUMNS.join(", "), E::order(query));
    let mut condition = "tenant = ?".to_owned();
    let mut values = vec![values::text(tenant.as_str())];
    for (column, value) in E::equal(query) {
        condition = format!("{condition} AND {column} = ?");
        values.push(value);
    }
    let count = if values.len() == 1 {
        format!("SELECT sum(total) FROM totals WHERE {condition} AND collection = '{table}'")
    } else {
        format!("SELECT count(*) FROM {table} WHERE {condition}")
    };
    let total: Option<i64> = transaction
        .prepare_cached(&count)
        .and_then(|mut count| count.query_row(params_from_iter(&values), |row| row.get(0)))
        .map_err(from_sqlite)?;
    let total = u64::try_from(total.unwrap_or(0)).unwrap_or(0);
    if page.offset() >= total {
        return Ok(Page {
            items: Vec::new(),
            total,
        });
    }
    values.push(Value::Integer(i64::from(page.size())));
    values.push(Value::Integer(
        i64::try_from(page.offset()).unwrap_or(i64::MAX),
    ));
    let statement = format!(
        "SELECT id, {columns} FROM {table} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"
    );
    let items = select(&transaction, &statement, &values)?;
    Ok(Page { items, total })
}

fn id_value<E: SqlEntity>(id: &E::Id) -> Value {
    Value::Blob(E::id_bytes(id).to_vec())
}

fn execute(
    connection: &Connection,
    statement: &str,
    values: impl rusqlite::Params,
) -> Result<(), StorageError> {
    connection
        .prepare_cached(statement)
        .and_then(|mut statement| statement.execute(values))
        .map(drop)
        .map_err(from_sqlite)
}
