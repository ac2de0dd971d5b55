//! A house whose callers say who they are by a header, in place of a login: for tests about what
//! streams do once it is known who listens.

use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use daybook::base::Actor;
use daybook::base::id::{DeviceId, PersonId};
use daybook::client::{Client, SseFrame, Stream};
use daybook::config::Config;
use daybook::domain::people::Role;
use daybook::event::{Event, Label};
use daybook::http::guard::Guard;
use daybook::http::listen::{Door, Limits};
use daybook::http::signed_in::{Principal, SignedIn};
use daybook::live::Tx;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::store::TestStore;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const CALLER: &str = "x-test-caller";
pub const ADMIN: &str = "1 admin s1";

/// Three people with their logins.
const PEOPLE: &str = "
    insert into person (person_id, given_name, family_name, display_name, search_key, role,
                        created_at)
    values (1, 'Ada', 'Amt', 'Ada A.', 'ada amt', 'admin', 0),
           (2, 'Ben', 'Baum', 'Ben B.', 'ben baum', 'staff', 0),
           (3, 'Cem', 'Can', 'Cem C.', 'cem can', 'member', 0);
    insert into account (person_id, username, password_hash, created_at, password_at)
    select person_id, lower(given_name), '', 0, 0
    from person;
    insert into session (session_hash, public_id, person_id, created_at, last_seen_at, expires_at)
    select randomblob(32), column1, column2, 1795165200000, 1795165200000, 1795251600000
    from (values ('s1', 1), ('s2', 2), ('s9', 2), ('s3', 3));
";

/// A house whose callers are who they say they are.
pub struct House {
    pub store: TestStore,
    pub address: SocketAddr,
    pub door: Door,
}

impl Deref for House {
    type Target = TestStore;

    fn deref(&self) -> &TestStore {
        &self.store
    }
}

pub async fn believe(mut request: Request, next: Next) -> Response {
    let caller = request.headers().get(CALLER).map(|caller| caller.to_str().unwrap().to_owned());
    if let Some(caller) = caller {
        let mut words = caller.split(' ');
        let who = SignedIn {
            person: PersonId(words.next().unwrap().parse().unwrap()),
            role: words.next().unwrap().parse::<Role>().unwrap(),
            session: words.next().unwrap().to_owned(),
        };
        request.extensions_mut().insert(Principal::Person(who));
    }
    next.run(request).await
}

impl House {
    pub async fn new() -> House {
        House::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> House {
        let store = TestStore::with(change).await;
        store.write(Actor::System, |tx| Ok(tx.execute_batch(PEOPLE)?)).await.unwrap();
        let door = Door::new(Limits::default());
        let router = daybook::http::router(store.app.clone(), Guard::new([]), door.gate());
        let router = router.layer(middleware::from_fn(believe));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(door.clone().serve(listener, router));
        House { store, address, door }
    }

    pub fn caller(&self, who: &str) -> Client {
        Client::new(self.address).with(CALLER, who)
    }

    /// Opens a stream of the admin's and reads its greeting.
    pub async fn stream(&self, query: &str, headers: &[(&str, &str)]) -> (Stream, SseFrame) {
        let path = format!("/api/v1/events{query}");
        let mut stream = self.caller(ADMIN).stream(&path, headers).await.unwrap();
        assert_eq!(stream.status, 200);
        let greeting = next(&mut stream).await.expect("a greeting");
        assert_eq!(greeting.event.as_deref(), Some("stream.connected"));
        (stream, greeting)
    }

    pub async fn emit(&self, number: i64) {
        self.write(Actor::System, move |tx| emit(tx, number)).await.unwrap();
    }
}

pub fn emit(tx: &mut Tx<'_>, number: i64) -> daybook::base::Result<()> {
    let tag_suffix = Label("0000".to_owned());
    tx.emit(Event::ScanUnknown { device_id: DeviceId(number), tag_suffix })
}

pub async fn next(stream: &mut Stream) -> Option<SseFrame> {
    timeout(PATIENCE, stream.next()).await.expect("a frame in time").unwrap()
}

/// Reads the next `count` events and returns their position and number.
pub async fn events(stream: &mut Stream, count: usize) -> Vec<(i64, i64)> {
    let mut events = Vec::with_capacity(count);
    while events.len() < count {
        let frame = next(stream).await.expect("the stream goes on");
        if frame.event.is_some() {
            events.push(place_and_number(&frame));
        }
    }
    events
}

fn place_and_number(frame: &SseFrame) -> (i64, i64) {
    let (_, place) = frame.id.as_deref().unwrap().rsplit_once('-').unwrap();
    let json = frame.json().unwrap();
    assert_eq!(json["id"], frame.id.as_deref().unwrap());
    (place.parse().unwrap(), json["data"]["device_id"].as_str().unwrap().parse().unwrap())
}

/// Waits until `level` is so.
pub async fn until(level: impl Fn() -> bool) {
    let reached = timeout(PATIENCE, async {
        while !level() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    reached.await.expect("reached in time");
}
