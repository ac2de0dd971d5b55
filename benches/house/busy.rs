//! Members who keep a house busy whose day is over and whose clock stands: they ask, and go on
//! changing what they have asked.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::load::{Wire, sign_in};

/// Some members, who act one after the other.
pub struct Askers {
    wire: Wire,
    /// The cookie of each, and the request that is open.
    members: Vec<(String, Option<String>)>,
    turn: usize,
}

impl Askers {
    /// Signs members in, by their names and passwords.
    pub async fn sign_in(address: SocketAddr, accounts: Vec<(String, String)>) -> Askers {
        let mut members = Vec::with_capacity(accounts.len());
        for (name, password) in accounts {
            members.push((sign_in(address, &name, &password).await, None));
        }
        Askers { wire: Wire::connect(address).await, members, turn: 0 }
    }

    /// Lets the next one do something.
    pub async fn act(&mut self) {
        let turn = self.turn % self.members.len();
        let (cookie, open) = self.members.get_mut(turn).expect("a member");
        *open = change(&mut self.wire, cookie, open.take(), self.turn).await;
        self.turn += 1;
    }
}

/// Changes the words of an open request, or asks when there is none; returns the open one.
async fn change(
    wire: &mut Wire,
    cookie: &str,
    open: Option<String>,
    number: usize,
) -> Option<String> {
    let (method, path) = match &open {
        Some(id) => ("PATCH", format!("/api/v1/help-requests/{id}")),
        None => ("POST", "/api/v1/help-requests".to_owned()),
    };
    let body = json!({ "content": format!("Question {number}"), "priority": "urgent" }).to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\n\
         cookie: {cookie}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n\
         {body}",
        body.len()
    );
    let (status, answer) = wire.call(request.as_bytes()).await;
    // The close of the day may have ended it meanwhile: the next turn asks anew.
    assert!(matches!(status, 200..300 | 404 | 409), "{answer}");
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let id = answer.get("id").and_then(Value::as_str);
    id.filter(|_| status < 300).map(str::to_owned)
}
