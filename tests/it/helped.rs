//! Help that was marked as done by mistake, and is taken back.

use std::time::Duration;

use daybook::base::Actor;
use daybook::domain::help::{self, Ask, Priority, Status};
use daybook::live::Tx;

use crate::fixture::{self, Fixture};
use crate::help::{act, ask, code, queue};
use crate::scene::Scene;
use crate::store::TestStore;

#[tokio::test]
async fn what_was_done_by_mistake_is_taken_back_within_five_minutes_by_who_did_it() {
    let store = TestStore::new().await;
    let Fixture { teacher, colleague, members, .. } = fixture::class(&store, 1).await;
    let member = members[0];
    let id = ask(&store, member, Priority::Normal).await.unwrap().id;
    let reopen = || move |tx: &mut Tx<'_>, scope: &_| help::commands::reopen(tx, scope, id);
    let done =
        || move |tx: &mut Tx<'_>, scope: &_| help::commands::resolve(tx, scope, id, Some("so"));
    assert_eq!(code(act(&store, teacher, reopen()).await), "help.not_done");
    act(&store, teacher, done()).await.unwrap();
    assert_eq!(code(act(&store, colleague, reopen()).await), "help_request.not_found");

    store.advance(Duration::from_secs(300));
    let again = act(&store, teacher, reopen()).await.unwrap();
    assert_eq!((again.status, again.response, again.closed_at), (Status::Assigned, None, None));
    assert_eq!(again.assigned_to.unwrap().id, teacher);
    assert_eq!(queue(&store, teacher).await, [member]);
    // A double tap does no harm.
    assert_eq!(act(&store, teacher, reopen()).await.unwrap().rev, again.rev);

    act(&store, teacher, done()).await.unwrap();
    store.advance(Duration::from_secs(301));
    assert_eq!(code(act(&store, teacher, reopen()).await), "help.undo_too_late");
    let id = ask(&store, member, Priority::Normal).await.unwrap().id;
    act(&store, teacher, move |tx, scope| help::commands::resolve(tx, scope, id, None))
        .await
        .unwrap();
    ask(&store, member, Priority::Normal).await.unwrap();
    let back = move |tx: &mut Tx<'_>, scope: &_| help::commands::reopen(tx, scope, id);
    assert_eq!(code(act(&store, teacher, back).await), "help.asked_again");
}

#[tokio::test]
async fn what_was_done_before_the_day_was_closed_is_not_taken_up_after_it() {
    let scene = Scene::new().await;
    let mia = scene.mia;
    // It is ten o'clock; the house is closed at six.
    scene.pass(8 * 3600 - 60);
    let asked = move |tx: &mut Tx<'_>| help::commands::ask(tx, mia, &Ask::new("Seite 4", None)?);
    let id = scene.write(Actor::Person(mia), asked).await.unwrap().id;
    let done = move |tx: &mut Tx<'_>, scope: &_| help::commands::resolve(tx, scope, id, None);
    scene.act(scene.eva, done).await.unwrap();
    scene.pass(120);
    let back = move |tx: &mut Tx<'_>, scope: &_| help::commands::reopen(tx, scope, id);
    assert_eq!(code(scene.act(scene.eva, back).await), "help.undo_too_late");
}
