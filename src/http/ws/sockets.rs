//! Open WebSockets that take orders from outside: an older system changes what its sockets hear by
//! requests of their own.
//!
//! Sockets are known by the login session that opened them, and only as long as they are open.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tokio::sync::{mpsc, oneshot};

use super::command::{Command, Op, Refusal};
use crate::event::Topic;
use crate::http::problem::Problem;

/// How many orders may wait for one socket; who has more waits.
const ORDERS_MAX: usize = 4;

/// The sockets that take orders, by session.
#[derive(Debug, Default)]
pub struct Sockets {
    by_session: Mutex<HashMap<String, Vec<mpsc::Sender<Order>>>>,
}

/// A command to a socket, and where its answer goes: what the socket hears then, or why not.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) command: Command,
    pub(super) done: oneshot::Sender<Result<BTreeSet<Topic>, Refusal>>,
}

/// One socket's end of it. A socket is known for as long as it holds this.
#[derive(Debug)]
pub(super) struct Orders {
    sockets: Arc<Sockets>,
    session: String,
    own: mpsc::Sender<Order>,
    waiting: mpsc::Receiver<Order>,
}

impl Sockets {
    /// Makes all open sockets of a session hear these channels too, and returns what they hear.
    pub async fn subscribe(
        &self,
        session: &str,
        channels: &[String],
    ) -> Result<BTreeSet<Topic>, Problem> {
        self.order(session, Op::Subscribe, channels).await
    }

    /// Makes all open sockets of a session hear these channels no more, and returns what they hear.
    pub async fn unsubscribe(
        &self,
        session: &str,
        channels: &[String],
    ) -> Result<BTreeSet<Topic>, Problem> {
        self.order(session, Op::Unsubscribe, channels).await
    }

    async fn order(
        &self,
        session: &str,
        op: Op,
        channels: &[String],
    ) -> Result<BTreeSet<Topic>, Problem> {
        let known = self.lock().get(session).cloned().unwrap_or_default();
        let mut heard = None;
        for socket in known {
            let (done, answer) = oneshot::channel();
            let command = Command { op, topics: channels.to_vec(), after: None, reference: None };
            // A socket that has closed meanwhile neither takes orders nor answers.
            let _ = socket.send(Order { command, done }).await;
            match answer.await {
                Ok(Ok(topics)) => heard.get_or_insert_with(BTreeSet::new).extend(topics),
                Ok(Err(refusal)) => return Err(refused(refusal)),
                Err(_) => (),
            }
        }
        heard.ok_or_else(not_open)
    }

    /// Makes a new socket of a session known.
    pub(super) fn orders(self: &Arc<Sockets>, session: String) -> Orders {
        let (own, waiting) = mpsc::channel(ORDERS_MAX);
        self.lock().entry(session.clone()).or_default().push(own.clone());
        Orders { sockets: self.clone(), session, own, waiting }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<mpsc::Sender<Order>>>> {
        self.by_session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    /// Waits for the next order; for ever, where none are taken.
    pub(super) async fn next(orders: &mut Option<Orders>) -> Order {
        let order = match orders {
            Some(orders) => orders.waiting.recv().await,
            None => None,
        };
        match order {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        let mut sockets = self.sockets.lock();
        if let Some(known) = sockets.get_mut(&self.session) {
            known.retain(|socket| !socket.same_channel(&self.own));
            if known.is_empty() {
                sockets.remove(&self.session);
            }
        }
    }
}

fn refused(Refusal { code, detail }: Refusal) -> Problem {
    let status = match code {
        "topics.too_many" => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::FORBIDDEN,
    };
    Problem::new(status, code).because(detail).in_field("channels")
}

fn not_open() -> Problem {
    Problem::new(StatusCode::CONFLICT, "websocket.not_open")
        .because("this login has no WebSocket open that could hear a channel")
}
