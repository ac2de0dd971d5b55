//! Absences that turn out otherwise: who comes after all has no reason for being away.

use daybook::base::{Actor, Day};
use daybook::domain::visits::day;
use daybook::domain::visits::marking::Mark;
use daybook::domain::visits::{Attendance, Status, queries};
use daybook::store::rows;

use crate::scene::{BEN, MIA, Scene};

async fn row(scene: &Scene) -> (Status, Option<String>) {
    let (mia, today) = (scene.mia, "2026-11-20".parse::<Day>().unwrap());
    let row: Option<Attendance> =
        scene.read(move |conn| queries::attendance(conn, mia, today)).await;
    row.map(|row| (row.status, row.reason)).unwrap()
}

fn sick() -> Option<String> {
    Some("sick".to_owned())
}

async fn call_in_sick(scene: &Scene) {
    let mark = Mark { status: Status::Excused, reason: sick(), at: None };
    scene.mark_as(scene.office, scene.mia, mark).await.unwrap();
    assert_eq!(row(scene).await, (Status::Excused, sick()));
}

const ENDED: &str = "select count(*) from audit
                     where act = 'attendance.absence_ended' and detail = '2026-11-20 excused'";

#[tokio::test]
async fn who_comes_after_all_has_no_reason_for_being_away() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    // By the door, by a room, by somebody's hand, and out of the door without having come in.
    call_in_sick(&scene).await;
    scene.pass(60);
    scene.tap(&scene.door, MIA).await;
    assert_eq!(row(&scene).await, (Status::Present, None));
    scene.mark(scene.office, scene.mia, Status::Expected).await.unwrap();

    call_in_sick(&scene).await;
    scene.mark(scene.office, scene.mia, Status::Present).await.unwrap();
    assert_eq!(row(&scene).await, (Status::Present, None));

    call_in_sick(&scene).await;
    scene.pass(60);
    scene.tap(&scene.exit, MIA).await;
    assert_eq!(row(&scene).await, (Status::Left, None));
    assert_eq!(scene.number(ENDED).await, 3);

    call_in_sick(&scene).await;
    scene.pass(60);
    scene.tap(&scene.gym_reader, MIA).await;
    assert_eq!(row(&scene).await, (Status::Present, None));
    assert_eq!(scene.room_of(scene.mia).await, Some(scene.gym));
    // What was noted stays in the audit, without the words.
    assert_eq!(scene.number(ENDED).await, 4);
    let words = "select count(*) from audit where detail like '%sick%'";
    assert_eq!(scene.number(words).await, 0);
    scene.end_run(run).await;
    scene.check().await;
}

#[tokio::test]
async fn the_wrong_child_is_sick_again_when_the_slip_is_undone() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    call_in_sick(&scene).await;
    let visit = scene.start(scene.eva, scene.mia, run).await.unwrap();
    assert_eq!(row(&scene).await, (Status::Present, None));
    scene.undo(scene.eva, visit).await.unwrap();
    assert_eq!(row(&scene).await, (Status::Excused, sick()));
    // Each of the three was noted by hand, whichever way.
    let lines = "select by || ' ' || detail
                 from audit
                 where act = 'attendance.marked'
                 order by audit_id";
    let lines: Vec<String> = scene.read(move |conn| rows::all(conn, lines, [])).await;
    let line = |by, status| format!("person:{by} 2026-11-20 {status}");
    let (eva, office) = (scene.eva, scene.office);
    assert_eq!(lines, [line(office, "excused"), line(eva, "present"), line(eva, "excused")]);
    scene.check().await;
}

#[tokio::test]
async fn a_reason_that_is_given_for_being_here_or_having_left_is_kept() {
    let scene = Scene::new().await;
    let mark = |status, why: &str| Mark { status, reason: Some(why.to_owned()), at: None };
    scene.mark_as(scene.eva, scene.mia, mark(Status::Present, "late bus")).await.unwrap();
    assert_eq!(row(&scene).await, (Status::Present, Some("late bus".to_owned())));
    scene.mark_as(scene.eva, scene.mia, mark(Status::Left, "dentist")).await.unwrap();
    assert_eq!(row(&scene).await, (Status::Left, Some("dentist".to_owned())));
    scene.pass(3600);
    scene.tap(&scene.door, MIA).await;
    assert_eq!(row(&scene).await, (Status::Present, None));
    assert_eq!(scene.number("select count(*) from audit where act like '%absence%'").await, 0);
}

#[tokio::test]
async fn an_absence_that_only_the_clock_found_ends_without_a_line() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, BEN).await;
    scene.write(Actor::System, day::mark_missing).await.unwrap();
    assert_eq!(row(&scene).await, (Status::Unreported, None));
    scene.tap(&scene.door, MIA).await;
    assert_eq!(row(&scene).await, (Status::Present, None));
    assert_eq!(scene.number("select count(*) from audit where act like '%absence%'").await, 0);
}

#[tokio::test]
async fn who_left_without_having_come_has_not_come_late_when_a_start_is_undone() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.tap(&scene.exit, MIA).await;
    scene.pass(60);
    let slip = scene.start(scene.eva, scene.mia, run).await.unwrap();
    scene.undo(scene.eva, slip).await.unwrap();
    assert_eq!(row(&scene).await, (Status::Left, None));
    let late = "select late from attendance where arrived_at is null";
    assert_eq!(scene.number(late).await, 0);
    scene.check().await;
}
