//! What time does: who is missing, the close of the day, a clock that was put back, forgetting.

use std::time::Duration;

use daybook::base::id::{GroupId, RunId};
use daybook::base::page::Paging;
use daybook::base::{Actor, Day, Result, Timestamp};
use daybook::domain::people::Role;
use daybook::domain::rooms::{self, Charge, scope};
use daybook::domain::visits::day::{self, Closed};
use daybook::domain::visits::scan::{Code, Outcome, When};
use daybook::domain::visits::{Status, commands, keeping, lists, snapshots};
use daybook::live::Tx;
use serde_json::json;

use crate::runs::{House, get, post, refusal};
use crate::scene::{BEN, EVA, MIA, Scene, ZOE, conflict, tap};

#[tokio::test]
async fn the_missing_are_told_once_a_day_and_their_coming_makes_them_late() {
    let scene = Scene::new().await;
    // Seven in the morning.
    scene.set(Scene::minute(-180));
    let missing = || scene.write(Actor::System, day::mark_missing);
    scene.tap(&scene.door, MIA).await;
    scene.mark(scene.office, scene.zoe, Status::Excused).await.unwrap();
    scene.set(Scene::minute(-91));
    assert_eq!(missing().await.unwrap(), 0);
    scene.set(Scene::minute(-90));
    assert_eq!((missing().await.unwrap(), missing().await.unwrap()), (1, 0));
    assert_eq!(scene.status(scene.ben).await, Status::Unreported);
    let (topics, told) = scene.events("attendance.missing").await.remove(0);
    assert_eq!(topics, format!("group:{} office lead", scene.blue));
    assert_eq!(told["member_id"], scene.ben.to_string());
    assert_eq!(told["due_at"], "2026-11-20T07:15:00.000Z");
    // What somebody decides afterwards is not decided again by the clock.
    scene.mark(scene.office, scene.zoe, Status::Expected).await.unwrap();
    assert_eq!(missing().await.unwrap(), 0);
    // A door that was cut off says that Ben came in time; the clock knew nothing better.
    let in_time = tap(BEN, When::DeviceClock(Scene::minute(-110)));
    assert_eq!(scene.scan(&scene.door, in_time).await.outcome, Outcome::CheckedIn);
    let late = scene.tap(&scene.door, ZOE).await;
    assert_eq!(late.outcome, Outcome::CheckedIn);
    let lates: Vec<_> = scene.events("attendance.checked_in").await;
    let lates: Vec<_> = lates.iter().map(|told| told.1["late"].as_bool().unwrap()).collect();
    assert_eq!(lates, [false, false, true]);
    scene.check().await;
}

#[tokio::test]
async fn nobody_is_missing_on_a_day_on_which_nobody_comes() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, EVA).await;
    let missing = scene.write(Actor::System, day::mark_missing).await.unwrap();
    assert_eq!((missing, scene.counts().await.expected), (0, 3));
}

#[tokio::test]
async fn the_day_is_closed_once_and_for_the_time_at_which_it_was_due() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.tap(&scene.door, EVA).await;
    scene.tap(&scene.gym_reader, MIA).await;
    scene.tap(&scene.door, BEN).await;
    let close = || scene.write(Actor::System, day::close_day);
    assert_eq!(close().await.unwrap(), Closed::default());
    // The server was off from the afternoon until the next morning.
    scene.set(Scene::minute(22 * 60));
    let closed = close().await.unwrap();
    assert_eq!(closed, Closed { visits: 1, people: 3, runs: 1 });
    assert_eq!(close().await.unwrap(), Closed::default());
    let six = Scene::minute(8 * 60).0;
    assert_eq!(scene.number("select ended_at from visit").await, six);
    assert_eq!(scene.number("select count(*) from attendance where status = 'left'").await, 3);
    assert_eq!(scene.number("select min(left_at) from attendance").await, six);
    assert_eq!(scene.number("select max(left_at) from attendance").await, six);
    let ended = scene.events("visit.bulk_ended").await;
    assert_eq!(ended[0].1["reason"], "day_closed");
    let out = scene.events("attendance.checked_out").await;
    assert_eq!(out.len(), 2);
    assert_eq!((&out[0].1["source"], &out[0].1["reason"]), (&"auto".into(), &"day_closed".into()));
    let ended = scene.events("run.ended").await;
    assert_eq!((ended.len(), &ended[0].1["undo_until"]), (1, &json!(null)));
    let reopen = scene.write(Actor::System, move |tx| commands::reopen_run(tx, run)).await;
    assert_eq!(conflict(reopen), "run.reopen_too_late");
    scene.check().await;
}

#[tokio::test]
async fn a_run_whose_close_is_noted_late_ended_when_the_house_closed() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    // The server was off meanwhile.
    scene.set(Scene::minute(8 * 60 + 40));
    scene.write(Actor::System, day::close_day).await.unwrap();
    let (ended, staff) = scene
        .read(move |conn| {
            Ok((rooms::queries::run(conn, run)?, rooms::queries::staff_of_run(conn, run)?))
        })
        .await;
    assert_eq!(ended.ended_at, Some(Scene::minute(8 * 60)));
    assert_eq!(staff.iter().map(|who| who.id).collect::<Vec<_>>(), [scene.eva]);
    // Who held a badge to the reader in between went into no run any more.
    let between = tap(MIA, When::DeviceClock(Scene::minute(8 * 60 + 10)));
    assert_eq!(scene.scan(&scene.gym_reader, between).await.code, Some(Code::RunNone));
    scene.check().await;
}

#[tokio::test]
async fn nobody_enters_a_run_after_its_day_though_nobody_has_closed_it_yet() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.set(Scene::minute(8 * 60));
    assert_eq!(scene.tap(&scene.gym_reader, MIA).await.code, Some(Code::RunNone));
    let entered = scene.start(scene.eva, scene.mia, run).await;
    assert_eq!(conflict(entered), "visit.run_ended");
    let late = tap(ZOE, When::DeviceClock(scene.now()));
    scene.pass(20);
    assert_eq!(scene.scan(&scene.gym_reader, late).await.code, Some(Code::RunNone));
    scene.check().await;
}

#[tokio::test]
async fn who_comes_after_closing_time_stays_until_midnight() {
    let scene = Scene::new().await;
    let close = || scene.write(Actor::System, day::close_day);
    scene.set(Scene::minute(8 * 60));
    assert_eq!(close().await.unwrap(), Closed::default());
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.start(scene.eva, scene.mia, run).await.unwrap();
    scene.set(Scene::minute(14 * 60 - 1));
    assert_eq!(close().await.unwrap(), Closed::default());
    scene.set(Scene::minute(14 * 60));
    assert_eq!(close().await.unwrap(), Closed { visits: 1, people: 1, runs: 1 });
    assert_eq!(scene.number("select left_at from attendance").await, Scene::minute(14 * 60).0);
    scene.check().await;
}

/// Fault 118.
#[tokio::test]
async fn a_day_of_23_and_one_of_25_hours_close_by_the_clock_on_the_wall() {
    for (day, hours_open) in [("2027-03-28", 15), ("2026-10-25", 17)] {
        let scene = Scene::new().await;
        let day: Day = day.parse().unwrap();
        let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        // Two minutes past midnight, before the clock is put forward or back.
        scene.set(day.at_minute(2, &berlin));
        let run = scene.run(scene.gym, &[scene.eva]).await;
        scene.start(scene.lead, scene.mia, run).await.unwrap();
        let midnight = day.at_minute(0, &berlin).0;
        let closing = Timestamp(midnight + (hours_open + 2) * 3_600_000);
        scene.set(Timestamp(closing.0 - 1));
        let close = || scene.write(Actor::System, day::close_day);
        assert_eq!(close().await.unwrap(), Closed::default(), "{day}");
        scene.set(closing);
        assert_eq!(close().await.unwrap(), Closed { visits: 1, people: 1, runs: 1 }, "{day}");
        assert_eq!(scene.number("select ended_at from visit").await, closing.0, "{day}");
        scene.check().await;
    }
}

/// Fault 118.
#[tokio::test]
async fn between_eleven_and_midnight_it_is_still_today() {
    let scene = Scene::new().await;
    // Half past eleven at night in Berlin in summer, the next day's half past nine in UTC terms.
    let late: jiff::Timestamp = "2026-07-01T21:30:00Z".parse().unwrap();
    scene.set(Timestamp(late.as_millisecond()));
    scene.tap(&scene.door, MIA).await;
    let day = scene
        .read(|conn| {
            Ok(conn.query_row("select day from attendance", [], |r| r.get::<_, String>(0))?)
        })
        .await;
    assert_eq!(day, "2026-07-01");
    scene.pass(45 * 60);
    scene.tap(&scene.door, BEN).await;
    let day = scene
        .read(|conn| {
            Ok(conn.query_row("select max(day) from attendance", [], |r| r.get::<_, String>(0))?)
        })
        .await;
    assert_eq!(day, "2026-07-02");
}

/// Fault 117.
#[tokio::test]
async fn a_visit_never_starts_before_its_run_whatever_the_clock_did() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    scene.set(Scene::minute(-30));
    let visit = scene.start(scene.lead, scene.mia, run).await.unwrap();
    scene.end(scene.lead, visit).await.unwrap();
    let began = "select count(*) from visit join run using (run_id)
                 where visit.started_at = run.started_at and visit.ended_at >= visit.started_at";
    assert_eq!(scene.number(began).await, 1);
    // So whoever was in a run is found by the time since it began.
    let page = scene.act(scene.lead, move |tx, scope| {
        let run = rooms::queries::run(tx, run)?;
        snapshots::in_run(tx, scope, &run)
    });
    assert_eq!(page.await.unwrap().left[0].member_id, scene.mia);
    scene.check().await;
}

/// What Eva and Otto are responsible for, and whether each sees Zoe, who is in Eva's run and in
/// nobody's group.
async fn duties(scene: &Scene) -> [(Vec<GroupId>, Vec<RunId>, bool); 2] {
    let (eva, otto, zoe, now) = (scene.eva, scene.otto, scene.zoe, scene.now());
    let read = move |conn: &_| {
        let of = |person| -> Result<_> {
            let scope = scope::of(conn, person, Role::Staff, now)?;
            let sees = scope.sees(conn, zoe)?;
            Ok((scope.groups, scope.runs, sees))
        };
        Ok([of(eva)?, of(otto)?])
    };
    scene.read(read).await
}

/// Fault 117.
#[tokio::test]
async fn a_clock_that_is_put_back_takes_nobody_from_those_in_charge_and_gives_nobody_back() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    let ended = scene.run(scene.library, &[scene.eva]).await;
    let (blue, eva, otto) = (scene.blue, scene.eva, scene.otto);
    scene.tap(&scene.gym_reader, ZOE).await;
    let noon = Scene::minute(120);
    let beside = move |tx: &mut Tx<'_>| {
        let (group, until) = (Charge::Group(blue), Some(noon));
        rooms::commands::substitute(tx, group, Some(eva), otto, until)
    };
    scene.write(Actor::System, beside).await.unwrap();
    scene.pass(60);
    scene.end_run(ended).await;
    let before = duties(&scene).await;
    assert_eq!(before[0], (vec![blue], vec![run], true));
    assert!(before[1].0.contains(&blue) && before[1].1.is_empty());

    // All that has begun since begins in an hour, by the clock; what has ended ends then.
    scene.set(Scene::minute(-60));
    assert_eq!(duties(&scene).await, before);
    let page = scene.act(eva, move |tx, scope| {
        scope.require_run(tx, run)?;
        snapshots::in_run(tx, scope, &rooms::queries::run(tx, run)?)
    });
    let page = page.await.unwrap();
    assert_eq!(page.here[0].member_id, scene.zoe);
    assert!(page.expected.iter().any(|one| one.member_id == scene.mia));
    // What changes hands changes hands at once.
    let give = move |tx: &mut Tx<'_>| {
        rooms::commands::hand_over(tx, Charge::Run(run), Some(eva), otto).map(drop)
    };
    scene.write(Actor::System, give).await.unwrap();
    let [hers, his] = duties(&scene).await;
    assert_eq!((hers.1, hers.2, his.1, his.2), (vec![], false, vec![run], true));
    // The substitution ends when it was planned to.
    scene.set(noon);
    assert!(!duties(&scene).await[1].0.contains(&blue));
}

#[tokio::test]
async fn a_scan_is_forgotten_in_time_and_with_it_whose_tag_was_last() {
    let scene = Scene::new().await;
    scene.tap(&scene.door, MIA).await;
    scene.tap(&scene.door, BEN).await;
    scene.tap(&scene.door, "04DEADBEEF").await;
    scene.pass(3600);
    scene.tap(&scene.door, BEN).await;
    let before = scene.now();
    let forgotten = scene.act(scene.lead, move |tx, _| keeping::prune_scans(tx, before));
    forgotten.await.unwrap();
    assert_eq!(scene.number("select count(*) from scan").await, 1);
    let known = "select count(*) from last_scan join scan using (scan_number)";
    assert_eq!(scene.number(known).await, 1);
    assert_eq!(scene.number("select count(*) from last_scan").await, 1);
    assert_eq!(scene.number("select count(*) from last_unknown_scan").await, 0);
}

#[tokio::test]
async fn what_lies_before_the_first_visit_of_another_day_is_not_read() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    for minute in [1, 3] {
        scene.set(Scene::minute(minute));
        let visit = scene.start(scene.lead, scene.mia, run).await.unwrap();
        scene.set(Scene::minute(minute + 1));
        scene.end(scene.lead, visit).await.unwrap();
    }
    // It cannot be; so it shows whether anybody has looked there.
    let next_day = Scene::minute(24 * 60);
    let first = "update visit set started_at = ?1, ended_at = ?1
                 where visit_id = (select min(visit_id) from visit)";
    let change = move |tx: &mut daybook::live::Tx<'_>| Ok(tx.execute(first, [next_day])?);
    assert_eq!(scene.write(Actor::System, change).await.unwrap(), 1);
    scene.set(next_day);
    let mia = scene.mia;
    let paging = Paging { limit: None, cursor: None };
    let seen = scene.read(move |conn| lists::history(conn, mia, next_day, &paging)).await;
    assert_eq!(seen.items.len(), 0);
    let marked = scene.mark(scene.lead, scene.mia, Status::Excused).await;
    assert_eq!(marked.unwrap().status, Status::Excused);
}

#[tokio::test]
async fn what_the_day_has_closed_is_not_promised_to_be_taken_up_again() {
    let house = House::new().await;
    let run = house.annas_run().await;
    let (show, reopen) = (format!("/runs/{run}"), format!("/runs/{run}/reopen"));
    // Ended by hand two minutes before the house closes: until then, and no longer.
    house.server.advance(Duration::from_secs((8 * 60 - 2) * 60));
    let (_, ended) = post(&house.anna, &format!("/runs/{run}/end"), json!({})).await;
    assert_eq!(ended["undo_until"], "2026-11-20T16:59:59.999Z");
    assert_eq!(post(&house.anna, &reopen, json!({})).await.0, 200);
    house.server.advance(Duration::from_secs(120));
    house.server.write(Actor::System, day::close_day).await.unwrap();
    let (status, shown) = get(&house.lead, &show).await;
    assert_eq!((status, shown["run"].get("undo_until")), (200, None), "{shown}");
    assert!(shown["run"]["ended_at"].is_string(), "{shown}");
    let late = post(&house.anna, &reopen, json!({})).await;
    assert_eq!(refusal(&late), (409, "run.reopen_too_late"));
}

#[tokio::test]
async fn no_undo_of_a_visit_is_promised_beyond_its_day() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    let [eva] = scene.signed_in([scene.eva]).await;
    scene.set(Scene::minute(8 * 60 - 2));
    let visit = json!({ "member_id": scene.mia, "run_id": run });
    let (status, started) = post(&eva, "/visits", visit).await;
    assert_eq!((status, &started["undo_until"]), (201, &json!("2026-11-20T16:59:59.999Z")));
    let shown = get(&eva, &format!("/runs/{run}")).await.1;
    assert_eq!(shown["here"][0]["undo_until"], started["undo_until"]);
    let path = format!("/visits/{}", started["visit_id"].as_str().unwrap());
    let (_, ended) = post(&eva, &format!("{path}/end"), json!({})).await;
    assert_eq!(ended["undo_until"], started["undo_until"]);
    // The day is over before the timetable has looked.
    scene.set(Scene::minute(8 * 60));
    let late = post(&eva, &format!("{path}/undo"), json!({})).await;
    assert_eq!(refusal(&late), (409, "visit.undo_too_late"));
}

#[tokio::test]
async fn a_visit_that_was_undone_is_not_in_what_is_left_of_its_day() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.tap(&scene.door, MIA).await;
    let slip = scene.start(scene.eva, scene.mia, run).await.unwrap();
    scene.undo(scene.eva, slip).await.unwrap();
    scene.start(scene.eva, scene.ben, run).await.unwrap();
    scene.end_run(run).await;
    let forget = |tx: &mut Tx<'_>| keeping::prune(tx, Scene::minute(24 * 60));
    scene.write(Actor::System, forget).await.unwrap();
    assert_eq!(scene.number("select arrived * 10 + visits from day_total").await, 21);
}
