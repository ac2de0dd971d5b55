//! What cannot be taken back of a visit, since it was no slip; and what can be put right of leaving.

use daybook::base::{Actor, Error, Timestamp};
use daybook::domain::rooms;
use daybook::domain::visits::marking::Mark;
use daybook::domain::visits::scan::Outcome;
use daybook::domain::visits::{Attendance, Status, day, snapshots};

use crate::scene::{BEN, MIA, Scene, conflict};

#[tokio::test]
async fn no_undo_of_an_end_says_that_who_was_away_had_never_left() {
    let scene = Scene::new().await;
    let (eva, library) = (scene.eva, scene.run(scene.library, &[scene.eva]).await);
    let undo_until = async || {
        let left = scene.act(eva, move |tx, scope| {
            let run = rooms::queries::run(tx, library)?;
            Ok(snapshots::in_run(tx, scope, &run)?.left)
        });
        left.await.unwrap()[0].undo_until
    };
    scene.tap(&scene.library_reader, MIA).await;
    let visit = scene.visit_of(scene.mia).await;
    scene.pass(60);
    assert_eq!(scene.tap(&scene.exit, MIA).await.outcome, Outcome::LeftHouse);
    scene.pass(60);
    assert_eq!(scene.tap(&scene.door, MIA).await.outcome, Outcome::CheckedIn);
    assert_eq!(undo_until().await, None);
    assert_eq!(conflict(scene.undo(eva, visit).await), "visit.elsewhere");

    // Who was marked by mistake, or tapped the wrong reader, never was away.
    for slip in [scene.library_reader, scene.exit] {
        scene.pass(60);
        scene.start(eva, scene.ben, library).await.unwrap();
        let visit = scene.visit_of(scene.ben).await;
        scene.pass(60);
        match slip.room {
            Some(_) => drop(scene.mark(eva, scene.ben, Status::Left).await.unwrap()),
            None => drop(scene.tap(&slip, BEN).await),
        }
        scene.mark(eva, scene.ben, Status::Present).await.unwrap();
        assert!(undo_until().await.is_some());
        scene.undo(eva, visit).await.unwrap();
        scene.end(eva, visit).await.unwrap();
    }
    scene.check().await;
}

/// Notes that Mia left at `at`.
async fn left_at(scene: &Scene, at: Timestamp) -> Result<Attendance, Error> {
    let mark = Mark { status: Status::Left, reason: None, at: Some(at) };
    scene.mark_as(scene.office, scene.mia, mark).await
}

#[tokio::test]
async fn a_leaving_that_was_noted_late_is_put_right_with_the_end_of_its_visit() {
    let scene = Scene::new().await;
    let library = scene.run(scene.library, &[scene.eva]).await;
    let ended = "select ended_at from visit where newest = 1";
    scene.start(scene.eva, scene.mia, library).await.unwrap();
    let came = scene.now();
    scene.pass(3600);
    // Her father fetched her half an hour ago, and nobody had noted it.
    scene.mark(scene.eva, scene.mia, Status::Left).await.unwrap();
    let noted = left_at(&scene, Scene::minute(30)).await.unwrap();
    assert_eq!(noted.left_at, Some(Scene::minute(30)));
    assert_eq!(scene.number(ended).await, Scene::minute(30).0);
    assert_eq!(scene.events("visit.ended").await.len(), 2);
    assert!(left_at(&scene, came.minus(std::time::Duration::from_secs(1))).await.is_err());
    scene.check().await;

    // What somebody did before leaving was not noted late.
    scene.mark(scene.eva, scene.mia, Status::Present).await.unwrap();
    scene.start(scene.eva, scene.mia, library).await.unwrap();
    scene.pass(60);
    scene.end(scene.eva, scene.visit_of(scene.mia).await).await.unwrap();
    scene.pass(60);
    scene.mark(scene.eva, scene.mia, Status::Left).await.unwrap();
    assert!(left_at(&scene, Scene::minute(60)).await.is_err());
    scene.check().await;
}

#[tokio::test]
async fn who_forgot_to_check_out_left_when_the_office_says_so() {
    let scene = Scene::new().await;
    let ended = "select ended_at from visit where newest = 1";
    let library = scene.run(scene.library, &[scene.eva]).await;
    scene.start(scene.eva, scene.mia, library).await.unwrap();
    // The house closes at 18:00.
    scene.set(Scene::minute(8 * 60));
    scene.write(Actor::System, day::close_day).await.unwrap();
    assert_eq!(scene.number(ended).await, Scene::minute(8 * 60).0);
    left_at(&scene, Scene::minute(5 * 60)).await.unwrap();
    assert_eq!(scene.number(ended).await, Scene::minute(5 * 60).0);
    let row = "select left_at from attendance where source = 'manual'";
    assert_eq!(scene.number(row).await, Scene::minute(5 * 60).0);
    scene.check().await;
}

#[tokio::test]
async fn nobody_has_left_before_a_badge_brought_them_back() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, MIA).await;
    scene.pass(3600);
    scene.tap(&scene.exit, MIA).await;
    scene.pass(3600);
    scene.tap(&scene.door, MIA).await;
    scene.pass(3600);
    let early = left_at(&scene, Scene::minute(90)).await;
    assert!(matches!(&early, Err(Error::Invalid { field, .. }) if field == "at"), "{early:?}");
    assert_eq!(scene.status(scene.mia).await, Status::Present);
    left_at(&scene, Scene::minute(150)).await.unwrap();
    scene.check().await;
}
