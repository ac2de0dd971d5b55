//! The shelf: chunks of the log that were read for laggards, and which is read next.
//!
//! The log is read like a lift runs: from the lowest chunk that is wanted upwards, and a laggard
//! waits until the lift comes by. Those who started in different places so travel on together, and
//! a chunk is read once for all of them. The lift goes as fast as most of its riders: it waits a
//! while before it passes on without them, or before it lets go of a chunk that they have still to
//! come to. A reader that is slow gets a chunk each time that the lift comes by, and holds nobody up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::event::wire::Frame;

/// How many positions one chunk spans. Chunk k holds those from k * CHUNK + 1 to (k + 1) * CHUNK.
pub(super) const CHUNK: i64 = 256;

/// How many chunks are kept: about 2 MB of frames, and how far those who travel together may be
/// apart.
const KEPT_MAX: usize = 32;

/// How long the lift waits, after each chunk, for riders of whom it would lose too many. A thousand
/// who take a chunk at the same time need less.
const COMPANY: Duration = Duration::from_millis(100);

/// How long it waits for a few, where nobody wants the chunk after the one that they are on.
const COMPANY_OF_FEW: Duration = Duration::from_millis(20);

/// It waits rather than lose more than one in so many.
const MAY_LOSE: usize = 8;

/// After how many chunks the lift turns though some still go up: a log that grows as fast as it is
/// read must not keep the others waiting. No laggard has that many before it.
const RUN_MAX: usize = 400;

/// Frames in commit order, shared by those who read them.
pub type Page = Arc<[Arc<Frame>]>;

/// A page that is read for somebody. Without one at the end, it could not be read.
pub(super) type Awaited = watch::Receiver<Option<Page>>;

/// Chunks that were read, those that are wanted, and where the lift is.
#[derive(Default)]
pub(super) struct Shelf {
    /// The oldest first.
    kept: VecDeque<Kept>,
    wanted: BTreeMap<i64, watch::Sender<Option<Page>>>,
    /// The chunk that is being read.
    reading: Option<(i64, Awaited)>,
    lift: Lift,
    /// How often all was forgotten: what was being read meanwhile is not kept.
    forgotten: u64,
}

/// A chunk on the shelf.
struct Kept {
    chunk: i64,
    page: Page,
    /// How many have taken it and not yet asked for the next, as far as that is known: one that
    /// has gone is counted as long as the chunk is here.
    riders: usize,
}

/// Where the reading is.
#[derive(Default)]
struct Lift {
    /// Whether somebody reads, or is about to.
    runs: bool,
    /// The chunk that was read last, and when.
    at: i64,
    since: Option<Instant>,
    /// How many chunks were read since it turned, and how many riders were lost.
    passed: usize,
    lost: usize,
}

/// How a laggard gets its page.
pub(super) enum Place {
    Kept(Page),
    /// It is being read already: it may end before what is asked for.
    Joined(Awaited),
    /// It will be read.
    Queued(Awaited),
}

/// What the lift does next.
pub(super) enum Move {
    Read(Errand),
    /// It waits until then, or until somebody asks for something.
    Wait(Instant),
    /// Nothing is wanted: it stands.
    Stop,
}

/// A chunk on its way to the shelf.
pub(super) struct Errand {
    pub(super) chunk: i64,
    done: watch::Sender<Option<Page>>,
    forgotten: u64,
}

impl Shelf {
    /// Returns where the chunk is to be had that holds the event after `seq`.
    pub(super) fn place(&mut self, seq: i64) -> Place {
        let chunk = seq.div_euclid(CHUNK);
        if seq == chunk * CHUNK
            && let Some(before) = self.on(chunk - 1)
        {
            before.riders = before.riders.saturating_sub(1);
        }
        if let Some(kept) = self.on(chunk).filter(|kept| last(&kept.page) > Some(seq)) {
            kept.riders += 1;
            return Place::Kept(kept.page.clone());
        }
        if let Some((_, awaited)) = self.reading.as_ref().filter(|(number, _)| *number == chunk) {
            return Place::Joined(awaited.clone());
        }
        let wanted = self.wanted.entry(chunk).or_insert_with(|| watch::channel(None).0);
        Place::Queued(wanted.subscribe())
    }

    /// Says whether the lift stood, and notes that it runs from now on.
    pub(super) fn set_out(&mut self) -> bool {
        !std::mem::replace(&mut self.lift.runs, true)
    }

    /// Decides what the lift does at the moment `now`.
    pub(super) fn next(&mut self, now: Instant) -> Move {
        self.wanted.retain(|_, wanted| wanted.receiver_count() > 0);
        let ahead = self.wanted.range(self.lift.at..).next().map(|(chunk, _)| *chunk);
        let until = self.lift.since.map(|since| since + self.patience(ahead));
        if let Some(until) = until.filter(|until| now < *until && !self.wanted.is_empty()) {
            return Move::Wait(until);
        }
        let turns = ahead.is_none() || self.lift.passed >= RUN_MAX;
        let lowest = self.wanted.keys().next().copied();
        let chosen = if turns { lowest } else { ahead };
        let Some((chunk, done)) = chosen.and_then(|chunk| self.wanted.remove_entry(&chunk)) else {
            self.lift.runs = false;
            return Move::Stop;
        };
        if turns {
            self.lift = Lift { runs: true, ..Lift::default() };
            self.kept.iter_mut().for_each(|kept| kept.riders = 0);
        }
        self.lift.at = chunk;
        self.lift.passed += 1;
        self.reading = Some((chunk, done.subscribe()));
        Move::Read(Errand { chunk, done, forgotten: self.forgotten })
    }

    /// Puts a chunk where it was wanted; none when it could not be read.
    pub(super) fn put(&mut self, errand: Errand, page: Option<Page>, now: Instant) {
        let Errand { chunk, done, forgotten } = errand;
        let fresh = self.forgotten == forgotten;
        if fresh {
            self.reading = None;
        }
        let Some(page) = page else { return };
        self.lift.since = Some(now);
        if fresh && !page.is_empty() {
            // Whoever has read the end of the log is no laggard any more.
            let whole = last(&page) == Some((chunk + 1) * CHUNK);
            let riders = if whole { done.receiver_count() } else { 0 };
            self.keep(Kept { chunk, page: page.clone(), riders });
        }
        done.send_replace(Some(page));
    }

    /// Forgets what was read, and does not keep what is being read.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
        self.reading = None;
        self.forgotten += 1;
    }

    /// Returns how long after the last chunk the lift waits before it reads the one `ahead`.
    fn patience(&self, ahead: Option<i64>) -> Duration {
        let riding: usize = self.kept.iter().map(|kept| kept.riders).sum();
        let goes_on = ahead.is_some_and(|chunk| chunk <= self.lift.at + 1);
        let loses = match self.kept.front() {
            Some(oldest) if goes_on && self.kept.len() >= KEPT_MAX => oldest.riders,
            _ if goes_on => 0,
            _ => riding,
        };
        let above = self.wanted.range(self.lift.at..).map(|(_, wanted)| wanted.receiver_count());
        let all = self.lift.lost + riding + above.sum::<usize>();
        match loses {
            0 => Duration::ZERO,
            _ if (self.lift.lost + loses) * MAY_LOSE > all => COMPANY,
            _ if goes_on => Duration::ZERO,
            _ => COMPANY_OF_FEW,
        }
    }

    fn on(&mut self, chunk: i64) -> Option<&mut Kept> {
        self.kept.iter_mut().find(|kept| kept.chunk == chunk)
    }

    fn keep(&mut self, new: Kept) {
        self.kept.retain(|kept| kept.chunk != new.chunk);
        self.kept.push_back(new);
        if self.kept.len() > KEPT_MAX
            && let Some(oldest) = self.kept.pop_front()
        {
            self.lift.lost += oldest.riders;
        }
    }
}

/// Returns the position of the last frame; none of an empty page.
pub(super) fn last(page: &Page) -> Option<i64> {
    page.last().and_then(|frame| frame.seq)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Awaited, CHUNK, COMPANY, Errand, KEPT_MAX, Move, Page, Place, RUN_MAX, Shelf};
    use crate::base::Timestamp;
    use crate::event::wire::{Frame, Logged};

    /// A page of the first positions of a chunk.
    fn page(chunk: i64, positions: i64) -> Page {
        let event = |seq| {
            let (kind, data) = ("a.b".into(), "{}".to_owned());
            let (topics, at) = (Vec::new(), Timestamp(0));
            let logged = Logged { seq, at, kind, topics, subject: None, name: None, data };
            Arc::new(Frame::of_event(&"e".into(), logged, None))
        };
        (1..=positions).map(|n| event(chunk * CHUNK + n)).collect()
    }

    fn ask(shelf: &mut Shelf, chunk: i64) -> Awaited {
        let Place::Queued(awaited) = shelf.place(chunk * CHUNK) else { panic!("it is not queued") };
        awaited
    }

    fn errand(shelf: &mut Shelf, now: Instant) -> Errand {
        let Move::Read(errand) = shelf.next(now) else { panic!("nothing is read") };
        errand
    }

    /// Has the next chunk read, and says which it was.
    fn read(shelf: &mut Shelf, now: Instant) -> i64 {
        let errand = errand(shelf, now);
        let chunk = errand.chunk;
        shelf.put(errand, Some(page(chunk, CHUNK)), now);
        chunk
    }

    #[test]
    fn whoever_is_lower_is_waited_for_and_all_travel_up_together() {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        let asked = [7, 3, 5].map(|chunk| ask(&mut shelf, chunk));
        assert_eq!(read(&mut shelf, now), 3);
        let Move::Wait(until) = shelf.next(now) else { panic!("it goes on alone") };
        assert_eq!(until, now + COMPANY);
        let later = ask(&mut shelf, 4);
        assert_eq!([(); 2].map(|()| read(&mut shelf, now)), [4, 5]);
        let [seventh, third, fifth] = asked.map(|awaited| awaited.borrow().is_some());
        assert!(third && fifth && !seventh && later.borrow().is_some());
    }

    #[test]
    fn it_goes_on_without_those_who_do_not_come_and_turns_at_the_top() {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        let _asked = [2, 9].map(|chunk| ask(&mut shelf, chunk));
        assert_eq!(read(&mut shelf, now), 2);
        assert!(matches!(shelf.next(now), Move::Wait(_)));
        let later = now + COMPANY;
        assert_eq!(read(&mut shelf, later), 9);
        let _late = ask(&mut shelf, 3);
        assert_eq!(read(&mut shelf, later + COMPANY), 3);
        assert!(matches!(shelf.next(later + COMPANY), Move::Stop));
        assert!(shelf.set_out(), "whoever comes next has it run again");
    }

    #[test]
    fn nobody_is_waited_for_at_the_end_of_the_log() {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        let _asked = ask(&mut shelf, 6);
        let end = errand(&mut shelf, now);
        shelf.put(end, Some(page(6, 10)), now);
        let _low = ask(&mut shelf, 1);
        assert_eq!(read(&mut shelf, now), 1);
    }

    /// Ten set out together. So many of them go up as far as the shelf reaches, and ask for more.
    fn ten_of_whom_go_ahead(ahead: usize) -> (Shelf, Instant, Vec<Awaited>) {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        let mut asked: Vec<_> = (0..10).map(|_| ask(&mut shelf, 0)).collect();
        for chunk in 1..=KEPT_MAX as i64 {
            assert_eq!(read(&mut shelf, now), chunk - 1);
            asked.extend((0..ahead).map(|_| ask(&mut shelf, chunk)));
        }
        (shelf, now, asked)
    }

    #[test]
    fn it_does_not_run_away_from_most_of_its_riders() {
        let (mut shelf, now, _asked) = ten_of_whom_go_ahead(2);
        let Move::Wait(until) = shelf.next(now) else { panic!("it runs away") };
        assert_eq!(until, now + COMPANY);
        for _ in 0..8 {
            assert!(matches!(shelf.place(CHUNK), Place::Kept(_)), "they come");
        }
        assert_eq!(read(&mut shelf, now), KEPT_MAX as i64);
    }

    #[test]
    fn it_waits_for_most_of_its_riders_only_so_long_and_for_one_not_at_all() {
        let (mut shelf, now, _asked) = ten_of_whom_go_ahead(2);
        assert_eq!(read(&mut shelf, now + COMPANY), KEPT_MAX as i64);
        let (mut shelf, now, _asked) = ten_of_whom_go_ahead(9);
        assert_eq!(read(&mut shelf, now), KEPT_MAX as i64);
    }

    #[test]
    fn a_log_without_an_end_does_not_keep_those_below_waiting() {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        let _first = ask(&mut shelf, 1);
        assert_eq!(read(&mut shelf, now), 1);
        let _low = ask(&mut shelf, 0);
        let mut reads = Vec::new();
        for next in 2..=RUN_MAX as i64 + 1 {
            let _next = ask(&mut shelf, next);
            reads.push(read(&mut shelf, now));
        }
        assert_eq!(reads.pop(), Some(0), "after {} others", reads.len());
    }

    #[test]
    fn what_is_on_the_shelf_is_had_at_once_as_far_as_it_goes() {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        let _asked = ask(&mut shelf, 0);
        let errand = errand(&mut shelf, now);
        assert!(matches!(shelf.place(5), Place::Joined(_)), "it is read already");
        shelf.put(errand, Some(page(0, 10)), now);
        assert!(matches!(shelf.place(9), Place::Kept(_)));
        assert!(matches!(shelf.place(10), Place::Queued(_)), "it may have grown");
        for chunk in 1..=KEPT_MAX as i64 {
            let _asked = ask(&mut shelf, chunk);
            // Whoever asks for the first again is served on the way.
            while read(&mut shelf, now + Duration::from_secs(1)) != chunk {}
        }
        assert!(matches!(shelf.place(CHUNK), Place::Kept(_)), "the last are kept");
        assert!(matches!(shelf.place(0), Place::Queued(_)), "the first had to go");
    }

    #[test]
    fn what_was_forgotten_while_it_was_read_is_not_kept() {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        let asked = ask(&mut shelf, 0);
        let before = errand(&mut shelf, now);
        shelf.forget();
        let again = ask(&mut shelf, 0);
        shelf.put(before, Some(page(0, CHUNK)), now);
        assert!(asked.borrow().is_some() && again.borrow().is_none());
        assert!(matches!(shelf.place(0), Place::Queued(_)));
    }

    #[test]
    fn whoever_waits_for_what_cannot_be_read_is_told() {
        let (mut shelf, now) = (Shelf::default(), Instant::now());
        let asked = ask(&mut shelf, 0);
        let errand = errand(&mut shelf, now);
        shelf.put(errand, None, now);
        assert!(asked.has_changed().is_err(), "nobody will bring it");
        let _again = ask(&mut shelf, 0);
        assert_eq!(read(&mut shelf, now), 0);
    }
}
