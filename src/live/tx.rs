//! What a write may touch: one connection, one moment, one actor.

use std::ops::Deref;

use rusqlite::{Connection, TransactionBehavior};

use super::log;
use crate::base::id::PersonId;
use crate::base::{Actor, Result, Timestamp};
use crate::event::wire::Logged;
use crate::event::{Event, Stale};

/// A write in progress. Queries work on it too, as it derefs to the connection.
pub struct Tx<'a> {
    conn: &'a Connection,
    news: &'a mut News,
    /// The one moment of this write.
    pub now: Timestamp,
    /// Who asked for it.
    pub by: Actor,
}

/// What a batch of writes has to announce once it is durable.
#[derive(Debug, Default)]
pub struct News {
    pub(super) events: Vec<Logged>,
    pub(super) cuts: Vec<Cut>,
    /// In the order of the writes; one figure may stand there more than once.
    pub(super) stale: Vec<Stale>,
    /// Whether what is kept in memory of the tables is to be read anew.
    pub(super) refresh: bool,
}

/// Whose streams end after the commit, so that they are decided anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cut {
    Person(PersonId, &'static str),
    Session(String, &'static str),
}

/// How far [`News`] had come, to go back to when a write fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    events: usize,
    cuts: usize,
    stale: usize,
}

impl News {
    pub(super) fn mark(&self) -> Mark {
        Mark { events: self.events.len(), cuts: self.cuts.len(), stale: self.stale.len() }
    }

    pub(super) fn back_to(&mut self, mark: Mark) {
        self.events.truncate(mark.events);
        self.cuts.truncate(mark.cuts);
        self.stale.truncate(mark.stale);
    }
}

impl<'a> Tx<'a> {
    pub(super) fn new(
        conn: &'a Connection,
        news: &'a mut News,
        now: Timestamp,
        by: Actor,
    ) -> Tx<'a> {
        Tx { conn, news, now, by }
    }

    /// Appends `event` to the log; it is announced once the write is durable.
    pub fn emit(&mut self, event: Event) -> Result<()> {
        let logged = log::append(self.conn, self.now, self.by, &event)?;
        self.news.events.push(logged);
        Ok(())
    }

    /// Ends the streams of `person` after the commit: their rights have changed.
    pub fn cut(&mut self, person: PersonId, reason: &'static str) {
        self.news.cuts.push(Cut::Person(person, reason));
    }

    /// Ends the streams of the login session with this public id after the commit.
    pub fn cut_session(&mut self, public_id: &str, reason: &'static str) {
        self.news.cuts.push(Cut::Session(public_id.to_owned(), reason));
    }

    /// Has what is kept in memory of the tables (the keys of devices) read anew
    /// after the commit and before anybody has the answer.
    pub fn refresh(&mut self) {
        self.news.refresh = true;
    }

    /// Says that a figure no longer holds; it is computed and sent again soon.
    pub fn stale(&mut self, figure: Stale) {
        self.news.stale.push(figure);
    }
}

/// Runs `write` in a transaction of its own on `conn`, as a service without a writer would; who
/// listens is not told. The yardstick of `benches/`.
pub fn alone<T>(
    conn: &mut Connection,
    now: Timestamp,
    by: Actor,
    write: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = write(&mut Tx::new(&tx, &mut News::default(), now, by))?;
    tx.commit()?;
    Ok(done)
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}
