//! PINs at a kiosk while the house has more to hash than it can take in.

use std::pin::Pin;
use std::time::Duration;

use daybook::base::{Error, Result};
use daybook::domain::people::Role;
use daybook::live::Hasher;
use daybook::live::hasher::Verdict;
use hyper::Method;
use serde_json::json;
use tokio::time::timeout;

use crate::devices::reader;
use crate::scene::badge;
use crate::server::TestServer;
use crate::store::PASSWORD;

/// A stored hash that takes a thread about a second to compare with.
const SLOW: &str = "$argon2id$v=19$m=131072,t=16,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";

/// Passwords that wait for their verdict. Once dropped, nobody waits for them any more.
type Crowd = Vec<Pin<Box<dyn Future<Output = Result<Verdict>> + Send>>>;

/// Has so many passwords compared that the hasher takes in no more.
async fn crowd(hasher: &Hasher) -> Crowd {
    let mut crowd: Crowd = Vec::new();
    let mut full = 0;
    // Each thread takes one out of the queue, soon.
    while full < 3 {
        let hasher = hasher.clone();
        let mut verdict: Crowd = vec![Box::pin(async move {
            hasher.verify("some password".to_owned(), Some(SLOW.to_owned())).await
        })];
        match timeout(Duration::from_millis(1), &mut verdict[0]).await {
            Ok(Err(Error::Busy)) => {
                full += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            _ => {
                full = 0;
                crowd.append(&mut verdict);
            }
        }
    }
    crowd
}

/// Lets the crowd go, and waits until there is room again.
async fn disperse(crowd: Crowd, hasher: &Hasher) {
    drop(crowd);
    while hasher.hash("a password".to_owned()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_house_that_is_busy_takes_no_pin_for_a_wrong_one() {
    let server = TestServer::start().await;
    let (eva, client) = server.signed_in("Eva Engel", Role::Staff).await;
    badge(&server, eva, "DEB0E5E5").await;
    let hasher = &server.app.hasher;
    let put = async || {
        let body = json!({ "pin": "2580", "password": PASSWORD });
        client.json(Method::PUT, "/api/v1/me/pin", &body).await.unwrap().status
    };
    let waiting = crowd(hasher).await;
    // More often than guesses are taken.
    for _ in 0..12 {
        assert_eq!(put().await, 503);
    }
    disperse(waiting, hasher).await;
    assert_eq!(put().await, 204);

    let kiosk = reader(&server, json!({ "name": "Hall", "mode": "kiosk" })).await;
    let act = async |pin: &str| {
        let body = json!({ "tag": "DEB0E5E5", "pin": pin, "action": "start_run" });
        kiosk.client.post("/api/v1/device/privileged", &body).await.unwrap().status
    };
    assert_eq!(act("0852").await, 403);
    let waiting = crowd(hasher).await;
    for _ in 0..6 {
        assert_eq!(act("2580").await, 503);
    }
    disperse(waiting, hasher).await;
    // The one wrong PIN is still remembered, and nothing else.
    assert_eq!(server.number("select pin_wrong from account").await, 1);
    assert_eq!(server.number("select pin_locked_until is null from account").await, 1);
    // Right: what is missing is the activity to be started.
    assert_eq!(act("2580").await, 422);
}
