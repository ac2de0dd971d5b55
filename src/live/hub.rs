//! The hub: the ring of frames, and who is to be told of which topic.
//!
//! A publisher appends frames and marks those who hear them; it never waits for
//! a subscriber. A subscriber of other topics costs nothing when an event
//! passes: its slot is not touched. Frames for a subscriber that rests are brought
//! to it ([`super::courier`]); all others are woken and come for theirs.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::task::Waker;

use slab::Slab;

use super::courier::couriers_for;
use super::metrics::Metrics;
use super::pulse::Pulse;
use super::ring::Ring;
use super::slot::{Slot, SlotId, Turn};
use super::tx::Cut;
use super::watch::{Carrier, DeviceKind};
use crate::base::Timestamp;
use crate::base::id::PersonId;
use crate::event::wire::Frame;
use crate::event::{Cursor, Signal, Stale, Topic};

/// How many beats pass until every subscriber had its turn: one a second makes a sign of life
/// every 15 seconds, and never ten thousand of them at once.
pub const TURNS: u32 = 15;

/// Why a stream ends when the server stops.
pub const SHUTDOWN: &str = "shutdown";

/// Why streams end whose frames were lost on their way here.
pub const LOST: &str = "resume";

/// Where frames are shared out. Clones are one hub.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    epoch: Arc<str>,
    metrics: Metrics,
    /// How often somebody's rights changed or a session ended.
    cuts: AtomicU64,
    state: Mutex<State>,
    /// Figures that some write has made stale, until somebody computes them.
    stale: Mutex<BTreeSet<Stale>>,
    stale_waits: tokio::sync::Notify,
    /// What calls the couriers.
    bells: OnceLock<Vec<SyncSender<()>>>,
}

/// A hub that is kept alive by others.
#[derive(Clone)]
pub(super) struct WeakHub(Weak<Shared>);

pub(super) struct State {
    pub(super) ring: Ring,
    /// By their numbers.
    pub(super) slots: Slab<Box<Slot>>,
    /// Those whom the courier is to visit.
    pub(super) due: VecDeque<SlotId>,
    pub(super) pulse: Pulse,
    by_topic: HashMap<Topic, Vec<SlotId>>,
    /// Ends every new subscription too, once the server drains.
    draining: bool,
}

/// Whose subscription it is: what may end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The person; none for a display.
    pub person: Option<PersonId>,
    /// The login session's public id; empty without one.
    pub session: String,
    /// What carries the stream.
    pub carrier: Carrier,
    /// What it was opened on.
    pub device: DeviceKind,
    /// When it was opened.
    pub since: Timestamp,
}

/// How many streams somebody holds, by the kind of device, in the order of [`DeviceKind::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held([usize; DeviceKind::ALL.len()]);

impl Held {
    /// Adds a stream.
    pub fn add(&mut self, device: DeviceKind) {
        if let Some(count) = self.0.get_mut(device as usize) {
            *count += 1;
        }
    }

    /// Returns how many there are.
    pub fn streams(&self) -> usize {
        self.0.iter().sum()
    }

    /// Returns what they are held on: `used` if that is among them, else the first that is.
    pub fn device(&self, used: DeviceKind) -> DeviceKind {
        let held = |device: &DeviceKind| self.0.get(*device as usize).is_some_and(|n| *n > 0);
        let used = Some(used).filter(|used| *used != DeviceKind::Unknown && held(used));
        let first = || DeviceKind::ALL.iter().copied().find(held);
        used.or_else(first).unwrap_or(DeviceKind::Unknown)
    }
}

impl Hub {
    /// Returns a hub for the log of `epoch` whose newest event is `head`.
    pub fn new(epoch: Arc<str>, head: i64) -> Hub {
        let state = State {
            ring: Ring::new(head),
            slots: Slab::new(),
            due: VecDeque::new(),
            pulse: Pulse::new(epoch.clone()),
            by_topic: HashMap::new(),
            draining: false,
        };
        Hub {
            shared: Arc::new(Shared {
                epoch,
                metrics: Metrics::default(),
                cuts: AtomicU64::new(0),
                state: Mutex::new(state),
                stale: Mutex::default(),
                stale_waits: tokio::sync::Notify::new(),
                bells: OnceLock::new(),
            }),
        }
    }

    /// Has couriers called by these bells from now on, and returns what they keep of the hub.
    /// A hub takes on couriers once.
    pub(super) fn takes_on(&self, bells: Vec<SyncSender<()>>) -> WeakHub {
        let _ = self.shared.bells.set(bells);
        WeakHub(Arc::downgrade(&self.shared))
    }

    /// Returns what the live path counts of itself.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Returns the name of this database's life.
    pub fn epoch(&self) -> &Arc<str> {
        &self.shared.epoch
    }

    /// Returns the position of the newest published event.
    pub fn head(&self) -> Cursor {
        Cursor { epoch: self.shared.epoch.clone(), seq: self.lock().ring.head() }
    }

    /// Publishes `frames` in order.
    pub(super) fn publish(&self, frames: Vec<Frame>) {
        if frames.is_empty() {
            return;
        }
        self.call(|state, wakers| {
            for frame in frames {
                state.push(Arc::new(frame), wakers);
            }
        });
    }

    /// Has `mark` note who is to be told, and calls them and the couriers.
    fn call(&self, mark: impl FnOnce(&mut State, &mut Vec<Waker>)) {
        let mut wakers = Vec::new();
        let due = {
            let state = &mut *self.lock();
            mark(state, &mut wakers);
            state.due.len()
        };
        // Outside the lock: who is woken asks for it at once.
        wakers.into_iter().for_each(Waker::wake);
        for bell in self.shared.bells.get().into_iter().flatten().take(couriers_for(due)) {
            // A bell that has been rung already is heard too.
            let _ = bell.try_send(());
        }
    }

    /// Sends passing state to whoever listens now.
    pub fn signal(&self, signal: &Signal, at: Timestamp) {
        self.publish(vec![Frame::of_signal(signal, at)]);
    }

    /// Gives a sign of life to the subscribers whose turn it is at `now`.
    pub fn beat(&self, turn: u32, now: Timestamp) {
        let turn = (turn % TURNS) as usize;
        self.call(|state, wakers| {
            state.pulse.renew(now);
            for key in (turn..state.slots.capacity()).step_by(TURNS as usize) {
                let Some(slot) = state.slots.get_mut(key) else { continue };
                slot.beat = true;
                match slot.turn {
                    Turn::Own => wakers.extend(slot.waker.take()),
                    Turn::Rests => state.due.push_back(SlotId::of(key)),
                    Turn::Courier => (),
                }
            }
        });
    }

    /// Returns how often rights have changed so far. Who reads rights and then subscribes asks
    /// before and after: when the answers differ, the rights that were read may be old.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Ends the streams that `cut` names, with its reason.
    pub(super) fn cut(&self, cut: &Cut) {
        self.shared.cuts.fetch_add(1, Ordering::SeqCst);
        match cut {
            Cut::Person(person, reason) => self.cut_where(reason, |h| h.person == Some(*person)),
            Cut::Session(session, reason) => self.cut_where(reason, |h| h.session == *session),
        }
    }

    /// Returns the login sessions that hold streams, by their public ids.
    pub fn sessions(&self) -> BTreeSet<String> {
        let state = self.lock();
        let sessions = state.slots.iter().map(|(_, slot)| slot.holder.session.clone());
        sessions.filter(|session| !session.is_empty()).collect()
    }

    /// Ends the streams of a login session that another process has ended.
    pub fn cut_session(&self, session: &str, reason: &'static str) {
        self.cut(&Cut::Session(session.to_owned(), reason));
    }

    /// Ends the streams of a person whose rights another process has changed.
    pub fn cut_person(&self, person: PersonId, reason: &'static str) {
        self.cut(&Cut::Person(person, reason));
    }

    /// Ends every stream, and every later one at once: the server stops.
    pub fn drain(&self) {
        self.lock().draining = true;
        self.cut_where(SHUTDOWN, |_| true);
    }

    /// Ends every stream that is open now: the frames up to the event `newest` were lost on their way
    /// here, and only the log has them. Whoever comes back is not to be served past them.
    pub(super) fn lost_frames(&self, newest: i64) {
        self.lock().ring.begin_anew_after(newest);
        self.cut_where(LOST, |_| true);
    }

    /// Returns how many streams `person` holds.
    pub fn streams_of(&self, person: PersonId) -> usize {
        self.lock().slots.iter().filter(|(_, slot)| slot.holder.person == Some(person)).count()
    }

    /// Returns how many streams are open.
    pub fn streams(&self) -> usize {
        self.lock().slots.len()
    }

    /// Returns the people who hold streams, with how many each holds on which kind of device.
    pub fn connected(&self) -> HashMap<PersonId, Held> {
        let mut people: HashMap<PersonId, Held> = HashMap::new();
        for holder in self.lock().slots.iter().map(|(_, slot)| &slot.holder) {
            let Some(person) = holder.person else { continue };
            people.entry(person).or_default().add(holder.device);
        }
        people
    }

    /// Notes figures to be computed again.
    pub fn stale(&self, figures: Vec<Stale>) {
        if figures.is_empty() {
            return;
        }
        let mut stale = self.shared.stale.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stale.extend(figures);
        drop(stale);
        self.shared.stale_waits.notify_one();
    }

    /// Waits for figures that have become stale and takes them.
    pub async fn take_stale(&self) -> BTreeSet<Stale> {
        loop {
            let taken = {
                let stale = self.shared.stale.lock();
                std::mem::take(&mut *stale.unwrap_or_else(std::sync::PoisonError::into_inner))
            };
            if !taken.is_empty() {
                return taken;
            }
            self.shared.stale_waits.notified().await;
        }
    }

    /// Takes a place for a subscriber of `topics` (sorted) that knows
    /// everything up to the present head.
    pub(super) fn subscribe(&self, topics: Vec<Topic>, holder: Holder) -> (SlotId, i64) {
        let mut state = self.lock();
        let topics = state.list_of(topics);
        let id = SlotId::of(state.slots.vacant_key());
        for topic in topics.iter() {
            state.by_topic.entry(*topic).or_default().push(id);
        }
        let ended = state.draining.then_some(SHUTDOWN);
        let head = state.ring.head();
        let slot = Slot { ended, ..Slot::new(topics, holder, &state.ring) };
        state.slots.insert(Box::new(slot));
        self.shared.metrics.streams.fetch_add(1, Ordering::Relaxed);
        (id, head)
    }

    /// Gives up the place of a subscriber.
    pub(super) fn unsubscribe(&self, id: SlotId) {
        let mut state = self.lock();
        let Some(slot) = state.slots.try_remove(id.key()) else { return };
        for topic in slot.topics.iter() {
            if let Some(ids) = state.by_topic.get_mut(topic) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    state.by_topic.remove(topic);
                }
            }
        }
        self.shared.metrics.streams.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn cut_where(&self, reason: &'static str, chosen: impl Fn(&Holder) -> bool) {
        let mut wakers = Vec::new();
        for (_, slot) in self.lock().slots.iter_mut().filter(|(_, slot)| chosen(&slot.holder)) {
            slot.ended.get_or_insert(reason);
            wakers.extend(slot.waker.take());
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl WeakHub {
    /// Returns the hub, unless it is gone.
    pub(super) fn upgrade(&self) -> Option<Hub> {
        Some(Hub { shared: self.0.upgrade()? })
    }
}

impl State {
    fn push(&mut self, frame: Arc<Frame>, wakers: &mut Vec<Waker>) {
        let place = self.ring.push(frame.clone());
        for id in frame.topics.iter().filter_map(|topic| self.by_topic.get(topic)).flatten() {
            let Some(slot) = self.slots.get_mut(id.key()) else { continue };
            if slot.pending {
                continue;
            }
            slot.begin_at(place);
            match slot.turn {
                Turn::Own => wakers.extend(slot.waker.take()),
                Turn::Rests => self.due.push_back(*id),
                // It looks for more when it has brought what it has.
                Turn::Courier => (),
            }
        }
    }

    /// Returns a list of `topics`, which streams of the same ones share if they come one after the
    /// other: tabs of one person, walls, members.
    fn list_of(&self, topics: Vec<Topic>) -> Arc<[Topic]> {
        let newest = topics.last().and_then(|topic| self.by_topic.get(topic)?.last());
        let newest = newest.and_then(|id| self.slots.get(id.key()));
        match newest {
            Some(slot) if *slot.topics == *topics => slot.topics.clone(),
            _ => topics.into(),
        }
    }

    pub(super) fn slot(&mut self, id: SlotId) -> Option<(&mut Slot, &Ring)> {
        Some((self.slots.get_mut(id.key())?, &self.ring))
    }
}
