//! The front door: accepts connections, counts them, and lets them out again.
//!
//! A connection over a cap is told so (503 with `Retry-After`) and closed; it never reaches the
//! router. Running out of descriptors costs the newcomer an answer, never the loop its turn. At
//! the end of service the door closes first, requests in flight finish, streams say goodbye, and
//! whatever is left after a limit is dropped.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};

use super::conn;
use super::outlet::between;

/// How many connections from this machine itself are let in above the cap, for its operator.
const OPERATOR_SPARE: usize = 4;
/// How many refused connections may be kept for a moment so that they can read their answer.
const DOORSTEP: usize = 64;
/// How long a loop that ran out of descriptors rests before it tries again.
const NO_DESCRIPTOR_REST: Duration = Duration::from_millis(20);
/// How long a peer that answers nothing is believed to be alive.
const PEER_SILENT: Duration = Duration::from_secs(30);

/// What a connection may cost; every field is a setting.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address (IPv6: from one /64 network).
    pub per_address: usize,
    /// Time for a request's head, and for silence between two requests.
    pub head: Duration,
    /// Time for a request's body, beyond what its size explains.
    pub body: Duration,
    /// Time within which a reader of an answer must take a fair share of it.
    pub stall: Duration,
    /// What the kernel may hold for the slow reader of a stream, in bytes.
    pub stream_buffer: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 12_000,
            per_address: 1_024,
            head: Duration::from_secs(10),
            body: Duration::from_secs(15),
            stall: Duration::from_secs(25),
            stream_buffer: 64 * 1024,
        }
    }
}

/// How far the end of service has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Everything is welcome.
    Open,
    /// No new connection; what is in flight finishes.
    Draining,
    /// Everything is dropped.
    Ended,
}

/// Who is at the other end of a connection, as the accept loop knows it. A request carries it as
/// an extension; where it is missing, no accept loop stands behind and no socket can be taken over.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The other end.
    pub remote: SocketAddr,
    /// Our end; its address is one of the names this house is reached by.
    pub local: SocketAddr,
    /// Whether the connection is encrypted.
    pub secure: bool,
}

/// The front door, shared by all its listeners.
#[derive(Debug, Clone)]
pub struct Door {
    limits: Arc<Limits>,
    gate: Arc<Gate>,
    phase: watch::Sender<Phase>,
}

impl Door {
    /// Opens a door with these limits; nothing listens yet.
    pub fn new(limits: Limits) -> Door {
        let gate = Gate::new(limits.connections, limits.per_address);
        Door {
            limits: Arc::new(limits),
            gate: Arc::new(gate),
            phase: watch::Sender::new(Phase::Open),
        }
    }

    /// Returns the counts of what stands in the door.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Accepts from `listener` and answers with `router` until the door closes.
    pub async fn serve(self, listener: TcpListener, router: Router) {
        let mut phase = self.phase.subscribe();
        let mut spare = spare();
        loop {
            // In this order: who stands before a closed door does not come in.
            let accepted = tokio::select! {
                biased;
                _ = phase.wait_for(|now| *now != Phase::Open) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, remote)) => self.admit(socket, remote, &router),
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    // Out of descriptors or memory: give up the spare one, so that one caller
                    // at a time gets an answer, and rest, so that the loop does not spin.
                    tracing::warn!(%error, "cannot accept a connection");
                    drop(spare.take());
                    if let Ok(Ok((socket, _))) =
                        tokio::time::timeout(NO_DESCRIPTOR_REST, listener.accept()).await
                    {
                        self.gate.refused.fetch_add(1, Ordering::Relaxed);
                        say_full(&socket);
                    }
                    tokio::time::sleep(NO_DESCRIPTOR_REST).await;
                    spare = self::spare();
                }
            }
        }
    }

    /// Closes the door: nobody comes in any more, and connections end after the request in hand.
    pub fn close(&self) {
        self.gate.closing.store(true, Ordering::Relaxed);
        self.phase.send_replace(Phase::Draining);
    }

    /// Waits until everybody is out, at most for `limit`; then drops those who are left and
    /// returns how many they were.
    pub async fn emptied(&self, limit: Duration) -> usize {
        let _ = tokio::time::timeout(limit, self.gate.emptied()).await;
        self.phase.send_replace(Phase::Ended);
        self.gate.open()
    }

    fn admit(&self, socket: TcpStream, remote: SocketAddr, router: &Router) {
        let Some(permit) = self.gate.enter(remote.ip()) else {
            self.refuse(socket);
            return;
        };
        // A peer that is gone before its name can be asked for needs no answer.
        let Ok(local) = socket.local_addr() else { return };
        tune(&socket);
        let peer = Peer { remote, local, secure: false };
        let phase = self.phase.subscribe();
        let limits = self.limits.clone();
        tokio::spawn(conn::drive(socket, peer, router.clone(), limits, permit, phase));
    }

    fn refuse(&self, socket: TcpStream) {
        self.gate.refused.fetch_add(1, Ordering::Relaxed);
        say_full(&socket);
        if let Ok(place) = self.gate.doorstep.clone().try_acquire_owned() {
            tokio::spawn(async move {
                conn::see_off(socket, conn::SEE_OFF_UNHEARD).await;
                drop(place);
            });
        }
    }
}

/// Counts connections, in all and by address.
#[derive(Debug)]
pub struct Gate {
    connections: usize,
    per_address: usize,
    open: AtomicUsize,
    closing: AtomicBool,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    refused: AtomicU64,
    /// Places for the refused, who may read why before they are gone.
    doorstep: Arc<Semaphore>,
    left: Notify,
}

impl Gate {
    fn new(connections: usize, per_address: usize) -> Gate {
        Gate {
            connections,
            per_address,
            open: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            by_address: Mutex::default(),
            refused: AtomicU64::new(0),
            doorstep: Arc::new(Semaphore::new(DOORSTEP)),
            left: Notify::new(),
        }
    }

    /// Returns how many connections are open, streams included.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Returns whether the house is on its way out.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Returns how many connections were turned away since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn enter(self: &Arc<Gate>, address: IpAddr) -> Option<Permit> {
        let spare = if address.is_loopback() { OPERATOR_SPARE } else { 0 };
        let address = network(address);
        let mut by_address = self.lock();
        let here = by_address.get(&address).copied().unwrap_or(0);
        if self.open() >= self.connections + spare || here >= self.per_address + spare {
            return None;
        }
        by_address.insert(address, here + 1);
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Permit { gate: self.clone(), address })
    }

    fn leave(&self, address: IpAddr) {
        let mut by_address = self.lock();
        if let Some(here) = by_address.get_mut(&address) {
            *here -= 1;
            if *here == 0 {
                by_address.remove(&address);
            }
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
        drop(by_address);
        self.left.notify_waiters();
    }

    async fn emptied(&self) {
        loop {
            let left = self.left.notified();
            if self.open() == 0 {
                return;
            }
            left.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the door, given back when dropped.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    address: IpAddr,
}

impl Permit {
    /// Returns what the holder is counted under: its address, or its IPv6 network.
    pub fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.leave(self.address);
    }
}

/// Returns the part of an address that one caller cannot change at will.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

/// Sets what the kernel should do for an accepted connection. A kernel that refuses costs comfort,
/// not the connection.
fn tune(socket: &TcpStream) {
    let socket = SockRef::from(socket);
    let alive = TcpKeepalive::new()
        .with_time(PEER_SILENT)
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_keepalive(&alive);
    let _ = socket.set_tcp_user_timeout(Some(PEER_SILENT));
}

/// Tells a fresh connection that the house is full. Its buffer is empty, so this never waits. Not
/// all should come back in the same second.
fn say_full(socket: &TcpStream) {
    let body = concat!(
        r#"{"type":"about:blank","title":"Service Unavailable","status":503,"#,
        r#""code":"server.full","detail":"Too many connections are open. Try again soon."}"#
    );
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\nretry-after: {}\r\ncache-control: no-store\r\n\
         connection: close\r\n\r\n{body}",
        body.len(),
        between(3, 9)
    );
    let _ = socket.try_write(answer.as_bytes());
}

/// Returns whether a failed accept concerns only the connection that was lost.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Returns a descriptor held back for the moment when none is left.
fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}
