//! A whole server for one test: its own database, port and clock, behind the real front door.

use std::net::SocketAddr;
use std::ops::Deref;

use daybook::client::Client;
use daybook::http;
use daybook::http::guard::Guard;
use daybook::http::listen::{Door, Limits};

use crate::store::TestStore;

pub struct TestServer {
    store: TestStore,
    pub address: SocketAddr,
    pub door: Door,
}

impl TestServer {
    /// A server of a founded house without people.
    pub async fn start() -> TestServer {
        TestServer::of(TestStore::new().await).await
    }

    /// A server of the given house.
    pub async fn of(store: TestStore) -> TestServer {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = Door::new(Limits::default());
        let router = http::router(store.app.clone(), Guard::new([]));
        tokio::spawn(door.clone().serve(listener, router));
        TestServer { store, address, door }
    }

    /// A caller that is nobody yet.
    pub fn nobody(&self) -> Client {
        Client::new(self.address)
    }
}

impl Deref for TestServer {
    type Target = TestStore;

    fn deref(&self) -> &TestStore {
        &self.store
    }
}
