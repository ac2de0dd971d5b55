//! The permission matrix where scope decides: the same call about the same member by the lead, the
//! office, staff in scope, staff out of scope, the member itself and another member. What a caller
//! may not know of is 404; groups and runs are known to all who work here, so that what is in them
//! is 403, as is what a role may never do.

use daybook::base::Actor;
use daybook::client::Client;
use daybook::domain::help::{self, Ask, Priority};
use daybook::domain::rooms::Charge;
use daybook::domain::rooms::offers::{self, GiveKind::HandOver};
use daybook::event::{Cursor, Event};
use daybook::live::Tx;
use hyper::Method;
use serde_json::{Value, json};

use crate::callers::next;
use crate::devices::reader;
use crate::runs::{House, get};
use crate::scene::{BEN, MIA, Scene, ZOE};

/// Who calls, in the order of the table's columns.
const CALLERS: [&str; 6] = ["lead", "office", "in scope", "out of scope", "herself", "another"];

/// Method, path, body; what each caller is answered. Writes stand last, the less they change the
/// earlier.
type Row = (&'static str, &'static str, Value, [u16; 6]);

fn table() -> Vec<Row> {
    vec![
        ("GET", "/people/{mia}", Value::Null, [200, 200, 200, 200, 403, 403]),
        ("GET", "/people/{mia}/contacts", Value::Null, [200, 200, 200, 403, 403, 403]),
        ("GET", "/groups/{group}", Value::Null, [200, 200, 200, 403, 403, 403]),
        ("GET", "/runs/{run}", Value::Null, [200, 403, 200, 403, 403, 403]),
        ("GET", "/visits?member_id={mia}", Value::Null, [200, 403, 200, 404, 200, 404]),
        ("GET", "/activity?person_id={mia}", Value::Null, [200, 403, 200, 404, 200, 404]),
        ("GET", "/help-requests/{help}", Value::Null, [200, 403, 200, 404, 200, 404]),
        ("GET", "/events?topics=group:{group}", Value::Null, [200, 403, 200, 403, 403, 403]),
        ("GET", "/events?topics=run:{run}", Value::Null, [200, 403, 200, 403, 403, 403]),
        ("GET", "/events?topics=user:{mia}:inbox", Value::Null, [403, 403, 403, 403, 200, 403]),
        ("GET", "/events?topics=lead", Value::Null, [200, 403, 403, 403, 403, 403]),
        ("GET", "/events?topics=office", Value::Null, [200, 200, 403, 403, 403, 403]),
        ("GET", "/events?topics=staff", Value::Null, [200, 200, 200, 200, 403, 403]),
        ("GET", "/events?topics=helpers", Value::Null, [200, 403, 200, 200, 403, 403]),
        ("GET", "/events?topics=devices", Value::Null, [200, 403, 403, 403, 403, 403]),
        ("GET", "/people", Value::Null, [200, 200, 200, 200, 403, 403]),
        ("GET", "/attendance", Value::Null, [200, 200, 200, 200, 403, 403]),
        ("GET", "/supervisions", Value::Null, [200, 403, 200, 200, 403, 403]),
        ("GET", "/supervision-offers", Value::Null, [200, 403, 200, 200, 403, 403]),
        ("GET", "/supervisions?staff_id={eva}", Value::Null, [200, 403, 200, 403, 403, 403]),
        ("GET", "/events?topics=house,help", Value::Null, [200, 200, 200, 200, 200, 200]),
        (
            "PATCH",
            "/help-requests/{help}",
            json!({ "content": "Seite 5" }),
            [403, 403, 403, 403, 200, 404],
        ),
        ("POST", "/help-requests/{help}/hold", json!({}), [409, 403, 409, 404, 403, 403]),
        (
            "POST",
            "/attendance/{mia}",
            json!({ "status": "present" }),
            [200, 200, 200, 404, 403, 403],
        ),
        ("POST", "/visits/{visit}/end", json!({}), [200, 403, 409, 404, 403, 403]),
        ("POST", "/runs/{run}/end", json!({}), [200, 403, 409, 403, 403, 403]),
    ]
}

/// Faults 60, 62 and 63.
#[tokio::test]
async fn each_call_about_a_member_is_answered_by_scope() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.tap(&scene.door, MIA).await;
    let visit = scene.start(scene.eva, scene.mia, run).await.unwrap();
    let people = [scene.lead, scene.office, scene.eva, scene.otto, scene.mia, scene.ben];
    let callers: [Client; 6] = scene.signed_in(people).await;
    let asked = callers[4].post("/api/v1/help-requests", &json!({ "content": "Seite 4" })).await;
    let help = asked.unwrap().json().unwrap()["id"].as_str().unwrap().to_owned();

    let mut wrong = Vec::new();
    for (method, path, body, expected) in table() {
        let path = path
            .replace("{mia}", &scene.mia.to_string())
            .replace("{group}", &scene.blue.to_string())
            .replace("{run}", &run.to_string())
            .replace("{visit}", &visit.to_string())
            .replace("{eva}", &scene.eva.to_string())
            .replace("{help}", &help);
        let path = format!("/api/v1{path}");
        for ((caller, client), expected) in CALLERS.iter().zip(&callers).zip(expected) {
            let status = if path.contains("/events?") {
                client.stream(&path, &[]).await.unwrap().status
            } else if method == "GET" {
                client.get(&path).await.unwrap().status
            } else {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                client.json(method, &path, &body).await.unwrap().status
            };
            if status != expected {
                wrong.push(format!("{method} {path} by {caller}: {status}, not {expected}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Acts that change what the next caller would find: the lead, staff in scope and staff out of
/// scope do each in a house of their own. For everybody else the role alone decides (access.rs).
fn acts() -> Vec<(&'static str, Value, [u16; 3])> {
    let nothing = || json!({});
    let bring = json!({ "member_id": "{zoe}", "run_id": "{run}" });
    let give = json!({ "staff_id": "{otto}", "run_id": "{run}", "kind": "hand_over" });
    vec![
        ("/help-requests/{help}/claim", nothing(), [200, 200, 404]),
        ("/help-requests/{urgent}/claim", nothing(), [200, 200, 200]),
        ("/help-requests/{taken}/release", nothing(), [200, 200, 404]),
        ("/help-requests/{taken}/resolve", nothing(), [200, 200, 404]),
        ("/help-requests/{help}/resolve", nothing(), [200, 200, 404]),
        ("/visits", bring, [201, 201, 403]),
        ("/visits/{visit}/undo", nothing(), [200, 200, 404]),
        ("/visits/{left}/undo", nothing(), [200, 200, 404]),
        ("/runs/{ended}/reopen", nothing(), [200, 200, 403]),
        ("/runs/{alone}/take-over", nothing(), [200, 200, 200]),
        ("/runs/{run}/take-over", nothing(), [409, 409, 409]),
        ("/supervisions", give.clone(), [201, 403, 403]),
        ("/supervision-offers", give, [403, 201, 403]),
        ("/supervision-offers/{offer}/accept", nothing(), [403, 403, 200]),
        ("/supervision-offers/{offer}/decline", nothing(), [403, 403, 204]),
        ("/supervision-offers/{offer}/withdraw", nothing(), [204, 204, 403]),
        ("/supervisions/{charge}/end", nothing(), [204, 204, 404]),
    ]
}

/// Makes what is acted upon, and returns what stands for each name in the table.
async fn stage(scene: &Scene) -> Vec<(&'static str, String)> {
    let yard = crate::fixture::room(scene, "Hof").await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    let charge = scene.number("select max(supervision_id) from supervision").await;
    let (eva, otto, group) = (scene.eva, scene.otto, Charge::Group(scene.blue));
    let ask = move |tx: &mut Tx<'_>| offers::offer(tx, group, eva, otto, HandOver, None);
    let offer = scene.write(Actor::Person(eva), ask).await.unwrap();
    let (ended, alone) =
        (scene.run(scene.library, &[scene.eva]).await, scene.run(yard, &[scene.eva]).await);
    scene.end_run(ended).await;
    let leave = move |tx: &mut Tx<'_>| {
        let sql = "update supervision set ended_at = from_at where run_id = ?1";
        Ok(tx.execute(sql, [alone])?)
    };
    scene.write(Actor::System, leave).await.unwrap();
    for tag in [MIA, BEN, ZOE] {
        scene.tap(&scene.door, tag).await;
    }
    let visit = scene.start(scene.eva, scene.mia, run).await.unwrap();
    let left = scene.start(scene.eva, scene.ben, run).await.unwrap();
    scene.end(scene.eva, left).await.unwrap();
    let mut asked = Vec::new();
    for (member, priority) in [
        (scene.mia, Priority::Normal),
        (scene.ben, Priority::Normal),
        (scene.zoe, Priority::Urgent),
    ] {
        let ask = move |tx: &mut Tx<'_>| {
            help::commands::ask(tx, member, &Ask::new("Seite 4", Some(priority))?)
        };
        asked.push(scene.write(Actor::Person(member), ask).await.unwrap().id);
    }
    let taken = asked[1];
    scene.act(scene.eva, move |tx, scope| help::commands::claim(tx, scope, taken)).await.unwrap();
    vec![
        ("{run}", run.to_string()),
        ("{ended}", ended.to_string()),
        ("{alone}", alone.to_string()),
        ("{charge}", charge.to_string()),
        ("{offer}", offer.id.to_string()),
        ("{visit}", visit.to_string()),
        ("{left}", left.to_string()),
        ("{help}", asked[0].to_string()),
        ("{taken}", taken.to_string()),
        ("{urgent}", asked[2].to_string()),
        ("{zoe}", scene.zoe.to_string()),
        ("{otto}", scene.otto.to_string()),
    ]
}

/// Faults 60 and 63.
#[tokio::test]
async fn each_act_is_done_by_those_in_scope_and_by_nobody_else() {
    let mut wrong = Vec::new();
    for (path, body, expected) in acts() {
        for (place, expected) in expected.into_iter().enumerate() {
            let scene = Scene::new().await;
            let people = [scene.lead, scene.eva, scene.otto];
            let (mut at, mut said) = (format!("/api/v1{path}"), body.to_string());
            for (name, id) in stage(&scene).await {
                (at, said) = (at.replace(name, &id), said.replace(name, &id));
            }
            let before = scene.log().await.len();
            let [client] = scene.signed_in([people[place]]).await;
            let said: Value = serde_json::from_str(&said).unwrap();
            let status = client.post(&at, &said).await.unwrap().status;
            // Beside the sign-in, what is refused leaves no trace, and what is done is told.
            let told = scene.log().await.len() > before + 1;
            if status != expected || told != (status < 300) {
                let caller = ["the lead", "in scope", "out of scope"][place];
                wrong.push(format!("{path} by {caller}: {status}, told {told}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The members of a list, each with the number of things that it says of them.
async fn listed(client: &Client, path: &str, name: &str) -> Vec<(String, usize)> {
    let answer = client.get(path).await.unwrap().json().unwrap();
    let items = answer["items"].as_array().unwrap().iter();
    items
        .map(|one| (one[name].as_str().unwrap().to_owned(), one.as_object().unwrap().len()))
        .collect()
}

/// Faults 60 and 64.
#[tokio::test]
async fn lists_name_those_in_scope_and_of_others_a_name_and_presence_at_the_most() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    for tag in [MIA, BEN, ZOE] {
        scene.tap(&scene.door, tag).await;
    }
    let team = [scene.lead, scene.office, scene.eva, scene.otto];
    let clients = scene.signed_in(team).await;
    let seen = async |scope: [&str; 4]| {
        for (client, known) in clients.iter().zip(scope) {
            let mut all = Vec::new();
            for (name, things) in listed(client, "/api/v1/people?role=member", "display_name").await
            {
                assert_eq!(things > 3, known.contains(&name), "{name}: {known}");
                all.push(name);
            }
            assert_eq!(all, ["Ben Blau", "Mia Mohn", "Zoe Zorn"]);
            let present = listed(client, "/api/v1/attendance", "display_name").await;
            let present: Vec<_> = present.into_iter().map(|(name, _)| name).collect();
            assert_eq!(present.join(", "), known);
        }
    };
    let (all, own) = ("Ben Blau, Mia Mohn, Zoe Zorn", "Ben Blau, Mia Mohn");
    seen([all, all, own, ""]).await;
    // Who is in a run is in the scope of who supervises it, for as long as that lasts.
    let visit = scene.start(scene.eva, scene.zoe, run).await.unwrap();
    seen([all, all, all, ""]).await;
    scene.end(scene.eva, visit).await.unwrap();
    seen([all, all, own, ""]).await;
}

#[tokio::test]
async fn who_is_out_of_scope_learns_a_name_and_whether_the_member_is_there_and_no_more() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, MIA).await;
    let [otto, eva] = scene.signed_in([scene.otto, scene.eva]).await;
    let path = format!("/api/v1/people/{}", scene.mia);
    let seen = otto.get(&path).await.unwrap().json().unwrap();
    assert_eq!(seen, json!({ "id": scene.mia, "display_name": "Mia Mohn", "status": "present" }));
    let known = eva.get(&path).await.unwrap().json().unwrap();
    assert!(known["groups"].is_array(), "{known}");
}

/// What was before today is read where reading it is written down.
#[tokio::test]
async fn a_stream_goes_back_no_further_than_today() {
    let scene = Scene::new().await;
    let marked = |status| {
        let (member_id, groups) = (scene.mia, vec![scene.blue]);
        let event = Event::AttendanceMarked { member_id, status, groups };
        scene.write(Actor::System, move |tx| tx.emit(event))
    };
    let first = scene.app.hub.head();
    marked("present").await.unwrap();
    let last = scene.app.hub.head();
    scene.pass(24 * 60 * 60);
    let [eva] = scene.signed_in([scene.eva]).await;
    marked("left").await.unwrap();
    let hears = async |after: &Cursor| {
        let path = format!("/api/v1/events?topics=group:{}&after={after}", scene.blue);
        let mut stream = eva.stream(&path, &[]).await.unwrap();
        assert_eq!(next(&mut stream).await.unwrap().event.as_deref(), Some("stream.connected"));
        next(&mut stream).await.unwrap()
    };
    let resync = hears(&first).await;
    assert_eq!(resync.event.as_deref(), Some("resync"));
    assert_eq!(resync.json().unwrap()["data"]["reason"], "too_old");
    let marked = hears(&last).await;
    assert_eq!(marked.event.as_deref(), Some("attendance.marked"));
    assert_eq!(marked.json().unwrap()["data"]["status"], "left");
}

#[tokio::test]
async fn a_change_of_scope_counts_from_the_next_call() {
    let scene = Scene::new().await;
    let [otto] = scene.signed_in([scene.otto]).await;
    let path = format!("/api/v1/groups/{}", scene.blue);
    assert_eq!(otto.get(&path).await.unwrap().status, 403);
    let (group, staff) = (scene.blue, [scene.eva, scene.otto]);
    let give =
        move |tx: &mut Tx<'_>| daybook::domain::rooms::commands::set_group_staff(tx, group, &staff);
    scene.write(Actor::Person(scene.lead), give).await.unwrap();
    assert_eq!(otto.get(&path).await.unwrap().status, 200);
}

/// Staff see how the reader beside them is, and nothing of what it is or is told.
#[tokio::test]
async fn staff_see_of_a_reader_in_their_room_how_it_is_and_no_more() {
    let house = House::new().await;
    let (hall, yard) = (house.cast.hall, house.cast.yard);
    for (name, room) in [("Hall door", hall), ("Yard gate", yard)] {
        reader(&house.server, json!({ "name": name, "mode": "room", "room_id": room })).await;
    }
    let items = async |client: &Client| {
        let (status, list) = get(client, "/devices").await;
        assert_eq!(status, 200);
        list["items"].as_array().unwrap().clone()
    };
    assert_eq!(items(&house.anna).await, Vec::<Value>::new());
    house.annas_run().await;
    let whole = items(&house.lead).await;
    assert_eq!((whole.len(), whole[0]["serial"].as_str()), (2, Some("SN-1")));
    assert!(whole[0]["key_prefix"].is_string() && whole[0]["config"].is_object());
    let near = json!([{ "id": whole[0]["id"], "name": "Hall door", "room_id": hall,
        "room_name": "Hall", "state": "online", "last_seen_at": whole[0]["last_seen_at"] }]);
    assert_eq!(json!(items(&house.anna).await), near);
}
