//! The running house: what is wired to what at the start, and what ends in which order.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::app::{App, Threads};
use crate::base::{Actor, Clock, Error};
use crate::config::Config;
use crate::domain::people::setup;
use crate::http::guard::Guard;
use crate::http::listen::{Door, Limits};
use crate::jobs::Jobs;
use crate::store::directory::{Contact, Directory, SERVE};
use crate::{heartbeat, http, store, systemd};

/// How many connections may wait to be accepted: a house of tablets after a power cut.
const BACKLOG: i32 = 4096;

/// How often the writer is asked whether it is well; what a command has written beside the server
/// is announced then at the latest: well within the second in which rights take effect.
const PULSE: Duration = Duration::from_millis(500);

/// How long requests in flight and streams have to end.
const DRAIN_MAX: Duration = Duration::from_secs(8);

/// A house that is open.
pub struct House {
    pub app: App,
    /// Where it listens.
    pub address: SocketAddr,
    door: Door,
    tasks: Vec<JoinHandle<()>>,
    jobs: Jobs,
    serving: JoinHandle<()>,
    threads: Threads,
    /// Given up last: nobody else may write before everything here has ended.
    _directory: Directory,
}

/// Serves until the process is told to stop; `ready` hears the address.
pub fn run(config: Config, ready: impl FnOnce(&str)) -> Result<()> {
    allow_descriptors()?;
    let directory = Directory::open(&config.data, SERVE)?;
    // Before the database is touched: a second server on the port must change nothing.
    let listener = match systemd::listener()? {
        Some(listener) => listener,
        None => listen(config.listen)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stop = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let house = House::open(directory, config, Clock::System, listener)?;
        let url = house.url();
        let told = tell_set_up(&house.app, &url).await;
        told.map_err(|error| store::unopened(house.app.store.path(), error))?;
        tracing::info!(url, version = env!("CARGO_PKG_VERSION"), "the house is open");
        ready(&url);
        systemd::ready(&url);
        let durable = house.app.durable.clone();
        tokio::select! {
            _ = stop.recv() => {}
            _ = interrupt.recv() => {}
            () = durable.broken() => {
                tracing::error!("the disk did not keep what was written; nothing of it was answered");
                // As it stands: to close the house would move the log into the database file.
                std::process::exit(1);
            }
        }
        systemd::stopping();
        house.close().await;
        Ok(())
    })
}

/// Says that a house without an admin waits to be set up. The code itself is for a terminal only:
/// a log is read by more people.
async fn tell_set_up(app: &App, url: &str) -> Result<()> {
    if !app.read(setup::needed).await? {
        return Ok(());
    }
    tracing::info!(
        url,
        "nobody is admin yet; the code that 'daybook init' gives sets the house up"
    );
    if std::io::stderr().is_terminal() {
        let code = app.write(Actor::System, "people.new_setup_code", setup::code_if_due).await?;
        if let Some(code) = code {
            let mut out = std::io::stderr();
            let _ = writeln!(out, "Set-up code: {code} (good once, for 24 hours)");
        }
    }
    Ok(())
}

/// Raises the limit of open files as far as the system lets us: every connection is one.
fn allow_descriptors() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .context("the limit of open files")
}

/// Binds the address, which must be free.
pub fn listen(address: SocketAddr) -> Result<std::net::TcpListener> {
    let bound = || -> std::io::Result<std::net::TcpListener> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::STREAM,
            None,
        )?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    bound().map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow::anyhow!(
                "{address}: the port is in use; --listen or the setting listen moves it"
            )
        }
        _ => anyhow::Error::from(e).context(format!("{address}: cannot listen")),
    })
}

impl House {
    /// Opens the house of `directory` on `listener`: the spine first, the door last.
    pub fn open(
        directory: Directory,
        config: Config,
        clock: Clock,
        listener: std::net::TcpListener,
    ) -> Result<House> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener).context("the listening socket")?;
        let address = listener.local_addr()?;
        let (app, threads) = App::open(config, clock)?;
        let door = Door::new(limits(&app.config));
        let router = http::router(app.clone(), Guard::new(names(&app.config)), door.gate());
        let tasks =
            vec![tokio::spawn(pulse(app.clone())), tokio::spawn(heartbeat::run(app.clone()))];
        let contact = Contact { address: near(address), key: app.operator.reveal().to_owned() };
        if let Err(error) = directory.leave_contact(&contact) {
            tracing::warn!(%error, "'daybook check' will not be able to ask this server");
        }
        let jobs = Jobs::spawn(&app);
        let serving = tokio::spawn(door.clone().serve(listener, router));
        Ok(House { app, address, door, tasks, jobs, serving, threads, _directory: directory })
    }

    /// Returns where people find the house from this machine.
    pub fn url(&self) -> String {
        let host = if self.address.ip().is_unspecified() {
            "localhost".to_owned()
        } else if self.address.is_ipv6() {
            format!("[{}]", self.address.ip())
        } else {
            self.address.ip().to_string()
        };
        format!("http://{host}:{}", self.address.port())
    }

    /// Closes the house: nobody comes in any more, streams say goodbye, requests in flight finish,
    /// the timetable ends, the writer writes its queue, the log moves into the database file.
    pub async fn close(self) {
        self.door.close();
        self.app.hub.drain();
        let left = self.door.emptied(DRAIN_MAX).await;
        if left > 0 {
            tracing::warn!(connections = left, "some did not end in time and were dropped");
        }
        self.jobs.stop().await;
        for task in self.tasks.iter().chain([&self.serving]) {
            task.abort();
        }
        for task in self.tasks.into_iter().chain([self.serving]) {
            // Ended by abort or by itself; its handles on the writer are gone either way.
            let _ = task.await;
        }
        drop(self.app);
        let threads = self.threads;
        let _ = tokio::task::spawn_blocking(move || threads.join()).await;
        tracing::info!("the house is closed");
    }
}

/// Asks the writer for a sign of life, and passes it on to systemd's watchdog.
async fn pulse(app: App) {
    let limit = systemd::watchdog_interval();
    let mut told = tokio::time::Instant::now();
    let mut tried = 0;
    let mut beat = tokio::time::interval(PULSE);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let answered = app.write(Actor::System, "serve.pulse", |_| Ok(())).await;
        let before = std::mem::replace(&mut tried, app.hub.metrics().commits_tried());
        if shows_life(&answered, before, tried)
            && limit.is_some_and(|limit| told.elapsed() >= limit)
        {
            systemd::alive();
            told = tokio::time::Instant::now();
        }
    }
}

/// Says whether the writer lives. That the disk is full is an answer: a restart would not help. That
/// there is no place in the queue is none, unless the writer gets on with what waits there.
fn shows_life(answered: &crate::base::Result<()>, before: u64, tried: u64) -> bool {
    !matches!(answered, Err(Error::Busy)) || tried > before
}

/// Returns where this machine itself reaches `address`.
pub fn near(address: SocketAddr) -> SocketAddr {
    let loopback: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let ip = if address.ip().is_unspecified() { loopback } else { address.ip() };
    SocketAddr::new(ip, address.port())
}

fn limits(config: &Config) -> Limits {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Limits {
        connections: config.connections_max,
        per_address: config.connections_per_address,
        head: seconds(config.request_head_s),
        body: seconds(config.request_body_s),
        stall: seconds(config.stream_stall_s),
        stream_buffer: config.stream_buffer_kib * 1024,
    }
}

/// The host names that browsers may use: those of the settings, and this machine's own.
fn names(config: &Config) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = config.hosts.iter().cloned().collect();
    let system = rustix::system::uname();
    if let Ok(own) = system.nodename().to_str() {
        names.insert(own.to_ascii_lowercase());
        names.insert(format!("{}.local", own.to_ascii_lowercase()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_hangs_behind_a_full_queue_shows_no_life() {
        assert!(shows_life(&Ok(()), 7, 7));
        assert!(shows_life(&Err(Error::StorageFailed(anyhow::anyhow!("full"))), 7, 7));
        assert!(shows_life(&Err(Error::Busy), 7, 8));
        assert!(!shows_life(&Err(Error::Busy), 8, 8));
    }
}
