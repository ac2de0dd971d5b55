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
    /// How often others had written when `memo` held; none before the first look.
    version: Option<i64>,
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
            version: None,
            begin: conn.prepare("begin immediate")?,
            savepoint: conn.prepare("savepoint one_write")?,
            rollback: conn.prepare("rollback to one_write")?,
            release: conn.prepare("release one_write")?,
            commit: conn.prepare("commit")?,
        })
    }

    /// Says whether another process may have written since, and forgets what that may have changed.
    pub fn look_around(&mut self) -> Result<bool> {
        let version = rows::one(&self.ready, "version", "pragma data_version", [])?;
        let before = self.version.replace(version);
        let changed = before.is_some_and(|before| before != version);
        if changed {
            self.memo.get_mut().forget_all();
        }
        Ok(changed)
    }
}
