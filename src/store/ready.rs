//! Statements that are ready: found by where their text stands in the program.
//!
//! rusqlite's own cache copies and hashes that text at each use, a thousand instructions for each
//! of the dozen statements of a scan. A thread that has a connection for good keeps them here.

use std::cell::RefCell;

use rusqlite::{Connection, PrepFlags, Statement};

/// Where a query can be run.
pub trait Prepares {
    /// Runs `with` on the statement of this text.
    fn prepared(
        &self,
        sql: &'static str,
        with: &mut dyn FnMut(&mut Statement<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()>;
}

impl Prepares for Connection {
    fn prepared(
        &self,
        sql: &'static str,
        with: &mut dyn FnMut(&mut Statement<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        with(&mut *self.prepare_cached(sql)?)
    }
}

/// The statements that have been run on one connection.
pub struct Ready<'c> {
    conn: &'c Connection,
    statements: RefCell<Vec<Kept<'c>>>,
}

/// A statement by the place and the length of its text, which no other text of the program has.
struct Kept<'c> {
    place: (usize, usize),
    /// None while it is run.
    statement: Option<Statement<'c>>,
}

impl<'c> Ready<'c> {
    /// Returns none yet.
    pub fn on(conn: &'c Connection) -> Ready<'c> {
        Ready { conn, statements: RefCell::default() }
    }

    fn take(&self, place: (usize, usize)) -> Option<Statement<'c>> {
        let mut statements = self.statements.borrow_mut();
        let at = statements.binary_search_by_key(&place, |kept| kept.place).ok()?;
        statements.get_mut(at)?.statement.take()
    }

    fn keep(&self, place: (usize, usize), statement: Statement<'c>) {
        let mut statements = self.statements.borrow_mut();
        match statements.binary_search_by_key(&place, |kept| kept.place) {
            Ok(at) => {
                if let Some(kept) = statements.get_mut(at) {
                    kept.statement = Some(statement);
                }
            }
            Err(at) => statements.insert(at, Kept { place, statement: Some(statement) }),
        }
    }
}

impl Prepares for Ready<'_> {
    fn prepared(
        &self,
        sql: &'static str,
        with: &mut dyn FnMut(&mut Statement<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let place = (sql.as_ptr() as usize, sql.len());
        let mut statement = match self.take(place) {
            Some(statement) => statement,
            None => self.conn.prepare_with_flags(sql, PrepFlags::SQLITE_PREPARE_PERSISTENT)?,
        };
        let outcome = with(&mut statement);
        self.keep(place, statement);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::Ready;
    use crate::store::rows;

    #[test]
    fn a_statement_is_prepared_once_and_fits_its_text_and_the_schema_of_the_moment() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("create table t (a integer); insert into t values (1), (2);").unwrap();
        let ready = Ready::on(&conn);
        let least = |over: i64| {
            rows::maybe::<i64>(&ready, "select a from t where a > ?1 order by a", [over]).unwrap()
        };
        // Left in the midst of its rows, and with another value, it begins anew.
        assert_eq!([least(0), least(1), least(2), least(0)], [Some(1), Some(2), None, Some(1)]);
        assert_eq!(rows::all::<i64>(&ready, "select a + 1 from t", []).unwrap(), [2, 3]);
        assert_eq!(ready.statements.borrow().len(), 2);
        conn.execute_batch("alter table t add column b integer; delete from t where a = 1;")
            .unwrap();
        assert_eq!(least(0), Some(2));
        assert!(rows::run(&ready, "insert into t (a) values ('x', 1)", []).is_err());
        assert_eq!(rows::run(&ready, "insert into t (a) values (?1)", [3]).unwrap(), 1);
    }

    #[test]
    fn a_query_within_a_query_has_a_statement_of_its_own() {
        let conn = Connection::open_in_memory().unwrap();
        let ready = Ready::on(&conn);
        let inner = std::cell::Cell::new(0);
        super::Prepares::prepared(&ready, "select 1", &mut |outer| {
            let one: i64 = outer.query_row([], |row| row.get(0))?;
            super::Prepares::prepared(&ready, "select 1", &mut |statement| {
                inner.set(one + statement.query_row([], |row| row.get::<_, i64>(0))?);
                Ok(())
            })
        })
        .unwrap();
        assert_eq!(inner.get(), 2);
    }
}
