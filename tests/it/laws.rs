//! What holds of attendance and visits whatever happens in whatever order: random days, each
//! undone when it is over.

use std::collections::BTreeMap;

use daybook::base::id::{PersonId, RoomId, RunId, VisitId};
use daybook::base::{Actor, Error, Result, TimeOfDay, Timestamp};
use daybook::domain::devices::model::{Mode, Scanner};
use daybook::domain::house::{self, HoursChange};
use daybook::domain::people::Role;
use daybook::domain::rooms::{self, NewRun, scope};
use daybook::domain::visits::marking::{self, Mark};
use daybook::domain::visits::scan::{self, Scan, When};
use daybook::domain::visits::{self, Status, day, snapshots};
use daybook::live::Tx;
use proptest::prelude::*;

use crate::always::{check, rehearse, runner};
use crate::scene::{BEN, EVA, MIA, Scene, ZOE, reader, tap};

/// Something that happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Act {
    Pass { seconds: i64 },
    Tap { reader: usize, tag: usize, ago_s: i64 },
    Start { member: usize, room: usize },
    End { visit: usize },
    Undo { visit: usize },
    Mark { member: usize, status: usize, ago_s: Option<i64> },
    StartRun { room: usize },
    EndRun { room: usize },
    Reopen { run: usize },
    Missing,
    Close,
    Hours { hour: i64 },
}

const TAGS: [&str; 5] = [MIA, BEN, ZOE, EVA, "DEB0FFFF"];
const STATUSES: [Status; 5] =
    [Status::Expected, Status::Present, Status::Left, Status::Excused, Status::Unreported];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1..900_i64).prop_map(|seconds| Act::Pass { seconds }),
        1 => Just(Act::Pass { seconds: 5 * 3600 }),
        8 => (0..5_usize, 0..5_usize, prop_oneof![3 => Just(0), 1 => 0..1200_i64])
            .prop_map(|(reader, tag, ago_s)| Act::Tap { reader, tag, ago_s }),
        5 => (0..3_usize, 0..2_usize).prop_map(|(member, room)| Act::Start { member, room }),
        3 => (0..4_usize).prop_map(|visit| Act::End { visit }),
        4 => (0..4_usize).prop_map(|visit| Act::Undo { visit }),
        3 => (0..3_usize, 0..5_usize, proptest::option::of(0..1200_i64))
            .prop_map(|(member, status, ago_s)| Act::Mark { member, status, ago_s }),
        2 => (0..2_usize).prop_map(|room| Act::StartRun { room }),
        2 => (0..2_usize).prop_map(|room| Act::EndRun { room }),
        2 => (0..3_usize).prop_map(|run| Act::Reopen { run }),
        1 => Just(Act::Missing),
        1 => Just(Act::Close),
        2 => (10..20_i64).prop_map(|hour| Act::Hours { hour }),
    ]
}

/// Who and what a random day plays with.
#[derive(Clone)]
struct Stage {
    lead: PersonId,
    eva: PersonId,
    members: [PersonId; 3],
    rooms: [RoomId; 2],
    readers: [Scanner; 5],
}

impl Stage {
    async fn of(scene: &Scene) -> Stage {
        // Who finds a room full does depend on who came before.
        let wide = |tx: &mut Tx<'_>| Ok(tx.execute("update room set capacity = 3", [])?);
        scene.write(Actor::System, wide).await.unwrap();
        let toggle = reader(scene, Mode::Toggle, None).await;
        Stage {
            lead: scene.lead,
            eva: scene.eva,
            members: [scene.mia, scene.ben, scene.zoe],
            rooms: [scene.library, scene.gym],
            readers: [scene.door, scene.exit, scene.library_reader, scene.gym_reader, toggle],
        }
    }

    fn play(&self, tx: &mut Tx<'_>, act: &Act) -> Result<()> {
        let scope = scope::of(tx, self.lead, Role::Admin, tx.now)?;
        match *act {
            Act::Pass { seconds } => {
                tx.now.0 += seconds * 1000;
                // The timetable looks each minute.
                day::close_day(tx)?;
            }
            Act::Tap { reader, tag, ago_s } => {
                let scan = tap(TAGS[tag], When::AgeMs(ago_s * 1000));
                scan::scan(tx, &self.readers[reader], &scan)?;
            }
            Act::Start { member, room } => {
                let run = open_run(tx, self.rooms[room])?;
                visits::commands::start(tx, &scope, self.members[member], run)?;
            }
            Act::End { visit } => visits::commands::end(tx, &scope, newest_visit(tx, visit)?)?,
            Act::Undo { visit } => visits::commands::undo(tx, &scope, newest_visit(tx, visit)?)?,
            Act::Mark { member, status, ago_s } => {
                let at = ago_s.map(|ago| Timestamp(tx.now.0 - ago * 1000));
                let mark = Mark { status: STATUSES[status], reason: None, at };
                marking::mark(tx, &scope, self.members[member], &mark)?;
            }
            Act::StartRun { room } => {
                let activity = rooms::queries::activities(tx)?[0].id;
                let new = NewRun { activity, room: self.rooms[room], staff: vec![self.eva] };
                rooms::commands::start_run(tx, &new)?;
            }
            Act::EndRun { room } => {
                let run = open_run(tx, self.rooms[room])?;
                visits::commands::end_run(tx, run, "ended")?;
            }
            Act::Reopen { run } => {
                let newest: i64 =
                    tx.query_row("select coalesce(max(run_id), 0) from run", [], |r| r.get(0))?;
                visits::commands::reopen_run(tx, RunId(newest - i64::try_from(run).unwrap()))?;
            }
            Act::Missing => drop(day::mark_missing(tx)?),
            Act::Close => drop(day::close_day(tx)?),
            Act::Hours { hour } => {
                let closes_at = Some(TimeOfDay::at(hour, 0));
                house::commands::set_hours(tx, HoursChange { late_after: None, closes_at })?;
            }
        }
        Ok(())
    }
}

fn open_run(tx: &Tx<'_>, room: RoomId) -> Result<RunId> {
    let run = rooms::queries::open_run_in(tx, room)?;
    run.map(|run| run.id).ok_or(Error::NotFound("run"))
}

fn newest_visit(tx: &Tx<'_>, back: usize) -> Result<VisitId> {
    let newest: i64 =
        tx.query_row("select coalesce(max(visit_id), 0) from visit", [], |row| row.get(0))?;
    Ok(VisitId(newest - i64::try_from(back).unwrap()))
}

/// Plays one act as the writer does: what fails changes nothing. Only the
/// refusals of the house may come of it.
fn attempt(stage: &Stage, tx: &mut Tx<'_>, act: &Act) -> std::result::Result<(), String> {
    tx.execute_batch("savepoint act").unwrap();
    match stage.play(tx, act) {
        Ok(()) => {}
        Err(Error::Conflict { .. } | Error::NotFound(_) | Error::Invalid { .. }) => {
            tx.execute_batch("rollback to act").unwrap();
        }
        Err(defect) => return Err(format!("{act:?}: {defect:?}")),
    }
    tx.execute_batch("release act").unwrap();
    Ok(())
}

/// Fault 87.
#[test]
fn whatever_happens_nobody_is_in_two_rooms_and_the_counts_add_up() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(Scene::new());
    let stage = runtime.block_on(Stage::of(&scene));
    runner(300)
        .run(&proptest::collection::vec(act(), 1..60), |acts| {
            let stage = stage.clone();
            rehearse(&runtime, &scene, move |tx| {
                for act in &acts {
                    attempt(&stage, tx, act)?;
                    check(tx, tx.now)?;
                    check_runs(tx)?;
                }
                check_who_has_left(tx, stage.lead)
            })
        })
        .unwrap();
}

/// A visit lies within its run.
fn check_runs(tx: &Tx<'_>) -> std::result::Result<(), String> {
    let outside = "select count(*) from visit join run using (run_id)
                   where end_reason is not 'undone'
                     and (visit.started_at < run.started_at or visit.ended_at > run.ended_at)";
    let outside: i64 = tx.query_row(outside, [], |row| row.get(0)).unwrap();
    if outside == 0 { Ok(()) } else { Err(format!("{outside} visits outside their run")) }
}

/// Who has left a run is found by another way than the plain one, which looks through all visits.
fn check_who_has_left(tx: &Tx<'_>, lead: PersonId) -> std::result::Result<(), String> {
    let scope = scope::of(tx, lead, Role::Admin, tx.now).unwrap();
    let mut runs = tx.prepare("select run_id from run").unwrap();
    let runs = runs.query_map([], |row| row.get(0).map(RunId)).unwrap();
    for run in runs.map(|run| rooms::queries::run(tx, run.unwrap()).unwrap()) {
        let mut plain = tx
            .prepare(
                "select visit_id from visit
                 where ended_at is not null
                   and visit_id in (select max(visit_id) from visit
                                    where run_id = ?1 and started_at >= ?2
                                      and end_reason is not 'undone'
                                    group by person_id)
                 order by ended_at desc, visit_id desc",
            )
            .unwrap();
        let plain = plain.query_map(rusqlite::params![run.id, run.started_at], |row| row.get(0));
        let expected: Vec<VisitId> = plain.unwrap().map(|id| VisitId(id.unwrap())).collect();
        let told = snapshots::in_run(tx, &scope, &run).unwrap().left;
        let told: Vec<VisitId> = told.iter().map(|gone| gone.visit_id).collect();
        if told != expected {
            return Err(format!("{told:?} have left {run:?}, and not {expected:?}"));
        }
    }
    Ok(())
}

/// A tap on a day with two runs one after the other in the gym and one in the library.
#[derive(Debug, Clone, Copy)]
struct Tapped {
    reader: usize,
    tag: usize,
    at_ms: i64,
    /// How many turns of the readers its upload waits.
    waits: usize,
}

fn taps() -> impl Strategy<Value = Vec<Tapped>> {
    let tapped = (0..4_usize, 0..4_usize, 0..3_600_000_i64, 0..3_usize);
    let tapped =
        tapped.prop_map(|(reader, tag, at_ms, waits)| Tapped { reader, tag, at_ms, waits });
    proptest::collection::vec(tapped, 1..40).prop_map(|mut taps| {
        taps.sort_by_key(|tapped| tapped.at_ms);
        taps.dedup_by_key(|tapped| tapped.at_ms);
        taps
    })
}

/// What the staff do meanwhile, in milliseconds of the day.
const RUNS: [(i64, Act); 5] = [
    (60_000, Act::StartRun { room: 0 }),
    (90_000, Act::StartRun { room: 1 }),
    (1_500_000, Act::EndRun { room: 1 }),
    (1_800_000, Act::StartRun { room: 1 }),
    (2_900_000, Act::EndRun { room: 0 }),
];

/// Plays the taps and the runs in their time, or only the runs.
fn play_live(stage: &Stage, tx: &mut Tx<'_>, taps: &[Tapped]) {
    let begin = tx.now;
    let mut runs = RUNS.iter().peekable();
    for tapped in taps {
        while let Some((at_ms, act)) = runs.next_if(|(at_ms, _)| *at_ms <= tapped.at_ms) {
            tx.now = Timestamp(begin.0 + at_ms);
            stage.play(tx, act).unwrap();
        }
        tx.now = Timestamp(begin.0 + tapped.at_ms);
        let scan = scan_of(begin, tapped);
        scan::scan(tx, &stage.readers[tapped.reader], &scan).unwrap();
    }
    for (at_ms, act) in runs {
        tx.now = Timestamp(begin.0 + at_ms);
        stage.play(tx, act).unwrap();
    }
    tx.now = Timestamp(begin.0 + 4_000_000);
}

fn scan_of(begin: Timestamp, tapped: &Tapped) -> Scan {
    let scan = tap(TAGS[tapped.tag], When::DeviceClock(Timestamp(begin.0 + tapped.at_ms)));
    Scan { scan_id: format!("{}", tapped.at_ms), ..scan }
}

/// Who is where and since when, and what became of each scan.
fn end_state(tx: &Tx<'_>) -> String {
    let rows = |sql: &str| {
        let mut statement = tx.prepare(sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..count).map(|column| row.get::<_, rusqlite::types::Value>(column)).collect()
        });
        rows.unwrap().collect::<rusqlite::Result<Vec<Vec<_>>>>().unwrap()
    };
    let attendance = rows(
        "select person_id, status, late, arrived_at, left_at from attendance order by person_id",
    );
    let visits = rows(
        "select person_id, run_id, started_at, ended_at, end_reason from visit
         order by person_id, started_at",
    );
    let scans = rows("select device_id, scan_id, outcome from scan order by device_id, scan_id");
    format!("{attendance:?}\n{visits:?}\n{scans:?}")
}

#[test]
fn readers_that_were_cut_off_lead_to_the_same_end_in_any_batches() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(Scene::new());
    let stage = runtime.block_on(Stage::of(&scene));
    runner(200)
        .run(&taps(), |taps| {
            let (told, heard) = std::sync::mpsc::channel();
            let (live, live_taps) = (stage.clone(), taps.clone());
            rehearse(&runtime, &scene, move |tx| {
                play_live(&live, tx, &live_taps);
                told.send(end_state(tx)).map_err(|e| e.to_string())
            })?;
            let expected = heard.recv().unwrap();
            let (late, batches) = (stage.clone(), batches(&taps));
            rehearse(&runtime, &scene, move |tx| {
                let begin = tx.now;
                play_live(&late, tx, &[]);
                for (reader, batch) in batches {
                    let mut scans: Vec<Scan> =
                        batch.iter().map(|tapped| scan_of(begin, tapped)).collect();
                    // Whatever the order in the call.
                    scans.reverse();
                    scan::scan_all(tx, &late.readers[reader], &scans).map_err(|e| e.to_string())?;
                    // And again, since the answer was lost.
                    scan::scan_all(tx, &late.readers[reader], &scans).map_err(|e| e.to_string())?;
                    check(tx, tx.now)?;
                }
                let found = end_state(tx);
                if found == expected { Ok(()) } else { Err(format!("{expected}\n\n{found}")) }
            })
        })
        .unwrap();
}

/// The calls in which the readers upload their taps, one reader after the other
/// and round again. Each person's taps stay in their order; nothing else does.
fn batches(taps: &[Tapped]) -> Vec<(usize, Vec<Tapped>)> {
    let mut calls: BTreeMap<usize, Vec<Tapped>> = BTreeMap::new();
    let mut last_call = [0_usize; TAGS.len()];
    for tapped in taps {
        let last = last_call[tapped.tag];
        let round = last / 4 + usize::from(last % 4 > tapped.reader) + tapped.waits;
        let call = round * 4 + tapped.reader;
        last_call[tapped.tag] = call;
        calls.entry(call).or_default().push(*tapped);
    }
    calls.into_iter().map(|(call, taps)| (call % 4, taps)).collect()
}

#[test]
fn in_any_order_at_all_the_newest_tap_at_a_door_decides_who_is_in_the_house() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(Scene::new());
    let stage = runtime.block_on(Stage::of(&scene));
    runner(200)
        .run(&taps().prop_shuffle(), |taps| {
            let stage = stage.clone();
            rehearse(&runtime, &scene, move |tx| {
                let begin = tx.now;
                play_live(&stage, tx, &[]);
                for tapped in &taps {
                    let scan = scan_of(begin, tapped);
                    scan::scan(tx, &stage.readers[tapped.reader], &scan)
                        .map_err(|e| e.to_string())?;
                    check(tx, tx.now)?;
                }
                for (member, person) in stage.members.iter().enumerate() {
                    let own = taps.iter().filter(|tapped| tapped.tag == member);
                    let Some(newest) = own.max_by_key(|tapped| tapped.at_ms) else { continue };
                    let status = match newest.reader {
                        0 => Status::Present,
                        1 => Status::Left,
                        _ => continue,
                    };
                    let day = visits::model::Today::at(tx, tx.now).unwrap().day;
                    let found = visits::queries::status_today(tx, *person, day).unwrap();
                    if found != status {
                        return Err(format!("{found:?} after {newest:?}"));
                    }
                }
                Ok(())
            })
        })
        .unwrap();
}
