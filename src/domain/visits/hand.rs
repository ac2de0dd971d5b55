//! A badge in somebody's hand: what it does, given where they stand and which
//! way the scan goes.

use super::model::{EndReason, Member, Source, Standing, Status, Today};
use super::queries::{self, Place};
use super::scan::{Code, FRESH, Outcome, Why};
use super::{attendance, places, stays};
use crate::base::id::{RoomId, RunId};
use crate::base::{Result, Timestamp};
use crate::domain::devices::model::Scanner;
use crate::live::Tx;

/// What was decided, before it is put into words.
#[derive(Debug)]
pub(super) struct Verdict {
    pub outcome: Outcome,
    pub code: Option<Code>,
    /// Why a person must look at it.
    pub why: Option<Why>,
    /// The room that it was about, with those who are in it afterwards.
    pub place: Option<Place>,
}

/// Which way a scan goes.
pub(super) enum Way {
    In,
    Out,
    /// The other way than the last time.
    Toggle,
    Room(Option<RoomId>),
}

/// A badge in somebody's hand, at a moment that nothing newer is known of.
pub(super) struct Hand<'a> {
    pub who: &'a Member,
    pub today: &'a Today,
    pub standing: &'a Standing,
    pub at: Timestamp,
}

impl Hand<'_> {
    /// Decides what the badge of somebody who works here does.
    pub(super) fn staff(&self, tx: &mut Tx<'_>, way: Way) -> Result<Verdict> {
        let present = self.standing.is_present();
        let comes = match way {
            Way::In | Way::Room(_) => true,
            Way::Out => false,
            Way::Toggle => !present,
        };
        match (comes, self.standing.status()) {
            (true, Status::Present) | (false, Status::Left) => self.confirm(tx)?,
            (true, _) => self.arrive(tx)?,
            (false, _) => self.go_home(tx)?,
        }
        Ok(Verdict::of(if comes { Outcome::StaffIn } else { Outcome::StaffOut }))
    }

    /// Decides what a member's badge does.
    pub(super) fn member(&self, tx: &mut Tx<'_>, scanner: &Scanner, way: Way) -> Result<Verdict> {
        let present = self.standing.is_present();
        let may_go = scanner.daily_checkout_from.is_none_or(|from| self.minute() >= from);
        let leaves = match way {
            Way::Room(None) => return Ok(Verdict::rejected(Code::RunNone)),
            Way::Room(Some(room)) => return self.room(tx, room),
            Way::In => false,
            Way::Out => true,
            Way::Toggle => present && may_go,
        };
        match (leaves, self.standing.status()) {
            (true, Status::Left) | (false, Status::Present) => self.confirm(tx)?,
            (true, _) => self.go_home(tx)?,
            (false, _) => self.arrive(tx)?,
        }
        Ok(Verdict::of(match (leaves, present) {
            (true, _) => Outcome::LeftHouse,
            (false, true) => Outcome::AlreadyIn,
            (false, false) => Outcome::CheckedIn,
        }))
    }

    fn room(&self, tx: &mut Tx<'_>, room: RoomId) -> Result<Verdict> {
        let Some(place) = places::place(tx, room)? else {
            return Ok(Verdict::rejected(Code::RunNone));
        };
        let Some((run, closed_at)) = self.run_in(tx, &place)? else {
            return Ok(Verdict { place: Some(place), ..Verdict::rejected(Code::RunNone) });
        };
        let visit = self.standing.visit_at(self.at);
        if let Some(visit) = visit.filter(|visit| visit.run == run) {
            stays::end(tx, self.who, visit, self.at, EndReason::Left, Source::Badge)?;
            let change = -i64::from(visit.ended_at.is_none());
            return Ok(Verdict::in_room(Outcome::CheckedOut, place, change));
        }
        let stands_there = self.at >= tx.now.minus(FRESH);
        if stands_there && place.count >= place.capacity {
            return Ok(Verdict { place: Some(place), ..Verdict::rejected(Code::RoomFull) });
        }
        let (who, today, standing, at) = (self.who, self.today, self.standing, self.at);
        let id = stays::enter(tx, today, who, standing, (run, room), at, Source::Badge)?;
        if let Some(closed_at) = closed_at {
            let entered = queries::visit(tx, id)?;
            stays::end(tx, who, &entered, closed_at, EndReason::RunEnded, Source::Badge)?;
        }
        let outcome = if visit.is_some() { Outcome::Transferred } else { Outcome::CheckedIn };
        Ok(Verdict::in_room(outcome, place, i64::from(closed_at.is_none())))
    }

    /// The run that was open at the moment of the scan, and when it has ended since. No run goes on
    /// after its day, whether or not anybody has noted its end yet.
    fn run_in(&self, tx: &Tx<'_>, place: &Place) -> Result<Option<(RunId, Option<Timestamp>)>> {
        let lasted = |since: Timestamp| since <= self.at && self.at < self.today.close_after(since);
        if let Some((run, _)) = place.run.filter(|(_, since)| lasted(*since)) {
            return Ok(Some((run, None)));
        }
        // Runs do not outlive the day. Who stands at the reader while nothing
        // takes place is told so without a look at the past.
        if self.at >= tx.now {
            return Ok(None);
        }
        let then = queries::run_at(tx, place.room, self.at, self.today.begins())?;
        let then = then.filter(|run| lasted(run.started_at));
        Ok(then.map(|run| (run.run, run.ended_at)))
    }

    fn arrive(&self, tx: &mut Tx<'_>) -> Result<()> {
        let before = self.standing.attendance.as_ref();
        attendance::arrive(tx, self.today, self.who, before, self.at, Source::Badge)
    }

    fn go_home(&self, tx: &mut Tx<'_>) -> Result<()> {
        stays::go_home(tx, self.today, self.who, self.standing, self.at, Source::Badge)
    }

    fn confirm(&self, tx: &Tx<'_>) -> Result<()> {
        attendance::confirm(tx, self.today, self.who.id, self.at)
    }

    fn minute(&self) -> i64 {
        self.today.minute(self.at)
    }
}

impl Verdict {
    pub(super) fn of(outcome: Outcome) -> Verdict {
        Verdict { outcome, code: None, why: None, place: None }
    }

    pub(super) fn rejected(code: Code) -> Verdict {
        Verdict { code: Some(code), ..Verdict::of(Outcome::Rejected) }
    }

    pub(super) fn review(why: Why) -> Verdict {
        Verdict { why: Some(why), ..Verdict::of(Outcome::NeedsReview) }
    }

    fn in_room(outcome: Outcome, place: Place, change: i64) -> Verdict {
        let place = Place { count: place.count + change, ..place };
        Verdict { place: Some(place), ..Verdict::of(outcome) }
    }
}
