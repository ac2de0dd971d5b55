//! Event streams over real sockets: one order for all, and resume after cuts.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use daybook::app::App;
use daybook::base::id::DeviceId;
use daybook::base::{Actor, Error};
use daybook::event::{Event, Label};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::callers::{ADMIN, CALLER, House, emit, events, next, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_and_a_hundred_readers_agree_on_one_order() {
    agree_on_one_order(|_, _| ()).await;
}

/// A slow disk is waited for by another thread than a quick one; here the disk changes its mind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_agree_too_when_the_disk_is_slow_now_and_then() {
    agree_on_one_order(|app, number| {
        if number % 3 == 0 {
            app.durable.find_slow();
        }
    })
    .await;
}

async fn agree_on_one_order(before_each: fn(&App, i64)) {
    let house = House::with(|config| config.streams_per_person = 100).await;
    let mut readers = Vec::new();
    for _ in 0..100 {
        let (mut stream, _) = house.stream("?topics=devices", &[]).await;
        readers.push(tokio::spawn(async move { events(&mut stream, 200).await }));
    }
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let app = house.app.clone();
            tokio::spawn(async move {
                for n in 0..25 {
                    let number = writer * 1000 + n;
                    before_each(&app, number);
                    app.write(Actor::System, "test", move |tx| emit(tx, number)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut orders = Vec::new();
    for reader in readers {
        orders.push(reader.await.unwrap());
    }
    let first = orders[0].clone();
    let places: Vec<_> = first.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (1..=200).collect::<Vec<_>>());
    let mut numbers: Vec<_> = first.iter().map(|(_, number)| *number).collect();
    numbers.sort_unstable();
    let expected: Vec<_> = (0..8).flat_map(|w| (0..25).map(move |n| w * 1000 + n)).collect();
    assert_eq!(numbers, expected);
    assert!(orders.iter().all(|order| *order == first));
    assert!(house.app.hub.metrics().deliveries.load(Ordering::Relaxed) >= 20_000);
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Follows from `last` on, is cut after `bytes` in the middle of whatever comes, and returns the
/// events that had come whole.
async fn follow_and_cut(address: SocketAddr, last: &mut String, bytes: usize) -> Vec<(i64, i64)> {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /api/v1/events?topics=devices HTTP/1.1\r\nhost: localhost\r\n{CALLER}: {ADMIN}\r\n\
         last-event-id: {last}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut heard = vec![0; bytes];
    let mut length = 0;
    // A quiet moment is as good a place to be cut as any.
    while length < bytes {
        match timeout(Duration::from_millis(200), socket.read(&mut heard[length..])).await {
            Ok(Ok(read)) if read > 0 => length += read,
            _ => break,
        }
    }
    drop(socket);
    let text = String::from_utf8_lossy(&heard[..length]).into_owned();
    let Some((_, body)) = text.split_once("\r\n\r\n") else { return Vec::new() };
    let mut events = Vec::new();
    for frame in body.split_inclusive("\n\n").filter(|frame| frame.ends_with("\n\n")) {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
        let Some(id) = field("id: ") else { continue };
        *last = id.to_owned();
        assert_ne!(field("event: "), Some("resync"), "{frame}");
        if field("event: ") == Some("scan.unknown") {
            let json: Value = serde_json::from_str(field("data: ").unwrap()).unwrap();
            let number = json["data"]["device_id"].as_str().unwrap().parse().unwrap();
            events.push((id.rsplit_once('-').unwrap().1.parse().unwrap(), number));
        }
    }
    events
}

/// Fault 68.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_cuts_lose_nothing_and_repeat_nothing() {
    const EVENTS: i64 = 20_000;
    let house = House::new().await;
    let start = house.app.hub.head().to_string();
    let app = house.app.clone();
    let writer = tokio::spawn(async move {
        for chunk in 0..EVENTS / 20 {
            let numbers = chunk * 20..(chunk + 1) * 20;
            app.write(Actor::System, "test", move |tx| {
                numbers.into_iter().try_for_each(|number| emit(tx, number))
            })
            .await
            .unwrap();
        }
    });
    let readers: Vec<_> = (1..=4)
        .map(|seed| {
            let (address, mut last) = (house.address, start.clone());
            tokio::spawn(async move {
                let mut dice = Dice(seed);
                let (mut heard, mut cuts) = (Vec::new(), 0);
                while heard.len() < EVENTS as usize || cuts < 50 {
                    heard.extend(follow_and_cut(address, &mut last, 1 + dice.below(300_000)).await);
                    cuts += 1;
                }
                (heard, cuts)
            })
        })
        .collect();
    writer.await.unwrap();
    let expected: Vec<_> = (0..EVENTS).map(|number| (number + 1, number)).collect();
    let mut all_cuts = 0;
    for reader in readers {
        let (heard, cuts) = reader.await.unwrap();
        assert_eq!(heard.len(), expected.len());
        assert_eq!(heard, expected);
        all_cuts += cuts;
    }
    assert!(all_cuts >= 200, "{all_cuts}");
}

/// Fault 70.
#[tokio::test]
async fn a_start_that_is_not_known_here_gets_one_resync_and_then_what_happens() {
    let house = House::new().await;
    for number in 0..10 {
        house.emit(number).await;
    }
    // The ring holds the newest events whatever the log forgets: begin with an empty one.
    let head = house.app.hub.head();
    let epoch = head.epoch.clone();
    let long = "9".repeat(8000);
    for (number, (last, reason)) in [
        ("", "not_a_cursor"),
        ("abc", "not_a_cursor"),
        ("-1", "not_a_cursor"),
        ("10000000000000000000000000", "not_a_cursor"),
        (long.as_str(), "not_a_cursor"),
        ("00000000-3", "other_epoch"),
        ("e\u{7f}-1", "not_a_cursor"),
        (&format!("{epoch}-999"), "in_the_future"),
        (&format!("{epoch}--1"), "other_epoch"),
        (&format!("{epoch}-007"), "not_a_cursor"),
    ]
    .into_iter()
    .enumerate()
    {
        let headers = [("last-event-id", last)];
        if axum::http::HeaderValue::from_str(last).is_err() {
            continue;
        }
        let (mut stream, greeting) = house.stream("?topics=devices", &headers).await;
        let resync = next(&mut stream).await.unwrap();
        assert_eq!(resync.event.as_deref(), Some("resync"), "{last:?}");
        // Whoever is cut before the second frame comes back with what it came with.
        assert_eq!(greeting.id, None, "{last:?}");
        let data = resync.json().unwrap()["data"].clone();
        assert_eq!(data["reason"], reason, "{last:?}");
        assert_eq!(data["cursor"], resync.id.as_deref().unwrap());
        let number = 100 + i64::try_from(number).unwrap();
        house.emit(number).await;
        assert_eq!(events(&mut stream, 1).await[0].1, number, "{last:?}");
    }
}

/// Fault 71.
#[tokio::test]
async fn a_start_that_is_older_than_the_log_gets_one_resync_and_then_what_happens() {
    const EVENTS: i64 = 3000;
    let house = House::new().await;
    let start = house.app.hub.head().to_string();
    // More bytes than the ring holds; then the log forgets them, too, all but the newest, whose
    // number must never be given again.
    let write = house.write(Actor::System, |tx| {
        (0..EVENTS).try_for_each(|number| {
            let tag_suffix = Label("x".repeat(2000));
            tx.emit(Event::ScanUnknown { device_id: DeviceId(number), tag_suffix })
        })
    });
    write.await.unwrap();
    let prune = house.write(Actor::System, |tx| {
        daybook::live::log::prune(tx, tx.now.plus(Duration::from_secs(1)))
    });
    assert_eq!(prune.await.unwrap(), EVENTS as usize - 1);
    house.emit(7).await;
    let headers = [("last-event-id", start.as_str())];
    let (mut stream, greeting) = house.stream("?topics=devices", &headers).await;
    let resync = next(&mut stream).await.unwrap();
    assert_eq!((resync.event.as_deref(), greeting.id), (Some("resync"), None));
    let data = resync.json().unwrap()["data"].clone();
    let cursor = house.app.hub.head().to_string();
    assert_eq!(data, serde_json::json!({ "reason": "too_old", "cursor": cursor }));
    house.emit(8).await;
    house.emit(9).await;
    assert_eq!(events(&mut stream, 2).await, [(EVENTS + 2, 8), (EVENTS + 3, 9)]);
}

#[tokio::test]
async fn the_header_wins_over_the_query_and_both_resume() {
    let house = House::new().await;
    let start = house.app.hub.head();
    for number in 0..5 {
        house.emit(number).await;
    }
    let (mut stream, greeting) = house.stream(&format!("?topics=devices&after={start}"), &[]).await;
    assert_eq!(greeting.id.as_deref(), Some(start.to_string().as_str()));
    let heard = events(&mut stream, 5).await;
    assert_eq!(heard, (0..5).map(|n| (n + 1, n)).collect::<Vec<_>>());

    let newer = format!("{}-3", start.epoch);
    let headers = [("last-event-id", newer.as_str())];
    let (mut stream, _) = house.stream(&format!("?topics=devices&after={start}"), &headers).await;
    assert_eq!(events(&mut stream, 2).await, [(4, 3), (5, 4)]);
}

#[tokio::test]
async fn a_write_that_fails_or_panics_and_a_commit_that_fails_are_never_heard_of() {
    let house = House::new().await;
    let (mut stream, _) = house.stream("?topics=devices", &[]).await;
    let planned = house.write(Actor::System, |tx| {
        emit(tx, 1)?;
        Err::<(), _>(Error::conflict("test.planned", "planned"))
    });
    assert!(planned.await.is_err());
    let panics = house.write(Actor::System, |tx| {
        emit(tx, 2)?;
        assert!(tx.now.0 == 0, "planned");
        Ok(())
    });
    assert!(panics.await.is_err());
    house.app.writer.faults().plan(daybook::live::faults::Fault::BeforeCommit);
    assert!(house.write(Actor::System, |tx| emit(tx, 3)).await.is_err());
    house.emit(4).await;
    assert_eq!(events(&mut stream, 1).await, [(1, 4)]);
}

#[tokio::test]
async fn a_full_queue_says_busy_and_reads_and_streams_go_on() {
    let house = House::with(|config| config.write_queue = 4).await;
    let (mut stream, _) = house.stream("?topics=devices", &[]).await;
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let app = house.app.clone();
    let slow = tokio::spawn(async move {
        app.write(Actor::System, "test", move |tx| {
            began.send(()).unwrap();
            wait.recv().unwrap();
            emit(tx, 0)
        })
        .await
    });
    has_begun.await.unwrap();
    let waiting: Vec<_> = (1..=4)
        .map(|number| {
            let app = house.app.clone();
            tokio::spawn(async move {
                app.write(Actor::System, "test", move |tx| emit(tx, number)).await
            })
        })
        .collect();
    until(|| house.app.hub.metrics().queue_depth.load(Ordering::Relaxed) == 4).await;
    let busy = house.write(Actor::System, |tx| emit(tx, 9)).await;
    assert!(matches!(busy, Err(Error::Busy)), "{busy:?}");
    // Reads, pages and streams do not wait for the writer.
    assert_eq!(house.number("select count(*) from event_log").await, 0);
    let (_another, _) = house.stream("", &[]).await;
    release.send(()).unwrap();
    slow.await.unwrap().unwrap();
    for write in waiting {
        write.await.unwrap().unwrap();
    }
    assert_eq!(events(&mut stream, 5).await, (0..5).map(|n| (n + 1, n)).collect::<Vec<_>>());
}

/// Fault 74.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_readers_that_come_back_at_once_are_all_served_and_writes_go_on() {
    const READERS: usize = 1000;
    let house = House::with(|config| {
        config.streams_per_person = READERS;
        config.streams_per_address = READERS;
    })
    .await;
    let start = house.app.hub.head().to_string();
    for number in 0..50 {
        house.emit(number).await;
    }
    let begun = std::time::Instant::now();
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (caller, start) = (house.caller(ADMIN), start.clone());
            tokio::spawn(async move {
                let headers = [("last-event-id", start.as_str())];
                let path = "/api/v1/events?topics=devices";
                let mut stream = caller.stream(path, &headers).await.unwrap();
                assert_eq!(stream.status, 200);
                next(&mut stream).await.unwrap();
                events(&mut stream, 51).await
            })
        })
        .collect();
    until(|| house.app.hub.streams() == READERS).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    house.emit(50).await;
    let expected: Vec<_> = (0..51).map(|n| (n + 1, n)).collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), expected);
    }
}
