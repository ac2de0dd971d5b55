//! Bodies of the wrong shape, at every route that reads one: refused with words for people, and
//! nothing is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use daybook::base::Error;
use daybook::client::Client;
use daybook::domain::people::Role;
use hyper::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::access::{callers, concrete};
use crate::devices::reader;
use crate::edge::{read_all, status};
use crate::schema::document;
use crate::server::TestServer;

/// A route that reads a JSON body.
struct Reading {
    method: Method,
    path: String,
    /// One who may call it.
    caller: String,
    /// The fields of the body, with what each is described as.
    fields: BTreeMap<String, Value>,
}

/// Every route of the document that reads JSON.
fn readings() -> Vec<Reading> {
    let document = document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_null() {
                continue;
            }
            let named = schema["$ref"].as_str().and_then(|name| document.pointer(&name[1..]));
            let fields = named.unwrap_or(schema)["properties"].as_object();
            let may = operation["x-may"].as_array().unwrap();
            let caller = may.iter().find(|who| *who == "admin").or(may.first()).unwrap();
            let caller = caller.as_str().unwrap().replace("anyone", "");
            let method = method.to_uppercase().parse().unwrap();
            let fields = fields.cloned().into_iter().flatten().collect();
            all.push(Reading { method, path: path.clone(), caller, fields });
        }
    }
    all
}

/// Words that only somebody who writes Rust can read.
const RUST: [&str; 16] = [
    "struct",
    "enum",
    "variant",
    "tuple",
    "sequence",
    "map",
    "unit",
    "string",
    "boolean",
    "i64",
    "u8",
    "u16",
    "u32",
    "f64",
    "::",
    "expected value",
];

/// Sends a body and says what is wrong with its refusal; it must name this field, if any.
async fn refusal(
    client: &Client,
    to: &Reading,
    body: &Value,
    field: Option<&str>,
) -> Option<String> {
    let answer = client.json(to.method.clone(), &concrete(&to.path), body).await.unwrap();
    let told = answer.json().unwrap_or_default();
    let detail = told["detail"].as_str().unwrap_or_default();
    let whole = detail == "the body must be an object" && told["field"].is_null();
    let named = field.map_or(whole, |field| told["field"].as_str().unwrap_or_default() == field);
    let rust = detail.split(|c: char| !c.is_alphanumeric() && c != ':').any(|w| RUST.contains(&w));
    let good = answer.status == 400 && told["code"] == "request.malformed" && named && !rust;
    (!good).then(|| format!("{} {} {body}: {} {told}", to.method, to.path, answer.status))
}

/// Faults 17 and 20.
#[tokio::test]
async fn a_list_or_null_is_no_body_at_any_route() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    let before = server.log().await;
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for reading in readings() {
        let (_, client) = callers.iter().find(|(who, _)| *who == reading.caller).unwrap();
        let list: Vec<_> = reading.fields.keys().map(|field| json!(field)).collect();
        for body in [Value::Null, json!([]), Value::Array(list), json!("x"), json!(7)] {
            wrong.extend(refusal(client, &reading, &body, None).await);
        }
        for (field, described) in &reading.fields {
            let described_as = |kind: &str| {
                described["type"] == kind
                    || described["type"].as_array().is_some_and(|all| all.contains(&json!(kind)))
            };
            // An object whose fields are not described may be anything.
            if described_as("object") {
                continue;
            }
            let odd = if described_as("array") { json!({}) } else { json!([]) };
            wrong.extend(refusal(client, &reading, &json!({ field: odd }), Some(field)).await);
            tried += 1;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tried > 60, "{tried}");
    assert_eq!(server.log().await, before);
}

/// Faults 17, 18, 19, 21 and 22.
#[tokio::test]
async fn what_cannot_be_read_is_refused_at_every_route_and_stores_nothing() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    let before = server.log().await;
    let nested = "[".repeat(100_000);
    let mut wrong = Vec::new();
    for to in readings() {
        let (_, client) = callers.iter().find(|(who, _)| *who == to.caller).unwrap();
        let mut bodies: Vec<(Vec<u8>, &str)> = vec![
            (b"{\"".into(), ""),
            (b"{} {}".into(), ""),
            (nested.clone().into(), ""),
            ("{\"x\":".repeat(100_000).into(), "x"),
            (b"{\"\xff\": 1}".into(), ""),
        ];
        for field in ["is_admin", "id", "created_at", "__proto__"] {
            bodies.push((format!("{{\"{field}\": 1}}").into(), field));
        }
        for field in to.fields.keys() {
            bodies.push((format!("{{\"{field}\": \"\\ud800\"}}").into(), field));
            bodies.push(([b"{\"", field.as_bytes(), b"\": \"\xff\"}"].concat(), field));
            let huge = format!("{{\"{field}\": 1e999999}}");
            bodies.push((huge.into(), field));
        }
        for (body, field) in bodies {
            let kind = [("content-type", "application/json")];
            let shown = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
            let answer =
                client.send(to.method.clone(), &concrete(&to.path), &kind, body.into()).await;
            let answer = answer.unwrap();
            let told = answer.json().unwrap_or_default();
            let named = field.is_empty() || told["field"] == field;
            // A simple reader may add what it likes: nobody looks at it.
            if to.path.ends_with("/device/tap")
                && !to.fields.contains_key(field)
                && answer.status == 422
            {
                continue;
            }
            if (answer.status, &told["code"], named) != (400, &json!("request.malformed"), true) {
                wrong.push(format!("{} {shown}: {} {told}", to.path, answer.status));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(server.log().await, before);
}

#[tokio::test]
async fn fields_by_their_place_are_no_room_and_no_scan() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let door = reader(&server, json!({ "name": "Door", "mode": "toggle" })).await;
    let before = server.log().await;
    let room = admin.post("/api/v1/rooms", &json!(["Array room", 7, "room"])).await.unwrap();
    assert_eq!(room.status, 400);
    let scans = json!([["01ARRAY", "04A1B2C3", 100, null, 1, "auto", null]]);
    let path = "/api/v1/device/scans";
    for (batch, field) in [
        (json!({ "boot_id": "b1", "scans": scans }), json!("scans[0]")),
        (json!(["b1", null, scans]), Value::Null),
    ] {
        let answer = door.client.post(path, &batch).await.unwrap();
        let told = answer.json().unwrap();
        assert_eq!((answer.status, &told["field"]), (400, &field), "{told}");
        assert!(told["detail"].as_str().unwrap().ends_with("must be an object"), "{told}");
    }
    let stored = "select (select count(*) from room) + (select count(*) from scan)";
    assert_eq!(server.number(stored).await, 0);
    assert_eq!(server.log().await, before);
}

#[test]
fn each_code_of_what_may_not_be_done_has_a_sentence_for_people() {
    let (mut dirs, mut codes) = (vec![PathBuf::from("src")], BTreeSet::new());
    while let Some(dir) = dirs.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let said = text.split("Forbidden(\"").skip(1).filter_map(|rest| rest.split('"').next());
            codes.extend(said.map(str::to_owned));
        }
    }
    assert!(codes.len() > 10, "{codes:?}");
    let other = Error::Forbidden("other").to_string();
    for code in codes {
        let said = Error::Forbidden(code.clone().leak()).to_string();
        assert!(said != other && !said.contains('.'), "{code}: {said}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_form_or_a_broken_body_is_said_in_words_of_our_own() {
    let server = TestServer::start().await;
    let (_, staff) = server.signed_in("Sam Senn", Role::Staff).await;
    let refused = staff.get("/api/v1/displays").await.unwrap().json().unwrap();
    assert_eq!(refused["detail"], "this is not for your role to do");

    const FORM: &str = "application/x-www-form-urlencoded";
    let long = format!("username={}", "a".repeat(2 << 20));
    let chunked = format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    for (path, kind, framing, body, expected) in [
        ("/sign-in", FORM, "content-length: 8", "user=sam", (400, "unknown field `user`")),
        ("/setup", FORM, "content-length: 1", "x", (400, "unknown field `x`")),
        ("/sign-in", "text/plain", "content-length: 1", "x", (415, "the content type must be ")),
        ("/sign-in", FORM, "transfer-encoding: chunked", &chunked, (413, "the body is too long")),
        ("/sign-in", FORM, "content-length: 99", "username=", (400, "the body did not come ")),
        (
            "/api/v1/login",
            "application/json",
            "content-length: 99",
            "{",
            (400, "the body did not "),
        ),
    ] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        let address = server.address;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\n\
             connection: close\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n"
        );
        // It may be refused in the middle of it.
        let _ = socket.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).await;
        let _ = socket.shutdown().await;
        let answer = read_all(&mut socket).await;
        assert_eq!(status(&answer), expected.0, "{path} {framing}: {answer}");
        assert!(answer.contains(&format!("\"detail\":\"{}", expected.1)), "{path}: {answer}");
        assert!(!answer.contains("Failed to"), "{answer}");
    }
}
