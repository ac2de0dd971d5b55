//! What every route does with a body that is not there and with a query that is wrong. Which routes
//! there are is read from the document, so that a new one is tried too.

use daybook::client::Client;
use daybook::domain::people::Role;
use hyper::Method;
use serde_json::{Value, json};

use crate::devices::reader;
use crate::schema::document;
use crate::server::TestServer;

/// The routes of this method, each with what the document says of it.
fn operations(method: &str) -> Vec<(String, Value)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    let of_method = paths.filter_map(|(path, item)| {
        let path = path.replace("{id}", "1").replace("{member_id}", "1");
        item.get(method).map(|operation| (path, operation.clone()))
    });
    of_method.collect()
}

/// Somebody of each kind that may call a route of the day book.
async fn callers(server: &TestServer) -> Vec<(&'static str, Client)> {
    let (_, lead) = server.signed_in("Eva Chef", Role::Admin).await;
    let (_, staff) = server.signed_in("Otto Ohm", Role::Staff).await;
    let (_, member) = server.signed_in("Mia Mai", Role::Member).await;
    vec![
        ("anyone", server.nobody()),
        ("admin", lead),
        ("staff", staff),
        ("member", member),
        ("device", reader(server, json!({ "name": "Tor", "mode": "door_in" })).await.client),
    ]
}

/// The one of them that may call a route, if any.
fn entitled<'c>(callers: &'c [(&str, Client)], operation: &Value) -> Option<&'c Client> {
    let may: Vec<&str> =
        operation["x-may"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    callers.iter().find(|(kind, _)| may.contains(kind)).map(|(_, client)| client)
}

/// Fault 25.
#[tokio::test]
async fn an_act_that_needs_no_field_needs_no_body_and_no_content_type() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    let mut free = Vec::new();
    for (path, operation) in operations("post") {
        let body = &operation["requestBody"];
        if !body["content"]["application/json"].is_object() {
            continue;
        }
        let Some(client) = entitled(&callers, &operation) else { continue };
        let answer = client.send(Method::POST, &path, &[], "".into()).await.unwrap();
        if body["required"] == true {
            assert_eq!(answer.status, 415, "{path}");
        } else {
            assert_ne!(answer.status, 415, "{path}");
            assert_ne!(answer.status, 400, "{path}");
            free.push(path.clone());
        }
        // Words without a type are none of JSON, wherever they are sent.
        let typed = client.send(Method::POST, &path, &[], "{}".into()).await.unwrap();
        assert_eq!(typed.status, 415, "{path}");
    }
    assert_eq!(
        free,
        ["/api/v1/device/tap", "/api/v1/displays/pairing", "/api/v1/help-requests/1/resolve"]
    );
}

/// Faults 21 and 28.
#[tokio::test]
async fn a_mistake_in_a_query_names_its_field() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    let mut tried = 0;
    for (path, operation) in operations("get") {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let names: Vec<(String, Value)> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|one| (one["name"].as_str().unwrap().to_owned(), one["schema"].clone()))
            // Who shows a ticket is asked for it first.
            .filter(|(name, _)| !["ticket", "token"].contains(&name.as_str()))
            .collect();
        let Some(client) = entitled(&callers, &operation) else { continue };
        // A page takes what else stands behind its address: browsers and bookmarks add to it.
        if names.is_empty() || !path.starts_with("/api/") {
            continue;
        }
        let wrong = async |query: String, field: &str| {
            let answer = client.get(&format!("{path}?{query}")).await.unwrap();
            assert_eq!(answer.status, 400, "{path}?{query}");
            let told = answer.json().unwrap();
            assert_eq!(told["field"], field, "{path}?{query}");
            told["detail"].as_str().unwrap().to_owned()
        };
        wrong("nope=1".to_owned(), "nope").await;
        for (name, schema) in names {
            wrong(format!("{name}=1&{name}=1"), &name).await;
            if schema["type"].to_string().contains("integer") {
                let told = wrong(format!("{name}=x"), &name).await;
                assert_eq!(told, "must be a whole number", "{path}?{name}=x");
            }
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

/// Fault 27: what is asked for is a text or a mistake, and never a part of the asking.
#[tokio::test]
async fn what_stands_in_a_query_is_never_more_than_text() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    let stored = async || {
        let people = server.number("select count(*) from person").await;
        let tables = "select count(*) from sqlite_schema where type = 'table'";
        (people, server.number(tables).await, server.log().await)
    };
    let before = stored().await;
    let mut tried = 0;
    for (path, operation) in operations("get") {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let names: Vec<&str> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let Some(client) = entitled(&callers, &operation) else { continue };
        // A stream is asked for by topics and a cursor alone, and stays open.
        if !path.starts_with("/api/v1/") || path.ends_with("/events") || path.ends_with("/ws") {
            continue;
        }
        for name in names {
            for text in [
                "'%20or%201=1--",
                "x';drop%20table%20person;--",
                "%22%20union%20select%20*%20from%20person--",
                "%22",
                "*",
                "a%20OR%20",
                "NEAR(",
                "%25",
                "_",
                "%F0%9F%98%80",
                "%E2%80%AE",
                "-9223372036854775808",
                "9223372036854775808",
            ] {
                let answer = client.get(&format!("{path}?{name}={text}")).await.unwrap();
                let items = answer.json().unwrap()["items"].as_array().map_or(0, Vec::len);
                let kept = matches!(answer.status, 400 | 403 | 404 | 422) || answer.status == 200;
                assert!(kept, "{path}?{name}={text}: {}", answer.status);
                // Nobody is called by such words: who is found was found by more than the text.
                let found = name == "q" && text.contains("%20") && items > 0;
                assert!(!found, "{path}?{name}={text}: {items} found");
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
    assert_eq!(stored().await, before);
}
