//! What proves who somebody is: where it may stand, and where it must not.

use std::fs::{self, File};

use daybook::base::Actor;
use daybook::client::Client;
use daybook::domain::people::{self, Role};
use daybook::live::Tx;
use daybook::live::hasher::{Cost, Hasher};
use daybook::store::rows;
use rustix::process::Signal;
use serde_json::json;

use crate::program::{Server, daybook};
use crate::server::TestServer;
use crate::store::{PASSWORD, TestStore};

/// Fault 49: addresses stand in histories and in the logs of others.
#[tokio::test]
async fn an_address_lets_nobody_in_but_a_ticket_once() {
    let server = TestServer::start().await;
    let (_, ada) = server.signed_in("Ada Krause", Role::Admin).await;
    let credentials = json!({ "username": "ada", "password": PASSWORD });
    let cookie = server.nobody().post("/api/v1/login", &credentials).await.unwrap().cookies();
    let id = cookie.split('=').nth(1).unwrap();
    for name in ["daybook", "token", "access_token", "session", "key", "ticket"] {
        for path in ["/api/v1/me", "/api/v1/people", "/api/v1/events", "/api/v1/device/config"] {
            let refused = server.nobody().get(&format!("{path}?{name}={id}")).await.unwrap();
            assert!(matches!(refused.status, 400 | 401), "{path}?{name}: {}", refused.status);
        }
    }
    let ticket = ada.post("/api/v1/stream-tickets", &json!(null)).await.unwrap().json().unwrap();
    let ticket = ticket["ticket"].as_str().unwrap();
    let elsewhere = server.nobody().get(&format!("/api/v1/people?ticket={ticket}")).await.unwrap();
    assert_eq!(elsewhere.status, 401);
}

/// Fault 38.
#[tokio::test]
async fn a_hash_of_older_parameters_is_made_anew_when_its_owner_signs_in() {
    let server = TestServer::start().await;
    let ada = server.account("Ada Krause", Role::Staff).await;
    let (older, _threads) = Hasher::spawn(Cost { memory_kib: 512, passes: 3 }).unwrap();
    let old = older.hash(PASSWORD.to_owned()).await.unwrap();
    let kept = old.clone();
    let keep = move |tx: &mut Tx<'_>| {
        rows::run(tx, "update account set password_hash = ?2 where person_id = ?1", (ada, kept))
    };
    server.write(Actor::System, keep).await.unwrap();
    let stored = || server.read(move |conn| people::queries::password_hash(conn, ada));
    let wrong = json!({ "username": "ada", "password": "a wrong one" });
    assert_eq!(server.nobody().post("/api/v1/login", &wrong).await.unwrap().status, 401);
    assert_eq!(stored().await, Some(old.clone()));
    let here = server.sign_in("ada").await;
    let new = stored().await;
    assert_ne!(new, Some(old));
    server.sign_in("ada").await;
    assert_eq!(stored().await, new);
    assert_eq!(here.get("/api/v1/me").await.unwrap().status, 200);
}

/// Fault 49.
#[tokio::test]
async fn the_log_holds_no_password_cookie_ticket_or_key_however_much_it_tells() {
    let store = TestStore::of_today().await;
    store.account("Ada Krause", Role::Admin).await;
    let data = store.close();
    let log = data.path().join("log");
    let mut command = daybook(data.path(), &["serve", "--json", "--listen", "127.0.0.1:0"]);
    command.args(["--set", "log_level=trace"]);
    let mut server = Server::logging(command, File::create(&log).unwrap().into());
    let nobody = Client::new(server.address);
    let login = |password: &str| json!({ "username": "ada", "password": password });
    let wrong = nobody.post("/api/v1/login", &login("not the right one")).await.unwrap();
    assert_eq!(wrong.status, 401);
    let cookie = nobody.post("/api/v1/login", &login(PASSWORD)).await.unwrap().cookies();
    let ada = Client::new(server.address).with("cookie", &cookie);
    let ticket = ada.post("/api/v1/stream-tickets", &json!(null)).await.unwrap().json().unwrap();
    let ticket = ticket["ticket"].as_str().unwrap();
    let stream = nobody.stream(&format!("/api/v1/events?ticket={ticket}"), &[]).await.unwrap();
    assert_eq!(stream.status, 200);
    let key = "RAAAAAAA.0123456789abcdef0123456789abcdef";
    let reader = Client::new(server.address).with("authorization", format!("Bearer {key}"));
    assert_eq!(reader.get("/api/v1/device/config").await.unwrap().status, 401);
    assert_eq!(ada.post("/api/v1/logout", &json!({})).await.unwrap().status, 204);
    drop(stream);
    server.signal(Signal::TERM);
    server.process.wait().unwrap();

    let told = fs::read_to_string(log).unwrap();
    assert!(told.contains("DEBUG") && told.contains("/api/v1/login"), "{told}");
    let session = cookie.split(['=', ';']).nth(1).unwrap();
    for secret in [PASSWORD, "not the right one", session, ticket, key] {
        let line = told.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}
