//! Visits, attendance and snapshots over HTTP: shapes, repeats, and who may not.

use daybook::client::Client;
use daybook::domain::visits::Status;
use daybook::domain::visits::scan::Outcome;
use hyper::Method;
use serde_json::{Value, json};

use crate::scene::{BEN, MIA, Scene, ZOE};

async fn get(client: &Client, path: &str) -> (u16, Value) {
    let answer = client.get(&format!("/api/v1{path}")).await.unwrap();
    (answer.status, answer.json().unwrap())
}

async fn post(client: &Client, path: &str, body: Value) -> (u16, Value) {
    let answer = client.json(Method::POST, &format!("/api/v1{path}"), &body).await.unwrap();
    let told = if answer.body.is_empty() { Value::Null } else { answer.json().unwrap() };
    (answer.status, told)
}

fn code((status, body): &(u16, Value)) -> (u16, &str) {
    (*status, body["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_visit_is_started_ended_and_undone_by_tapping() {
    let scene = Scene::new().await;
    let (library, gym) =
        (scene.run(scene.library, &[scene.eva]).await, scene.run(scene.gym, &[scene.eva]).await);
    let [eva] = scene.signed_in([scene.eva]).await;
    let start = |run| json!({ "member_id": scene.mia, "run_id": run });
    let eva = eva.with("idempotency-key", "tap-1");
    let (status, first) = post(&eva, "/visits", start(library)).await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(post(&eva, "/visits", start(library)).await, (201, first.clone()));
    let [eva] = scene.signed_in([scene.eva]).await;
    assert_eq!(first["display_name"], "Mia Mohn");
    assert_eq!(first["undo_until"], Scene::minute(5).to_string());
    assert_eq!((first.get("ended_at"), first.get("transferred_from")), (None, None));
    scene.pass(60);
    let (_, second) = post(&eva, "/visits", start(gym)).await;
    let from = json!({ "run_id": library, "room_name": "Bibliothek" });
    assert_eq!(second["transferred_from"], from);
    let path = format!("/visits/{}", second["visit_id"].as_str().unwrap());
    let (status, ended) = post(&eva, &format!("{path}/end"), json!({})).await;
    assert_eq!((status, &ended["end_reason"]), (200, &"left".into()));
    let (status, back) = post(&eva, &format!("{path}/undo"), json!({})).await;
    assert_eq!((status, back.get("ended_at")), (200, None));
    let (status, voided) = post(&eva, &format!("{path}/undo"), json!({})).await;
    assert_eq!((status, &voided["end_reason"]), (200, &"undone".into()));
    assert_eq!(scene.room_of(scene.mia).await, Some(scene.library));
    let refused = post(&eva, "/visits", json!({ "member_id": scene.mia, "run": "1" })).await;
    assert_eq!((refused.0, refused.1["field"].as_str()), (400, Some("run")));
    scene.check().await;
}

#[tokio::test]
async fn a_run_is_ended_and_taken_up_again_with_everybody_in_it() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    scene.start(scene.eva, scene.mia, run).await.unwrap();
    let [eva, otto] = scene.signed_in([scene.eva, scene.otto]).await;
    let path = format!("/runs/{run}");
    for verb in ["end", "reopen"] {
        let refused = post(&otto, &format!("{path}/{verb}"), json!({})).await;
        assert_eq!(code(&refused), (403, "run.not_own"));
    }
    let (status, ended) = post(&eva, &format!("{path}/end"), json!({})).await;
    let undo_until = Scene::minute(5).to_string();
    assert_eq!((status, ended), (200, json!({ "ended_visits": 1, "undo_until": undo_until })));
    let (status, page) = get(&eva, &path).await;
    assert_eq!((status, &page["left"][0]["reason"]), (200, &"run_ended".into()));
    assert_eq!(page["left"][0].get("undo_until"), None);
    let (status, run) = post(&eva, &format!("{path}/reopen"), json!({})).await;
    assert_eq!((status, &run["count"]), (200, &1.into()));
    scene.check().await;
}

#[tokio::test]
async fn a_snapshot_has_its_moment_and_its_place_in_the_log() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    scene.start(scene.eva, scene.mia, run).await.unwrap();
    let [eva, otto, lead, office] =
        scene.signed_in([scene.eva, scene.otto, scene.lead, scene.office]).await;
    let (status, page) = get(&eva, &format!("/runs/{run}")).await;
    assert_eq!((status, &page["as_of"]), (200, &scene.now().to_string().into()));
    assert_eq!(page["cursor"], scene.app.hub.head().to_string());
    assert_eq!(page["run"]["count"], 1);
    assert_eq!(page["here"][0]["display_name"], "Mia Mohn");
    assert_eq!(page["expected"][0]["display_name"], "Ben Blau");
    let (status, page) = get(&lead, &format!("/groups/{}", scene.blue)).await;
    assert_eq!((status, &page["group"]["name"]), (200, &"Blau".into()));
    assert_eq!(page["staff"][0]["display_name"], "Eva Engel");
    assert_eq!(page["here"][0]["room_name"], "Bibliothek");
    assert_eq!(page["expected"][0]["member_id"], scene.ben.to_string());

    let (run, group) = (format!("/runs/{run}"), format!("/groups/{}", scene.blue));
    assert_eq!(code(&get(&otto, &run).await), (403, "run.not_own"));
    assert_eq!(code(&get(&otto, &group).await), (403, "group.not_own"));
    assert_eq!(code(&get(&eva, "/runs/99").await), (404, "run.not_found"));
    assert_eq!(code(&get(&office, &run).await), (403, "access.role"));
    assert_eq!(code(&get(&office, "/groups/99").await), (404, "group.not_found"));
}

#[tokio::test]
async fn the_office_sees_of_a_group_who_is_here_and_not_where() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    let came = scene.now();
    scene.tap(&scene.door, MIA).await;
    scene.pass(60);
    scene.start(scene.eva, scene.mia, run).await.unwrap();
    scene.mark(scene.office, scene.ben, Status::Excused).await.unwrap();
    let [office] = scene.signed_in([scene.office]).await;
    let (status, page) = get(&office, &format!("/groups/{}", scene.blue)).await;
    assert_eq!((status, page["here"].as_array().unwrap().len()), (200, 0));
    let mia = json!({ "member_id": scene.mia.to_string(), "display_name": "Mia Mohn",
        "since": came.to_string() });
    assert_eq!(page["on_the_way"], json!([mia]));
    assert_eq!(page["absent"][0]["member_id"], scene.ben.to_string());
    // Nor by when somebody has left a room.
    scene.pass(60);
    scene.end(scene.eva, scene.visit_of(scene.mia).await).await.unwrap();
    let (_, page) = get(&office, &format!("/groups/{}", scene.blue)).await;
    assert_eq!(page["on_the_way"], json!([mia]));
    assert!(!page.to_string().contains("Bibliothek"));
}

#[tokio::test]
async fn attendance_is_marked_and_listed_in_scope() {
    let scene = Scene::new().await;
    let [eva, otto, office] = scene.signed_in([scene.eva, scene.otto, scene.office]).await;
    let path = format!("/attendance/{}", scene.mia);
    let body = json!({ "status": "excused", "reason": "Arzttermin" });
    let (status, marked) = post(&eva, &path, body.clone()).await;
    let expected = json!({ "member_id": scene.mia, "day": "2026-11-20", "status": "excused",
        "late": false, "reason": "Arzttermin" });
    assert_eq!((status, marked), (200, expected));
    assert_eq!(code(&post(&otto, &path, body.clone()).await), (404, "person.not_found"));
    let wrong = post(&eva, &path, json!({ "status": "ill" })).await;
    assert_eq!((wrong.0, wrong.1["field"].as_str()), (400, Some("status")));
    let future = json!({ "status": "present", "at": "2026-11-20T09:30:00Z" });
    assert_eq!(code(&post(&eva, &path, future).await), (422, "request.invalid"));

    scene.tap(&scene.door, ZOE).await;
    let (status, all) = get(&office, "/attendance").await;
    assert_eq!((status, &all["day"]), (200, &"2026-11-20".into()));
    let told: Vec<_> =
        all["items"].as_array().unwrap().iter().map(|item| &item["status"]).collect();
    assert_eq!(told, ["expected", "excused", "present"]);
    let (_, own) = get(&eva, "/attendance?limit=1").await;
    assert_eq!(own["items"][0]["display_name"], "Ben Blau");
    let next = own["next_cursor"].as_str().unwrap();
    let (_, own) = get(&eva, &format!("/attendance?limit=1&cursor={next}")).await;
    assert_eq!(
        (&own["items"][0]["reason"], &own["next_cursor"]),
        (&"Arzttermin".into(), &Value::Null)
    );
    assert_eq!(get(&otto, "/attendance").await.1["items"], json!([]));
    let other = "/attendance?day=2026-11-19";
    assert_eq!(code(&get(&eva, other).await), (403, "attendance.other_day"));
    assert_eq!(get(&office, other).await.1["items"][0]["status"], "expected");
    assert_eq!(get(&office, "/attendance?day=19.11.2026").await.0, 400);
}

#[tokio::test]
async fn a_look_at_somebodys_visits_is_audited_and_staff_see_todays_only() {
    let scene = Scene::new().await;
    let visits = async |run| {
        let visit = scene.start(scene.lead, scene.mia, run).await.unwrap();
        scene.pass(60);
        scene.end(scene.lead, visit).await.unwrap();
    };
    let yesterday = scene.run(scene.gym, &[scene.eva]).await;
    visits(yesterday).await;
    scene.end_run(yesterday).await;
    scene.set(Scene::minute(24 * 60));
    let run = scene.run(scene.gym, &[scene.eva]).await;
    visits(run).await;
    let never = scene.start(scene.lead, scene.mia, run).await.unwrap();
    scene.undo(scene.lead, never).await.unwrap();
    let [eva, otto, lead, office, mia] =
        scene.signed_in([scene.eva, scene.otto, scene.lead, scene.office, scene.mia]).await;
    let path = format!("/visits?member_id={}", scene.mia);
    let count = async |client: &Client, path: &str| {
        get(client, path).await.1["items"].as_array().unwrap().len()
    };
    let looks = || scene.number("select count(*) from audit where act = 'visits.read'");
    assert_eq!((count(&lead, &path).await, count(&eva, &path).await), (2, 1));
    assert_eq!(looks().await, 2);
    assert_eq!(count(&mia, "/visits").await, 2);
    assert_eq!(count(&mia, "/visits?limit=1").await, 1);
    assert_eq!(looks().await, 2);
    assert_eq!(code(&get(&otto, &path).await), (404, "person.not_found"));
    let other = format!("/visits?member_id={}", scene.ben);
    assert_eq!(code(&get(&mia, &other).await), (404, "person.not_found"));
    assert_eq!(code(&get(&office, &path).await), (403, "access.role"));
    assert_eq!(looks().await, 2);
}

#[tokio::test]
async fn scans_to_look_at_are_listed_until_somebody_has() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, "DEB0ABCD").await;
    scene.pass(60);
    scene.tap(&scene.door, MIA).await;
    let late = daybook::domain::visits::scan::When::DeviceClock(Scene::minute(0));
    scene.scan(&scene.exit, crate::scene::tap(MIA, late)).await;
    let [office, eva] = scene.signed_in([scene.office, scene.eva]).await;
    let (status, list) = get(&office, "/scans/review").await;
    assert_eq!(status, 200, "{list}");
    let items = list["items"].as_array().unwrap();
    assert_eq!(
        (&items[0]["why"], &items[0]["tag_suffix"]),
        (&"unknown_tag".into(), &"ABCD".into())
    );
    assert_eq!((&items[1]["why"], &items[1]["display_name"]), (&"late".into(), &"Mia Mohn".into()));
    assert!(!list.to_string().contains("DEB0"));
    let path = format!("/scans/{}/reviewed", items[0]["id"].as_str().unwrap());
    assert_eq!(code(&post(&eva, &path, json!({})).await), (403, "access.role"));
    for _ in 0..2 {
        assert_eq!(post(&office, &path, json!({})).await.0, 204);
    }
    assert_eq!(get(&office, "/scans/review").await.1["items"].as_array().unwrap().len(), 1);
    assert_eq!(code(&post(&office, "/scans/99/reviewed", json!({})).await).0, 404);
}

#[tokio::test]
async fn members_and_strangers_mark_nothing_and_see_nobody() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    let visit = scene.start(scene.eva, scene.mia, run).await.unwrap();
    let [ben] = scene.signed_in([scene.ben]).await;
    let stranger = Client::new(ben.address()).with("origin", format!("http://{}", ben.address()));
    let (mark, group) = (format!("/attendance/{}", scene.mia), format!("/groups/{}", scene.blue));
    for path in
        [&mark, "/visits", &format!("/visits/{visit}/end"), &format!("/visits/{visit}/undo")]
    {
        assert_eq!(code(&post(&ben, path, json!({})).await), (403, "access.role"), "{path}");
        assert_eq!(
            code(&post(&stranger, path, json!({})).await),
            (401, "login.required"),
            "{path}"
        );
    }
    for path in ["/attendance", &group, &format!("/runs/{run}"), "/scans/review"] {
        assert_eq!(code(&get(&ben, path).await), (403, "access.role"), "{path}");
        assert_eq!(code(&get(&stranger, path).await), (401, "login.required"), "{path}");
    }
}

#[tokio::test]
async fn a_member_learns_whether_the_house_has_it_present_and_in_which_room_and_of_nobody_else() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    let [mia, ben] = scene.signed_in([scene.mia, scene.ben]).await;
    let (status, before) = get(&mia, "/me/whereabouts").await;
    assert_eq!((status, &before["present"], &before["room"]), (200, &json!(false), &Value::Null));
    assert!(before["as_of"].is_string() && before["cursor"].is_string(), "{before}");

    scene.tap(&scene.door, MIA).await;
    let (_, come) = get(&mia, "/me/whereabouts").await;
    assert_eq!((&come["present"], &come["room"]), (&json!(true), &Value::Null));
    scene.pass(60);
    let visit = scene.start(scene.eva, scene.mia, run).await.unwrap();
    let (_, inside) = get(&mia, "/me/whereabouts").await;
    let room = json!({
        "id": scene.library,
        "name": "Bibliothek",
        "activity_name": "Lesen",
        "since": Scene::minute(1).to_string(),
    });
    assert_eq!((&inside["present"], &inside["room"]), (&json!(true), &room));
    assert_eq!(get(&ben, "/me/whereabouts").await.1["room"], Value::Null);

    scene.end(scene.eva, visit).await.unwrap();
    assert_eq!(get(&mia, "/me/whereabouts").await.1["room"], Value::Null);
    scene.tap(&scene.exit, MIA).await;
    assert_eq!(get(&mia, "/me/whereabouts").await.1["present"], false);
}

#[tokio::test]
async fn an_end_is_shown_as_one_to_be_undone_only_while_the_member_is_nowhere_else() {
    let scene = Scene::new().await;
    let library = scene.run(scene.library, &[scene.eva]).await;
    let gym = scene.run(scene.gym, &[scene.otto]).await;
    let [eva] = scene.signed_in([scene.eva]).await;
    for member in [scene.mia, scene.ben] {
        let visit = scene.start(scene.eva, member, library).await.unwrap();
        scene.end(scene.eva, visit).await.unwrap();
    }
    let undoable = async || {
        let left = get(&eva, &format!("/runs/{library}")).await.1["left"].clone();
        let left = left.as_array().unwrap().iter();
        left.filter(|gone| gone.get("undo_until").is_some()).count()
    };
    assert_eq!(undoable().await, 2);
    scene.start(scene.otto, scene.mia, gym).await.unwrap();
    assert_eq!(undoable().await, 1);
    scene.tap(&scene.exit, BEN).await;
    assert_eq!(undoable().await, 0);
}

#[tokio::test]
async fn who_was_seen_at_the_door_since_stays_in_the_house_when_a_start_is_undone() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    let slip = scene.start(scene.eva, scene.mia, run).await.unwrap();
    scene.pass(60);
    assert_eq!(scene.tap(&scene.door, MIA).await.outcome, Outcome::AlreadyIn);
    scene.pass(60);
    scene.undo(scene.eva, slip).await.unwrap();
    assert_eq!(scene.status(scene.mia).await, Status::Present);
    assert_eq!(scene.room_of(scene.mia).await, None);
    scene.check().await;
}
