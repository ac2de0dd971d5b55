//! Delivery: how long it takes from the sending of a scan until each of a hundred streams has it.
//! The time holds the request, its commit and its sync too; what is measured at the readers is
//! therefore more than the time since the commit.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::load::{Wire, admin, follow, rest, scan};
use crate::percentile;
use crate::server::{House, tag};

const STREAMS: usize = 100;
const SCANS: usize = 400;
const PERIOD: Duration = Duration::from_millis(50);

/// What was sent when, by member, and what came when.
#[derive(Default)]
struct Times {
    sent: HashMap<String, Instant>,
    answered: HashMap<String, Instant>,
    heard: Vec<(String, Instant)>,
}

/// Measures and shows the delivery of [`SCANS`] scans to [`STREAMS`] streams.
pub async fn measure() {
    let house = House::furnish().await;
    let server = house.open(&[]);
    let cookie = admin(server.address).await;
    let times = Rc::new(RefCell::new(Times::default()));
    println!("delivery of {} scans a second to {STREAMS} streams", 1000 / PERIOD.as_millis());
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async {
            for _ in 0..STREAMS {
                let request = follow(&cookie, "lead", None);
                let socket = Wire::connect(server.address).await.stream(&request).await;
                tokio::task::spawn_local(hear(socket, times.clone()));
            }
            rest(Duration::from_millis(500)).await;
            let mut wire = Wire::connect(server.address).await;
            let mut tick = tokio::time::interval(PERIOD);
            for number in 0..SCANS {
                tick.tick().await;
                let key = house.keys.get(number % house.keys.len()).expect("a key");
                let member = (1000 + number).to_string();
                times.borrow_mut().sent.insert(member.clone(), Instant::now());
                let (status, body) = wire.call(&scan(key, number, &tag(number))).await;
                assert_eq!(status, 200, "{body}");
                times.borrow_mut().answered.insert(member, Instant::now());
            }
            rest(Duration::from_secs(1)).await;
        })
        .await;
    let times = times.borrow();
    assert_eq!(times.heard.len(), SCANS * STREAMS, "every stream hears of every scan, once");
    show("from the sending of the scan", &times, &times.sent);
    show("from the answer, after the commit", &times, &times.answered);
    println!();
}

fn show(name: &str, times: &Times, from: &HashMap<String, Instant>) {
    let since = |(member, at): &(String, Instant)| {
        at.saturating_duration_since(*from.get(member).expect("a scan"))
    };
    let mut all: Vec<Duration> = times.heard.iter().map(since).collect();
    all.sort_unstable();
    println!(
        "  {name:<34} p50 {:>6.2} ms  p99 {:>6.2} ms  max {:>6.2} ms",
        percentile(&all, 0.5),
        percentile(&all, 0.99),
        percentile(&all, 1.0),
    );
}

async fn hear(mut socket: TcpStream, times: Rc<RefCell<Times>>) {
    let mut text = Vec::with_capacity(8192);
    while socket.read_buf(&mut text).await.is_ok_and(|read| read > 0) {
        let now = Instant::now();
        while let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
            let rest = text.split_off(end + 2);
            let frame = String::from_utf8_lossy(&std::mem::replace(&mut text, rest)).into_owned();
            if !frame.contains("event: visit.started") {
                continue;
            }
            let (_, member) = frame.split_once(r#""member_id":""#).expect("a member");
            let (member, _) = member.split_once('"').expect("a member");
            times.borrow_mut().heard.push((member.to_owned(), now));
        }
    }
}
