//! The front door: caps, patience with the slow, sockets that are taken over, and the way out.

use std::time::Duration;

use axum::Router;
use daybook::http::listen::{Door, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::callers::until;
use crate::edge::{Edge, PATIENCE, read_all, read_until, status};

#[tokio::test]
async fn callers_over_a_cap_are_told_to_come_again() {
    // Four more than the cap are let in from this machine itself.
    for limits in [
        Limits { connections: 2, ..Limits::default() },
        Limits { per_address: 2, ..Limits::default() },
    ] {
        let edge = Edge::with(limits).await;
        let mut inside = Vec::new();
        for _ in 0..6 {
            let mut socket = edge.connect().await;
            socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
            read_until(&mut socket, "hello").await;
            inside.push(socket);
        }
        let answer = edge.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert_eq!(status(&answer), 503, "{answer}");
        assert!(answer.contains("\r\nretry-after: "), "{answer}");
        assert!(edge.door.gate().refused() >= 1);
        inside.pop();
        until(|| edge.door.gate().open() == 5).await;
        let raw = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        assert!(edge.send(raw).await.ends_with("hello"));
    }
}

/// Fault 114.
#[tokio::test]
async fn slow_heads_slow_bodies_and_idle_connections_are_cut_and_others_are_not_slowed() {
    let limits = Limits {
        head: Duration::from_millis(300),
        body: Duration::from_millis(300),
        ..Limits::default()
    };
    let edge = Edge::with(limits).await;
    let body = "POST /write HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nx";
    let mut slow = Vec::new();
    for start in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: localhost\r\n", body] {
        for _ in 0..25 {
            let mut socket = edge.connect().await;
            socket.write_all(start.as_bytes()).await.unwrap();
            slow.push(socket);
        }
    }
    let raw = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(edge.send(raw).await.ends_with("hello"));
    for mut socket in slow {
        let answer = read_all(&mut socket).await;
        assert!(!answer.contains("written"), "{answer}");
    }
    assert_eq!(edge.ran(), 1);
    until(|| edge.door.gate().open() == 0).await;
}

/// Fault 114.
#[tokio::test]
async fn a_head_sent_byte_by_byte_gains_no_time() {
    let edge = Edge::with(Limits { head: Duration::from_millis(300), ..Limits::default() }).await;
    let mut socket = edge.connect().await;
    let cut = timeout(PATIENCE, async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if socket.write_all(b"G").await.is_err() {
                return;
            }
        }
    });
    cut.await.expect("cut in time");
}

/// Fault 114.
#[tokio::test]
async fn an_answer_that_nobody_reads_is_cut_with_bounded_bytes() {
    let edge = Edge::with(Limits { stall: Duration::from_millis(300), ..Limits::default() }).await;
    let mut socket = edge.connect().await;
    socket.write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    until(|| edge.door.gate().open() == 1).await;
    until(|| edge.door.gate().open() == 0).await;
    let mut taken = Vec::new();
    let _ = timeout(PATIENCE, socket.read_to_end(&mut taken)).await.expect("closed");
    assert!(taken.len() < 16 << 20, "{}", taken.len());
}

#[tokio::test]
async fn a_socket_is_taken_over_after_other_requests_and_whatever_follows_is_ignored() {
    let edge = Edge::new().await;
    let mut socket = edge.connect().await;
    socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut socket, "hello").await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let plain = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(20);
    let stream = "GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n";
    // The stream's own head comes in two pieces.
    let (first, second) = stream.split_at(17);
    socket.write_all(format!("{plain}{first}").as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    socket.write_all(format!("{second}{hidden}").as_bytes()).await.unwrap();
    let answer = read_until(&mut socket, "taken over").await;
    assert_eq!(answer.matches("hello").count(), 20, "{answer}");
    let (_, head) = answer.rsplit_once("HTTP/1.1 200 OK").unwrap();
    assert!(head.contains("connection: close\r\n"), "{head}");
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
    assert!(head.contains("x-request-id: "), "{head}");
    socket.write_all(hidden.as_bytes()).await.unwrap();
    assert_eq!(edge.door.gate().open(), 1);
    drop(socket);
    until(|| edge.door.gate().open() == 0).await;
    assert_eq!(edge.ran(), 21);
}

/// Fault 111.
#[tokio::test]
async fn a_closing_door_lets_requests_finish_and_admits_no_others() {
    let edge = Edge::new().await;
    let mut idle = edge.connect().await;
    let mut busy = edge.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    until(|| edge.ran() == 1 && edge.door.gate().open() == 2).await;
    edge.door.close();
    assert_eq!(read_all(&mut idle).await, "");
    until(|| edge.door.gate().open() == 1).await;
    assert!(TcpStream::connect(edge.address).await.is_err());
    edge.behind.release.notify_one();
    assert!(read_all(&mut busy).await.ends_with("waited"));
    assert_eq!(edge.door.emptied(PATIENCE).await, 0);
}

/// A stream that has been told goodbye comes back at once: it must not get another one.
#[tokio::test]
async fn a_closed_door_admits_nobody_who_stands_before_it_already() {
    for _ in 0..16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _waiting = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let door = Door::new(Limits::default());
        door.close();
        door.clone().serve(listener, Router::new()).await;
        assert_eq!(door.gate().open(), 0);
    }
}

#[tokio::test]
async fn a_closing_door_does_not_wait_for_ever() {
    let edge = Edge::new().await;
    let mut busy = edge.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    until(|| edge.ran() == 1).await;
    edge.door.close();
    assert_eq!(edge.door.emptied(Duration::from_millis(100)).await, 1);
    assert_eq!(read_all(&mut busy).await, "");
    until(|| edge.door.gate().open() == 0).await;
}

/// Many clients send all of a body before they read a word: the answer waits for them.
/// Faults 6 and 24.
#[tokio::test]
async fn who_sends_a_body_that_is_too_long_and_reads_afterwards_reads_why_it_was_refused() {
    let edge = Edge::new().await;
    let mebibyte = vec![b'x'; 1 << 20];
    for mebibytes in [2, 8, 20] {
        let mut socket = edge.connect().await;
        let length = mebibytes << 20;
        let head =
            format!("POST /write HTTP/1.1\r\nhost: house.lan\r\ncontent-length: {length}\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        for sent in 0..mebibytes {
            let written = timeout(PATIENCE, socket.write_all(&mebibyte)).await.expect("taken");
            written.unwrap_or_else(|error| panic!("{error} after {sent} of {mebibytes} MiB"));
        }
        let answer = read_all(&mut socket).await;
        assert_eq!(status(&answer), 413, "{answer}");
        assert!(answer.contains(r#""code":"request.too_large""#), "{answer}");
    }
    assert_eq!(edge.ran(), 0);
}

#[tokio::test]
async fn who_goes_on_sending_after_a_refusal_is_cut() {
    let edge = Edge::new().await;
    let mut socket = edge.connect().await;
    let head = "POST /write HTTP/1.1\r\nhost: house.lan\r\ncontent-length: 99999999999\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let more = vec![b'x'; 64 << 10];
    let endless = async { while socket.write_all(&more).await.is_ok() {} };
    timeout(PATIENCE, endless).await.expect("cut");
    // One that says nothing more keeps its place no longer.
    let mut silent = edge.connect().await;
    silent.write_all(head.as_bytes()).await.unwrap();
    let answer = read_all(&mut silent).await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert_eq!(edge.door.emptied(PATIENCE).await, 0);
}
