//! The permission matrix where scope decides: the same call about the same member by the lead, the
//! office, staff in scope, staff out of scope, the member itself and another member. What a caller
//! may not know of is 404; groups and runs are known to all who work here, so that what is in them
//! is 403, as is what a role may never do.

use daybook::base::Actor;
use daybook::client::Client;
use hyper::Method;
use serde_json::{Value, json};

use crate::scene::{MIA, Scene};

/// Who calls, in the order of the table's columns.
const CALLERS: [&str; 6] = ["lead", "office", "in scope", "out of scope", "herself", "another"];

/// Method, path, body; what each caller is answered. Writes stand last, the less they change the
/// earlier.
type Row = (&'static str, &'static str, Value, [u16; 6]);

fn table() -> Vec<Row> {
    vec![
        ("GET", "/people/{mia}", Value::Null, [200, 200, 200, 200, 403, 403]),
        ("GET", "/people/{mia}/contacts", Value::Null, [200, 200, 200, 403, 403, 403]),
        ("GET", "/groups/{group}", Value::Null, [200, 403, 200, 403, 403, 403]),
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
        ("GET", "/events?topics=devices", Value::Null, [200, 403, 403, 403, 403, 403]),
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

#[tokio::test]
async fn a_change_of_scope_counts_from_the_next_call() {
    let scene = Scene::new().await;
    let [otto] = scene.signed_in([scene.otto]).await;
    let path = format!("/api/v1/groups/{}", scene.blue);
    assert_eq!(otto.get(&path).await.unwrap().status, 403);
    let (group, staff) = (scene.blue, [scene.eva, scene.otto]);
    let give = move |tx: &mut daybook::live::Tx<'_>| {
        daybook::domain::rooms::commands::set_group_staff(tx, group, &staff)
    };
    scene.write(Actor::Person(scene.lead), give).await.unwrap();
    assert_eq!(otto.get(&path).await.unwrap().status, 200);
}
