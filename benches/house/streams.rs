//! What an open stream costs: memory at rest, and the processor for each delivery.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::load::{Wire, admin, follow, rest, scan};
use crate::server::{House, tag};

const STREAMS: usize = 1000;
const SCANS: usize = 100;
const PERIOD: Duration = Duration::from_millis(200);

/// Opens streams, lets them rest, then delivers to all of them.
pub async fn measure() {
    let house = House::furnish().await;
    let server = house.open(&[]);
    let cookie = admin(server.address).await;
    rest(Duration::from_secs(1)).await;
    let (rss_before, pss_before) = server.memory_kib();
    let frames = Rc::new(Cell::new(0_usize));
    println!("{STREAMS} streams");
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async {
            for _ in 0..STREAMS {
                let request = follow(&cookie, "lead", None);
                let socket = Wire::connect(server.address).await.stream(&request).await;
                tokio::task::spawn_local(count(socket, frames.clone()));
            }
            rest(Duration::from_secs(3)).await;
            let (rss, pss) = server.memory_kib();
            let each = |after: u64, before: u64| (after as f64 - before as f64) / STREAMS as f64;
            println!(
                "  at rest                  {:.2} KiB resident each, {:.2} KiB of its own",
                each(rss, rss_before),
                each(pss, pss_before),
            );
            let (cpu, heard) = (server.cpu(), frames.get());
            let mut wire = Wire::connect(server.address).await;
            let mut tick = tokio::time::interval(PERIOD);
            for number in 0..SCANS {
                tick.tick().await;
                let key = house.keys.get(number % house.keys.len()).expect("a key");
                let (status, body) = wire.call(&scan(key, number, &tag(number))).await;
                assert_eq!(status, 200, "{body}");
            }
            rest(Duration::from_secs(1)).await;
            let (cpu, heard) = (server.cpu() - cpu, frames.get() - heard);
            println!(
                "  {} scans a second         {heard} frames, {:.1} us of the processor for each\n",
                1000 / PERIOD.as_millis(),
                cpu.as_secs_f64() * 1e6 / heard as f64,
            );
        })
        .await;
}

async fn count(mut socket: TcpStream, frames: Rc<Cell<usize>>) {
    let mut text = Vec::with_capacity(4096);
    while socket.read_buf(&mut text).await.is_ok_and(|read| read > 0) {
        let ends = text.windows(2).filter(|pair| *pair == b"\n\n").count();
        frames.set(frames.get() + ends);
        let keep = text.last().copied().filter(|last| *last == b'\n' && !text.ends_with(b"\n\n"));
        text.clear();
        text.extend(keep);
    }
}
