//! Help that was marked as done by mistake, and is taken back; and that of who has gone home.

use std::time::Duration;

use daybook::base::{Actor, Timestamp};
use daybook::domain::help::{self, Ask, Priority, Status};
use daybook::domain::people::Role;
use daybook::domain::visits::scan::When;
use daybook::live::Tx;
use serde_json::json;

use crate::devices::reader;
use crate::fixture::{self, Fixture};
use crate::help::{act, ask, code, queue};
use crate::scene::{Scene, tap};
use crate::server::TestServer;
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

#[tokio::test]
async fn who_goes_home_waits_for_help_no_longer_and_who_is_helped_is_left_to_the_helper() {
    let server = TestServer::start().await;
    let (lead, client) = server.signed_in("Lea Lang", Role::Admin).await;
    let exit = reader(&server, json!({ "name": "Exit", "mode": "door_out" })).await.client;
    let (tags, mut members) = (["DEB0A1A1", "DEB0B2B2", "DEB0C3C3", "DEB0D4D4"], Vec::new());
    for (name, tag) in ["Mia Mohn", "Ben Blau", "Zoe Zorn", "Tom Tau"].into_iter().zip(tags) {
        let member = server.member(name, tag).await;
        members.push((member, ask(&server, member, Priority::Normal).await.unwrap().id));
    }
    let [(mia, waits), (_, in_hand), (_, on_hold), (tom, by_hand)] = members[..] else { panic!() };
    for id in [in_hand, on_hold] {
        act(&server, lead, move |tx, scope| help::commands::claim(tx, scope, id)).await.unwrap();
    }
    let lay_aside = move |tx: &mut Tx<'_>, scope: &_| help::commands::hold(tx, scope, on_hold);
    act(&server, lead, lay_aside).await.unwrap();
    let leave = async |tags: &[&str]| {
        let scans = tags
            .iter()
            .map(|tag| json!({ "scan_id": tap(tag, When::Now).scan_id, "tag": tag, "age_ms": 0 }));
        let body = json!({ "scans": scans.collect::<Vec<_>>() });
        assert_eq!(exit.post("/api/v1/device/scans", &body).await.unwrap().status, 200);
    };
    let status = async |id| server.read(move |conn| help::queries::request(conn, id)).await.status;

    server.advance(Duration::from_secs(60));
    leave(&tags[..3]).await;
    let left = json!({ "status": "left" });
    let marked = client.post(&format!("/api/v1/attendance/{tom}"), &left).await.unwrap();
    assert_eq!(marked.status, 200);
    for id in [waits, on_hold, by_hand] {
        assert_eq!(status(id).await, Status::Cancelled);
    }
    assert_eq!(status(in_hand).await, Status::Assigned);
    // From home, too: what is asked after leaving is not taken back by who leaves later.
    server.advance(Duration::from_secs(60));
    let again = ask(&server, mia, Priority::Normal).await.unwrap().id;
    server.advance(Duration::from_secs(60));
    leave(&tags[1..2]).await;
    assert_eq!(status(again).await, Status::Pending);
    // Nobody else can come to who is gone.
    let path = format!("/api/v1/help-requests/{in_hand}/release");
    let released = client.post(&path, &json!({})).await.unwrap().json().unwrap();
    assert_eq!((&released["status"], &released["position"]), (&json!("cancelled"), &json!(null)));
}

#[tokio::test]
async fn who_reads_what_is_done_is_told_until_when_it_can_be_taken_back() {
    let server = TestServer::start().await;
    let (_, lead) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, mia) = server.signed_in("Mia Berg", Role::Member).await;
    let asked = mia.post("/api/v1/help-requests", &json!({ "content": "" })).await.unwrap();
    let asked = asked.json().unwrap();
    assert_eq!(asked["undo_until"], json!(null));
    let path = format!("/api/v1/help-requests/{}", asked["id"].as_str().unwrap());
    lead.post(&format!("{path}/claim"), &json!({})).await.unwrap();
    let done = lead.post(&format!("{path}/resolve"), &json!({})).await.unwrap().json().unwrap();
    let at = |field: &str| serde_json::from_value::<Timestamp>(done[field].clone()).unwrap();
    assert_eq!(at("undo_until").seconds_since(at("closed_at")), 300);
    let list = lead.get("/api/v1/help-requests?status=resolved").await.unwrap().json().unwrap();
    assert_eq!(list["items"][0]["undo_until"], done["undo_until"]);
}
