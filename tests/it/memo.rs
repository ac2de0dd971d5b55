//! What the writer remembers of rooms and hours holds, whatever happens between two scans.

use daybook::base::{Actor, Error};
use daybook::domain::house::commands::set_hours;
use daybook::domain::house::model::HoursChange;
use daybook::domain::rooms::commands::change_room;
use daybook::domain::rooms::model::RoomChange;
use daybook::domain::visits::scan::{self, Code, Outcome, When};
use daybook::live::Tx;
use daybook::store::directory::DATABASE;

use crate::scene::{BEN, MIA, Scene, ZOE, tap};

/// Taps in the library, of which the writer remembers who is in it from the first one on, and
/// returns how many are in it then.
async fn enter(scene: &Scene, tag: &str) -> i64 {
    let entered = scene.tap(&scene.library_reader, tag).await;
    assert_eq!(entered.outcome, Outcome::CheckedIn);
    entered.occupancy.unwrap().count
}

#[tokio::test]
async fn a_write_that_fails_takes_what_it_counted_with_it() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    assert_eq!(enter(&scene, MIA).await, 1);
    let reader = scene.library_reader;
    let failing = move |tx: &mut Tx<'_>| -> Result<(), Error> {
        let entered = scan::scan_all(tx, &reader, &[tap(BEN, When::Now)])?;
        assert_eq!(entered[0].occupancy.as_ref().unwrap().count, 2);
        Err(Error::Busy)
    };
    assert!(scene.write(Actor::System, failing).await.is_err());
    assert_eq!(enter(&scene, ZOE).await, 2);
    scene.check().await;
}

#[tokio::test]
async fn what_another_process_writes_is_seen() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    assert_eq!(enter(&scene, MIA).await, 1);
    let other = rusqlite::Connection::open(scene.dir.path().join(DATABASE)).unwrap();
    let ended = "update visit set ended_at = started_at, end_reason = 'left'";
    assert_eq!(other.execute(ended, []).unwrap(), 1);
    assert_eq!(enter(&scene, BEN).await, 1);
}

#[tokio::test]
async fn a_room_that_is_made_larger_lets_more_in_at_once() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    assert_eq!((enter(&scene, MIA).await, enter(&scene, BEN).await), (1, 2));
    let full = scene.tap(&scene.library_reader, ZOE).await;
    assert_eq!(full.code, Some(Code::RoomFull));
    let library = scene.library;
    let change = RoomChange { capacity: Some(3), ..RoomChange::default() };
    scene.write(Actor::System, move |tx| change_room(tx, library, &change)).await.unwrap();
    scene.pass(60);
    assert_eq!(enter(&scene, ZOE).await, 3);
}

#[tokio::test]
async fn hours_that_change_hold_from_the_next_scan_on() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, MIA).await;
    let change = HoursChange { late_after: Some("11:00".parse().unwrap()), closes_at: None };
    scene.write(Actor::System, move |tx| set_hours(tx, change)).await.unwrap();
    scene.tap(&scene.door, BEN).await;
    let came = scene.events("attendance.checked_in").await;
    assert_eq!([&came[0].1["late"], &came[1].1["late"]], [true, false]);
}
