//! A house without a server: its own database, clock and writer, for commands and queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use daybook::app::{App, Threads};
use daybook::base::id::PersonId;
use daybook::base::{Actor, Clock, Result, Timestamp};
use daybook::config::Config;
use daybook::domain::house::{self, Language, NewHouse, Profile};
use daybook::domain::people::model::NewPerson;
use daybook::domain::people::{self, Role};
use daybook::live::hasher::Cost;
use daybook::live::watch::{Carrier, DeviceKind};
use daybook::live::{Holder, Tx};
use daybook::store::Store;
use daybook::store::directory::DATABASE;
use rusqlite::Connection;

/// Friday 2026-11-20, 10:00 in Berlin: when every test begins.
pub const START: Timestamp = Timestamp(1_795_165_200_000);

pub struct TestStore {
    pub app: App,
    pub now: Arc<AtomicI64>,
    pub dir: tempfile::TempDir,
    _threads: Threads,
}

impl TestStore {
    /// A founded house without people.
    pub async fn new() -> TestStore {
        TestStore::with(|_| ()).await
    }

    /// A founded house with changed settings.
    pub async fn with(change: impl FnOnce(&mut Config)) -> TestStore {
        TestStore::empty_with(change).founded().await
    }

    /// A founded house whose clock is the machine's, as that of the program is.
    pub async fn of_today() -> TestStore {
        TestStore::at(Clock::System, |_| ()).founded().await
    }

    async fn founded(self) -> TestStore {
        let new = NewHouse {
            name: "Lindenschule".to_owned(),
            profile: Profile::School,
            zone: "Europe/Berlin".to_owned(),
            language: Language::De,
            demo: false,
        };
        self.write(Actor::System, move |tx| house::commands::found(tx, &new)).await.unwrap();
        self
    }

    /// A database in which no house has been founded yet.
    pub fn empty() -> TestStore {
        TestStore::empty_with(|_| ())
    }

    fn empty_with(change: impl FnOnce(&mut Config)) -> TestStore {
        let now = Arc::new(AtomicI64::new(START.0));
        TestStore { now: now.clone(), ..TestStore::at(Clock::Manual(now), change) }
    }

    /// An empty database with a clock of the test's own; `now` moves nothing.
    pub fn at(clock: Clock, change: impl FnOnce(&mut Config)) -> TestStore {
        let dir = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(START.0));
        let mut config = Config::of(dir.path()).unwrap();
        change(&mut config);
        Store::create(&dir.path().join(DATABASE)).unwrap();
        let (app, threads) = App::open_with(config, clock, Cost::TRIFLING).unwrap();
        TestStore { app, now, dir, _threads: threads }
    }

    /// Ends everything that runs and returns the data directory.
    pub fn close(self) -> tempfile::TempDir {
        let TestStore { app, dir, _threads: threads, .. } = self;
        drop(app);
        threads.join();
        dir
    }

    pub fn advance(&self, by: Duration) {
        self.now.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    pub async fn write<T: Send + 'static>(
        &self,
        by: Actor,
        write: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.app.write(by, "test", write).await
    }

    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> T {
        self.app.read(read).await.unwrap()
    }

    /// The one number that `sql` selects.
    pub async fn number(&self, sql: &'static str) -> i64 {
        self.read(move |conn| Ok(conn.query_row(sql, [], |row| row.get(0))?)).await
    }

    /// The types of all logged events, in order.
    pub async fn log(&self) -> Vec<String> {
        self.read(|conn| {
            let mut statement = conn.prepare("select type from event_log order by seq")?;
            let types = statement.query_map([], |row| row.get(0))?;
            Ok(types.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

/// Whose an event stream is.
pub fn holder(person: Option<PersonId>, session: &str) -> Holder {
    let (carrier, device) = (Carrier::Sse, DeviceKind::Unknown);
    Holder { person, session: session.to_owned(), carrier, device, since: START }
}

/// The password of every account that a test makes.
pub const PASSWORD: &str = "a long enough one";

impl TestStore {
    /// Enrols a person without an account.
    pub async fn person(&self, name: &str, role: Role) -> PersonId {
        let (given, family) = name.split_once(' ').unwrap_or((name, ""));
        let new = NewPerson::named(given, family, role);
        self.write(Actor::System, |tx| people::commands::enrol(tx, new)).await.unwrap()
    }

    /// Enrols a member with a badge.
    pub async fn member(&self, name: &str, tag: &str) -> PersonId {
        let person = self.person(name, Role::Member).await;
        let tag = tag.to_owned();
        let badge = move |tx: &mut Tx<'_>| people::commands::hand_out_badge(tx, person, &tag);
        self.write(Actor::System, badge).await.unwrap();
        person
    }

    /// Enrols a person with an account; the user name is the given name in lower case.
    pub async fn account(&self, name: &str, role: Role) -> PersonId {
        let person = self.person(name, role).await;
        let username = name.split(' ').next().unwrap().to_lowercase();
        let hash = self.app.hasher.hash(PASSWORD.to_owned()).await.unwrap();
        let open =
            move |tx: &mut Tx<'_>| people::commands::open_account(tx, person, &username, &hash);
        self.write(Actor::System, open).await.unwrap();
        person
    }
}
