//! A whole server for one test: its own database, port and clock, behind the real front door.

use std::net::SocketAddr;
use std::ops::Deref;

use daybook::app::App;
use daybook::base::id::PersonId;
use daybook::client::Client;
use daybook::domain::people::Role;
use daybook::http;
use daybook::http::guard::Guard;
use daybook::http::listen::{Door, Limits};

use serde_json::json;

use crate::schema::held_to_document;
use crate::store::{PASSWORD, TestStore};

pub struct TestServer {
    store: TestStore,
    pub address: SocketAddr,
}

impl TestServer {
    /// A server of a founded house without people.
    pub async fn start() -> TestServer {
        TestServer::of(TestStore::new().await).await
    }

    /// A server of the given house.
    pub async fn of(store: TestStore) -> TestServer {
        let (address, _) = serve(&store.app).await;
        TestServer { store, address }
    }

    /// A caller that is nobody yet; it says where its page comes from, as browsers do.
    pub fn nobody(&self) -> Client {
        Client::new(self.address).with("origin", format!("http://{}", self.address))
    }

    /// Signs in with this user name and the password of all test accounts.
    pub async fn sign_in(&self, username: &str) -> Client {
        let credentials = json!({ "username": username, "password": PASSWORD });
        let answer = self.nobody().post("/api/v1/login", &credentials).await.unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        self.nobody().with("cookie", answer.cookies())
    }

    /// Makes an account for a new person of this name and role, and signs in with it.
    pub async fn signed_in(&self, name: &str, role: Role) -> (PersonId, Client) {
        let person = self.account(name, role).await;
        let username = name.split(' ').next().unwrap().to_lowercase();
        (person, self.sign_in(&username).await)
    }
}

/// Serves `app` behind a front door of its own.
pub async fn serve(app: &App) -> (SocketAddr, Door) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = Door::new(Limits::default());
    let router = http::router(app.clone(), Guard::new([]), door.gate());
    let router = held_to_document(router);
    tokio::spawn(door.clone().serve(listener, router));
    (address, door)
}

impl Deref for TestServer {
    type Target = TestStore;

    fn deref(&self) -> &TestStore {
        &self.store
    }
}
