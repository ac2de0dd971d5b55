//! Every route of the server, called by everybody: nobody, each role, a badge reader, a wall
//! screen. The table below is what we mean, written apart from the code; a route without a row
//! fails, and so does a row without a route. Scope (who sees whom) is proven with each noun.

use std::collections::BTreeSet;

use daybook::client::Client;
use daybook::domain::people::Role;
use daybook::http::document::listing;
use hyper::Method;
use serde_json::json;

use crate::devices;
use crate::server::TestServer;

/// Who may call what: A admin, O office, S staff, M member, R badge reader, W wall screen, P
/// the owner of the data directory, or anyone.
const TABLE: &[(&str, &str, &str)] = &[
    ("GET", "/a/{version}/{name}", "anyone"),
    ("GET", "/healthz", "anyone"),
    ("GET", "/health", "anyone"),
    ("GET", "/metrics", "anyone"),
    ("GET", "/api/v1/health", "A P"),
    ("GET", "/readyz", "anyone"),
    ("GET", "/api/v1/openapi.json", "anyone"),
    // Pages: shells without data, which send whoever is nobody to the door.
    ("GET", "/", "anyone"),
    ("GET", "/devices", "anyone"),
    ("GET", "/groups/{id}", "anyone"),
    ("GET", "/help", "anyone"),
    ("GET", "/kiosk", "anyone"),
    ("GET", "/my-place", "anyone"),
    ("GET", "/pair", "anyone"),
    ("GET", "/people", "anyone"),
    ("GET", "/rooms", "anyone"),
    ("GET", "/sessions", "anyone"),
    ("GET", "/setup", "anyone"),
    ("POST", "/setup", "anyone"),
    ("GET", "/sign-in", "anyone"),
    ("POST", "/sign-in", "anyone"),
    ("POST", "/sign-out", "anyone"),
    ("GET", "/supervision", "anyone"),
    ("GET", "/wall", "anyone"),
    // Set-up and sign-in.
    ("GET", "/api/v1/setup", "anyone"),
    ("POST", "/api/v1/setup", "anyone"),
    ("POST", "/api/v1/login", "anyone"),
    ("POST", "/api/v1/logout", "A O S M"),
    ("GET", "/api/v1/me", "A O S M W"),
    ("GET", "/api/v1/me/whereabouts", "M"),
    ("PUT", "/api/v1/me/password", "A O S M"),
    ("PUT", "/api/v1/me/pin", "A O S"),
    ("GET", "/api/v1/sessions", "A O S M"),
    ("DELETE", "/api/v1/sessions/{id}", "A O S M"),
    // Streams, and who is there.
    ("GET", "/api/v1/events", "A O S M W"),
    ("GET", "/api/v1/ws", "A O S M W"),
    ("POST", "/api/v1/stream-tickets", "A O S M"),
    ("GET", "/api/v1/online", "A O S"),
    // The same where older clients ask.
    ("GET", "/api/realtime/events", "A O S M W"),
    ("GET", "/api/realtime/ws", "A O S M W"),
    ("GET", "/api/sse/events", "A O S M W"),
    ("GET", "/api/ws", "A O S M W"),
    ("GET", "/ws", "A O S M W"),
    ("POST", "/api/ws/subscribe", "A O S M W"),
    ("POST", "/api/ws/unsubscribe", "A O S M W"),
    ("POST", "/api/activity/track", "A O S M"),
    // People.
    ("GET", "/api/v1/people", "A O S"),
    ("POST", "/api/v1/people", "A"),
    ("POST", "/api/v1/people/import", "A"),
    ("GET", "/api/v1/people/imports", "A"),
    ("POST", "/api/v1/people/imports/{id}/undo", "A"),
    ("GET", "/api/v1/people/{id}", "A O S"),
    ("PATCH", "/api/v1/people/{id}", "A"),
    ("POST", "/api/v1/people/{id}/account", "A"),
    ("PATCH", "/api/v1/people/{id}/account", "A"),
    ("POST", "/api/v1/people/{id}/badges", "A O"),
    ("DELETE", "/api/v1/badges/{id}", "A"),
    ("POST", "/api/v1/badges/{id}/block", "A O"),
    ("POST", "/api/v1/badges/{id}/unblock", "A"),
    ("GET", "/api/v1/people/{id}/contacts", "A O S"),
    ("POST", "/api/v1/people/{id}/contacts", "A O"),
    ("DELETE", "/api/v1/contacts/{id}", "A O"),
    ("GET", "/api/v1/audit", "A"),
    // The settings of the house.
    ("GET", "/api/v1/house", "A"),
    ("PATCH", "/api/v1/house", "A"),
    // Rooms, groups, runs, supervision.
    ("GET", "/api/v1/rooms", "A O S M"),
    ("POST", "/api/v1/rooms", "A"),
    ("PATCH", "/api/v1/rooms/{id}", "A"),
    ("GET", "/api/v1/activities", "A O S"),
    ("POST", "/api/v1/activities", "A"),
    ("GET", "/api/v1/groups", "A O S"),
    ("POST", "/api/v1/groups", "A"),
    ("PUT", "/api/v1/groups/{id}/members", "A"),
    ("PATCH", "/api/v1/people/{id}/groups", "A"),
    ("PUT", "/api/v1/groups/{id}/staff", "A"),
    ("GET", "/api/v1/runs", "A S"),
    ("POST", "/api/v1/runs", "A S"),
    ("POST", "/api/v1/runs/{id}/end", "A S"),
    ("POST", "/api/v1/runs/{id}/reopen", "A S"),
    ("POST", "/api/v1/runs/{id}/take-over", "A S"),
    ("GET", "/api/v1/supervisions", "A S"),
    ("POST", "/api/v1/supervisions", "A"),
    ("POST", "/api/v1/supervisions/{id}/end", "A S"),
    ("GET", "/api/v1/supervision-offers", "A S"),
    ("POST", "/api/v1/supervision-offers", "A S"),
    ("POST", "/api/v1/supervision-offers/{id}/accept", "A S"),
    ("POST", "/api/v1/supervision-offers/{id}/decline", "A S"),
    ("POST", "/api/v1/supervision-offers/{id}/withdraw", "A S"),
    // Attendance and visits.
    ("GET", "/api/v1/attendance", "A O S"),
    ("POST", "/api/v1/attendance/{member_id}", "A O S"),
    ("GET", "/api/v1/groups/{id}", "A O S"),
    ("GET", "/api/v1/runs/{id}", "A S"),
    ("GET", "/api/v1/scans/review", "A O"),
    ("POST", "/api/v1/scans/{id}/reviewed", "A O"),
    ("GET", "/api/v1/visits", "A S M"),
    ("POST", "/api/v1/visits", "A S"),
    ("POST", "/api/v1/visits/{id}/end", "A S"),
    ("POST", "/api/v1/visits/{id}/undo", "A S"),
    // The day: the board, help, what members do.
    ("GET", "/api/v1/board", "A O S W"),
    ("GET", "/api/v1/help-requests", "A S"),
    ("GET", "/api/v1/help-requests/places", "A W"),
    ("POST", "/api/v1/help-requests", "M"),
    ("GET", "/api/v1/help-requests/mine", "M"),
    ("GET", "/api/v1/help-requests/{id}", "A S M"),
    ("PATCH", "/api/v1/help-requests/{id}", "M"),
    ("POST", "/api/v1/help-requests/{id}/cancel", "M"),
    ("POST", "/api/v1/help-requests/{id}/claim", "A S"),
    ("POST", "/api/v1/help-requests/{id}/hold", "A S"),
    ("POST", "/api/v1/help-requests/{id}/release", "A S"),
    ("POST", "/api/v1/help-requests/{id}/reopen", "A S"),
    ("POST", "/api/v1/help-requests/{id}/resolve", "A S"),
    ("GET", "/api/v1/activity", "A S M"),
    ("POST", "/api/v1/activity", "A O S M"),
    // Badge readers and wall screens.
    ("GET", "/api/v1/devices", "A S"),
    ("GET", "/api/v1/devices/{id}", "A"),
    ("PATCH", "/api/v1/devices/{id}", "A"),
    ("POST", "/api/v1/devices/enrolment-codes", "A"),
    ("POST", "/api/v1/devices/{id}/commands", "A"),
    ("POST", "/api/v1/devices/{id}/revoke", "A"),
    ("POST", "/api/v1/devices/{id}/roll-key", "A"),
    ("GET", "/api/v1/displays", "A"),
    ("POST", "/api/v1/displays", "A"),
    ("DELETE", "/api/v1/displays/{id}", "A"),
    ("POST", "/api/v1/displays/pair", "A"),
    ("POST", "/api/v1/displays/pairing", "anyone"),
    ("POST", "/api/v1/displays/sign-in", "anyone"),
    ("POST", "/api/v1/device/enroll", "anyone"),
    ("GET", "/api/v1/device/config", "R"),
    ("GET", "/api/v1/device/place", "R"),
    ("POST", "/api/v1/device/heartbeat", "R"),
    ("POST", "/api/v1/device/scans", "R"),
    ("POST", "/api/v1/device/tap", "R"),
    ("POST", "/api/v1/device/privileged", "R"),
    ("POST", "/api/v1/device/commands/{id}/ack", "R"),
];

/// The words of `x-may` for the letters of the table.
const LETTERS: [(&str, &str); 7] = [
    ("A", "admin"),
    ("O", "office"),
    ("S", "staff"),
    ("M", "member"),
    ("R", "device"),
    ("W", "display"),
    ("P", "operator"),
];

fn words(row: &str) -> BTreeSet<String> {
    let word = |letter: &str| {
        let known = LETTERS.iter().find(|(known, _)| *known == letter);
        known.map_or(letter, |(_, word)| word).to_owned()
    };
    row.split(' ').map(word).collect()
}

/// Fault 58.
#[test]
fn every_route_has_its_row_and_says_the_same() {
    let routes = listing(&daybook::http::routes().1);
    let have: BTreeSet<(String, String, BTreeSet<String>)> = routes
        .into_iter()
        .map(|route| (route.method, route.path, route.may.into_iter().collect()))
        .collect();
    let want: BTreeSet<_> = TABLE
        .iter()
        .map(|(method, path, may)| ((*method).to_owned(), (*path).to_owned(), words(may)))
        .collect();
    let without_row: Vec<_> = have.difference(&want).collect();
    let without_route: Vec<_> = want.difference(&have).collect();
    assert!(
        without_row.is_empty() && without_route.is_empty(),
        "not in the table: {without_row:#?}\nonly in the table: {without_route:#?}"
    );
}

/// Everybody who can call, by the word of `x-may`; nobody is "".
pub async fn callers(server: &TestServer) -> Vec<(&'static str, Client)> {
    let mut callers = vec![("", server.nobody())];
    for (name, role, word) in [
        ("Ada Amt", Role::Admin, "admin"),
        ("Oda Ort", Role::Office, "office"),
        ("Sam Senn", Role::Staff, "staff"),
        ("Mia Mai", Role::Member, "member"),
    ] {
        callers.push((word, server.signed_in(name, role).await.1));
    }
    let reader = devices::reader(server, json!({ "name": "Door", "mode": "toggle" })).await;
    callers.push(("device", reader.client));
    let (_, admin) = callers.iter().find(|(word, _)| *word == "admin").unwrap();
    let made = admin.post("/api/v1/displays", &json!({ "name": "Foyer" })).await.unwrap();
    let token = json!({ "token": made.json().unwrap()["token"] });
    let signed = server.nobody().post("/api/v1/displays/sign-in", &token).await.unwrap();
    callers.push(("display", server.nobody().with("cookie", signed.cookies())));
    let key = format!("Bearer {}", server.app.operator.reveal());
    callers.push(("operator", Client::new(server.address).with("authorization", key)));
    callers
}

/// Ids name nothing: a caller who is let in is told so, and nothing is changed by the way.
pub fn concrete(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "999999" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Faults 58 and 66.
#[tokio::test]
async fn everybody_is_let_in_where_the_table_says_so_and_nowhere_else() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    let mut wrong = Vec::new();
    for (method, path, may) in TABLE {
        let may = words(may);
        for (word, client) in &callers {
            // Ending the caller's own session would end the test.
            let ends = path.ends_with("/logout") || path.ends_with("/sign-out");
            if ends && !word.is_empty() && (may.contains("anyone") || may.contains(*word)) {
                continue;
            }
            let path = concrete(path);
            let (status, code) = if path.ends_with("/events") {
                (client.stream(&path, &[]).await.unwrap().status, String::new())
            } else if *method == "GET" {
                told(client.get(&path).await.unwrap())
            } else {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                told(client.json(method, &path, &json!({})).await.unwrap())
            };
            let refused = status == 401 && code != "login.failed"
                || status == 403 && (code == "access.role" || code.is_empty());
            let expected = may.contains("anyone") || may.contains(*word);
            let as_nobody = !word.is_empty() || expected || status == 401;
            if refused == expected || status >= 500 && status != 503 || !as_nobody {
                wrong.push(format!("{method} {path} as {word:?}: {status} {code}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// RFC 9110, 15.5.2.
#[tokio::test]
async fn nobody_is_told_how_to_say_who_it_is() {
    let server = TestServer::start().await;
    let (nobody, mut asked) = (server.nobody(), 0);
    for (method, path, _) in TABLE {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = match method {
            Method::GET => nobody.get(&concrete(path)).await.unwrap(),
            _ => nobody.json(method, &concrete(path), &json!({})).await.unwrap(),
        };
        if answer.status != 401 {
            continue;
        }
        asked += 1;
        let challenge = answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap());
        let for_reader = path.starts_with("/api/v1/device/");
        let expected = match for_reader {
            true => r#"Bearer realm="daybook""#,
            false => r#"Bearer realm="daybook", Cookie realm="daybook""#,
        };
        assert_eq!(challenge, Some(expected), "{path}");
    }
    assert!(asked > 50, "{asked}");
    let form = "username=ada&password=wrong";
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let page = nobody.send(Method::POST, "/sign-in", &kind, form.into()).await.unwrap();
    assert_eq!(page.status, 401);
    assert!(page.headers.contains_key("www-authenticate"), "of a page too");
}

fn told(answer: daybook::client::Answer) -> (u16, String) {
    let code = answer.json().ok().and_then(|json| Some(json["code"].as_str()?.to_owned()));
    (answer.status, code.unwrap_or_default())
}
