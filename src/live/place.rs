//! The writer's place: its connection, with everything at hand.

use std::cell::RefCell;

use rusqlite::{Connection, Statement};

use super::memo::Memo;
use crate::base::Result;
use crate::store::ready::Ready;
use crate::store::rows;

/// Where writes run, with what stands around each of them at hand.
pub(super) struct Place<'a> {
    pub conn: &'a Connection,
    pub ready: Ready<'a>,
    pub memo: RefCell<Memo>,
    /// How often others had written when `memo` held.
    version: i64,
    pub begin: Statement<'a>,
    pub savepoint: Statement<'a>,
    pub rollback: Statement<'a>,
    pub release: Statement<'a>,
    pub commit: Statement<'a>,
}

impl<'a> Place<'a> {
    /// Prepares everything.
    pub fn on(conn: &'a Connection) -> rusqlite::Result<Place<'a>> {
        Ok(Place {
            conn,
            ready: Ready::on(conn),
            memo: RefCell::default(),
            version: 0,
            begin: conn.prepare("begin immediate")?,
            savepoint: conn.prepare("savepoint one_write")?,
            rollback: conn.prepare("rollback to one_write")?,
            release: conn.prepare("release one_write")?,
            commit: conn.prepare("commit")?,
        })
    }

    /// Forgets what another process may have changed since.
    pub fn look_around(&mut self) -> Result<()> {
        let version = rows::one(&self.ready, "version", "pragma data_version", [])?;
        if version != self.version {
            self.memo.get_mut().forget_all();
            self.version = version;
        }
        Ok(())
    }
}
