//! What every route does with what no page of ours asks for: other ways to write an address, other
//! hosts, another site's page. Which routes there are is read from the document.

use std::net::SocketAddr;

use daybook::client::Client;
use daybook::domain::people::Role;
use hyper::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::access::{callers, concrete};
use crate::edge::{read_all, status};
use crate::schema::document;
use crate::server::TestServer;
use crate::store::PASSWORD;

/// Every route: its method, its path without names, and one who may call it ("" for nobody).
fn routes() -> Vec<(Method, String, String)> {
    let document = document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            let may = operation["x-may"].as_array().unwrap();
            let caller = may.iter().find(|who| *who == "admin").or(may.first()).unwrap();
            all.push((method, concrete(path), caller.as_str().unwrap().replace("anyone", "")));
        }
    }
    all
}

fn one<'c>(callers: &'c [(&str, Client)], wanted: &str) -> &'c Client {
    callers.iter().find(|(word, _)| *word == wanted).map(|(_, client)| client).unwrap()
}

/// Fault 11.
#[tokio::test]
async fn head_is_get_without_its_body_at_every_route() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    let mut tried = 0;
    for (method, path, caller) in routes() {
        if method != Method::GET {
            continue;
        }
        let client = one(&callers, &caller);
        let head = client.send(Method::HEAD, &path, &[], "".into()).await.unwrap();
        let status = if path.ends_with("/events") {
            client.stream(&path, &[]).await.unwrap().status
        } else {
            client.get(&path).await.unwrap().status
        };
        assert_eq!((head.status, head.body.len()), (status, 0), "{path}");
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
}

/// Faults 50 to 54 and 56: with somebody's cookie, and without one at the door.
#[tokio::test]
async fn no_route_writes_for_another_site_s_page() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let login = json!({ "username": "eva", "password": PASSWORD });
    let cookie = server.nobody().post("/api/v1/login", &login).await.unwrap().cookies();
    let own = server.address;
    let stored = async || (server.log().await, server.number("select count(*) from session").await);
    let before = stored().await;
    let mut wrong = Vec::new();
    for (method, path, _) in routes().into_iter().filter(|(method, ..)| *method != Method::GET) {
        for from in [
            "origin: http://evil.example".to_owned(),
            "origin: null".to_owned(),
            format!("origin: http://{}:1", own.ip()),
            format!("origin: http://{own}.evil.example"),
            format!("origin: http://evil{own}"),
            format!("origin: http://x@{own}"),
            format!("origin: http://{own}\r\norigin: http://evil.example"),
            "sec-fetch-site: cross-site".to_owned(),
            "sec-fetch-site: same-site".to_owned(),
        ] {
            for more in [format!("cookie: {cookie}"), "content-type: text/plain".to_owned()] {
                let answer = asked(own, &method, &path, &format!("{from}\r\n{more}\r\n")).await;
                let refused = answer.contains(r#""code":"origin.foreign""#);
                if status(&answer) != 403 || !refused || shares(&answer) {
                    wrong.push(format!("{method} {path}, {from}: {answer}"));
                }
            }
        }
        let preflight = "origin: http://evil.example\r\naccess-control-request-method: POST\r\n";
        let answer = asked(own, &Method::OPTIONS, &path, preflight).await;
        if status(&answer) < 400 || shares(&answer) {
            wrong.push(format!("a preflight for {path}: {answer}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(stored().await, before);
    assert_eq!(admin.get("/api/v1/me").await.unwrap().status, 200, "is still signed in");
}

/// Sends `{}` with these header fields and no others, and returns the answer.
async fn asked(to: SocketAddr, method: &Method, path: &str, fields: &str) -> String {
    let mut socket = TcpStream::connect(to).await.unwrap();
    let raw = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\n{fields}connection: close\r\n\
         content-length: 2\r\n\r\n{{}}"
    );
    socket.write_all(raw.as_bytes()).await.unwrap();
    read_all(&mut socket).await
}

/// Says whether an answer lets another site's page read it.
fn shares(answer: &str) -> bool {
    answer.to_lowercase().contains("\r\naccess-control")
}

/// Fault 59.
#[tokio::test]
async fn no_other_way_to_write_an_address_or_a_role_opens_it() {
    let server = TestServer::start().await;
    let (_, member) = server.signed_in("Mia Mai", Role::Member).await;
    let callers = [("nobody", server.nobody()), ("a member", member)];
    let mut opened = Vec::new();
    for path in ["/api/v1/people", "/api/v1/audit", "/api/v1/house", "/api/v1/devices"] {
        let last = path.rsplit('/').next().unwrap();
        let odd = [
            format!("{path}/"),
            path.to_uppercase(),
            format!("{path}.json"),
            format!("{path};x"),
            format!("{path};x=/"),
            format!("{path}%20"),
            format!("{path}%00"),
            format!("{path}%2f"),
            format!("{path}/."),
            format!("{path}/..;/{last}"),
            format!("/{path}"),
            path.replace("/v1", "//v1"),
            path.replace("/v1", "/./v1"),
            path.replace("v1", "%761"),
            path.replace("/api", "/%61pi"),
            format!("/api/v1/help-requests/mine/../../{last}"),
            format!("/api/v1/help-requests/mine;/../../{last}"),
        ];
        for (who, client) in &callers {
            for path in &odd {
                let answer = client.get(path).await.unwrap();
                if !(400..500).contains(&answer.status) {
                    opened.push(format!("{path} to {who}: {}", answer.status));
                }
            }
            for (name, value) in [
                ("x-original-url", "/api/v1/setup"),
                ("x-rewrite-url", "/api/v1/setup"),
                ("x-forwarded-for", "127.0.0.1"),
                ("x-forwarded-host", "localhost"),
                ("x-forwarded-user", "eva"),
                ("forwarded", "for=127.0.0.1;host=localhost"),
                ("x-real-ip", "127.0.0.1"),
                ("x-role", "admin"),
                ("x-http-method-override", "OPTIONS"),
                ("authorization", "Bearer admin"),
                ("authorization", "Basic ZXZhOmV2YQ=="),
            ] {
                let answer =
                    client.send(Method::GET, path, &[(name, value)], "".into()).await.unwrap();
                if !matches!(answer.status, 401 | 403) {
                    opened.push(format!("{path} to {who} by {name}: {}", answer.status));
                }
            }
        }
    }
    assert_eq!(opened, Vec::<String>::new());
}

/// Faults 2 and 3.
#[tokio::test]
async fn no_route_answers_under_a_name_that_is_not_ours() {
    let server = TestServer::start().await;
    let address = server.address;
    for (method, path, _) in routes() {
        for (hosts, expected) in [
            ("host: evil.example\r\n".to_owned(), 421),
            ("host: 127.0.0.1.evil.example\r\n".to_owned(), 421),
            ("host: 10.1.2.3\r\n".to_owned(), 421),
            (String::new(), 400),
            (format!("host: {address}\r\nhost: {address}\r\n"), 400),
            ("host: lo cal\r\n".to_owned(), 400),
            (format!("host: {address}.evil.example\r\n"), 400),
        ] {
            let mut socket = TcpStream::connect(address).await.unwrap();
            let head = format!("{method} {path} HTTP/1.1\r\n{hosts}content-length: 0\r\n\r\n");
            socket.write_all(head.as_bytes()).await.unwrap();
            // It closes by itself: a stream that had opened would not.
            let answer = read_all(&mut socket).await;
            assert_eq!(status(&answer), expected, "{method} {path} {hosts:?}: {answer}");
        }
    }
}

/// Fault 57.
#[tokio::test]
async fn every_answer_is_kept_out_of_frames_and_guesses_and_personal_data_out_of_stores() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    for (method, path, caller) in routes() {
        if method != Method::GET || path.ends_with("/events") {
            continue;
        }
        let answer = one(&callers, &caller).get(&path).await.unwrap();
        let field = |name: &str| {
            answer.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let policy = field("content-security-policy");
        for word in
            ["default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"]
        {
            assert!(policy.split("; ").any(|part| part == word), "{path}: {word}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(field("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(field("referrer-policy"), "same-origin", "{path}");
        if path.starts_with("/api/") && !caller.is_empty() {
            assert_eq!(field("cache-control"), "no-store", "{path}");
        }
    }
}

/// Fault 30.
#[tokio::test]
async fn whatever_a_client_says_it_likes_to_read_it_is_answered() {
    let server = TestServer::start().await;
    let callers = callers(&server).await;
    for (method, path, caller) in routes() {
        if method != Method::GET || path.ends_with("/events") {
            continue;
        }
        let client = one(&callers, &caller);
        let usual = client.get(&path).await.unwrap().status;
        for liked in ["text/html", "image/*", "*/*;q=0", "application/json;q=0", ";;;,,q", ""] {
            let answer = client.send(Method::GET, &path, &[("accept", liked)], "".into()).await;
            let status = answer.unwrap().status;
            assert!(status == usual || status == 406, "{path} as {liked:?}: {status}");
        }
    }
}

/// Fault 15: an asset is sent whole, once, whatever parts of it are asked for.
#[tokio::test]
async fn ranges_of_an_asset_are_answered_with_all_of_it() {
    let server = TestServer::start().await;
    let path = daybook::http::assets::url("app.js");
    let nobody = server.nobody();
    let whole = nobody.get(&path).await.unwrap();
    assert_eq!(whole.status, 200);
    let thousand: Vec<String> = (0..1000).map(|byte| format!("{byte}-{byte}")).collect();
    for range in [
        &*format!("bytes={}", thousand.join(",")),
        "bytes=0-99999999999999999999999999",
        "bytes=99999999999999999999999999-",
        "bytes=-0",
        "bytes=x",
        "lines=1-2",
    ] {
        let part = [("range", range)];
        let answer = nobody.send(Method::GET, &path, &part, "".into()).await.unwrap();
        assert_eq!((answer.status, &answer.body), (200, &whole.body), "{range:.40}");
    }
}
