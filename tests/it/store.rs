//! A house without a server: its own database, clock and writer, for commands and queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use daybook::app::{App, Threads};
use daybook::base::{Actor, Clock, Result, Timestamp};
use daybook::config::Config;
use daybook::domain::house::{self, Language, NewHouse, Profile};
use daybook::live::Tx;
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
        let store = TestStore::empty();
        let new = NewHouse {
            name: "Lindenschule".to_owned(),
            profile: Profile::School,
            zone: "Europe/Berlin".to_owned(),
            language: Language::De,
            demo: false,
        };
        store.write(Actor::System, move |tx| house::commands::found(tx, &new)).await.unwrap();
        store
    }

    /// A database in which no house has been founded yet.
    pub fn empty() -> TestStore {
        let dir = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(START.0));
        let clock = Clock::Manual(now.clone());
        let config = Config::of(dir.path()).unwrap();
        Store::create(&dir.path().join(DATABASE)).unwrap();
        let (app, threads) = App::open(config, clock).unwrap();
        TestStore { app, now, dir, _threads: threads }
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
