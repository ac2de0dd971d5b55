//! What all event streams share: how many there may be, and tickets for clients that can send
//! neither cookie nor header.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::listen::network;
use super::signed_in::SignedIn;
use crate::base::id::PersonId;
use crate::base::{Clock, Error, Result, secret};

/// How long a ticket is good for.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// How many tickets may be open at once.
const TICKETS_MAX: usize = 4096;

/// How many streams there may be.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    pub all: usize,
    pub per_person: usize,
    pub per_address: usize,
}

/// The open streams, counted, and the open tickets.
#[derive(Debug)]
pub struct Streams {
    caps: Caps,
    /// How long a reader may take nothing while something waits for it.
    pub stall: Duration,
    pub clock: Clock,
    counts: Mutex<Counts>,
    /// Streams over a cap.
    refused: AtomicU64,
    tickets: Mutex<HashMap<[u8; 32], Ticket>>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_person: HashMap<PersonId, usize>,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Ticket {
    who: SignedIn,
    good_until: Instant,
}

/// A place among the streams, given back when dropped.
#[derive(Debug)]
pub struct Seat {
    streams: Arc<Streams>,
    person: Option<PersonId>,
    address: Option<IpAddr>,
}

impl Streams {
    /// Returns an empty room with these limits.
    pub fn new(caps: Caps, stall: Duration, clock: Clock) -> Streams {
        Streams {
            caps,
            stall,
            clock,
            counts: Mutex::default(),
            refused: AtomicU64::default(),
            tickets: Mutex::default(),
        }
    }

    /// Takes a place for a stream, unless one of the caps is reached.
    pub fn sit(
        self: &Arc<Streams>,
        person: Option<PersonId>,
        address: Option<IpAddr>,
    ) -> Option<Seat> {
        let address = address.map(network);
        let mut counts = self.counts();
        let here = |by: &HashMap<IpAddr, usize>| address.and_then(|a| by.get(&a).copied());
        let own = |by: &HashMap<PersonId, usize>| person.and_then(|p| by.get(&p).copied());
        if counts.all >= self.caps.all
            || here(&counts.by_address).unwrap_or(0) >= self.caps.per_address
            || own(&counts.by_person).unwrap_or(0) >= self.caps.per_person
        {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        counts.all += 1;
        if let Some(person) = person {
            *counts.by_person.entry(person).or_default() += 1;
        }
        if let Some(address) = address {
            *counts.by_address.entry(address).or_default() += 1;
        }
        Some(Seat { streams: self.clone(), person, address })
    }

    /// Returns how many streams are open.
    pub fn open(&self) -> usize {
        self.counts().all
    }

    /// Returns how many streams were refused since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Gives out a ticket that opens one stream as `who`, once and soon. Who has as many as there may
    /// be streams of one person gets it in place of the own oldest, and takes nobody else's.
    pub fn ticket(&self, who: SignedIn) -> Result<String> {
        let now = Instant::now();
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        if tickets.len() >= TICKETS_MAX {
            tickets.retain(|_, ticket| ticket.good_until > now);
        }
        let own = tickets.iter().filter(|(_, ticket)| ticket.who.person == who.person);
        if own.clone().count() >= self.caps.per_person
            && let Some(oldest) = own.min_by_key(|(_, ticket)| ticket.good_until)
        {
            let oldest = *oldest.0;
            tickets.remove(&oldest);
        }
        if tickets.len() >= TICKETS_MAX {
            return Err(Error::Busy);
        }
        let text = secret::hex(&secret::random::<24>()?);
        tickets.insert(secret::hash(&text), Ticket { who, good_until: now + TICKET_LIFE });
        Ok(text)
    }

    /// Takes a ticket back and returns whose it is, if it is still good.
    pub fn redeem(&self, ticket: &str) -> Option<SignedIn> {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = tickets.remove(&secret::hash(ticket))?;
        (ticket.good_until > Instant::now()).then_some(ticket.who)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Returns the room that the seat is in.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let counts = &mut *self.streams.counts();
        counts.all -= 1;
        take_one(&mut counts.by_person, self.person);
        take_one(&mut counts.by_address, self.address);
    }
}

fn take_one<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: Option<K>) {
    let Some(key) = key else { return };
    let Some(count) = counts.get_mut(&key) else { return };
    *count -= 1;
    if *count == 0 {
        counts.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Caps, Streams, TICKETS_MAX};
    use crate::base::Clock;
    use crate::base::id::PersonId;
    use crate::domain::people::Role;
    use crate::http::signed_in::SignedIn;

    #[test]
    fn the_tickets_of_one_person_leave_room_for_those_of_others() {
        let caps = Caps { all: 1, per_person: 3, per_address: 1 };
        let streams = Streams::new(caps, Duration::from_secs(1), Clock::System);
        let ticket = |person| {
            let session = format!("s{person}");
            streams.ticket(SignedIn { person: PersonId(person), role: Role::Member, session })
        };
        let greedy: Vec<_> = (0..TICKETS_MAX + 1).map(|_| ticket(1).unwrap()).collect();
        let modest = ticket(2).unwrap();
        assert_eq!(streams.redeem(&modest).map(|who| who.person), Some(PersonId(2)));
        let good = greedy.iter().rev().take_while(|ticket| streams.redeem(ticket).is_some());
        assert_eq!(good.count(), 3, "the newest of the greedy one");
    }
}
