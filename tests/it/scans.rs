//! What a badge that is held to a reader means.

use daybook::base::Timestamp;
use daybook::domain::devices::model::{Intent, Mode, Scanner, ShowName};
use daybook::domain::house::Language;
use daybook::domain::people;
use daybook::domain::people::model::{BadgeState, PersonChange, PersonState};
use daybook::domain::visits::scan::{Code, Outcome, Scan, When};
use daybook::domain::visits::{Occupancy, Status, day};

use crate::scene::{BEN, EVA, MIA, Scene, ZOE, reader, tap};

fn at(moment: Timestamp, tag: &str) -> Scan {
    tap(tag, When::DeviceClock(moment))
}

#[tokio::test]
async fn a_badge_opens_the_day_and_a_visit_and_closes_both_again() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    let came = scene.tap(&scene.door, MIA).await;
    assert_eq!(came.outcome, Outcome::CheckedIn);
    assert_eq!(came.display.line1, "Hallo Mia!");
    assert_eq!(came.occupancy, None);
    scene.pass(60);
    let entered = scene.tap(&scene.library_reader, MIA).await;
    assert_eq!(entered.outcome, Outcome::CheckedIn);
    assert_eq!(entered.display.line2, "Du bist jetzt hier: Bibliothek.");
    let occupancy = Occupancy { room_id: scene.library, count: 1, capacity: 2 };
    assert_eq!(entered.occupancy, Some(occupancy));
    scene.check().await;
    assert_eq!((scene.counts().await.in_rooms, scene.counts().await.expected), (1, 2));
    scene.pass(60);
    let left = scene.tap(&scene.library_reader, MIA).await;
    assert_eq!(left.outcome, Outcome::CheckedOut);
    assert_eq!(left.occupancy.unwrap().count, 0);
    // A room check-out is not "gone home".
    assert_eq!(scene.status(scene.mia).await, Status::Present);
    scene.pass(60);
    assert_eq!(scene.tap(&scene.exit, MIA).await.outcome, Outcome::LeftHouse);
    assert_eq!(scene.status(scene.mia).await, Status::Left);
    scene.check().await;

    let started = scene.events("visit.started").await;
    let audience = format!("run:{run} group:{} lead", scene.blue);
    assert_eq!(started[0].0, audience);
    assert_eq!(started[0].1["member_id"], scene.mia.to_string());
    let ended = scene.events("visit.ended").await;
    assert_eq!((ended.len(), &ended[0].0), (1, &audience));
    assert_eq!((&ended[0].1["reason"], &ended[0].1["source"]), (&"left".into(), &"badge".into()));
    let came = scene.events("attendance.checked_in").await;
    assert_eq!(came[0].0, format!("group:{} office lead", scene.blue));
    // Ten o'clock is after a quarter past eight.
    assert_eq!(came[0].1["late"], true);
    assert_eq!(scene.events("attendance.checked_out").await.len(), 1);
}

/// Fault 87.
#[tokio::test]
async fn a_badge_in_a_second_room_is_a_transfer() {
    let scene = Scene::new().await;
    let library = scene.run(scene.library, &[scene.eva]).await;
    let gym = scene.run(scene.gym, &[scene.otto]).await;
    // Who comes to a room without passing the door has come to the house, too.
    let entered = scene.tap(&scene.library_reader, MIA).await.outcome;
    assert_eq!((entered, scene.status(scene.mia).await), (Outcome::CheckedIn, Status::Present));
    scene.pass(60);
    assert_eq!(scene.tap(&scene.gym_reader, MIA).await.outcome, Outcome::Transferred);
    assert_eq!(scene.room_of(scene.mia).await, Some(scene.gym));
    scene.check().await;
    let ended = &scene.events("visit.ended").await[0];
    assert!(ended.0.starts_with(&format!("run:{library} ")), "{}", ended.0);
    assert_eq!(ended.1["reason"], "transferred");
    let started = &scene.events("visit.started").await[1];
    assert!(started.0.starts_with(&format!("run:{gym} ")), "{}", started.0);
    assert_eq!(started.1["from_room_id"], scene.library.to_string());
}

#[tokio::test]
async fn a_repeat_gets_its_stored_answer_and_changes_nothing() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    let batch: Vec<Scan> = [MIA, BEN, "DEB0FFFF"].map(|tag| tap(tag, When::Now)).to_vec();
    let first = scene.scans(&scene.library_reader, batch.clone()).await;
    let events = scene.log().await;
    scene.pass(3600);
    assert_eq!(scene.scans(&scene.library_reader, batch.clone()).await, first);
    assert_eq!(scene.log().await, events);
    // The id of another device's tap is another tap.
    let elsewhere = scene.scan(&scene.door, batch[0].clone()).await;
    assert_eq!(elsewhere.outcome, Outcome::AlreadyIn);
    // One id for two badges is a defect of the reader.
    let reused =
        scene.scan(&scene.library_reader, Scan { tag: ZOE.to_owned(), ..batch[0].clone() });
    assert_eq!(reused.await.code, Some(Code::ScanIdReused));
    scene.check().await;
}

/// Fault 86.
#[tokio::test]
async fn two_taps_within_a_second_and_a_half_are_one() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    let begin = Scene::minute(0);
    let taps = [0, 1_400, 2_800, 4_400];
    let taps = taps.map(|ms| at(Timestamp(begin.0 + ms), MIA)).to_vec();
    scene.pass(10);
    let results = scene.scans(&scene.library_reader, taps).await;
    let outcomes: Vec<Outcome> = results.iter().map(|result| result.outcome).collect();
    let twice = Outcome::Duplicate;
    assert_eq!(outcomes, [Outcome::CheckedIn, twice, twice, Outcome::CheckedOut]);
    assert_eq!(results[0].display, results[1].display);
    assert_ne!(results[0].scan_id, results[1].scan_id);
    assert_eq!(scene.number("select count(*) from scan").await, 4);
}

#[tokio::test]
async fn a_double_tap_is_known_when_others_came_between_but_not_at_two_readers() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    scene.run(scene.gym, &[scene.otto]).await;
    let begin = Scene::minute(0);
    let taps = [(0, MIA), (400, BEN), (800, MIA), (900, "DEB0FFFF"), (1_000, "DEB0FFFF")];
    let taps = taps.map(|(ms, tag)| at(Timestamp(begin.0 + ms), tag)).to_vec();
    scene.pass(2);
    let results = scene.scans(&scene.library_reader, taps).await;
    let outcomes: Vec<Outcome> = results.iter().map(|result| result.outcome).collect();
    use Outcome::{CheckedIn, Duplicate, UnknownTag};
    assert_eq!(outcomes, [CheckedIn, CheckedIn, Duplicate, UnknownTag, Duplicate]);
    // Somebody who runs across: each reader is told something of its own.
    scene.pass(60);
    assert_eq!(scene.tap(&scene.gym_reader, MIA).await.outcome, Outcome::Transferred);
    assert_eq!(scene.tap(&scene.library_reader, MIA).await.outcome, Outcome::Transferred);
    scene.check().await;
}

#[tokio::test]
async fn the_reader_decides_the_direction_only_at_a_door_with_two_buttons() {
    let scene = Scene::new().await;
    let toggle = reader(&scene, Mode::Toggle, None).await;
    let toggle = Scanner { daily_checkout_from: Some(11 * 60), ..toggle };
    let with = |intent| Scan { intent, ..tap(MIA, When::Now) };
    assert_eq!(scene.scan(&scene.exit, with(Intent::In)).await.outcome, Outcome::CheckedIn);
    scene.pass(2);
    assert_eq!(scene.scan(&scene.door, with(Intent::Auto)).await.outcome, Outcome::AlreadyIn);
    scene.pass(2);
    assert_eq!(scene.scan(&scene.door, with(Intent::Out)).await.outcome, Outcome::LeftHouse);
    scene.pass(2);
    assert_eq!(scene.scan(&toggle, with(Intent::Out)).await.outcome, Outcome::CheckedIn);
    scene.pass(2);
    // Before eleven a toggle never sends anybody home.
    assert_eq!(scene.scan(&toggle, with(Intent::Out)).await.outcome, Outcome::AlreadyIn);
    scene.set(Scene::minute(60));
    assert_eq!(scene.scan(&toggle, with(Intent::In)).await.outcome, Outcome::LeftHouse);
    scene.pass(2);
    // Who has left and taps on the way out again has left.
    assert_eq!(scene.scan(&scene.exit, with(Intent::Auto)).await.outcome, Outcome::LeftHouse);
    assert_eq!(scene.events("attendance.checked_out").await.len(), 2);
    scene.check().await;
}

#[tokio::test]
async fn a_carried_reader_and_a_kiosk_name_their_room() {
    let scene = Scene::new().await;
    scene.run(scene.gym, &[scene.eva]).await;
    let tablet = reader(&scene, Mode::Kiosk, None).await;
    let in_gym = Scan { room: Some(scene.gym), ..tap(MIA, When::Now) };
    assert_eq!(scene.scan(&tablet, in_gym).await.outcome, Outcome::CheckedIn);
    assert_eq!(scene.room_of(scene.mia).await, Some(scene.gym));
    // A kiosk without a room stands at the door.
    assert_eq!(scene.tap(&tablet, BEN).await.outcome, Outcome::CheckedIn);
    assert_eq!(scene.status(scene.ben).await, Status::Present);
    // A reader that hangs in the library is not to be told that it is in the gym.
    scene.run(scene.library, &[scene.eva]).await;
    let wrong = Scan { room: Some(scene.gym), ..tap(BEN, When::Now) };
    scene.scan(&scene.library_reader, wrong).await;
    assert_eq!(scene.room_of(scene.ben).await, Some(scene.library));
    let nowhere = Scan { room: Some(daybook::base::id::RoomId(99)), ..tap(ZOE, When::Now) };
    assert_eq!(scene.scan(&tablet, nowhere).await.code, Some(Code::RunNone));
}

#[tokio::test]
async fn staff_come_and_go_without_news_and_without_a_place_in_the_counts() {
    let scene = Scene::new().await;
    scene.run(scene.gym, &[scene.eva]).await;
    let before = scene.log().await.len();
    let outcomes = [
        scene.tap(&scene.door, EVA).await.outcome,
        scene.tap(&scene.gym_reader, EVA).await.outcome,
        scene.tap(&scene.exit, EVA).await.outcome,
    ];
    assert_eq!(outcomes, [Outcome::StaffIn, Outcome::StaffIn, Outcome::StaffOut]);
    assert_eq!(scene.status(scene.eva).await, Status::Left);
    assert_eq!(scene.log().await.len(), before);
    assert_eq!((scene.counts().await.expected, scene.counts().await.left), (3, 0));
    assert_eq!(scene.number("select count(*) from visit").await, 0);
}

/// Fault 86.
#[tokio::test]
async fn what_cannot_be_let_in_is_told_why() {
    let scene = Scene::new().await;
    let (mia, ben) = (scene.mia, scene.ben);
    assert_eq!(scene.tap(&scene.library_reader, MIA).await.code, Some(Code::RunNone));
    scene.run(scene.library, &[scene.eva]).await;
    scene
        .act(scene.lead, move |tx, _| {
            let badge = people::queries::badges_of(tx, mia)?[0].id;
            people::commands::set_badge_state(tx, badge, BadgeState::Blocked)?;
            let gone =
                PersonChange { state: Some(PersonState::Inactive), ..PersonChange::default() };
            people::commands::change(tx, ben, gone).map(drop)
        })
        .await
        .unwrap();
    scene.pass(2);
    for reader in [&scene.door, &scene.library_reader] {
        assert_eq!(scene.tap(reader, MIA).await.code, Some(Code::BadgeBlocked));
        assert_eq!(scene.tap(reader, BEN).await.code, Some(Code::MemberInactive));
    }
    let unknown = scene.tap(&scene.door, "DEB0ABCD").await;
    assert_eq!(unknown.outcome, Outcome::UnknownTag);
    let (topics, told) = scene.events("scan.unknown").await.remove(0);
    assert_eq!((topics.as_str(), &told["tag_suffix"]), ("devices", &"ABCD".into()));
    assert_eq!(scene.number("select count(*) from scan_review where why = 'unknown_tag'").await, 1);
    assert_eq!(scene.number("select count(*) from attendance").await, 0);
    scene.check().await;
}

#[tokio::test]
async fn a_full_room_refuses_who_stands_before_it_but_not_who_was_inside() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    scene.pass(60);
    for tag in [MIA, BEN] {
        assert_eq!(scene.tap(&scene.library_reader, tag).await.outcome, Outcome::CheckedIn);
    }
    let full = scene.tap(&scene.library_reader, ZOE).await;
    assert_eq!((full.code, full.occupancy.unwrap().count), (Some(Code::RoomFull), 2));
    assert_eq!(scene.status(scene.zoe).await, Status::Expected);
    // The same as told by a reader that was cut off for half a minute.
    let inside = at(Timestamp(scene.now().0 - 30_000), ZOE);
    let inside = scene.scan(&scene.library_reader, inside).await;
    assert_eq!((inside.outcome, inside.occupancy.unwrap().count), (Outcome::CheckedIn, 3));
    scene.check().await;
}

/// Fault 84.
#[tokio::test]
async fn a_late_scan_never_changes_what_is_newer() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    scene.run(scene.gym, &[scene.eva]).await;
    scene.set(Scene::minute(30));
    scene.tap(&scene.gym_reader, MIA).await;
    scene.set(Scene::minute(40));
    let late = scene.scan(&scene.library_reader, at(Scene::minute(20), MIA)).await;
    assert_eq!(late.outcome, Outcome::NeedsReview);
    assert_eq!(scene.room_of(scene.mia).await, Some(scene.gym));
    let (topics, told) = scene.events("scan.needs_review").await.remove(0);
    assert_eq!((topics.as_str(), &told["why"]), ("devices", &"late".into()));
    assert_eq!(told["scan_id"], late.scan_id);
    // It is kept under the moment at which the badge was held.
    let kept = "select scanned_at from scan where outcome = 'needs_review'";
    assert_eq!(scene.number(kept).await, Scene::minute(20).0);
    // What somebody decided by hand is not changed by a scan of before, either.
    scene.mark(scene.office, scene.ben, Status::Excused).await.unwrap();
    let before = scene.scan(&scene.door, at(Scene::minute(39), BEN)).await;
    assert_eq!(before.outcome, Outcome::NeedsReview);
    assert_eq!(scene.status(scene.ben).await, Status::Excused);
    scene.pass(1);
    assert_eq!(scene.tap(&scene.door, BEN).await.outcome, Outcome::CheckedIn);
    scene.check().await;
}

/// Fault 85.
#[tokio::test]
async fn wrong_clocks_are_put_before_a_person() {
    let scene = Scene::new().await;
    let now = scene.now().0;
    let hour = 3_600_000;
    let cases = [
        (When::DeviceClock(Timestamp(0)), "too_old"),
        (When::DeviceClock(Timestamp(now - 73 * hour)), "too_old"),
        (When::AgeMs(i64::MAX), "too_old"),
        (When::DeviceClock(Timestamp(now + 121_000)), "future"),
        (When::DeviceClock(Timestamp(i64::MAX)), "future"),
        (When::DeviceClock(Timestamp(now - 24 * hour)), "late"),
    ];
    for (when, why) in cases {
        let result = scene.scan(&scene.door, tap(MIA, when)).await;
        assert_eq!(result.outcome, Outcome::NeedsReview, "{when:?}");
        let told = scene.events("scan.needs_review").await.pop().unwrap();
        assert_eq!(told.1["why"], why, "{when:?}");
    }
    assert_eq!(scene.number("select count(*) from attendance").await, 0);
    // Two minutes of a fast clock are forgiven, and a known error is taken off.
    let fast = scene.scan(&scene.door, at(Timestamp(now + 119_000), MIA)).await;
    assert_eq!(fast.outcome, Outcome::CheckedIn);
    assert_eq!(scene.number("select arrived_at from attendance").await, now);
    let slow = Scanner { skew_ms: -hour, ..scene.door };
    let slow = scene.scan(&slow, at(Timestamp(now - hour - 5_000), BEN)).await;
    assert_eq!(slow.outcome, Outcome::CheckedIn);
    assert_eq!(scene.number("select min(arrived_at) from attendance").await, now - 5_000);
    scene.check().await;
}

#[tokio::test]
async fn a_reader_that_was_cut_off_tells_of_the_run_that_was_open_then() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    scene.tap(&scene.door, MIA).await;
    scene.set(Scene::minute(20));
    scene.end_run(run).await;
    scene.set(Scene::minute(25));
    let next = scene.run(scene.library, &[scene.eva]).await;
    scene.set(Scene::minute(30));
    let was = scene.scan(&scene.library_reader, at(Scene::minute(10), MIA)).await;
    assert_eq!(was.outcome, Outcome::CheckedIn);
    // The stay ended with its run, and nobody is taken for being in the next one.
    assert_eq!(scene.room_of(scene.mia).await, None);
    let stay = "select count(*) from visit join run using (run_id)
                where visit.ended_at = run.ended_at and end_reason = 'run_ended'";
    assert_eq!(scene.number(stay).await, 1);
    let between = scene.scan(&scene.library_reader, at(Scene::minute(22), BEN)).await;
    assert_eq!(between.code, Some(Code::RunNone));
    let now = scene.scan(&scene.library_reader, at(Scene::minute(26), MIA)).await;
    assert_eq!(now.outcome, Outcome::CheckedIn);
    let in_next = scene.events("visit.started").await.pop().unwrap();
    assert_eq!(in_next.1["run_id"], next.to_string());
    scene.check().await;
}

/// Fault 87.
#[tokio::test]
async fn two_readers_in_the_same_second_leave_one_state() {
    let scene = Scene::new().await;
    scene.run(scene.library, &[scene.eva]).await;
    scene.run(scene.gym, &[scene.eva]).await;
    scene.pass(60);
    let now = scene.now();
    let taps = [(scene.gym_reader, 0), (scene.library_reader, 300), (scene.gym_reader, 100)];
    let mut outcomes = Vec::new();
    for (number, (reader, ms)) in taps.into_iter().enumerate() {
        let tag = if number == 2 { BEN } else { MIA };
        outcomes.push(scene.scan(&reader, at(Timestamp(now.0 - ms), tag)).await.outcome);
    }
    // The clocks of two readers differ by more than that: what comes second is second.
    assert_eq!(outcomes, [Outcome::CheckedIn, Outcome::Transferred, Outcome::CheckedIn]);
    assert_eq!(scene.room_of(scene.mia).await, Some(scene.library));
    scene.check().await;
}

#[tokio::test]
async fn scans_of_after_the_close_count_and_those_of_before_do_not() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, MIA).await;
    // Half past six; the house closed at six.
    scene.set(Scene::minute(8 * 60 + 30));
    scene.write(daybook::base::Actor::System, day::close_day).await.unwrap();
    let before = scene.scan(&scene.door, at(Scene::minute(7 * 60), BEN)).await;
    assert_eq!(before.outcome, Outcome::NeedsReview);
    let after = scene.scan(&scene.door, at(Scene::minute(8 * 60 + 10), ZOE)).await;
    assert_eq!(after.outcome, Outcome::CheckedIn);
    scene.write(daybook::base::Actor::System, day::close_day).await.unwrap();
    assert_eq!(scene.status(scene.zoe).await, Status::Present);
    scene.check().await;
}

#[tokio::test]
async fn names_are_shown_as_the_reader_may_and_in_its_language() {
    let scene = Scene::new().await;
    let line = |result: daybook::domain::visits::scan::ScanResult| result.display.line1;
    let english = Scanner { language: Language::En, ..scene.door };
    assert_eq!(line(scene.tap(&english, MIA).await), "Hello Mia!");
    scene.pass(2);
    let initials = Scanner { show_name: ShowName::Initials, ..scene.door };
    assert_eq!(line(scene.tap(&initials, MIA).await), "Hallo M. M.!");
    scene.pass(2);
    let none = Scanner { show_name: ShowName::None, ..scene.door };
    assert_eq!(line(scene.tap(&none, MIA).await), "Hallo!");
    let unknown = scene.tap(&english, "DEB0DEAD").await.display;
    assert_eq!(unknown.line1, "We don't know this card yet.");
}

/// Fault 117.
#[tokio::test]
async fn a_clock_that_is_put_back_stops_nobody() {
    let scene = Scene::new().await;
    scene.run(scene.gym, &[scene.eva]).await;
    scene.set(Scene::minute(60));
    scene.tap(&scene.gym_reader, MIA).await;
    // The box had been an hour ahead.
    scene.set(Scene::minute(1));
    assert_eq!(scene.tap(&scene.gym_reader, MIA).await.outcome, Outcome::CheckedOut);
    scene.pass(2);
    assert_eq!(scene.tap(&scene.exit, MIA).await.outcome, Outcome::LeftHouse);
    scene.check().await;
}
