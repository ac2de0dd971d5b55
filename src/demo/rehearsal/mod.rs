//! A rehearsal of the day: applies the rules of the house to a plan, without a server.

mod equations;

use std::collections::{BTreeMap, HashMap};

use crate::demo::house::{House, Mode};
use crate::demo::plan::{Action, Plan, Planned, Scan, Who};
use crate::demo::time::{CLOSE, DayTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Outcome {
    CheckedIn,
    CheckedOut,
    Transferred,
    AlreadyIn,
    LeftHouse,
    StaffIn,
    StaffOut,
    Duplicate,
    UnknownTag,
    RunNone,
    RoomFull,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Reason {
    Left,
    Transferred,
    RunEnded,
    DayClosed,
}

#[derive(Clone, Debug, PartialEq)]
struct Visit {
    member: usize,
    run: usize,
    started: DayTime,
    ended: Option<(DayTime, Reason)>,
}

/// The house as the server would know it.
#[derive(Default)]
struct Rehearsal {
    present: BTreeMap<usize, DayTime>,
    left: BTreeMap<usize, DayTime>,
    open: BTreeMap<usize, usize>,
    visits: Vec<Visit>,
    runs: BTreeMap<usize, usize>,
    ended_runs: Vec<(DayTime, usize, usize)>,
    results: HashMap<String, Outcome>,
    last_tap: HashMap<(usize, String), DayTime>,
    outcomes: BTreeMap<Outcome, usize>,
}

impl Rehearsal {
    fn of(house: &House, plan: &Plan, actions: &[Planned], until: DayTime) -> Rehearsal {
        let mut now = Rehearsal::default();
        for planned in actions.iter().take_while(|planned| planned.at <= until) {
            now.apply(house, plan, planned);
        }
        if until > CLOSE {
            now.close(plan);
        }
        now
    }

    fn apply(&mut self, house: &House, plan: &Plan, planned: &Planned) {
        match &planned.action {
            Action::Scan(scan) => {
                self.scan(house, plan, scan);
            }
            Action::StartRun(run) => {
                let room = plan.runs[*run].room;
                assert!(self.runs.insert(room, *run).is_none(), "two runs in room {room}");
            }
            Action::EndRun { run, .. } => self.end_run(plan, *run, planned.at, Reason::RunEnded),
            _ => {}
        }
    }

    fn close(&mut self, plan: &Plan) {
        for run in self.runs.values().copied().collect::<Vec<_>>() {
            self.end_run(plan, run, CLOSE, Reason::DayClosed);
        }
        let forgotten = std::mem::take(&mut self.present);
        self.left.extend(forgotten.into_keys().map(|member| (member, CLOSE)));
    }

    fn scan(&mut self, house: &House, plan: &Plan, scan: &Scan) -> Outcome {
        if let Some(stored) = self.results.get(&scan.scan_id) {
            return *stored;
        }
        let outcome = self.decide(house, plan, scan);
        self.results.insert(scan.scan_id.clone(), outcome);
        *self.outcomes.entry(outcome).or_default() += 1;
        outcome
    }

    fn decide(&mut self, house: &House, plan: &Plan, scan: &Scan) -> Outcome {
        let at = scan.tapped_at;
        if let Some(last) = self.last_tap.insert((scan.device, scan.tag.clone()), at)
            && (last.ms()..=last.ms() + 1500).contains(&at.ms())
        {
            return Outcome::Duplicate;
        }
        let mode = house.devices[scan.device].mode;
        let member = match scan.holder {
            None => return Outcome::UnknownTag,
            Some(Who::Staff(_)) if mode == Mode::DoorIn => return Outcome::StaffIn,
            Some(Who::Staff(_)) => return Outcome::StaffOut,
            Some(Who::Member(member)) => member,
        };
        let room = match mode {
            Mode::DoorIn if self.present.contains_key(&member) => return Outcome::AlreadyIn,
            Mode::DoorIn => {
                self.present.insert(member, at);
                return Outcome::CheckedIn;
            }
            Mode::DoorOut => {
                assert!(self.present.remove(&member).is_some(), "{member} leaves but is not here");
                self.left.insert(member, at);
                self.end_visit(member, at, Reason::Left);
                return Outcome::LeftHouse;
            }
            Mode::Room(room) => room,
            Mode::Mobile => scan.room.expect("a carried reader names its room"),
        };
        self.enter(house, plan, member, room, at)
    }

    fn enter(
        &mut self,
        house: &House,
        plan: &Plan,
        member: usize,
        room: usize,
        at: DayTime,
    ) -> Outcome {
        assert!(self.present.contains_key(&member), "{member} enters a room, but not the house");
        let Some(run) = self.runs.get(&room).copied() else { return Outcome::RunNone };
        let from = self.open.get(&member).map(|visit| self.visits[*visit].run);
        if from == Some(run) {
            self.end_visit(member, at, Reason::Left);
            return Outcome::CheckedOut;
        }
        if self.count_in(run) >= house.rooms[room].capacity as usize {
            return Outcome::RoomFull;
        }
        assert!(plan.runs[run].starts < at, "the visit is older than its run");
        self.end_visit(member, at, Reason::Transferred);
        self.open.insert(member, self.visits.len());
        self.visits.push(Visit { member, run, started: at, ended: None });
        if from.is_some() { Outcome::Transferred } else { Outcome::CheckedIn }
    }

    fn end_visit(&mut self, member: usize, at: DayTime, reason: Reason) {
        if let Some(visit) = self.open.remove(&member) {
            let visit = &mut self.visits[visit];
            assert!(visit.started < at, "{member} ends before it starts");
            visit.ended = Some((at, reason));
        }
    }

    fn end_run(&mut self, plan: &Plan, run: usize, at: DayTime, reason: Reason) {
        assert_eq!(self.runs.remove(&plan.runs[run].room), Some(run));
        let inside: Vec<usize> = self
            .open
            .iter()
            .filter(|(_, v)| self.visits[**v].run == run)
            .map(|(m, _)| *m)
            .collect();
        self.ended_runs.push((at, run, inside.len()));
        for member in inside {
            self.end_visit(member, at, reason);
        }
    }

    fn count_in(&self, run: usize) -> usize {
        self.open.values().filter(|visit| self.visits[**visit].run == run).count()
    }

    /// The end of the day in an order that does not depend on the order of delivery.
    fn end_state(&self) -> String {
        let mut visits = self.visits.clone();
        visits.sort_by_key(|visit| (visit.member, visit.started));
        format!("{:?} {:?} {visits:?} {:?}", self.present, self.left, self.outcomes)
    }
}
