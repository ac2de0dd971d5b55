//! Row helpers, so that a query reads as SQL and a type, nothing else.

use std::cell::Cell;

use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{OptionalExtension, Params, Statement};

use super::ready::Prepares;
use crate::base::{Error, Result};

/// A value that can be read from a row, by column name.
pub trait FromRow: Sized {
    /// Reads the value.
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self>;
}

/// A row of a query's answer, read by the names of its columns. A name is looked for behind the
/// last one first: a query that names its columns in the order of reading finds each at once.
pub struct Row<'a> {
    row: &'a rusqlite::Row<'a>,
    next: Cell<usize>,
}

impl<'a> Row<'a> {
    fn new(row: &'a rusqlite::Row<'a>) -> Row<'a> {
        Row { row, next: Cell::new(0) }
    }

    /// Returns the value in the column `name`.
    pub fn get<T: FromSql>(&self, name: &str) -> rusqlite::Result<T> {
        let query: &Statement<'_> = self.row.as_ref();
        let next = self.next.get();
        let is_next = self.name(next) == Some(name);
        let place = if is_next { next } else { query.column_index(name)? };
        self.next.set(place + 1);
        self.row.get(place)
    }

    /// Returns the value in the next column, which is called `name`: of a hot query, which names
    /// its columns in the order of reading. A debug build, as tests are, sees to that.
    pub fn next<T: FromSql>(&self, name: &str) -> rusqlite::Result<T> {
        let place = self.next.get();
        debug_assert_eq!(self.name(place), Some(name), "the column in place {place}");
        self.next.set(place + 1);
        self.row.get(place)
    }

    /// Returns what the next `columns` columns hold of a table that was joined if it had a row:
    /// the first of them is null when it had none.
    pub fn joined<T: FromRow>(&self, columns: usize) -> rusqlite::Result<Option<T>> {
        let place = self.next.get();
        if self.row.get_ref(place)? == ValueRef::Null {
            self.next.set(place + columns);
            return Ok(None);
        }
        T::from_row(self).map(Some)
    }

    /// Returns the value of a query that selects one.
    pub fn only<T: FromSql>(&self) -> rusqlite::Result<T> {
        self.row.get(0)
    }

    fn name(&self, place: usize) -> Option<&str> {
        let query: &Statement<'_> = self.row.as_ref();
        query.column_name(place).ok()
    }
}

fn value<T: FromRow>(row: &rusqlite::Row<'_>) -> rusqlite::Result<T> {
    T::from_row(&Row::new(row))
}

/// Returns every row.
pub fn all<T: FromRow>(
    at: &impl Prepares,
    sql: &'static str,
    params: impl Params,
) -> Result<Vec<T>> {
    prepared(at, sql, |statement| statement.query_map(params, value)?.collect())
}

/// Returns the first row, if there is one.
pub fn maybe<T: FromRow>(
    at: &impl Prepares,
    sql: &'static str,
    params: impl Params,
) -> Result<Option<T>> {
    prepared(at, sql, |statement| statement.query_row(params, value).optional())
}

/// Like [`maybe`], but a missing row is the error "no such `what`".
pub fn one<T: FromRow>(
    at: &impl Prepares,
    what: &'static str,
    sql: &'static str,
    params: impl Params,
) -> Result<T> {
    maybe(at, sql, params)?.ok_or(Error::NotFound(what))
}

/// Runs a write and returns how many rows it touched.
pub fn run(at: &impl Prepares, sql: &'static str, params: impl Params) -> Result<usize> {
    prepared(at, sql, |statement| statement.execute(params))
}

/// Runs an insert and returns the new row's id.
pub fn insert(at: &impl Prepares, sql: &'static str, params: impl Params) -> Result<i64> {
    prepared(at, sql, |statement| statement.insert(params))
}

fn prepared<T>(
    at: &impl Prepares,
    sql: &'static str,
    with: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
) -> Result<T> {
    let (mut with, mut done) = (Some(with), None);
    at.prepared(sql, &mut |statement| {
        done = with.take().map(|with| with(statement)).transpose()?;
        Ok(())
    })?;
    done.ok_or_else(|| anyhow::anyhow!("a statement was not run").into())
}

/// The row's first column, for a query that selects one value.
macro_rules! first_column {
    ($($type:ty)*) => {$(
        impl FromRow for $type {
            fn from_row(row: &Row<'_>) -> rusqlite::Result<$type> {
                row.only()
            }
        }
    )*};
}

first_column! {
    i64 bool String Option<i64> Option<String>
    crate::base::Timestamp crate::base::Day
    crate::base::id::PersonId crate::base::id::BadgeId crate::base::id::ContactId
    crate::base::id::RoomId crate::base::id::GroupId crate::base::id::ActivityId
    crate::base::id::RunId crate::base::id::SupervisionId crate::base::id::OfferId crate::base::id::DeviceId
    crate::base::id::VisitId crate::base::id::HelpRequestId crate::base::id::CommandId
    crate::base::id::DisplayId
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{FromRow, Row, maybe};

    /// A number, and the two columns of a table that may have no row for it.
    struct Joined(i64, Option<Pair>, i64);

    struct Pair(i64, Option<i64>);

    impl FromRow for Pair {
        fn from_row(row: &Row<'_>) -> rusqlite::Result<Pair> {
            Ok(Pair(row.next("a")?, row.next("b")?))
        }
    }

    impl FromRow for Joined {
        fn from_row(row: &Row<'_>) -> rusqlite::Result<Joined> {
            Ok(Joined(row.next("n")?, row.joined(2)?, row.next("after")?))
        }
    }

    fn read(sql: &'static str) -> Joined {
        let conn = Connection::open_in_memory().unwrap();
        maybe(&conn, sql, []).unwrap().unwrap()
    }

    #[test]
    fn what_a_join_has_not_found_is_none_and_what_follows_is_read() {
        let Joined(n, pair, after) = read("select 1 as n, null as a, null as b, 4 as after");
        assert_eq!((n, pair.is_none(), after), (1, true, 4));
        let Joined(n, pair, after) = read("select 1 as n, 2 as a, null as b, 4 as after");
        let pair = pair.unwrap();
        assert_eq!((n, pair.0, pair.1, after), (1, 2, None, 4));
    }

    #[test]
    #[should_panic(expected = "the column in place 1")]
    fn a_column_out_of_order_is_found_in_tests() {
        read("select 1 as n, 3 as b, 2 as a, 4 as after");
    }
}
