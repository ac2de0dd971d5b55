//! What cannot be taken back of a visit, since it was no slip.

use daybook::domain::rooms;
use daybook::domain::visits::scan::Outcome;
use daybook::domain::visits::{Status, snapshots};

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
