//! The house at rest: how soon it answers, what it holds, what it does while nothing happens.

use std::time::{Duration, Instant};

use crate::load::{Wire, admin, follow, rest};
use crate::median;
use crate::server::{House, Server, directory};

const STARTS: usize = 5;
const REST: Duration = Duration::from_secs(10);

/// Measures the start and the rest of the benchmark's house and, where there is one, the demo's.
pub async fn measure() {
    let house = House::furnish().await;
    println!("the house at rest");
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let server = house.open(&[]);
        let mut wire = Wire::connect(server.address).await;
        let (status, _) = wire.call(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert_eq!(status, 200);
        starts.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    println!("  start to first answer    {:.0} ms (median of {STARTS})", median(starts));
    let server = house.open(&[]);
    let cookie = admin(server.address).await;
    show("2,048 members", &server, &cookie).await;
    let data = directory();
    let demo = Server::start(data.path(), &["demo", "--paused"]);
    let first = demo.ready.pointer("/sign_ins/0").expect("a sign-in");
    let field = |name: &str| first.get(name).and_then(|v| v.as_str()).expect("a sign-in");
    let cookie = crate::load::sign_in(demo.address, field("username"), field("password")).await;
    show("demo house, paused", &demo, &cookie).await;
    println!();
}

/// Shows what a server holds and does with five pages open.
async fn show(name: &str, server: &Server, cookie: &str) {
    let mut open = Vec::new();
    for _ in 0..5 {
        let request = follow(cookie, "house,help", None);
        open.push(Wire::connect(server.address).await.stream(&request).await);
    }
    rest(Duration::from_secs(2)).await;
    let before = server.cpu();
    rest(REST).await;
    let cpu = server.cpu() - before;
    let (rss, pss) = server.memory_kib();
    println!(
        "  {name:<24} {:.1} MiB resident ({:.1} of its own), {:.2} % of a processor, 5 streams",
        rss as f64 / 1024.0,
        pss as f64 / 1024.0,
        cpu.as_secs_f64() / REST.as_secs_f64() * 100.0,
    );
}
