//! What the writer remembers of rooms, hours, badges, people and scans holds, whatever happens between
//! two scans.

use daybook::base::{Actor, Error};
use daybook::domain::house::commands::set_hours;
use daybook::domain::house::model::HoursChange;
use daybook::domain::people;
use daybook::domain::people::model::{BadgeState, PersonChange, PersonState};
use daybook::domain::rooms::commands::{change_room, set_group_members};
use daybook::domain::rooms::model::RoomChange;
use daybook::domain::visits::Status;
use daybook::domain::visits::scan::{self, Code, Outcome, Scan, When};
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
    // Ben, who was let in and was not, comes in; and the same tap a moment later is a double one.
    let room = RoomChange { capacity: Some(3), ..RoomChange::default() };
    let library = scene.library;
    scene.write(Actor::System, move |tx| change_room(tx, library, &room)).await.unwrap();
    assert_eq!(enter(&scene, BEN).await, 3);
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

#[tokio::test]
async fn who_bears_a_badge_is_asked_anew_once_it_may_have_changed() {
    let scene = Scene::new().await;
    let (mia, blue) = (scene.mia, scene.blue);
    assert_eq!(scene.tap(&scene.door, MIA).await.display.line1, "Hallo Mia!");
    let change = PersonChange { given_name: Some("Mina".into()), ..PersonChange::default() };
    let rename = move |tx: &mut Tx<'_>| people::commands::change(tx, mia, change).map(drop);
    scene.write(Actor::System, rename).await.unwrap();
    scene.pass(60);
    assert_eq!(scene.tap(&scene.exit, MIA).await.display.line1, "Tschüss Mina!");

    let leave = move |tx: &mut Tx<'_>| set_group_members(tx, blue, &[]);
    scene.write(Actor::System, leave).await.unwrap();
    scene.pass(60);
    scene.tap(&scene.door, MIA).await;
    let came = scene.events("attendance.checked_in").await;
    let audiences = [came[0].0.as_str(), came[1].0.as_str()];
    assert_eq!(audiences, [format!("group:{blue} office lead").as_str(), "office lead"]);

    let inactive = PersonChange { state: Some(PersonState::Inactive), ..PersonChange::default() };
    let end = move |tx: &mut Tx<'_>| people::commands::change(tx, mia, inactive).map(drop);
    scene.write(Actor::System, end).await.unwrap();
    scene.pass(60);
    assert_eq!(scene.tap(&scene.exit, MIA).await.code, Some(Code::MemberInactive));
}

#[tokio::test]
async fn a_badge_that_is_blocked_opens_nothing_more_and_another_s_is_another_s() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, BEN).await;
    let ben = scene.ben;
    let badge = move |tx: &mut Tx<'_>| Ok(people::queries::badges_of(tx, ben)?[0].id);
    let badge = scene.write(Actor::System, badge).await.unwrap();
    let block =
        move |tx: &mut Tx<'_>| people::commands::set_badge_state(tx, badge, BadgeState::Blocked);
    scene.write(Actor::System, block).await.unwrap();
    scene.pass(60);
    assert_eq!(scene.tap(&scene.exit, BEN).await.code, Some(Code::BadgeBlocked));
    let zoe = scene.zoe;
    let hand_over = move |tx: &mut Tx<'_>| {
        people::commands::take_back_badge(tx, badge)?;
        people::commands::hand_out_badge(tx, zoe, BEN).map(drop)
    };
    scene.write(Actor::System, hand_over).await.unwrap();
    scene.pass(60);
    assert_eq!(scene.tap(&scene.door, BEN).await.display.line1, "Hallo Zoe!");
}

#[tokio::test]
async fn what_is_done_by_hand_between_two_scans_counts() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    let gym = scene.run(scene.gym, &[scene.eva]).await;
    // In by badge, out by hand: the next tap is not a second one in the same room.
    scene.tap(&scene.door, MIA).await;
    scene.pass(60);
    assert_eq!(enter(&scene, MIA).await, 1);
    scene.pass(60);
    scene.end(scene.lead, scene.visit_of(scene.mia).await).await.unwrap();
    scene.pass(60);
    assert_eq!(enter(&scene, MIA).await, 1);
    // Brought elsewhere by hand, and that undone.
    scene.pass(60);
    let there = scene.start(scene.lead, scene.mia, gym).await.unwrap();
    scene.undo(scene.lead, there).await.unwrap();
    scene.pass(60);
    assert_eq!(scene.tap(&scene.library_reader, MIA).await.outcome, Outcome::CheckedOut);
    // A slip put right, and the end of the run.
    scene.pass(60);
    assert_eq!(enter(&scene, MIA).await, 1);
    scene.mark(scene.lead, scene.mia, Status::Left).await.unwrap();
    scene.pass(60);
    assert_eq!(enter(&scene, MIA).await, 1);
    scene.pass(60);
    assert_eq!(scene.tap(&scene.library_reader, MIA).await.outcome, Outcome::CheckedOut);
    scene.pass(60);
    assert_eq!(enter(&scene, MIA).await, 1);
    assert_eq!(scene.end_run(run).await, 1);
    scene.pass(60);
    assert_eq!(scene.tap(&scene.gym_reader, MIA).await.outcome, Outcome::CheckedIn);
    scene.check().await;
}

#[tokio::test]
async fn what_was_known_of_yesterday_is_not_known_today() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    scene.tap(&scene.door, MIA).await;
    scene.pass(60);
    assert_eq!(enter(&scene, MIA).await, 1);
    // Nobody has closed the day, which would write what makes all be forgotten.
    scene.pass(24 * 3600);
    assert_eq!(scene.tap(&scene.door, MIA).await.outcome, Outcome::CheckedIn);
    let came = scene.events("attendance.checked_in").await;
    assert_eq!(came.len(), 2);
}

#[tokio::test]
async fn the_last_scan_of_a_badge_that_was_taken_back_is_no_other_badge_s() {
    let scene = Scene::new().await;
    let (mia, zoe) = (scene.mia, scene.zoe);
    let hand_out = move |tx: &mut Tx<'_>| people::commands::hand_out_badge(tx, zoe, "04AABBCC");
    let badge = scene.write(Actor::System, hand_out).await.unwrap();
    assert_eq!(scene.tap(&scene.door, "04AABBCC").await.outcome, Outcome::CheckedIn);
    // The next badge takes the place of the one that is gone, and is tapped at once.
    let hand_over = move |tx: &mut Tx<'_>| {
        people::commands::take_back_badge(tx, badge)?;
        people::commands::hand_out_badge(tx, mia, "04FFEEDD")
    };
    assert_eq!(scene.write(Actor::System, hand_over).await.unwrap(), badge);
    assert_eq!(scene.tap(&scene.door, "04FFEEDD").await.outcome, Outcome::CheckedIn);
    assert_eq!(scene.tap(&scene.door, "04AABBCC").await.outcome, Outcome::UnknownTag);
    assert_eq!(scene.tap(&scene.door, "04AABBCC").await.outcome, Outcome::Duplicate);
}

#[tokio::test]
async fn an_id_is_known_again_in_whatever_order_ids_come() {
    let scene = Scene::new().await;
    let mut first = tap(MIA, When::Now);
    let kept = async |scan: &Scan| scene.scan(&scene.door, scan.clone()).await;
    for id in ["M", "Z", "A", "Y"] {
        first.scan_id = id.into();
        let decided = kept(&first).await;
        assert_eq!(kept(&first).await, decided);
        scene.pass(60);
        assert_eq!(kept(&first).await, decided, "{id}");
    }
    assert_eq!(scene.number("select count(*) from scan").await, 4);
    let other = Scan { tag: BEN.into(), ..first };
    assert_eq!(kept(&other).await.code, Some(Code::ScanIdReused));
}
