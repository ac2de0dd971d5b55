//! Attendance and visits by hand, and runs that take everybody along.

use daybook::base::{Actor, Error};
use daybook::domain::visits::marking::Mark;
use daybook::domain::visits::scan::{Outcome, When};
use daybook::domain::visits::{Counts, Status, commands, snapshots};
use daybook::domain::{people, rooms};
use daybook::live::Tx;

use crate::scene::{BEN, MIA, Scene, ZOE, conflict, tap};

#[tokio::test]
async fn staff_check_a_member_in_and_out_of_their_run_and_the_house_knows() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    let visit = scene.start(scene.eva, scene.mia, run).await.unwrap();
    assert_eq!(scene.status(scene.mia).await, Status::Present);
    let came = &scene.events("attendance.checked_in").await[0].1;
    assert_eq!((&came["source"], &came["late"]), (&"manual".into(), &true.into()));
    assert_eq!(conflict(scene.start(scene.eva, scene.mia, run).await), "visit.already_in");
    scene.pass(60);
    scene.end(scene.eva, visit).await.unwrap();
    assert_eq!(conflict(scene.end(scene.eva, visit).await), "visit.ended");
    assert_eq!(scene.status(scene.mia).await, Status::Present);
    let counts = Counts { expected: 2, present: 1, in_transit: 1, ..Counts::default() };
    assert_eq!(scene.counts().await, counts);
    scene.check().await;
}

#[tokio::test]
async fn staff_may_bring_whoever_is_in_the_house_and_nobody_else_out_of_scope() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.otto]).await;
    // Mia is in Eva's group; Otto knows only whether she is present.
    let refused = scene.start(scene.otto, scene.mia, run).await;
    assert_eq!(conflict(refused), "visit.not_present");
    scene.tap(&scene.door, MIA).await;
    let visit = scene.start(scene.otto, scene.mia, run).await.unwrap();
    // A run of another is not Eva's, but Mia is: she may take her out.
    let (zoe, eva) = (scene.zoe, scene.eva);
    let refused = scene.start(eva, zoe, run).await;
    assert!(matches!(refused, Err(Error::Forbidden("run.not_own"))), "{refused:?}");
    scene.end(eva, visit).await.unwrap();
    // Of a visit that is neither in her run nor of her member she may not know.
    let visit = scene.start(scene.lead, zoe, run).await.unwrap();
    assert!(matches!(scene.end(eva, visit).await, Err(Error::NotFound("visit"))));
    assert!(matches!(scene.undo(eva, visit).await, Err(Error::NotFound("visit"))));
    scene.undo(scene.otto, visit).await.unwrap();
    let staff = scene.start(scene.lead, eva, run).await;
    assert!(matches!(staff, Err(Error::NotFound("person"))), "{staff:?}");
    scene.check().await;
}

#[tokio::test]
async fn a_transfer_by_hand_and_its_undo_leave_everything_as_it_was() {
    let scene = Scene::new().await;
    let library = scene.run(scene.library, &[scene.eva]).await;
    let gym = scene.run(scene.gym, &[scene.eva]).await;
    let first = scene.start(scene.eva, scene.mia, library).await.unwrap();
    scene.pass(60);
    let second = scene.start(scene.eva, scene.mia, gym).await.unwrap();
    assert_eq!(conflict(scene.undo(scene.eva, first).await), "visit.elsewhere");
    scene.pass(60);
    scene.undo(scene.eva, second).await.unwrap();
    assert_eq!(scene.visit_of(scene.mia).await, first);
    assert_eq!(conflict(scene.undo(scene.eva, second).await), "visit.undone");
    let told: Vec<_> =
        scene.log().await.into_iter().filter(|kind| kind.starts_with("visit")).collect();
    let (started, ended) = ("visit.started", "visit.ended");
    assert_eq!(told, [started, ended, started, ended, started]);
    assert_eq!(scene.events(ended).await[1].1["reason"], "undone");
    scene.check().await;
    // The run that the transfer came from has ended meanwhile: nothing to go back to.
    let third = scene.start(scene.eva, scene.mia, gym).await.unwrap();
    scene.end_run(library).await;
    scene.undo(scene.eva, third).await.unwrap();
    assert_eq!(scene.room_of(scene.mia).await, None);
    assert_eq!(scene.status(scene.mia).await, Status::Present);
    scene.check().await;
}

#[tokio::test]
async fn undoing_a_start_takes_back_the_arrival_that_it_was() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.mark(scene.eva, scene.ben, Status::Excused).await.unwrap();
    scene.tap(&scene.door, ZOE).await;
    scene.pass(60);
    scene.tap(&scene.exit, ZOE).await;
    for (member, before) in
        [(scene.mia, Status::Expected), (scene.ben, Status::Excused), (scene.zoe, Status::Left)]
    {
        let visit = scene.start(scene.lead, member, run).await.unwrap();
        assert_eq!(scene.status(member).await, Status::Present);
        scene.pass(60);
        scene.undo(scene.lead, visit).await.unwrap();
        assert_eq!(scene.status(member).await, before);
        let told = scene.events("attendance.marked").await.pop().unwrap();
        assert_eq!(told.1["status"], before.word());
        scene.check().await;
    }
}

#[tokio::test]
async fn an_end_can_be_undone_for_five_minutes_while_nothing_else_has_happened() {
    let scene = Scene::new().await;
    let library = scene.run(scene.library, &[scene.eva]).await;
    let visit = scene.start(scene.eva, scene.mia, library).await.unwrap();
    scene.pass(600);
    assert_eq!(conflict(scene.undo(scene.eva, visit).await), "visit.undo_too_late");
    scene.end(scene.eva, visit).await.unwrap();
    scene.pass(300);
    scene.undo(scene.eva, visit).await.unwrap();
    assert_eq!(scene.visit_of(scene.mia).await, visit);
    scene.end(scene.eva, visit).await.unwrap();
    scene.pass(301);
    assert_eq!(conflict(scene.undo(scene.eva, visit).await), "visit.undo_too_late");

    let again = scene.start(scene.eva, scene.mia, library).await.unwrap();
    scene.end(scene.eva, again).await.unwrap();
    for member in [scene.ben, scene.zoe] {
        scene.start(scene.lead, member, library).await.unwrap();
    }
    assert_eq!(conflict(scene.undo(scene.eva, again).await), "visit.room_full");
    scene.mark(scene.eva, scene.mia, Status::Left).await.unwrap();
    assert_eq!(conflict(scene.undo(scene.eva, again).await), "visit.elsewhere");
    scene.end_run(library).await;
    assert_eq!(conflict(scene.undo(scene.eva, again).await), "visit.run_ended");
    scene.check().await;
}

#[tokio::test]
async fn a_full_room_and_an_ended_run_take_nobody() {
    let scene = Scene::new().await;
    let run = scene.run(scene.library, &[scene.eva]).await;
    for member in [scene.mia, scene.ben] {
        scene.start(scene.eva, member, run).await.unwrap();
    }
    assert_eq!(conflict(scene.start(scene.lead, scene.zoe, run).await), "visit.room_full");
    scene.end_run(run).await;
    assert_eq!(conflict(scene.start(scene.lead, scene.zoe, run).await), "visit.run_ended");
    assert_eq!(scene.status(scene.zoe).await, Status::Expected);
}

#[tokio::test]
async fn the_end_of_a_run_is_told_once_to_the_run_and_once_to_each_group() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.otto]).await;
    let (mia, zoe) = (scene.mia, scene.zoe);
    let red = scene
        .write(Actor::System, move |tx| {
            let kind = rooms::GroupKind::Class;
            let new = rooms::model::NewGroup { name: "Rot".to_owned(), kind };
            let red = rooms::commands::new_group(tx, &new)?;
            rooms::commands::set_group_members(tx, red, &[mia, zoe])?;
            Ok(red)
        })
        .await
        .unwrap();
    for member in [scene.mia, scene.ben, scene.zoe] {
        scene.start(scene.lead, member, run).await.unwrap();
    }
    assert_eq!(scene.end_run(run).await, 3);
    let told = scene.events("visit.bulk_ended").await;
    let ids = |people: &[daybook::base::id::PersonId]| serde_json::to_value(people).unwrap();
    let by_topic = |topics: String| {
        let found: Vec<_> = told.iter().filter(|(heard, _)| *heard == topics).collect();
        assert_eq!(found.len(), 1, "{topics}");
        found[0].1.clone()
    };
    let all = by_topic(format!("run:{run} lead"));
    assert_eq!((&all["count"], &all["reason"]), (&3.into(), &"run_ended".into()));
    assert_eq!(all["member_ids"], ids(&[scene.mia, scene.ben, scene.zoe]));
    // Nobody hears of those who are not theirs.
    let of_blue = by_topic(format!("group:{}", scene.blue));
    assert_eq!(of_blue["member_ids"], ids(&[scene.mia, scene.ben]));
    let of_red = by_topic(format!("group:{red}"));
    assert_eq!(of_red["member_ids"], ids(&[scene.mia, scene.zoe]));
    assert_eq!(told.len(), 3);
    scene.check().await;
}

#[tokio::test]
async fn a_long_list_is_told_in_several_events_of_at_most_five_hundred() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.otto]).await;
    scene
        .write(Actor::System, move |tx| {
            for number in 0..1_101 {
                let new =
                    people::model::NewPerson::named("M", &number.to_string(), people::Role::Member);
                let person = people::commands::enrol(tx, new)?;
                tx.execute(
                    "insert into visit (person_id, run_id, room_id, started_at, source)
                     select ?1, run_id, room_id, ?2, 'badge' from run where run_id = ?3",
                    rusqlite::params![person, tx.now, run],
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(scene.end_run(run).await, 1_101);
    let counts: Vec<_> =
        scene.events("visit.bulk_ended").await.iter().map(|told| told.1["count"].clone()).collect();
    assert_eq!(counts, [500, 500, 101]);
}

#[tokio::test]
async fn a_reopened_run_has_back_who_is_nowhere_else() {
    let scene = Scene::new().await;
    let library = scene.run(scene.library, &[scene.eva]).await;
    let gym = scene.run(scene.gym, &[scene.eva]).await;
    let stays = scene.start(scene.eva, scene.mia, library).await.unwrap();
    scene.start(scene.eva, scene.ben, library).await.unwrap();
    scene.pass(600);
    // Zoe was there and had left before.
    scene.end_run(library).await;
    scene.pass(60);
    scene.start(scene.eva, scene.ben, gym).await.unwrap();
    scene.pass(239);
    let reopen = move |tx: &mut Tx<'_>| commands::reopen_run(tx, library);
    scene.write(Actor::Person(scene.eva), reopen).await.unwrap();
    assert_eq!(scene.visit_of(scene.mia).await, stays);
    assert_eq!(scene.room_of(scene.ben).await, Some(scene.gym));
    let told = scene.events("visit.bulk_started").await;
    assert_eq!(told.len(), 2);
    assert_eq!((&told[0].1["count"], &told[0].1["reason"]), (&1.into(), &"run_reopened".into()));
    assert_eq!(told[0].0, format!("run:{library} lead"));
    assert_eq!(told[1].0, format!("group:{}", scene.blue));
    scene.check().await;
    scene.end_run(library).await;
    scene.tap(&scene.exit, MIA).await;
    // Who comes back through the door is in the house, and in no room.
    scene.tap(&scene.door, MIA).await;
    scene.write(Actor::Person(scene.eva), reopen).await.unwrap();
    assert_eq!(
        (scene.status(scene.mia).await, scene.room_of(scene.mia).await),
        (Status::Present, None)
    );
    scene.end_run(library).await;
    scene.pass(301);
    let late = scene.write(Actor::Person(scene.eva), reopen).await;
    assert_eq!(conflict(late), "run.reopen_too_late");
}

#[tokio::test]
async fn a_mark_by_hand_is_audited_and_of_today() {
    let scene = Scene::new().await;
    let hour = |hour: i64| Scene::minute((hour - 10) * 60);
    let mark = |status, at| Mark { status, reason: Some(" Arzt ".to_owned()), at };
    let marked = scene.mark_as(scene.eva, scene.mia, mark(Status::Excused, None)).await.unwrap();
    assert_eq!((marked.status, marked.reason.as_deref()), (Status::Excused, Some("Arzt")));
    assert_eq!(scene.counts().await.absent, 1);
    // It was a mistake: she has been here since eight.
    let marked = scene.mark_as(scene.eva, scene.mia, mark(Status::Present, Some(hour(8)))).await;
    let marked = marked.unwrap();
    assert_eq!((marked.late, marked.arrived_at), (false, Some(hour(8))));
    let marked = scene.mark_as(scene.eva, scene.mia, mark(Status::Present, Some(hour(9)))).await;
    assert!(marked.unwrap().late);
    let marked = scene.mark_as(scene.eva, scene.mia, mark(Status::Left, Some(hour(9)))).await;
    assert_eq!(marked.unwrap().left_at, Some(hour(9)));
    let back = scene.mark(scene.eva, scene.mia, Status::Present).await.unwrap();
    assert_eq!((back.arrived_at, back.left_at), (Some(hour(9)), None));
    let gone = scene.mark(scene.eva, scene.mia, Status::Expected).await.unwrap();
    assert_eq!(gone.status, Status::Expected);
    assert_eq!(scene.number("select count(*) from attendance").await, 0);
    assert_eq!(scene.number("select count(*) from audit where act = 'attendance.marked'").await, 6);
    let kinds: Vec<_> = scene.events("attendance.marked").await;
    let words: Vec<_> = kinds.iter().map(|told| told.1["status"].as_str().unwrap()).collect();
    assert_eq!(words, ["excused", "present", "expected"]);
    assert!(!format!("{kinds:?}").contains("Arzt"));

    let wrong = [
        (Status::Present, Some(hour(11))),
        (Status::Present, Some(hour(-14))),
        (Status::Excused, Some(hour(9))),
    ];
    for (status, at) in wrong {
        let refused = scene.mark_as(scene.eva, scene.mia, mark(status, at)).await;
        assert!(
            matches!(&refused, Err(Error::Invalid { field, .. }) if field == "at"),
            "{refused:?}"
        );
    }
    let out_of_scope = scene.mark(scene.otto, scene.mia, Status::Present).await;
    assert!(matches!(out_of_scope, Err(Error::NotFound("person"))));
    scene.mark(scene.office, scene.mia, Status::Unreported).await.unwrap();
    let no_member = scene.mark(scene.lead, scene.eva, Status::Present).await;
    assert!(matches!(no_member, Err(Error::NotFound("person"))));
    scene.check().await;
}

#[tokio::test]
async fn who_goes_home_is_in_no_room_and_who_was_in_a_run_was_here() {
    let scene = Scene::new().await;
    let run = scene.run(scene.gym, &[scene.eva]).await;
    scene.start(scene.eva, scene.mia, run).await.unwrap();
    for status in [Status::Excused, Status::Unreported, Status::Expected] {
        let refused = scene.mark(scene.eva, scene.mia, status).await;
        assert_eq!(conflict(refused), "attendance.has_visits");
    }
    scene.pass(60);
    scene.mark(scene.eva, scene.mia, Status::Left).await.unwrap();
    assert_eq!(scene.room_of(scene.mia).await, None);
    scene.check().await;
    // Nobody leaves before something that is known of them, or arrives after it.
    let at = |status, at| Mark { status, reason: None, at: Some(at) };
    let before = at(Status::Left, Scene::minute(-1));
    let before = scene.mark_as(scene.eva, scene.mia, before).await;
    assert!(matches!(before, Err(Error::Invalid { .. })), "{before:?}");
    scene.mark(scene.eva, scene.mia, Status::Present).await.unwrap();
    let after = scene.mark_as(scene.eva, scene.mia, at(Status::Present, scene.now())).await;
    assert!(matches!(after, Err(Error::Invalid { .. })), "{after:?}");
    scene.check().await;
}

#[tokio::test]
async fn what_a_member_did_before_the_end_of_a_run_is_still_heard_of_after_it() {
    let scene = Scene::new().await;
    let library = scene.run(scene.library, &[scene.eva]).await;
    scene.run(scene.gym, &[scene.eva]).await;
    for member in [scene.mia, scene.ben] {
        scene.start(scene.lead, member, library).await.unwrap();
    }
    scene.set(Scene::minute(20));
    scene.end_run(library).await;
    scene.set(Scene::minute(30));
    let then = When::DeviceClock(Scene::minute(10));
    // A reader that was cut off: Mia had gone to the gym, and Ben home, before the end.
    let moved = scene.scan(&scene.gym_reader, tap(MIA, then)).await;
    assert_eq!(moved.outcome, Outcome::Transferred);
    assert_eq!(scene.room_of(scene.mia).await, Some(scene.gym));
    assert_eq!(scene.scan(&scene.exit, tap(BEN, then)).await.outcome, Outcome::LeftHouse);
    let ends = "select count(*) from visit where ended_at = started_at + 600000";
    assert_eq!(scene.number(ends).await, 2);
    scene.check().await;
}

#[tokio::test]
async fn a_snapshot_tells_who_is_here_who_is_expected_and_who_has_left() {
    let scene = Scene::new().await;
    let library = scene.run(scene.library, &[scene.eva]).await;
    let gym = scene.run(scene.gym, &[scene.otto]).await;
    // An attendance of another day says nothing of today.
    scene.set(Scene::minute(-24 * 60));
    scene.tap(&scene.door, BEN).await;
    scene.tap(&scene.exit, BEN).await;
    scene.set(Scene::minute(0));
    scene.start(scene.eva, scene.mia, library).await.unwrap();
    let left = scene.start(scene.lead, scene.zoe, library).await.unwrap();
    scene.pass(60);
    scene.end(scene.eva, left).await.unwrap();
    let (eva, otto) = (scene.eva, scene.otto);
    let seen = |by, run| {
        scene.act(by, move |tx, scope| {
            let run = rooms::queries::run(tx, run)?;
            snapshots::in_run(tx, scope, &run)
        })
    };
    let page = seen(eva, library).await.unwrap();
    let undo = Some(Scene::minute(5));
    assert_eq!((page.here[0].member_id, page.here[0].undo_until), (scene.mia, undo));
    assert_eq!(page.here[0].group_name.as_deref(), Some("Blau"));
    assert_eq!(
        (page.left[0].member_id, page.left[0].undo_until),
        (scene.zoe, Some(Scene::minute(6)))
    );
    assert_eq!(page.expected.len(), 1);
    assert_eq!(
        (page.expected[0].member_id, page.expected[0].status),
        (scene.ben, Status::Expected)
    );
    // Otto is in charge of no group.
    assert!(seen(otto, gym).await.unwrap().expected.is_empty());
    scene.start(scene.lead, scene.ben, gym).await.unwrap();
    let page = seen(eva, library).await.unwrap();
    assert_eq!(page.expected[0].room_name.as_deref(), Some("Turnhalle"));
    assert_eq!(page.expected[0].status, Status::Present);

    let blue = scene.blue;
    let group = || scene.act(eva, move |tx, scope| snapshots::in_group(tx, scope, blue));
    let page = group().await.unwrap();
    assert_eq!(page.here.len(), 2);
    assert_eq!((page.here[0].room_id, page.here[1].run_id), (scene.gym, library));
    scene.mark(eva, scene.ben, Status::Left).await.unwrap();
    scene.end(eva, scene.visit_of(scene.mia).await).await.unwrap();
    let page = group().await.unwrap();
    assert_eq!((page.left[0].at, page.on_the_way[0].since), (scene.now(), scene.now()));
    let ida = scene.member("Ida Ilm", "DEB0D4D4").await;
    let jan = scene.member("Jan Just", "DEB0D5D5").await;
    let others = move |tx: &mut Tx<'_>| rooms::commands::set_group_members(tx, blue, &[ida, jan]);
    scene.write(Actor::System, others).await.unwrap();
    scene.mark(eva, ida, Status::Unreported).await.unwrap();
    let page = group().await.unwrap();
    assert_eq!((page.absent[0].member_id, page.expected[0].member_id), (ida, jan));
    assert_eq!(page.here.len() + page.left.len() + page.on_the_way.len(), 0);
}
