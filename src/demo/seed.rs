//! Makes the demo house real: in one write, through the same commands as everybody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::colleagues;
use super::house::{CLASSES, Colleague, Duty, HOUSE_NAME, House, Member, Mode, PASSWORD, Person};
use super::places::room;
use super::plan::{Plan, Who};
use super::time::ZONE;
use crate::app::App;
use crate::base::id::{ActivityId, DeviceId, GroupId, PersonId, RoomId};
use crate::base::{Actor, Result, TimeOfDay};
use crate::domain::devices::model::{Enrolment, NewCode};
use crate::domain::house::{HoursChange, Language, NewHouse, Profile};
use crate::domain::people::model::{NewContact, NewPerson, Role};
use crate::domain::rooms::model::{GroupKind, NewActivity, NewGroup, NewRoom, RoomKind};
use crate::domain::{devices, house, people, rooms};
use crate::live::Tx;

/// What the readers of the demo house run.
pub const FIRMWARE: &str = "demo-1.0";

/// An arrival after ten past eight is late, and the house closes its day at six.
const HOURS: HoursChange =
    HoursChange { late_after: Some(TimeOfDay::at(8, 10)), closes_at: Some(TimeOfDay::at(18, 0)) };

/// What the server calls the persons and things of the demo house.
#[derive(Debug, Clone)]
pub struct Known {
    /// The members, in the order of [`House::members`].
    pub members: Vec<PersonId>,
    /// The staff, in the order of [`House::staff`].
    pub staff: Vec<PersonId>,
    /// The classes, then the care groups.
    pub groups: Vec<GroupId>,
    /// The rooms, in the order of [`House::rooms`].
    pub rooms: Vec<RoomId>,
    /// The activities by name.
    pub activities: BTreeMap<&'static str, ActivityId>,
    /// The badge readers, in the order of [`House::devices`].
    pub devices: Vec<Keyed>,
    /// What the wall screen in the corridor proves itself with.
    pub wall_key: String,
}

/// A badge reader and its key.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// What the server calls it.
    pub id: DeviceId,
    /// What it proves itself with.
    pub key: String,
}

impl Known {
    /// Returns a care group, counted from zero.
    pub fn care_group(&self, care: usize) -> Option<GroupId> {
        self.groups.get(CLASSES.saturating_add(care)).copied()
    }
}

/// Fills an empty database with the demo house. Returns what things are called there.
pub async fn fill(app: &App, house: Arc<House>, plan: &Plan) -> Result<Known> {
    // One hash for all: making a hundred would take longer than the rest of the start.
    let hash = app.hasher.hash(PASSWORD.to_owned()).await?;
    let accounts = plan.accounts();
    app.write(Actor::System, "demo.seed", move |tx| seed(tx, &house, &accounts, &hash)).await
}

fn seed(tx: &mut Tx<'_>, house: &House, accounts: &[Who], hash: &str) -> Result<Known> {
    house::commands::found(
        tx,
        &NewHouse {
            name: HOUSE_NAME.to_owned(),
            profile: Profile::School,
            zone: ZONE.to_owned(),
            language: Language::De,
            demo: true,
        },
    )?;
    house::commands::set_hours(tx, HOURS)?;
    let rooms = rooms(tx, house)?;
    let members = members(tx, house)?;
    let staff = staff(tx, house)?;
    for who in accounts {
        let (person, name) = match who {
            Who::Member(number) => {
                (members.get(*number), house.members.get(*number).map(|m| &m.person))
            }
            Who::Staff(number) => (staff.get(*number), house.staff.get(*number).map(|c| &c.person)),
        };
        if let (Some(person), Some(name)) = (person, name) {
            people::commands::open_account(tx, *person, &name.username, hash)?;
        }
    }
    let groups = groups(tx, house, &members, &staff)?;
    let activities = activities(tx, &rooms)?;
    let devices = readers(tx, house, &rooms)?;
    let (_, wall_key) = devices::displays::add(tx, "Flur")?;
    Ok(Known { members, staff, groups, rooms, activities, devices, wall_key })
}

fn rooms(tx: &mut Tx<'_>, house: &House) -> Result<Vec<RoomId>> {
    let mut ids = Vec::with_capacity(house.rooms.len());
    for (number, planned) in house.rooms.iter().enumerate() {
        let kind = match number {
            room::FOYER => RoomKind::Foyer,
            room::YARD => RoomKind::Yard,
            _ => RoomKind::Room,
        };
        let capacity = i64::from(planned.capacity);
        let new = NewRoom { name: planned.name.clone(), kind, capacity };
        ids.push(rooms::commands::new_room(tx, &new)?);
    }
    Ok(ids)
}

fn members(tx: &mut Tx<'_>, house: &House) -> Result<Vec<PersonId>> {
    let mut ids = Vec::with_capacity(house.members.len());
    for member in &house.members {
        let id = person(tx, &member.person, Role::Member)?;
        for contact in &member.contacts {
            let new = NewContact {
                name: format!("{} {}", contact.given, contact.family),
                relation: contact.relation.to_owned(),
                phone: contact.phone.clone(),
                may_fetch: Some(contact.may_pick_up),
                emergency: None,
            };
            people::commands::add_contact(tx, id, &new)?;
        }
        ids.push(id);
    }
    Ok(ids)
}

fn staff(tx: &mut Tx<'_>, house: &House) -> Result<Vec<PersonId>> {
    let mut ids = Vec::with_capacity(house.staff.len());
    for colleague in &house.staff {
        let role = match colleague.duty {
            Duty::Lead => Role::Admin,
            Duty::Office => Role::Office,
            Duty::Educator(_) | Duty::Tutor => Role::Staff,
        };
        ids.push(person(tx, &colleague.person, role)?);
    }
    Ok(ids)
}

fn person(tx: &mut Tx<'_>, person: &Person, role: Role) -> Result<PersonId> {
    let id = people::commands::enrol(tx, NewPerson::named(&person.given, &person.family, role))?;
    people::commands::hand_out_badge(tx, id, &person.tag)?;
    Ok(id)
}

fn groups(
    tx: &mut Tx<'_>,
    house: &House,
    members: &[PersonId],
    staff: &[PersonId],
) -> Result<Vec<GroupId>> {
    let mut ids = Vec::with_capacity(house.groups.len());
    for (number, planned) in house.groups.iter().enumerate() {
        let kind = if planned.care { GroupKind::Care } else { GroupKind::Class };
        let id = rooms::commands::new_group(tx, &NewGroup { name: planned.name.clone(), kind })?;
        let belongs = |member: &Member| {
            member.class == number || member.care.is_some_and(|care| CLASSES + care == number)
        };
        let all = house.members.iter().zip(members);
        let of_group: Vec<PersonId> = all.filter(|(m, _)| belongs(m)).map(|(_, id)| *id).collect();
        rooms::commands::set_group_members(tx, id, &of_group)?;
        let educates = |colleague: &Colleague| matches!(colleague.duty, Duty::Educator(care) if CLASSES + care == number);
        let all = house.staff.iter().zip(staff);
        let of_staff: Vec<PersonId> = all.filter(|(c, _)| educates(c)).map(|(_, id)| *id).collect();
        rooms::commands::set_group_staff(tx, id, &of_staff)?;
        ids.push(id);
    }
    Ok(ids)
}

fn activities(tx: &mut Tx<'_>, rooms: &[RoomId]) -> Result<BTreeMap<&'static str, ActivityId>> {
    let mut ids = BTreeMap::new();
    for run in colleagues::runs() {
        if ids.contains_key(run.activity) {
            continue;
        }
        // Free play is in every group's room, so it has none of its own.
        let default_room =
            (run.activity != colleagues::FREE_PLAY).then(|| rooms.get(run.room).copied()).flatten();
        let new = NewActivity { name: run.activity.to_owned(), default_room };
        ids.insert(run.activity, rooms::commands::new_activity(tx, &new)?);
    }
    Ok(ids)
}

fn readers(tx: &mut Tx<'_>, house: &House, rooms: &[RoomId]) -> Result<Vec<Keyed>> {
    let mut readers = Vec::with_capacity(house.devices.len());
    for (number, device) in (1..).zip(&house.devices) {
        let (mode, room) = as_reader(device.mode, rooms);
        let new = NewCode { name: device.name.to_owned(), mode, room };
        let code = devices::commands::issue_code(tx, &new)?.text;
        let serial = format!("DEMO-{number:04}");
        let (model, firmware) = ("demo".to_owned(), FIRMWARE.to_owned());
        let enrolment = Enrolment { code, serial, model, firmware };
        let enrolled = devices::commands::enrol(tx, &enrolment)?;
        readers.push(Keyed { id: enrolled.device, key: enrolled.key });
    }
    Ok(readers)
}

/// Returns what the server calls a reader's mode, and its room.
pub fn as_reader(mode: Mode, rooms: &[RoomId]) -> (devices::model::Mode, Option<RoomId>) {
    use devices::model::Mode as Reader;
    match mode {
        Mode::DoorIn => (Reader::DoorIn, None),
        Mode::DoorOut => (Reader::DoorOut, None),
        Mode::Room(room) => (Reader::Room, rooms.get(room).copied()),
        Mode::Mobile => (Reader::Kiosk, None),
    }
}
