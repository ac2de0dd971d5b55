//! The spine without its edges: writes, the log, feeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake};

use daybook::app::App;
use daybook::base::id::{DeviceId, PersonId};
use daybook::base::{Actor, Clock, Error};
use daybook::config::Config;
use daybook::domain::people::Role;
use daybook::event::wire::Frame;
use daybook::event::{Cursor, Event, Label, Topic};
use daybook::live::faults::Fault;
use daybook::live::feed::{Next, Opening, Start};
use daybook::live::hasher::Cost;
use daybook::live::{Feed, Holder, Once, Tx};
use tokio::sync::Barrier;

use crate::store::TestStore;

fn emit(tx: &mut Tx<'_>, n: i64) -> daybook::base::Result<i64> {
    tx.emit(Event::ScanUnknown { device_id: DeviceId(n), tag_suffix: Label("0000".to_owned()) })?;
    Ok(n)
}

fn nobody() -> Holder {
    crate::store::holder(Some(PersonId(1)), "s")
}

async fn feed(store: &TestStore, start: Start) -> (Feed, Opening) {
    let app = &store.app;
    Feed::open(&app.hub, &app.replay, vec![Topic::Devices], nobody(), start).await.unwrap()
}

/// The device ids of the next `count` events.
async fn take(feed: &mut Feed, count: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let Next::Frames(frames) = feed.next().await.unwrap() else { panic!("the feed ended") };
        for frame in frames {
            let json: serde_json::Value = serde_json::from_slice(&frame.json()).unwrap();
            ids.push(json["data"]["device_id"].as_str().unwrap().parse().unwrap());
        }
    }
    ids
}

/// Fault 113.
#[tokio::test]
async fn a_write_that_fails_or_panics_undoes_and_announces_only_itself() {
    let store = TestStore::new().await;
    let (mut feed, _) = feed(&store, Start::Now).await;
    let writes = (0..90).map(|n| {
        let app = store.app.clone();
        tokio::spawn(async move {
            app.write(Actor::System, "test", move |tx| {
                emit(tx, n)?;
                match n % 3 {
                    0 => Err(Error::conflict("test.planned", "planned")),
                    1 => panic!("planned"),
                    _ => Ok(n),
                }
            })
            .await
        })
    });
    let mut done = Vec::new();
    for write in writes.collect::<Vec<_>>() {
        done.extend(write.await.unwrap().ok());
    }
    assert_eq!(done.len(), 30);
    assert_eq!(store.number("select count(*) from event_log").await, 30);
    let mut heard = take(&mut feed, 30).await;
    heard.sort_unstable();
    assert_eq!(heard, done);
}

#[tokio::test]
async fn a_failed_commit_announces_nothing_and_the_next_write_works() {
    let store = TestStore::new().await;
    let (mut feed, _) = feed(&store, Start::Now).await;
    store.app.writer.faults().plan(Fault::BeforeCommit);
    let failed = store.write(Actor::System, |tx| emit(tx, 1)).await;
    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    store.write(Actor::System, |tx| emit(tx, 2)).await.unwrap();
    assert_eq!(take(&mut feed, 1).await, [2]);
    assert_eq!(store.number("select count(*) from event_log").await, 1);
}

/// Fault 104.
/// What of the log the disk has is then unknown: nothing may rest on it any more.
#[tokio::test]
async fn after_a_failed_sync_nothing_is_answered_announced_or_written() {
    let store = TestStore::new().await;
    let (mut feed, _) = feed(&store, Start::Now).await;
    store.app.durable.find_slow();
    store.write(Actor::System, |tx| emit(tx, 1)).await.unwrap();
    let told = store.app.hub.head();
    store.app.durable.find_slow();
    store.app.writer.faults().plan(Fault::AtSync);
    // The second is applied while the first is on its way to the disk, or refused at once.
    let failing = [2, 3].map(|n| {
        let app = store.app.clone();
        tokio::spawn(async move { app.write(Actor::System, "test", move |tx| emit(tx, n)).await })
    });
    for failed in failing {
        let failed = failed.await.unwrap();
        assert!(matches!(failed, Err(Error::StorageFailed(_))), "{failed:?}");
    }
    let failed = store.write(Actor::System, |tx| emit(tx, 4)).await;
    assert!(matches!(failed, Err(Error::StorageFailed(_))), "{failed:?}");
    assert_eq!(take(&mut feed, 1).await, [1]);
    assert_eq!(store.app.hub.head(), told);
    let begun = store.number("select count(*) from event_log").await;
    assert!(begun <= 3, "the fourth never began: {begun}");
    let told = store.app.snapshot(|conn, _| daybook::live::log::head(conn)).await;
    assert!(matches!(told, Err(Error::StorageFailed(_))), "no position that may be lost");
    store.app.durable.broken().await;
}

#[tokio::test]
async fn of_events_told_together_each_shows_the_name_of_its_own_person() {
    let store = TestStore::new().await;
    let mia = store.person("Mia Kind", Role::Member).await;
    let tom = store.person("Tom Kind", Role::Member).await;
    let topics = vec![Topic::Devices, Topic::Lead];
    let (mut feed, _) =
        Feed::open(&store.app.hub, &store.app.replay, topics, nobody(), Start::Now).await.unwrap();
    let told = store.write(Actor::System, move |tx| {
        for member in [Some(mia), Some(mia), Some(tom), None, Some(mia)] {
            match member {
                Some(member_id) => tx.emit(Event::AttendanceMarked {
                    member_id,
                    status: "present",
                    groups: Vec::new(),
                })?,
                None => drop(emit(tx, 1)?),
            }
        }
        Ok(())
    });
    told.await.unwrap();
    let mut names = Vec::new();
    while names.len() < 5 {
        let Next::Frames(frames) = feed.next().await.unwrap() else { panic!("the feed ended") };
        for frame in frames {
            let json: serde_json::Value = serde_json::from_slice(&frame.json()).unwrap();
            names.push(json["data"]["display_name"].as_str().map(str::to_owned));
        }
    }
    let names: Vec<_> = names.iter().map(Option::as_deref).collect();
    let (mia, tom) = (Some("Mia Kind"), Some("Tom Kind"));
    assert_eq!(names, [mia, mia, tom, None, mia]);
}

#[tokio::test]
async fn a_reader_that_was_away_gets_everything_from_the_log_and_then_the_ring() {
    let store = TestStore::new().await;
    let first = store.app.hub.head();
    // More than the ring holds.
    for chunk in 0..100_i64 {
        let ids = (chunk * 100)..((chunk + 1) * 100);
        store
            .write(Actor::System, move |tx| ids.into_iter().try_for_each(|n| emit(tx, n).map(drop)))
            .await
            .unwrap();
    }
    let (mut feed, opening) = feed(&store, Start::After(first)).await;
    assert_eq!(opening, Opening::Whole);
    assert_eq!(take(&mut feed, 10_000).await, (0..10_000).collect::<Vec<_>>());
    store.write(Actor::System, |tx| emit(tx, 10_000)).await.unwrap();
    assert_eq!(take(&mut feed, 1).await, [10_000]);
}

fn marked(member_id: PersonId) -> Event {
    Event::AttendanceMarked { member_id, status: "present", groups: Vec::new() }
}

/// The event is in the log all the same, and whoever is connected must get it from there.
#[tokio::test]
async fn an_event_whose_name_could_not_be_read_is_had_from_the_log_by_who_comes_back() {
    let store = TestStore::new().await;
    let mia = store.person("Mia Kind", Role::Member).await;
    let app = &store.app;
    let open = async |start| {
        let topics = vec![Topic::Lead];
        Feed::open(&app.hub, &app.replay, topics, nobody(), start).await.unwrap().0
    };
    let mut feed = open(Start::Now).await;
    let before = feed.cursor();
    let lost = store.write(Actor::System, move |tx| {
        tx.emit(marked(mia))?;
        Ok(tx.execute_batch("alter table person rename column display_name to away")?)
    });
    lost.await.unwrap();
    assert!(matches!(feed.next().await.unwrap(), Next::Ended("resume")));
    let back = "alter table person rename column away to display_name";
    store.write(Actor::System, move |tx| Ok(tx.execute_batch(back)?)).await.unwrap();

    let mut early = open(Start::After(before.clone())).await;
    store.write(Actor::System, move |tx| tx.emit(marked(mia))).await.unwrap();
    let mut late = open(Start::After(before.clone())).await;
    for feed in [&mut early, &mut late] {
        let mut seqs = Vec::new();
        while seqs.len() < 2 {
            let Next::Frames(frames) = feed.next().await.unwrap() else { panic!("it ended") };
            seqs.extend(frames.iter().filter_map(|frame| frame.seq));
            assert_eq!(seqs[0], before.seq + 1, "the first is not left out");
        }
        assert_eq!(seqs, [before.seq + 1, before.seq + 2]);
    }
}

#[tokio::test]
async fn what_a_reader_that_was_away_does_not_hear_is_not_counted_as_handed_to_it() {
    let store = TestStore::new().await;
    let first = store.app.hub.head();
    let member_id = PersonId(1);
    store.write(Actor::System, move |tx| tx.emit(marked(member_id))).await.unwrap();
    // More than the ring holds.
    let others = |tx: &mut Tx<'_>| (0..10_000).try_for_each(|n| emit(tx, n).map(drop));
    store.write(Actor::System, others).await.unwrap();
    let (hub, replay) = (&store.app.hub, &store.app.replay);
    let opened = Feed::open(hub, replay, vec![Topic::Lead], nobody(), Start::After(first)).await;
    let Next::Frames(frames) = opened.unwrap().0.next().await.unwrap() else { panic!("it ended") };
    let handed = hub.metrics().replayed.load(Ordering::Relaxed);
    assert_eq!((frames.len(), handed), (1, 1));
}

/// As after a restart: the ring is empty, and everybody comes back at once. Laggard n has seen
/// `seen(n)` of the events. Returns how many rows of the log were read for all of them.
async fn rows_read_for(events: i64, laggards: i64, seen: fn(i64) -> i64) -> u64 {
    let store = TestStore::new().await;
    let epoch = store.app.hub.epoch().clone();
    store
        .write(Actor::System, move |tx| (0..events).try_for_each(|n| emit(tx, n).map(drop)))
        .await
        .unwrap();
    let data = store.close();
    let config = Config::of(data.path()).unwrap();
    let (app, threads) = App::open_with(config, Clock::System, Cost::TRIFLING).unwrap();
    // Nobody goes before all are there: who comes late has missed the others.
    let there = Arc::new(Barrier::new(laggards as usize));
    let begin = |n| {
        let (app, there, seen) = (app.clone(), there.clone(), seen(n));
        let start = Start::After(Cursor { epoch: epoch.clone(), seq: seen });
        tokio::spawn(async move {
            let topics = vec![Topic::Devices];
            let opened = Feed::open(&app.hub, &app.replay, topics, nobody(), start).await;
            let (mut feed, opening) = opened.unwrap();
            assert_eq!(opening, Opening::Whole);
            there.wait().await;
            let mut seqs = Vec::new();
            while seqs.last().copied().unwrap_or(seen) < events {
                let Next::Frames(frames) = feed.next().await.unwrap() else { panic!("ended") };
                seqs.extend(frames.iter().filter_map(|frame| frame.seq));
            }
            assert!(seqs.into_iter().eq(seen + 1..=events), "each event after its start, once");
        })
    };
    let laggards: Vec<_> = (0..laggards).map(begin).collect();
    for laggard in laggards {
        laggard.await.unwrap();
    }
    let rows = app.replay.rows_read();
    drop(app);
    threads.join();
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_laggards_read_each_row_of_the_log_once() {
    assert_eq!(rows_read_for(1000, 1000, |_| 0).await, 1000);
}

/// Far apart, so that what one reads is long forgotten when the next comes there by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn laggards_that_start_anywhere_in_the_log_travel_together() {
    let rows = rows_read_for(40_000, 400, |n| n * 7919 % 40_000).await;
    assert!(rows <= 4 * 40_000, "{rows} rows were read");
}

#[tokio::test]
async fn a_start_that_is_unknown_here_asks_for_new_snapshots() {
    let store = TestStore::new().await;
    for n in 0..10 {
        store.write(Actor::System, move |tx| emit(tx, n)).await.unwrap();
    }
    store
        .write(Actor::System, |tx| {
            tx.execute("delete from event_log where seq < 6", [])?;
            Ok(())
        })
        .await
        .unwrap();
    let head = store.app.hub.head();
    let at = |seq| Start::After(Cursor { epoch: head.epoch.clone(), seq });
    // The ring still holds what the log does not: nothing is missing yet.
    assert_eq!(feed(&store, at(3)).await.1, Opening::Whole);
    let other = Start::After(Cursor { epoch: "00000000".into(), seq: 3 });
    assert_eq!(feed(&store, other).await.1, Opening::Resync("other_epoch"));
    assert_eq!(feed(&store, at(11)).await.1, Opening::Resync("in_the_future"));
    assert_eq!(feed(&store, Start::Garbage).await.1, Opening::Resync("not_a_cursor"));
    assert_eq!(feed(&store, at(10)).await.1, Opening::Whole);
}

/// Counts how often somebody is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn only_those_are_woken_who_hear_it_and_they_share_one_frame() {
    let store = TestStore::new().await;
    let app = &store.app;
    let open = async |topics: &[Topic]| {
        let opened = Feed::open(&app.hub, &app.replay, topics.to_vec(), nobody(), Start::Now).await;
        (opened.unwrap().0, Arc::<Woken>::default())
    };
    let mut deaf = open(&[Topic::House, Topic::Help, Topic::Staff]).await;
    let mut hearing = [
        open(&[Topic::Devices]).await,
        open(&[Topic::Devices, Topic::House]).await,
        open(&[Topic::Office, Topic::Devices]).await,
    ];
    for (feed, woken) in hearing.iter_mut().chain([&mut deaf]) {
        let waker = woken.clone().into();
        assert!(feed.poll_next(&mut Context::from_waker(&waker)).is_pending());
    }
    for n in 0..10 {
        store.write(Actor::System, move |tx| emit(tx, n)).await.unwrap();
    }
    assert_eq!(deaf.1.0.load(Ordering::Relaxed), 0);
    let mut first: Option<Vec<Arc<Frame>>> = None;
    for (feed, woken) in &mut hearing {
        // Once for all that waits.
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        let Next::Frames(frames) = feed.next().await.unwrap() else { panic!("the feed ended") };
        assert_eq!(frames.len(), 10);
        let first = first.get_or_insert_with(|| frames.clone());
        for (frame, same) in frames.iter().zip(first) {
            assert!(Arc::ptr_eq(frame, same), "encoded twice");
            // Both forms are one piece of memory: the frame, and the JSON in it.
            let (sse, json) = (frame.sse().as_ptr_range(), frame.json().as_ptr_range());
            assert!(sse.start < json.start && json.end < sse.end);
        }
    }
    let waker = deaf.1.clone().into();
    assert!(deaf.0.poll_next(&mut Context::from_waker(&waker)).is_pending());
}

#[tokio::test]
async fn rights_that_change_end_the_persons_feeds_after_the_commit() {
    let store = TestStore::new().await;
    let (mut own, _) = feed(&store, Start::Now).await;
    store
        .write(Actor::System, |tx| {
            tx.cut(PersonId(1), "access_changed");
            Ok(())
        })
        .await
        .unwrap();
    assert!(matches!(own.next().await.unwrap(), Next::Ended("access_changed")));
}

/// Fault 82.
#[tokio::test]
async fn an_act_with_a_key_is_done_once_and_answered_alike() {
    let store = TestStore::new().await;
    let once = |hash| Once {
        principal: "person:1".to_owned(),
        key: "k".to_owned(),
        request_hash: [hash; 32],
    };
    for _ in 0..2 {
        let answer = store
            .app
            .write_once(Some(once(1)), Actor::System, "test", |tx| emit(tx, 7))
            .await
            .unwrap();
        assert_eq!(answer, 7);
    }
    assert_eq!(store.number("select count(*) from event_log").await, 1);
    let other = store.app.write_once(Some(once(2)), Actor::System, "test", |tx| emit(tx, 8)).await;
    assert!(matches!(other, Err(Error::Invalid { .. })), "{other:?}");
}
