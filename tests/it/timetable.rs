//! What the timetable does by itself: once, in time, and also after an outage.

use std::time::Duration;

use daybook::base::id::PersonId;
use daybook::base::{Actor, Result, Timestamp};
use daybook::domain::help::{self, Ask, Help, Priority};
use daybook::domain::tracking::{self, Tracking};
use daybook::domain::visits::marking::{self, Mark};
use daybook::domain::visits::{self, Status};
use daybook::event::{Stale, Topic};
use daybook::jobs::{Jobs, do_what_is_due};
use daybook::live::feed::{Next, Start};
use daybook::live::{Feed, Tx};
use tokio::time::{Instant, timeout};

use crate::callers::PATIENCE;
use crate::fixture::{self, Fixture};
use crate::store::{START, TestStore};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn track(store: &TestStore, member: PersonId) {
    let batch = vec![Tracking::new("page.opened").unwrap()];
    store
        .write(Actor::Person(member), move |tx| tracking::commands::track(tx, member, &batch))
        .await
        .unwrap();
}

fn asking(tx: &mut Tx<'_>, member: PersonId) -> Result<Help> {
    help::commands::ask(tx, member, &Ask::new("Laterne?", Some(Priority::Normal))?)
}

#[tokio::test]
async fn what_was_kept_long_enough_is_forgotten_also_by_a_box_that_is_off_at_night() {
    let store = TestStore::new().await;
    let Fixture { members, colleague, .. } = fixture::class(&store, 2).await;
    fixture::run_with(&store, colleague, &members).await;
    track(&store, members[0]).await;
    store.advance(DAY * 29);
    do_what_is_due(&store.app).await.unwrap();
    assert_eq!(store.number("select count(*) from tracked").await, 1);
    assert_eq!(store.number("select count(*) from visit").await, 2);

    // It is ten in the morning: the box has slept through half past three.
    store.advance(DAY * 2);
    track(&store, members[1]).await;
    do_what_is_due(&store.app).await.unwrap();
    assert_eq!(store.number("select count(*) from tracked").await, 1);
    assert_eq!(store.number("select count(*) from visit").await, 0);
    assert_eq!(store.number("select count(*) from attendance").await, 0);
    let old = "select count(*) from event_log where type = 'visit.started'";
    assert_eq!(store.number(old).await, 0);
    // Sums are left, of nobody in particular.
    assert_eq!(store.number("select arrived * 10 + visits from day_total").await, 22);
}

#[tokio::test]
async fn why_somebody_was_absent_is_forgotten_after_thirty_days_however_long_the_rest_is_kept() {
    let store = TestStore::with(|config| config.visits_keep_days = 366).await;
    let Fixture { members, teacher, .. } = fixture::class(&store, 2).await;
    let run = fixture::run(&store, "Music", teacher).await;
    let (away, came) = (members[0], members[1]);
    store
        .write(Actor::Person(teacher), move |tx| {
            let scope = fixture::scope_of(tx, teacher)?;
            for member in [away, came] {
                let reason = Some("Masern".to_owned());
                let sick = Mark { status: Status::Excused, reason, at: None };
                marking::mark(tx, &scope, member, &sick)?;
            }
            visits::commands::start(tx, &scope, came, run)
        })
        .await
        .unwrap();
    let reasons = "select (select count(*) from attendance where reason is not null)
                        + (select count(*) from visit where reason_before is not null)";
    for (days, left) in [(29, 2), (1, 2), (1, 0)] {
        store.advance(DAY * days);
        do_what_is_due(&store.app).await.unwrap();
        assert_eq!(store.number(reasons).await, left);
    }
    assert_eq!(store.number("select count(*) from attendance").await, 2);
    assert_eq!(store.number("select count(*) from visit").await, 1);
}

#[tokio::test]
async fn the_clean_up_is_done_once_a_day() {
    let store = TestStore::new().await;
    let Fixture { members, .. } = fixture::class(&store, 1).await;
    do_what_is_due(&store.app).await.unwrap();
    track(&store, members[0]).await;
    let long_ago = Timestamp(START.0 - 40 * 24 * 3_600_000);
    store
        .write(Actor::System, move |tx| {
            tx.execute("update tracked set at = ?1", [long_ago])?;
            Ok(())
        })
        .await
        .unwrap();
    store.advance(Duration::from_secs(600));
    do_what_is_due(&store.app).await.unwrap();
    assert_eq!(store.number("select count(*) from tracked").await, 1);
    store.advance(DAY);
    do_what_is_due(&store.app).await.unwrap();
    assert_eq!(store.number("select count(*) from tracked").await, 0);
}

#[tokio::test]
async fn open_requests_expire_when_the_house_closes() {
    let store = TestStore::new().await;
    let member = fixture::class(&store, 1).await.members[0];
    let ask = move |tx: &mut Tx<'_>| asking(tx, member);
    store.write(Actor::Person(member), ask).await.unwrap();
    let until_close = "select closes_at - 10 * 60 from house";
    let minutes = u64::try_from(store.number(until_close).await).unwrap();
    let expired = "select count(*) from help_request where status = 'expired'";
    store.advance(Duration::from_secs(minutes * 60 - 1));
    do_what_is_due(&store.app).await.unwrap();
    assert_eq!(store.number(expired).await, 0);
    store.advance(Duration::from_secs(1));
    do_what_is_due(&store.app).await.unwrap();
    assert_eq!(store.number(expired).await, 1);
    let log = store.log().await;
    assert_eq!(log.iter().filter(|kind| *kind == "help.updated").count(), 1);
    // The next morning the member may ask again.
    store.advance(DAY);
    store.write(Actor::Person(member), ask).await.unwrap();
}

#[tokio::test]
async fn requests_of_a_day_that_is_over_expire_and_say_so() {
    let store = TestStore::new().await;
    let member = fixture::class(&store, 1).await.members[0];
    store.write(Actor::Person(member), move |tx| asking(tx, member)).await.unwrap();
    let expire = |tx: &mut Tx<'_>| help::commands::expire(tx, tx.now);
    assert_eq!(store.write(Actor::System, expire).await.unwrap(), 0);
    store.advance(Duration::from_secs(1));
    assert_eq!(store.write(Actor::System, expire).await.unwrap(), 1);
    let log = store.log().await;
    let of_help: Vec<_> = log.iter().filter(|kind| kind.starts_with("help.")).collect();
    assert_eq!(of_help, ["help.requested", "help.updated"]);
}

#[tokio::test]
async fn a_request_of_after_closing_time_waits_until_midnight() {
    let store = TestStore::new().await;
    let member = fixture::class(&store, 1).await.members[0];
    let until_close = "select closes_at - 10 * 60 from house";
    let minutes = u64::try_from(store.number(until_close).await).unwrap();
    store.advance(Duration::from_secs(minutes * 60));
    let ask = move |tx: &mut Tx<'_>| asking(tx, member);
    store.write(Actor::Person(member), ask).await.unwrap();
    let open = "select count(*) from help_request where status = 'pending'";
    for (minutes, still_open) in [(1, 1), (358, 1), (1, 0)] {
        store.advance(Duration::from_secs(minutes * 60));
        do_what_is_due(&store.app).await.unwrap();
        assert_eq!(store.number(open).await, still_open);
    }
}

#[tokio::test]
async fn figures_are_sent_once_a_second_at_most_however_often_they_change() {
    let store = TestStore::new().await;
    let holder = crate::store::holder(None, "");
    let topics = vec![Topic::Help];
    let app = store.app.clone();
    let (mut feed, _) =
        Feed::open(&app.hub, &app.replay, topics, holder, Start::Now).await.unwrap();
    let change = async || {
        let stale = |tx: &mut daybook::live::Tx<'_>| {
            tx.stale(Stale::Queue);
            Ok(())
        };
        store.write(Actor::System, stale).await.unwrap();
    };
    let begun = Instant::now();
    let jobs = Jobs::spawn(&store.app);
    let (mut changes, mut sent) = (0, 0_u64);
    while sent < 3 {
        change().await;
        changes += 1;
        assert!(begun.elapsed() < PATIENCE, "{sent} sent");
        if let Ok(news) = timeout(Duration::from_millis(1), feed.next()).await {
            let Next::Frames(frames) = news.unwrap() else { panic!("the feed ended") };
            sent += frames.len() as u64;
        }
    }
    jobs.stop().await;
    let full_seconds = begun.elapsed().as_secs();
    assert!(sent <= full_seconds + 1, "{sent} in {full_seconds} s");
    assert!(changes > sent, "{changes} changes");
}
