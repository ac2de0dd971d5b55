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

/// One socket's end of it. A socket is known for as long as it holds its line.
#[derive(Debug)]
pub(super) struct Line {
    sockets: Arc<Sockets>,
    session: String,
    own: mpsc::Sender<Order>,
    orders: mpsc::Receiver<Order>,
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
        let lines = self.lock().get(session).cloned().unwrap_or_default();
        let mut heard = None;
        for line in lines {
            let (done, answer) = oneshot::channel();
            let command = Command { op, topics: channels.to_vec(), after: None, reference: None };
            // A socket that has closed meanwhile neither takes orders nor answers.
            let _ = line.send(Order { command, done }).await;
            match answer.await {
                Ok(Ok(topics)) => heard.get_or_insert_with(BTreeSet::new).extend(topics),
                Ok(Err(refusal)) => return Err(forbidden(refusal)),
                Err(_) => (),
            }
        }
        heard.ok_or_else(not_open)
    }

    /// Makes a new socket of a session known.
    pub(super) fn line(self: &Arc<Sockets>, session: String) -> Line {
        let (own, orders) = mpsc::channel(ORDERS_MAX);
        self.lock().entry(session.clone()).or_default().push(own.clone());
        Line { sockets: self.clone(), session, own, orders }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<mpsc::Sender<Order>>>> {
        self.by_session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Waits for the next order; for ever, where no line is.
    pub(super) async fn next(line: &mut Option<Line>) -> Order {
        let order = match line {
            Some(line) => line.orders.recv().await,
            None => None,
        };
        match order {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut sockets = self.sockets.lock();
        if let Some(lines) = sockets.get_mut(&self.session) {
            lines.retain(|line| !line.same_channel(&self.own));
            if lines.is_empty() {
                sockets.remove(&self.session);
            }
        }
    }
}

fn forbidden(refusal: Refusal) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, refusal.code).because(refusal.detail).in_field("channels")
}

fn not_open() -> Problem {
    Problem::new(StatusCode::CONFLICT, "websocket.not_open")
        .because("this login has no WebSocket open that could hear a channel")
}
