//! The acceptance day: the demo house, seeded and served.

use std::collections::BTreeMap;
use std::sync::Arc;

use daybook::base::{Clock, Pace, Timestamp};
use daybook::demo::opening;
use daybook::demo::stage::Stage;
use daybook::demo::time::OPENING;

use crate::server::TestServer;
use crate::store::TestStore;

/// The demo house, served, before its day begins. Its clock stands wherever it is set to.
pub struct DemoHouse {
    pub server: TestServer,
    pub clock: Arc<Pace>,
    pub stage: Stage,
}

impl DemoHouse {
    pub async fn open(seed: u64) -> DemoHouse {
        let clock = Arc::new(Pace::standing(Timestamp(OPENING.epoch_ms())));
        let store = TestStore::at(Clock::Scaled(clock.clone()), |_| ());
        let server = TestServer::of(store).await;
        let stage = opening::open(&server.app, server.address, clock.clone(), seed).await.unwrap();
        DemoHouse { server, clock, stage }
    }

    /// The groups that `sql` counts: a word and how often.
    pub async fn tally(&self, sql: &'static str) -> BTreeMap<String, i64> {
        self.server
            .read(move |conn| {
                let mut statement = conn.prepare(sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }
}

fn tallied<const N: usize>(expected: [(&str, i64); N]) -> BTreeMap<String, i64> {
    expected.into_iter().map(|(word, count)| (word.to_owned(), count)).collect()
}

#[tokio::test]
async fn the_demo_house_is_there_before_its_day_begins() {
    let demo = DemoHouse::open(42).await;
    let roles = demo.tally("select role, count(*) from person group by role").await;
    assert_eq!(roles, tallied([("member", 304), ("staff", 18), ("admin", 1), ("office", 1)]));
    let things = "select 'rooms', count(*) from room
                  union all select 'contacts', count(*) from contact
                  union all select 'badges', count(*) from badge where tag like 'DEB0%'
                  union all select 'devices', count(*) from device
                  union all select 'places in groups', count(*) from group_member
                  union all select 'responsible', count(*) from supervision
                  union all select 'demo', demo from house";
    let expected = [
        ("rooms", 15),
        ("contacts", 450),
        ("badges", 324),
        ("devices", 12),
        ("places in groups", 304 + 184),
        ("responsible", 14),
        ("demo", 1),
    ];
    assert_eq!(demo.tally(things).await, tallied(expected));
    let accounts = demo.tally("select 'accounts', count(*) from account").await;
    let planned = i64::try_from(demo.stage.player().plan().accounts().len()).unwrap();
    assert_eq!(accounts, tallied([("accounts", planned)]));
}
