//! What the timetable does by itself: once, in time, and also after an outage.

use std::time::Duration;

use daybook::base::{Actor, Timestamp};
use daybook::domain::tracking::{self, Tracking};
use daybook::jobs::do_what_is_due;

use crate::fixture::{self, Fixture};
use crate::store::{START, TestStore};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn track(store: &TestStore, member: daybook::base::id::PersonId) {
    let batch = vec![Tracking::new("page.opened").unwrap()];
    store
        .write(Actor::Person(member), move |tx| tracking::commands::track(tx, member, &batch))
        .await
        .unwrap();
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
