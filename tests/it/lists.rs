//! Lists, one like another: `limit` and `cursor` in, `items` and `next_cursor` out.

use bytes::Bytes;
use daybook::client::Client;
use daybook::domain::people::Role;
use daybook::domain::visits::scan::Outcome;
use hyper::Method;
use serde_json::{Value, json};

use crate::devices::reader;
use crate::scene::{MIA, Scene};
use crate::schema::{document, unpacked};
use crate::server::TestServer;

/// Says whether an answer of this schema has the field, at its top.
fn has(document: &Value, schema: &Value, field: &str) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        return has(document, &document.pointer(&reference[1..]).unwrap().clone(), field);
    }
    let parts = schema["allOf"].as_array().into_iter().flatten();
    !schema["properties"][field].is_null() || parts.into_iter().any(|p| has(document, p, field))
}

/// The paths of all lists in the document, with the names of what they are asked with.
fn lists() -> Vec<(String, Vec<String>)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let lists = paths.iter().filter(|(_, item)| {
        let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        has(&document, schema, "items")
    });
    let named = |item: &Value| {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let names = parameters.iter().filter(|p| p["in"] == "query");
        names.map(|p| p["name"].as_str().unwrap().to_owned()).collect()
    };
    lists.map(|(path, item)| (path.clone(), named(item))).collect()
}

/// A house with two of everything that is listed, as its admin sees it.
async fn house() -> (TestServer, Client) {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    server.sign_in("eva").await;
    let (mia, mias) = server.signed_in("Mia Mai", Role::Member).await;
    let (_, bens) = server.signed_in("Ben Bach", Role::Member).await;
    let post = async |who: &Client, path: &str, body: Value| {
        let answer = who.post(&format!("/api/v1{path}"), &body).await.unwrap();
        assert!(answer.status < 300, "{path}: {}", String::from_utf8_lossy(&answer.body));
    };
    for (name, member) in [("First", &mias), ("Second", &bens)] {
        post(&admin, "/displays", json!({ "name": name })).await;
        post(&admin, &format!("/people/{mia}/contacts"), json!({ "name": name })).await;
        post(&admin, "/rooms", json!({ "name": name, "capacity": 30 })).await;
        post(&admin, "/activities", json!({ "name": name })).await;
        post(&admin, "/groups", json!({ "name": name, "kind": "class" })).await;
        post(member, "/help-requests", json!({ "content": name })).await;
        post(member, "/activity", json!({ "events": [{ "event_type": "page_read" }] })).await;
        reader(&server, json!({ "name": name, "mode": "toggle" })).await;
    }
    (server, admin)
}

async fn get(client: &Client, path: &str) -> (u16, Value) {
    let answer = client.get(path).await.unwrap();
    (answer.status, answer.json().unwrap())
}

/// Fault 28.
#[tokio::test]
async fn every_list_in_the_document_is_paged_and_refuses_what_it_does_not_know() {
    let (server, admin) = house().await;
    let mia = server.number("select person_id from person where given_name = 'Mia'").await;
    let (mut wrong, mut walked) = (Vec::new(), 0);
    for (path, names) in lists() {
        if ["limit", "cursor"].iter().any(|name| !names.iter().any(|other| other == name)) {
            wrong.push(format!("{path}: takes {names:?}"));
        }
        let path = path.replace("{id}", &mia.to_string());
        for (query, expected, field) in [
            ("limt=1", 400, "limt"),
            ("limit=x", 400, "limit"),
            ("limit=0", 422, "limit"),
            ("limit=501", 422, "limit"),
            ("cursor=x", 422, "cursor"),
        ] {
            let (status, problem) = get(&admin, &format!("{path}?{query}")).await;
            if status != expected || problem["field"] != field {
                wrong.push(format!("{path}?{query}: {status} {problem}"));
            }
        }
        let (_, whole) = get(&admin, &format!("{path}?limit=500")).await;
        let (mut items, mut next) = (Vec::new(), format!("{path}?limit=1"));
        loop {
            let (status, page) = get(&admin, &next).await;
            let more = page["items"].as_array().cloned().unwrap_or_default();
            if status != 200 || more.len() > 1 {
                wrong.push(format!("{next}: {status} {page}"));
                break;
            }
            items.extend(more);
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("{path}?limit=1&cursor={cursor}");
        }
        walked += usize::from(items.len() > 1);
        let mut whole = whole;
        // A look at the audit is a line of it.
        let looks = |one: &mut Vec<Value>| one.retain(|line| line["act"] != "audit.read");
        looks(whole["items"].as_array_mut().unwrap());
        looks(&mut items);
        if whole["items"] != json!(items) || !whole["next_cursor"].is_null() {
            wrong.push(format!("{path}: page by page it is another list"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(walked >= 9, "only {walked} lists had a second page to walk to");
}

/// The ids on a page of `path`, and its cursor.
async fn page(client: &Client, path: &str) -> (Vec<String>, Value) {
    let (status, page) = get(client, path).await;
    assert_eq!(status, 200, "{page}");
    let id = |item: &Value| item["id"].as_str().or(item["visit_id"].as_str()).unwrap().to_owned();
    (page["items"].as_array().unwrap().iter().map(id).collect(), page["next_cursor"].clone())
}

/// What comes to a list, and what is done with and goes from it, between two of its pages.
#[tokio::test]
async fn a_page_begins_where_the_one_before_ended_whatever_came_or_went_meanwhile() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    let [office, mia] = scene.signed_in([scene.office, scene.mia]).await;
    let tell = async || {
        let body = json!({ "events": [{ "event_type": "page.opened" }] });
        assert_eq!(mia.post("/api/v1/activity", &body).await.unwrap().status, 202);
    };
    let visit = async || {
        scene.pass(60);
        let visit = scene.start(scene.eva, scene.mia, run).await.unwrap();
        scene.pass(60);
        scene.end(scene.eva, visit).await.unwrap();
    };
    scene.tap(&scene.door, MIA).await;
    for tag in ["04FF0001", "04FF0002", "04FF0003"] {
        tell().await;
        visit().await;
        assert_eq!(scene.tap(&scene.door, tag).await.outcome, Outcome::UnknownTag);
    }
    for (client, path) in
        [(&mia, "/api/v1/activity"), (&mia, "/api/v1/visits"), (&office, "/api/v1/scans/review")]
    {
        let (whole, _) = page(client, path).await;
        assert!(whole.len() >= 3, "{path}");
        let (first, cursor) = page(client, &format!("{path}?limit=1")).await;
        assert_eq!(first, whole[..1], "{path}");
        tell().await;
        visit().await;
        let reviewed = format!("/api/v1/scans/{}/reviewed", first[0]);
        if client.post(&reviewed, &json!({})).await.unwrap().status == 204 {
            assert_eq!(page(client, path).await.0, whole[1..]);
        }
        let next = format!("{path}?cursor={}", cursor.as_str().unwrap());
        assert_eq!(page(client, &next).await, (whole[1..].to_vec(), Value::Null), "{path}");
        for odd in ["t1", "t1.x", "t01.1", "p1", "t1.1.1"] {
            let (status, problem) = get(client, &format!("{path}?cursor={odd}")).await;
            assert_eq!((status, &problem["field"]), (422, &json!("cursor")), "{path} {odd}");
        }
    }
}

/// The paths that pages read to apply events to what they hold, as the document writes them.
fn snapshots() -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir("assets").unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_none_or(|kind| kind != "js") {
            continue;
        }
        let text = std::fs::read_to_string(file).unwrap();
        for section in text.split("new Section({").skip(1) {
            let section = section.split("}), [").next().unwrap();
            let path = section.split(['"', '`']).find(|part| part.starts_with('/'));
            if let Some(path) = path.filter(|_| section.contains("reduce")) {
                let path = path.split('?').next().unwrap().replace("${", "{");
                found.push(format!("/api/v1{path}"));
            }
        }
    }
    found
}

#[test]
fn what_a_live_page_begins_with_says_of_when_and_from_which_position() {
    let document = document();
    let snapshots = snapshots();
    assert!(snapshots.len() > 10, "{snapshots:?}");
    for path in snapshots {
        let answer = &document["paths"][&path]["get"]["responses"]["200"]["content"];
        let schema = &answer["application/json"]["schema"];
        for field in ["as_of", "cursor"] {
            assert!(has(&document, schema, field), "{path}: {field}");
        }
    }
}

#[tokio::test]
async fn a_long_list_is_compressed_for_who_takes_that_and_says_the_same() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let rows = (0..300).map(|n| format!("Kind{n};Nachname{n}\n")).collect::<String>();
    let table = format!("Vorname;Nachname\n{rows}");
    let kind = [("content-type", "text/csv")];
    let path = "/api/v1/people/import";
    let imported = admin.send(Method::POST, path, &kind, table.into()).await.unwrap();
    assert_eq!(imported.status, 200, "{}", String::from_utf8_lossy(&imported.body));
    let ask = async |path: &str, taken: &[(&str, &str)]| {
        let answer = admin.send(Method::GET, path, taken, Bytes::new()).await.unwrap();
        let coding = answer.headers.get("content-encoding").cloned();
        (coding, answer.body)
    };
    let gzip = [("accept-encoding", "br, gzip")];
    let (none, plain) = ask("/api/v1/people?limit=500", &[]).await;
    let (coding, small) = ask("/api/v1/people?limit=500", &gzip).await;
    assert!(none.is_none());
    assert_eq!(coding.unwrap(), "gzip");
    assert!(small.len() * 5 < plain.len(), "{} of {}", small.len(), plain.len());
    let same = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap()["items"].clone();
    assert_eq!(same(&unpacked(&small)), same(&plain));
    let (short, _) = ask("/api/v1/people?limit=20", &gzip).await;
    assert!(short.is_none(), "it is as soon sent as it is");
}
