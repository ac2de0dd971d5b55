//! Row helpers, so that a query reads as SQL and a type, nothing else.

use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::base::{Error, Result};

/// A value that can be read from a row, by column name.
pub trait FromRow: Sized {
    /// Reads the value.
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self>;
}

/// Returns every row.
pub fn all<T: FromRow>(conn: &Connection, sql: &str, params: impl Params) -> Result<Vec<T>> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params, T::from_row)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Returns the first row, if there is one.
pub fn maybe<T: FromRow>(conn: &Connection, sql: &str, params: impl Params) -> Result<Option<T>> {
    let mut statement = conn.prepare_cached(sql)?;
    Ok(statement.query_row(params, T::from_row).optional()?)
}

/// Like [`maybe`], but a missing row is the error "no such `what`".
pub fn one<T: FromRow>(
    conn: &Connection,
    what: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<T> {
    maybe(conn, sql, params)?.ok_or(Error::NotFound(what))
}

/// Runs a write and returns how many rows it touched.
pub fn run(conn: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    Ok(conn.prepare_cached(sql)?.execute(params)?)
}

/// Runs an insert and returns the new row's id.
pub fn insert(conn: &Connection, sql: &str, params: impl Params) -> Result<i64> {
    Ok(conn.prepare_cached(sql)?.insert(params)?)
}

/// The row's first column, for a query that selects one value.
macro_rules! first_column {
    ($($type:ty)*) => {$(
        impl FromRow for $type {
            fn from_row(row: &Row<'_>) -> rusqlite::Result<$type> {
                row.get(0)
            }
        }
    )*};
}

first_column! {
    i64 bool String Option<i64> Option<String>
    crate::base::Timestamp crate::base::Day
    crate::base::id::PersonId crate::base::id::BadgeId crate::base::id::ContactId
    crate::base::id::RoomId crate::base::id::GroupId crate::base::id::ActivityId
    crate::base::id::RunId crate::base::id::SupervisionId crate::base::id::DeviceId
    crate::base::id::VisitId crate::base::id::HelpRequestId crate::base::id::CommandId
}
