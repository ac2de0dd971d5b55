//! Signing in and out, sessions, passwords.

use std::time::Duration;

use axum::body::Body;
use axum::http;
use axum::response::Response;
use daybook::app::App;
use daybook::base::Actor;
use daybook::client::{Answer, Client, Stream};
use daybook::config::Config;
use daybook::domain::people::{self, Role};
use daybook::http::guard::Guard;
use daybook::http::listen::{Door, Limits, Peer};
use daybook::jobs::Jobs;
use daybook::live::Tx;
use daybook::live::hasher::Cost;
use daybook::store::rows;
use hyper::Method;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::callers::next;
use crate::server::TestServer;
use crate::store::PASSWORD;

const HOUR: Duration = Duration::from_secs(3600);

async fn login(client: &Client, username: &str, password: &str) -> Answer {
    let credentials = json!({ "username": username, "password": password });
    client.post("/api/v1/login", &credentials).await.unwrap()
}

fn code(answer: &Answer) -> String {
    answer.json().unwrap()["code"].as_str().unwrap_or_default().to_owned()
}

async fn me(client: &Client) -> u16 {
    client.get("/api/v1/me").await.unwrap().status
}

async fn send(client: &Client, method: Method, path: &str, body: Value) -> Answer {
    client.json(method, path, &body).await.unwrap()
}

#[tokio::test]
async fn a_person_signs_in_is_known_and_signs_out_again() {
    let server = TestServer::start().await;
    server.account("Ada Krause", Role::Staff).await;
    let answer = login(&server.nobody(), " ADA ", PASSWORD).await;
    let me = answer.json().unwrap();
    assert_eq!((answer.status, &me["person"]["display_name"]), (200, &json!("Ada Krause")));
    assert_eq!(
        (&me["person"]["role"], &me["house"]["zone"]),
        (&json!("staff"), &json!("Europe/Berlin"))
    );

    let ada = server.nobody().with("cookie", answer.cookies());
    let again = ada.get("/api/v1/me").await.unwrap().json().unwrap();
    assert_eq!((&again["person"], &again["session_id"]), (&me["person"], &me["session_id"]));
    assert_eq!(ada.post("/api/v1/logout", &json!({})).await.unwrap().status, 204);
    // Fault 43: the old cookie is worth nothing at once.
    let after = ada.get("/api/v1/me").await.unwrap();
    assert_eq!((after.status, code(&after)), (401, "login.required".to_owned()));
    assert_eq!(server.log().await, ["account.signed_in", "account.signed_out"]);
}

// Faults 31 and 40.
#[tokio::test]
async fn no_account_a_wrong_password_and_a_closed_account_are_one_answer() {
    let server = TestServer::start().await;
    server.account("Ada Krause", Role::Staff).await;
    let gone = server.account("Bob Lang", Role::Staff).await;
    let disable = move |tx: &mut Tx<'_>| people::commands::disable_account(tx, gone, true);
    server.write(Actor::System, disable).await.unwrap();
    let mut answers = Vec::new();
    for (name, password) in [("ada", "a wrong one"), ("nobody", PASSWORD), ("bob", PASSWORD)] {
        let answer = login(&server.nobody(), name, password).await;
        assert!(answer.cookies().is_empty());
        let mut body = answer.json().unwrap();
        body.as_object_mut().unwrap().remove("request_id");
        answers.push((answer.status, body));
    }
    assert_eq!((answers[0].0, &answers[0].1["code"]), (401, &json!("login.failed")));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let long = login(&server.nobody(), "ada", &"x".repeat(500_000)).await;
    assert_eq!((long.status, code(&long)), (401, "login.failed".to_owned()));
}

#[tokio::test]
async fn a_code_of_a_second_factor_is_refused_and_tells_nothing_of_the_password() {
    let server = TestServer::start().await;
    server.account("Ada Krause", Role::Staff).await;
    let with_code = async |password: &str, code: Value| {
        let body = json!({ "username": "ada", "password": password, "code": code });
        server.nobody().post("/api/v1/login", &body).await.unwrap()
    };
    for password in [PASSWORD, "a wrong one"] {
        let refused = with_code(password, json!("123456")).await;
        let problem = refused.json().unwrap();
        assert_eq!((refused.status, &problem["field"]), (422, &json!("code")), "{problem}");
        assert!(refused.cookies().is_empty());
    }
    for nothing in [Value::Null, json!("")] {
        assert_eq!(with_code(PASSWORD, nothing).await.status, 200);
    }
    assert_eq!(with_code(PASSWORD, json!(123_456)).await.status, 400);
}

// Fault 32.
#[tokio::test]
async fn guessing_is_stopped_and_said_so() {
    let server = TestServer::start().await;
    server.account("Ada Krause", Role::Staff).await;
    let client = server.nobody();
    for _ in 0..10 {
        assert_eq!(login(&client, "ada", "a wrong one").await.status, 401);
    }
    let answer = login(&client, "ada", PASSWORD).await;
    assert_eq!((answer.status, code(&answer)), (429, "login.too_many".to_owned()));
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
}

// Faults 41, 42 and 48.
#[tokio::test]
async fn the_cookie_is_new_at_each_sign_in_and_only_its_hash_is_stored() {
    let server = TestServer::start().await;
    server.account("Ada Krause", Role::Staff).await;
    let planted = server.nobody().with("cookie", "daybook=AAAAAAAAAAAAAAAAAAAAAA");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let answer = login(&planted, "ada", PASSWORD).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
        for part in ["daybook=", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain") && !cookie.contains("AAAAAAAA"), "{cookie}");
        seen.insert(cookie);
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(me(&planted).await, 401);
    let file = std::fs::read(server.app.store.path()).unwrap();
    let wal = std::fs::read(format!("{}-wal", server.app.store.path().display())).unwrap();
    for cookie in seen {
        let id = cookie.split(['=', ';']).nth(1).unwrap().as_bytes();
        assert!(![&file, &wal].iter().any(|bytes| bytes.windows(id.len()).any(|w| w == id)));
    }
}

/// Asks a second process on the same data, over a connection of this kind.
async fn ask(
    server: &TestServer,
    secure: bool,
    request: http::request::Builder,
    body: Value,
) -> Response {
    let config = Config::of(server.dir.path()).unwrap();
    let clock = server.app.clock.clone();
    let (app, _threads) = App::open_with(config, clock, Cost::TRIFLING).unwrap();
    let gate = Door::new(Limits::default());
    let router = daybook::http::router(app, Guard::new([]), gate.gate());
    let local = ([127, 0, 0, 1], 443).into();
    let request = request
        .header("host", "localhost")
        .header("content-type", "application/json")
        .extension(Peer { remote: local, local, secure })
        .body(Body::from(body.to_string()))
        .unwrap();
    router.oneshot(request).await.unwrap()
}

// Fault 48.
#[tokio::test]
async fn under_tls_the_cookie_is_secure_and_bound_to_the_host() {
    let server = TestServer::start().await;
    server.account("Ada Krause", Role::Staff).await;
    let login = http::Request::post("/api/v1/login");
    let credentials = json!({ "username": "ada", "password": PASSWORD });
    let answer = ask(&server, true, login, credentials).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["__Host-daybook=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let me = |cookie: &str| http::Request::get("/api/v1/me").header("cookie", cookie);
    assert_eq!(ask(&server, true, me(cookie), json!({})).await.status(), 200);
    // A cookie that was set in clear text is not taken for it.
    let planted = cookie.replace("__Host-", "");
    assert_eq!(ask(&server, true, me(&planted), json!({})).await.status(), 401);
}

// Fault 44.
#[tokio::test]
async fn a_session_survives_a_restart() {
    let server = TestServer::start().await;
    server.account("Ada Krause", Role::Staff).await;
    let cookie = login(&server.nobody(), "ada", PASSWORD).await.cookies();
    let me = http::Request::get("/api/v1/me").header("cookie", cookie);
    assert_eq!(ask(&server, false, me, json!({})).await.status(), 200);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_that_the_browser_had() {
    let server = TestServer::start().await;
    let (_, ada) = server.signed_in("Ada Krause", Role::Staff).await;
    let answer = login(&ada, "ada", PASSWORD).await;
    assert_eq!((answer.status, me(&ada).await), (200, 401));
    assert_eq!(server.number("select count(*) from session").await, 1);
}

// Fault 45.
#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_in_any_case_after_a_week() {
    let server = TestServer::start().await;
    let (_, idle) = server.signed_in("Ada Krause", Role::Staff).await;
    let (_, busy) = server.signed_in("Bob Lang", Role::Staff).await;
    server.advance(11 * HOUR);
    assert_eq!(me(&busy).await, 200);
    server.advance(2 * HOUR);
    assert_eq!((me(&idle).await, me(&busy).await), (401, 200));
    for _ in 0..14 {
        server.advance(11 * HOUR);
        assert_eq!(me(&busy).await, 200);
    }
    server.advance(HOUR);
    assert_eq!(me(&busy).await, 401);
    server.write(Actor::System, people::sessions::end_expired).await.unwrap();
    assert_eq!(server.number("select count(*) from session").await, 0);
}

// Fault 117, as far as sessions go.
#[tokio::test]
async fn a_clock_that_is_set_back_ends_no_session() {
    let server = TestServer::start().await;
    let (_, ada) = server.signed_in("Ada Krause", Role::Staff).await;
    server.now.fetch_sub(24 * 3_600_000, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(me(&ada).await, 200);
}

#[tokio::test]
async fn a_person_sees_and_ends_the_own_sessions_and_no_others() {
    let server = TestServer::start().await;
    let (_, here) = server.signed_in("Ada Krause", Role::Staff).await;
    let (_, other) = server.signed_in("Bob Lang", Role::Staff).await;
    server.advance(Duration::from_secs(1));
    let there = server.sign_in("ada").await;
    let list = here.get("/api/v1/sessions").await.unwrap().json().unwrap();
    let current: Vec<_> = list["items"].as_array().unwrap().iter().map(|s| &s["current"]).collect();
    assert_eq!(current, [false, true]);
    let path = format!("/api/v1/sessions/{}", list["items"][0]["id"].as_str().unwrap());
    assert_eq!(send(&other, Method::DELETE, &path, json!({})).await.status, 404);
    assert_eq!(me(&there).await, 200);
    assert_eq!(send(&here, Method::DELETE, &path, json!({})).await.status, 204);
    assert_eq!((me(&here).await, me(&there).await), (200, 401));
}

// Fault 39.
#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let server = TestServer::start().await;
    let (_, here) = server.signed_in("Ada Krause", Role::Staff).await;
    let there = server.sign_in("ada").await;
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });
    let path = "/api/v1/me/password";
    let wrong = send(&here, Method::PUT, path, change("a wrong one", "quite another one")).await;
    assert_eq!((wrong.status, code(&wrong)), (403, "password.wrong".to_owned()));
    // Fault 36.
    for weak in ["1234567", "Passwort123", "ADA99", "Lindenschule"] {
        let answer = send(&here, Method::PUT, path, change(PASSWORD, weak)).await;
        assert_eq!(
            (answer.status, &answer.json().unwrap()["field"]),
            (422, &json!("new")),
            "{weak}"
        );
    }
    let done = send(&here, Method::PUT, path, change(PASSWORD, " quite änother one ")).await;
    assert_eq!(done.status, 204);
    let again = server.nobody().with("cookie", done.cookies());
    assert_eq!((me(&again).await, me(&here).await, me(&there).await), (200, 401, 401));
    assert_eq!(login(&server.nobody(), "ada", PASSWORD).await.status, 401);
    assert_eq!(login(&server.nobody(), "ada", " quite änother one ").await.status, 200);
}

// Fault 46.
#[tokio::test]
async fn a_cookie_of_rubbish_is_nobody() {
    let server = TestServer::start().await;
    let (_, _ada) = server.signed_in("Ada Krause", Role::Staff).await;
    for cookie in ["daybook=", "daybook=x", "daybook=\"\"; daybook=y", "=;;==", "daybook=%00%ff"] {
        assert_eq!(me(&server.nobody().with("cookie", cookie)).await, 401, "{cookie}");
    }
    for (length, status) in [(20_000, 401), (100_000, 431)] {
        let long = format!("daybook={}", "A".repeat(length));
        assert_eq!(me(&server.nobody().with("cookie", long)).await, status);
    }
    // Of two the last counts; a cut one lets in nobody.
    let good = login(&server.nobody(), "ada", PASSWORD).await.cookies();
    assert_eq!(me(&server.nobody().with("cookie", &good)).await, 200);
    let cut = good.split(';').next().unwrap();
    let cut = &cut[..cut.len() - 1];
    for (cookie, counts) in
        [(format!("{good}; daybook=x"), 401), (format!("daybook=x; {good}"), 200)]
    {
        assert_eq!(me(&server.nobody().with("cookie", &cookie)).await, counts, "{cookie}");
    }
    assert_eq!(me(&server.nobody().with("cookie", cut)).await, 401);
}

// Fault 47.
#[tokio::test]
async fn a_role_taken_away_counts_from_the_next_request_on() {
    let server = TestServer::start().await;
    server.account("Eva Chef", Role::Admin).await;
    let (ada, client) = server.signed_in("Ada Krause", Role::Admin).await;
    let change = people::model::PersonChange { role: Some(Role::Staff), ..Default::default() };
    let demote = move |tx: &mut Tx<'_>| people::commands::change(tx, ada, change);
    server.write(Actor::System, demote).await.unwrap();
    let mine = client.get("/api/v1/me").await.unwrap().json().unwrap();
    assert_eq!(mine["person"]["role"], "staff");
    // Also if a session should be left over, it opens nothing for a closed account.
    let close = |tx: &mut Tx<'_>| rows::run(tx, "update account set disabled = 1", []);
    server.write(Actor::System, close).await.unwrap();
    assert_eq!(me(&client).await, 401);
}

pub async fn stream(client: &Client) -> Stream {
    let mut stream = client.stream("/api/v1/events", &[]).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().event.as_deref(), Some("stream.connected"));
    stream
}

/// Reads on to the end of the stream and returns the reason that it gives.
pub async fn goodbye(mut stream: Stream) -> String {
    loop {
        let frame = next(&mut stream).await.expect("a goodbye before the end");
        if frame.event.as_deref() == Some("bye") {
            return frame.json().unwrap()["data"]["reason"].as_str().unwrap().to_owned();
        }
    }
}

// Faults 40, 43, 45 and 47.
#[tokio::test]
async fn the_end_of_a_session_ends_its_streams_and_no_others() {
    let server = TestServer::start().await;
    let (_, admin) = server.signed_in("Eva Chef", Role::Admin).await;
    let (ada, here) = server.signed_in("Ada Krause", Role::Staff).await;
    let there = server.sign_in("ada").await;
    let (first, second, other) = (stream(&here).await, stream(&there).await, stream(&admin).await);
    here.post("/api/v1/logout", &json!({})).await.unwrap();
    assert_eq!(goodbye(first).await, "signed_out");

    let path = format!("/api/v1/people/{ada}");
    send(&admin, Method::PATCH, &path, json!({ "role": "office" })).await;
    assert_eq!(goodbye(second).await, "access_changed");
    let (third, account) = (stream(&there).await, format!("{path}/account"));
    send(&admin, Method::PATCH, &account, json!({ "disabled": true })).await;
    assert_eq!(goodbye(third).await, "session_ended");
    assert_eq!(me(&there).await, 401);

    // An open stream does not keep a session alive.
    server.advance(13 * HOUR);
    server.write(Actor::System, people::sessions::end_expired).await.unwrap();
    assert_eq!(goodbye(other).await, "session_expired");
}

#[tokio::test]
async fn the_timetable_ends_a_session_in_the_middle_of_a_minute() {
    let server = TestServer::start().await;
    let (_, ada) = server.signed_in("Ada Krause", Role::Staff).await;
    server.advance(Duration::from_secs(30));
    let (_, bob) = server.signed_in("Bob Lang", Role::Staff).await;
    let (first, second) = (stream(&ada).await, stream(&bob).await);
    server.advance(12 * HOUR - Duration::from_secs(30));
    let jobs = Jobs::spawn(&server.app);
    assert_eq!(goodbye(first).await, "session_expired");
    // What is due by the minute has been done for this minute.
    server.advance(Duration::from_secs(30));
    assert_eq!(goodbye(second).await, "session_expired");
    jobs.stop().await;
}

// Fault 34.
#[tokio::test]
async fn thirty_at_once_are_let_in_or_told_to_come_again() {
    let server = TestServer::start().await;
    for n in 0..30 {
        server.account(&format!("user{n} Test"), Role::Member).await;
    }
    let mut logins = tokio::task::JoinSet::new();
    for n in 0..30 {
        let client = server.nobody();
        logins.spawn(async move { login(&client, &format!("user{n}"), PASSWORD).await });
    }
    for answer in logins.join_all().await {
        assert!(answer.status == 200 || answer.headers.contains_key("retry-after"));
    }
}
