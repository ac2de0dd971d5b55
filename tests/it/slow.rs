//! Readers that do not read, or hardly: they are cut, and the others notice nothing.

use std::time::Duration;

use daybook::base::Actor;
use daybook::base::id::DeviceId;
use daybook::event::{Event, Label};
use daybook::live::Tx;
use daybook::live::metrics::Ending;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::callers::{ADMIN, CALLER, House, PATIENCE, events, until};

/// What a WebSocket is asked for with.
const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: http://localhost\r\n";

/// Asks for a stream over a socket that takes little at once.
async fn ask_slowly(house: &House, path: &str, more: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut socket = socket.connect(house.address).await.unwrap();
    let head = format!(
        "GET /api/v1/{path}?topics=devices HTTP/1.1\r\nhost: localhost\r\n{CALLER}: {ADMIN}\r\n\
         {more}\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

/// Fault 72.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stops_reading_is_cut_and_the_others_notice_nothing() {
    let house = House::with(|config| config.stream_stall_s = 1).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut asleep = socket.connect(house.address).await.unwrap();
    let head = format!(
        "GET /api/v1/events?topics=devices HTTP/1.1\r\nhost: localhost\r\n{CALLER}: {ADMIN}\r\n\r\n"
    );
    asleep.write_all(head.as_bytes()).await.unwrap();
    until(|| house.app.hub.streams() == 1).await;
    let mut awake = Vec::new();
    for _ in 0..5 {
        let (mut stream, _) = house.stream("?topics=devices", &[]).await;
        awake.push(tokio::spawn(async move { events(&mut stream, 3000).await }));
    }
    for number in 0..3000 {
        house
            .write(Actor::System, move |tx| {
                tx.emit(Event::ScanUnknown {
                    device_id: DeviceId(number),
                    tag_suffix: Label("x".repeat(2000)),
                })
            })
            .await
            .unwrap();
    }
    for reader in awake {
        let heard = reader.await.unwrap();
        assert_eq!(heard, (0..3000).map(|n| (n + 1, n)).collect::<Vec<_>>());
    }
    let metrics = house.app.hub.metrics();
    until(|| metrics.endings(Ending::Stalled) == 1).await;
    // What it costs is what the kernel held for it: a part of six million bytes.
    let mut held = Vec::new();
    let _ = timeout(PATIENCE, asleep.read_to_end(&mut held)).await.expect("closed");
    assert!(held.len() < 600_000, "{}", held.len());
}

/// Its share is 4 KiB each time; that the kernel calls for more only when a third of its room is free
/// is not the reader's fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_takes_some_times_its_share_is_slow_and_is_not_cut() {
    let house = House::with(|config| config.stream_stall_s = 2).await;
    let readers = [ask_slowly(&house, "events", "").await, ask_slowly(&house, "ws", UPGRADE).await];
    until(|| house.app.hub.streams() == 2).await;
    let write = |tx: &mut Tx<'_>| {
        (0..1000).try_for_each(|number| {
            let tag_suffix = Label("x".repeat(2000));
            tx.emit(Event::ScanUnknown { device_id: DeviceId(number), tag_suffix })
        })
    };
    let reading = readers.map(|mut socket| {
        tokio::spawn(async move {
            let (mut taken, mut tick) = (0, tokio::time::interval(Duration::from_millis(50)));
            while taken < 72 * 1024 {
                tick.tick().await;
                taken += socket.read(&mut [0; 600]).await.unwrap();
            }
            socket
        })
    });
    // They read by then: on a busy machine it takes a while to get from here to there.
    house.write(Actor::System, write).await.unwrap();
    for reader in reading {
        reader.await.unwrap();
        assert_eq!(house.app.hub.metrics().endings(Ending::Stalled), 0);
    }
}

/// Fault 72.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_takes_a_byte_now_and_then_is_cut_like_one_that_takes_none() {
    const EVENTS: i64 = 1000;
    let house = House::with(|config| config.stream_stall_s = 1).await;
    let sippers = [ask_slowly(&house, "events", "").await, ask_slowly(&house, "ws", UPGRADE).await];
    until(|| house.app.hub.streams() == 2).await;
    let (mut awake, _) = house.stream("?topics=devices", &[]).await;
    let sipping: Vec<_> = sippers
        .into_iter()
        .map(|socket| {
            tokio::spawn(async move {
                let mut tick = tokio::time::interval(Duration::from_millis(50));
                loop {
                    tick.tick().await;
                    if let Ok(0) = socket.try_read(&mut [0]) {
                        return;
                    }
                }
            })
        })
        .collect();
    let heard = tokio::spawn(async move { events(&mut awake, EVENTS as usize).await });
    for number in 0..EVENTS {
        let tag_suffix = Label("x".repeat(2000));
        let event = Event::ScanUnknown { device_id: DeviceId(number), tag_suffix };
        house.write(Actor::System, move |tx| tx.emit(event)).await.unwrap();
    }
    until(|| house.app.hub.metrics().endings(Ending::Stalled) == 2).await;
    assert_eq!(heard.await.unwrap(), (0..EVENTS).map(|n| (n + 1, n)).collect::<Vec<_>>());
    sipping.iter().for_each(tokio::task::JoinHandle::abort);
}
