//! What a write may touch: one connection, one moment, one actor.

use std::any::TypeId;
use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

use rusqlite::{Connection, Statement, TransactionBehavior};

use super::log;
use super::memo::{Memo, Tables};
use crate::base::id::PersonId;
use crate::base::{Actor, Result, Timestamp};
use crate::event::wire::Logged;
use crate::event::{Event, Stale};
use crate::store::ready::Prepares;

/// A write in progress. Queries work on it too, as it derefs to the connection.
pub struct Tx<'a> {
    conn: &'a Connection,
    /// Where its statements are run.
    at: &'a dyn Prepares,
    /// None for a write that stands alone.
    memo: Option<&'a RefCell<Memo>>,
    news: &'a mut News,
    /// The one moment of this write.
    pub now: Timestamp,
    /// Who asked for it.
    pub by: Actor,
    /// A person whose name this write has read.
    named: Option<(PersonId, Arc<str>)>,
}

/// What a batch of writes has to announce once it is durable.
#[derive(Debug, Default)]
pub struct News {
    /// The newest place in the log that these writes have found taken.
    head: i64,
    /// Those that a command beside the server has logged, then those of these writes.
    pub(super) events: Vec<Logged>,
    /// Who caused each of the latter.
    by: Vec<Actor>,
    pub(super) cuts: Vec<Cut>,
    /// In the order of the writes; one figure may stand there more than once.
    pub(super) stale: Vec<Stale>,
    /// Whether what is kept in memory of the tables is to be read anew.
    pub(super) refresh: bool,
    /// What a command beside the server has logged, if one has written.
    pub(super) beside: Option<Vec<Logged>>,
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
    by: usize,
    cuts: usize,
    stale: usize,
}

impl News {
    /// Takes note that the log goes up to `head`, before the first write.
    pub(super) fn follow(&mut self, head: i64) {
        self.head = head;
    }

    /// Adds an event in the next place of the log. There is one writer, and what it has begun
    /// holds every other off: nobody else takes the place.
    fn add(&mut self, at: Timestamp, by: Actor, event: &Event) -> Result<&mut Logged> {
        let entry = log::entry(self.newest() + 1, at, event)?;
        self.by.push(by);
        Ok(self.events.push_mut(entry))
    }

    /// Returns the place of the newest event, those of these writes among them.
    pub(super) fn newest(&self) -> i64 {
        self.head + self.by.len() as i64
    }

    /// Writes the events of these writes to the log: all at once, after the last of them. In the
    /// savepoint of each, the page that takes them in would be copied for each.
    pub(super) fn write_log(&self, at: &impl Prepares) -> Result<()> {
        let found = self.events.len() - self.by.len();
        log::append(at, self.events.get(found..).unwrap_or_default(), &self.by)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            events: self.events.len(),
            by: self.by.len(),
            cuts: self.cuts.len(),
            stale: self.stale.len(),
        }
    }

    pub(super) fn back_to(&mut self, mark: Mark) {
        self.events.truncate(mark.events);
        self.by.truncate(mark.by);
        self.cuts.truncate(mark.cuts);
        self.stale.truncate(mark.stale);
    }
}

impl<'a> Tx<'a> {
    pub(super) fn new(
        conn: &'a Connection,
        at: &'a dyn Prepares,
        memo: Option<&'a RefCell<Memo>>,
        news: &'a mut News,
        now: Timestamp,
        by: Actor,
    ) -> Tx<'a> {
        Tx { conn, at, memo, news, now, by, named: None }
    }

    /// Tells of `event`: it gets into the log with the commit, and is announced once that is
    /// durable.
    pub fn emit(&mut self, event: Event) -> Result<()> {
        let entry = self.news.add(self.now, self.by, &event)?;
        let named = self.named.as_ref().filter(|(person, _)| entry.subject == Some(*person));
        entry.name = named.map(|(_, name)| name.clone());
        Ok(())
    }

    /// Takes note of a person's display name: what is told of them need not read it again.
    pub fn knows(&mut self, person: PersonId, display_name: Arc<str>) {
        self.named = Some((person, display_name));
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
        self.memo(|memo| memo.forget(figure));
    }

    /// Says so of a figure, and how what is remembered of it changes.
    pub fn changes<T: 'static>(&mut self, figure: Stale, change: impl FnOnce(&mut T)) {
        self.news.stale.push(figure);
        self.memo(|memo| memo.change(figure, change));
    }

    /// Looks at what is known from `tables`, or notes something there, for this and later writes,
    /// until one of the tables is written to but by a statement that spares it ([`Self::sparing`]).
    pub fn known<T: Default + Send + 'static, R: Default>(
        &self,
        tables: Tables,
        look: impl FnOnce(&mut T) -> R,
    ) -> R {
        self.memo(|memo| memo.known(tables).map(look).unwrap_or_default())
    }

    /// Returns where to run a statement that leaves what is known as a `T` as it is: whoever runs
    /// it there notes what becomes of that.
    pub fn sparing<T: 'static>(&self) -> impl Prepares {
        Sparing { tx: self, spared: TypeId::of::<T>() }
    }

    /// Returns what is remembered of a figure.
    pub fn recall<T: Clone + 'static>(&self, figure: Stale) -> Option<T> {
        self.memo(|memo| memo.recall(figure))
    }

    /// Remembers something of a figure, for this and later writes, until the figure is stale.
    pub fn remember<T: Send + 'static>(&mut self, figure: Stale, value: T) {
        self.memo(|memo| memo.remember(figure, value));
    }

    /// Says whether later writes have any use for what this one has found.
    pub fn remembers(&self) -> bool {
        self.memo.is_some()
    }

    fn memo<R: Default>(&self, look: impl FnOnce(&mut Memo) -> R) -> R {
        self.memo.map(|memo| look(&mut memo.borrow_mut())).unwrap_or_default()
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
    let mut news = News::default();
    news.follow(log::head(&*tx)?);
    let done = write(&mut Tx::new(&tx, &*tx, None, &mut news, now, by))?;
    news.write_log(&*tx)?;
    tx.commit()?;
    Ok(done)
}

/// Where statements run that leave what is known as some type as it is.
struct Sparing<'t, 'a> {
    tx: &'t Tx<'a>,
    spared: TypeId,
}

impl Tx<'_> {
    fn prepared_sparing(
        &self,
        spared: Option<TypeId>,
        sql: &'static str,
        with: &mut dyn FnMut(&mut Statement<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut writes = false;
        let outcome = self.at.prepared(sql, &mut |statement| {
            writes = !statement.readonly();
            with(statement)
        });
        if writes {
            self.memo(|memo| memo.written_by(sql, spared));
        }
        outcome
    }
}

impl Prepares for Tx<'_> {
    fn prepared(
        &self,
        sql: &'static str,
        with: &mut dyn FnMut(&mut Statement<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        self.prepared_sparing(None, sql, with)
    }
}

impl Prepares for Sparing<'_, '_> {
    fn prepared(
        &self,
        sql: &'static str,
        with: &mut dyn FnMut(&mut Statement<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        self.tx.prepared_sparing(Some(self.spared), sql, with)
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}
