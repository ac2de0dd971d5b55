//! Every event of the catalogue as it goes over the wire: name, audience, fields.
//!
//! A new variant must be added here; the snapshot makes a change of shape, or
//! of who hears it, something that somebody has looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use daybook::base::Timestamp;
use daybook::base::id::{
    ActivityId, DeviceId, GroupId, HelpRequestId, OfferId, PersonId, RoomId, RunId, VisitId,
};
use daybook::event::{BulkAudience, Charge, Event, HelpFacts, Label, Topic};
use expect_test::expect;

use crate::papers;

const AT: Timestamp = Timestamp(1_795_165_200_000);
const MEMBER: PersonId = PersonId(7);
const RUN: RunId = RunId(5);
const ROOM: RoomId = RoomId(3);

/// One event of each kind.
fn catalogue() -> Vec<Event> {
    [people(), rooms(), visits(), scans_and_devices(), help_and_tracking()].concat()
}

fn groups() -> Vec<GroupId> {
    vec![GroupId(2), GroupId(4)]
}

fn people() -> Vec<Event> {
    let (user_id, groups) = (MEMBER, groups());
    vec![
        Event::AccountSignedIn { user_id, role: "member", groups, run: Some(RUN) },
        Event::AccountSignedOut {
            user_id: PersonId(1),
            role: "staff",
            groups: Vec::new(),
            run: None,
        },
    ]
}

fn rooms() -> Vec<Event> {
    let name = || Label("Homework".to_owned());
    let (activity_id, staff_ids) = (ActivityId(9), vec![PersonId(1)]);
    vec![
        Event::AccessChanged {
            user_id: PersonId(1),
            added: vec![Topic::Run(RUN)],
            removed: vec![Topic::Group(GroupId(2))],
        },
        Event::RunStarted {
            run_id: RUN,
            activity_id,
            activity_name: name(),
            room_id: ROOM,
            staff_ids: staff_ids.clone(),
        },
        Event::RunUpdated {
            run_id: RUN,
            activity_id,
            activity_name: name(),
            room_id: ROOM,
            staff_ids: staff_ids.clone(),
        },
        Event::RunEnded {
            run_id: RUN,
            activity_id,
            activity_name: name(),
            room_id: ROOM,
            staff_ids: staff_ids.clone(),
            reason: "ended",
            undo_until: Some(AT),
        },
        Event::RunReopened {
            run_id: RUN,
            activity_id,
            activity_name: name(),
            room_id: ROOM,
            staff_ids: staff_ids.clone(),
        },
        Event::SupervisionChanged {
            charge: Charge::Group(GroupId(2)),
            staff_ids,
            from: Some(PersonId(8)),
            to: Some(PersonId(1)),
        },
        Event::SupervisionOffered {
            offer_id: OfferId(6),
            charge: Charge::Run(RUN),
            kind: "hand_over",
            from: PersonId(8),
            to: PersonId(1),
            until: None,
        },
        Event::SupervisionOfferEnded {
            offer_id: OfferId(6),
            charge: Charge::Run(RUN),
            from: PersonId(8),
            to: PersonId(1),
            outcome: "declined",
        },
    ]
}

fn visits() -> Vec<Event> {
    let (member_id, run_id, visit_id) = (MEMBER, RUN, VisitId(11));
    vec![
        Event::AttendanceCheckedIn {
            member_id,
            at: AT,
            late: true,
            source: "badge",
            groups: groups(),
        },
        Event::AttendanceCheckedOut {
            member_id,
            at: AT,
            source: "auto",
            reason: "day_closed",
            groups: groups(),
        },
        Event::AttendanceMarked { member_id, status: "excused", groups: groups() },
        Event::AttendanceMissing { member_id, due_at: AT, groups: groups() },
        Event::VisitStarted {
            visit_id,
            run_id,
            room_id: ROOM,
            member_id,
            from_room_id: None,
            source: "manual",
            at: AT,
            groups: groups(),
        },
        Event::VisitEnded {
            visit_id,
            run_id,
            room_id: ROOM,
            member_id,
            reason: "transferred",
            source: "badge",
            at: AT,
            groups: groups(),
        },
        Event::VisitBulkStarted {
            run_id,
            count: 1,
            member_ids: vec![MEMBER],
            reason: "reopened",
            audience: BulkAudience::Run,
        },
        Event::VisitBulkEnded {
            run_id,
            count: 1,
            member_ids: vec![MEMBER],
            reason: "run_ended",
            audience: BulkAudience::Group(GroupId(2)),
        },
    ]
}

fn scans_and_devices() -> Vec<Event> {
    let device_id = DeviceId(12);
    vec![
        Event::ScanUnknown { device_id, tag_suffix: Label("00FF".to_owned()) },
        Event::ScanNeedsReview {
            device_id,
            scan_id: Label("01JD0000000000000000000000".to_owned()),
            why: "late",
        },
        Event::DeviceStatusChanged {
            device_id,
            state: "late",
            alarms: vec!["queue_stuck"],
            queue_depth: 4,
            firmware: Label("1.4.2".to_owned()),
        },
    ]
}

fn help_and_tracking() -> Vec<Event> {
    let facts = HelpFacts {
        id: HelpRequestId(21),
        user_id: MEMBER,
        room_id: Some(ROOM),
        book_id: None,
        section_id: None,
        priority: "urgent",
        status: "pending",
        assigned_to: None,
        position: Some(1),
        rev: 1,
        groups: groups(),
        runs: vec![RUN],
        urgent: true,
        helpers: Vec::new(),
    };
    let done = HelpFacts {
        book_id: Some(Label("b1".to_owned())),
        section_id: Some(Label("s2".to_owned())),
        priority: "normal",
        status: "resolved",
        assigned_to: Some(PersonId(1)),
        position: None,
        rev: 3,
        urgent: false,
        helpers: vec![PersonId(1)],
        ..facts.clone()
    };
    vec![
        Event::HelpRequested(facts),
        Event::HelpUpdated(done),
        Event::ActivityTracked {
            user_id: MEMBER,
            event_type: Label("page.opened".to_owned()),
            book_id: Some(Label("b1".to_owned())),
            groups: groups(),
            run: Some(RUN),
        },
    ]
}

#[test]
fn every_event_has_the_shape_and_the_audience_that_was_decided() {
    let mut text = String::new();
    for event in catalogue() {
        let topics: Vec<_> = event.topics().iter().map(Topic::to_string).collect();
        let subject = event.subject().map_or_else(|| "-".to_owned(), |id| id.to_string());
        let data = serde_json::to_string(&event).unwrap();
        writeln!(text, "{} -> {} (name of {subject})", event.kind(), topics.join(" ")).unwrap();
        writeln!(text, "  {data}").unwrap();
    }
    expect![[r#"
        account.signed_in -> group:2 group:4 run:5 lead (name of 7)
          {"user_id":"7","role":"member"}
        account.signed_out -> staff lead (name of 1)
          {"user_id":"1","role":"staff"}
        access.changed -> user:1:inbox (name of -)
          {"added":["run:5"],"removed":["group:2"]}
        run.started -> run:5 staff lead (name of -)
          {"run_id":"5","activity_id":"9","activity_name":"Homework","room_id":"3","staff_ids":["1"]}
        run.updated -> run:5 staff lead (name of -)
          {"run_id":"5","activity_id":"9","activity_name":"Homework","room_id":"3","staff_ids":["1"]}
        run.ended -> run:5 staff lead (name of -)
          {"run_id":"5","activity_id":"9","activity_name":"Homework","room_id":"3","staff_ids":["1"],"reason":"ended","undo_until":"2026-11-20T09:00:00.000Z"}
        run.reopened -> run:5 staff lead (name of -)
          {"run_id":"5","activity_id":"9","activity_name":"Homework","room_id":"3","staff_ids":["1"]}
        supervision.changed -> group:2 user:8:inbox user:1:inbox lead (name of -)
          {"charge":"group","run_or_group_id":"2","staff_ids":["1"],"from":"8","to":"1"}
        supervision.offered -> user:1:inbox user:8:inbox lead (name of 8)
          {"offer_id":"6","charge":"run","run_or_group_id":"5","kind":"hand_over","from":"8","to":"1","until":null}
        supervision.offer_ended -> user:1:inbox user:8:inbox lead (name of 1)
          {"offer_id":"6","charge":"run","run_or_group_id":"5","from":"8","to":"1","outcome":"declined"}
        attendance.checked_in -> group:2 group:4 office lead (name of 7)
          {"member_id":"7","at":"2026-11-20T09:00:00.000Z","late":true,"source":"badge"}
        attendance.checked_out -> group:2 group:4 office lead (name of 7)
          {"member_id":"7","at":"2026-11-20T09:00:00.000Z","source":"auto","reason":"day_closed"}
        attendance.marked -> group:2 group:4 office lead (name of 7)
          {"member_id":"7","status":"excused"}
        attendance.missing -> group:2 group:4 office lead (name of 7)
          {"member_id":"7","due_at":"2026-11-20T09:00:00.000Z"}
        visit.started -> run:5 group:2 group:4 lead (name of 7)
          {"visit_id":"11","run_id":"5","room_id":"3","member_id":"7","from_room_id":null,"source":"manual","at":"2026-11-20T09:00:00.000Z"}
        visit.ended -> run:5 group:2 group:4 lead (name of 7)
          {"visit_id":"11","run_id":"5","room_id":"3","member_id":"7","reason":"transferred","source":"badge","at":"2026-11-20T09:00:00.000Z"}
        visit.bulk_started -> run:5 lead (name of -)
          {"run_id":"5","count":1,"member_ids":["7"],"reason":"reopened"}
        visit.bulk_ended -> group:2 (name of -)
          {"run_id":"5","count":1,"member_ids":["7"],"reason":"run_ended"}
        scan.unknown -> devices (name of -)
          {"device_id":"12","tag_suffix":"00FF"}
        scan.needs_review -> devices (name of -)
          {"device_id":"12","scan_id":"01JD0000000000000000000000","why":"late"}
        device.status_changed -> devices (name of -)
          {"device_id":"12","state":"late","queue_depth":4,"firmware":"1.4.2","alarms":["queue_stuck"]}
        help.requested -> group:2 group:4 run:5 helpers user:7:inbox lead (name of 7)
          {"id":"21","user_id":"7","room_id":"3","priority":"urgent","status":"pending","assigned_to":null,"position":1,"rev":1}
        help.updated -> group:2 group:4 run:5 user:7:inbox user:1:inbox lead (name of 7)
          {"id":"21","user_id":"7","room_id":"3","book_id":"b1","section_id":"s2","priority":"normal","status":"resolved","assigned_to":"1","position":null,"rev":3}
        activity.tracked -> group:2 group:4 run:5 user:7:progress lead (name of 7)
          {"user_id":"7","event_type":"page.opened","book_id":"b1"}
    "#]].assert_eq(&text);
}

#[test]
fn the_catalogue_here_has_every_kind_once() {
    let mut kinds: Vec<_> = catalogue().iter().map(Event::kind).collect();
    kinds.sort_unstable();
    let mut all = Event::KINDS.to_vec();
    all.sort_unstable();
    assert_eq!(kinds, all);
}

/// What the code does may depend on the event: what kinds that are described alike say together is
/// what is described.
#[test]
fn the_paper_describes_the_topics_and_the_fields_of_every_event() {
    let mut samples = catalogue();
    samples.push(Event::SupervisionChanged {
        charge: Charge::Run(RUN),
        staff_ids: Vec::new(),
        from: None,
        to: None,
    });
    let paper = papers::described();
    let (mut topics, mut fields) = (BTreeMap::new(), BTreeMap::new());
    for event in samples {
        let described = &paper[event.kind()];
        let told: &mut BTreeSet<String> = topics.entry(described.topics.clone()).or_default();
        told.extend(event.topics().iter().map(|topic| without_ids(&topic.to_string())));
        let data = serde_json::to_value(&event).unwrap();
        let names = data.as_object().unwrap().keys().cloned();
        let name = event.subject().map(|_| "display_name".to_owned());
        let told: &mut BTreeSet<String> = fields.entry(described.fields.clone()).or_default();
        told.extend(names.chain(name));
    }
    for (described, told) in topics.into_iter().chain(fields) {
        assert_eq!(described, told);
    }
}

/// A topic as the paper writes it.
pub fn without_ids(topic: &str) -> String {
    let part =
        |part: &str| if part.parse::<i64>().is_ok() { "{id}".to_owned() } else { part.to_owned() };
    topic.split(':').map(part).collect::<Vec<_>>().join(":")
}

#[test]
fn no_frame_carries_what_a_frame_must_not() {
    // The check-in rule: an id, a name, a room, an activity; nothing else about a person.
    let forbidden = [
        "birthday",
        "address",
        "phone",
        "email",
        "guardian",
        "content",
        "response",
        "reason_text",
        "tag",
        "badge",
        "number",
        "password",
        "given_name",
        "family_name",
    ];
    for event in catalogue() {
        let data = serde_json::to_value(&event).unwrap();
        for key in data.as_object().unwrap().keys() {
            assert!(!forbidden.contains(&key.as_str()), "{}: {key}", event.kind());
        }
        let persons = ["member_id", "member_ids", "user_id", "staff_ids", "display_name"];
        let of_counts = |topic: &Topic| {
            matches!(topic, Topic::House | Topic::Display | Topic::Help | Topic::Room(_))
        };
        if event.topics().iter().any(of_counts) {
            assert!(persons.iter().all(|key| data.get(key).is_none()), "{}", event.kind());
        }
    }
}
