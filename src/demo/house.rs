//! The demo house as plain data: who belongs to it, its rooms, groups, activities and badge
//! readers. Everything is invented; every badge begins with one reserved prefix, so that no real
//! card can be taken for one of them.

use super::dice::Dice;
use super::names::{Names, username};
use super::places::room;

/// The name of the demo house.
pub const HOUSE_NAME: &str = "Grundschule am Park";

/// The password of every account of the demo house.
pub const PASSWORD: &str = "ein-tag-im-park";

/// What every badge of the demo house begins with.
pub const TAG_PREFIX: &str = "DEB0";

/// Number of members, of those in care, and of groups that are classes.
pub const MEMBERS: usize = 304;
/// How many of the members stay in care after lessons.
pub const IN_CARE: usize = 184;
/// How many of the groups are classes; care groups follow them.
pub const CLASSES: usize = 12;
/// How many of the groups are care groups.
pub const CARE_GROUPS: usize = 7;
/// How many contacts the members have together.
pub const CONTACTS: usize = 450;

/// A member, or one who works here, before it has an id.
#[derive(Debug)]
pub struct Person {
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// What the person signs in with; whether there is an account is decided elsewhere.
    pub username: String,
    /// The badge's tag.
    pub tag: String,
}

/// A child of the house.
#[derive(Debug)]
pub struct Member {
    /// Name and badge.
    pub person: Person,
    /// The class, by its place in [`House::groups`].
    pub class: usize,
    /// The care group counted from zero, if the child stays after lessons.
    pub care: Option<usize>,
    /// Who may be called.
    pub contacts: Vec<Contact>,
}

/// What a colleague does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Leads the house: an administrator.
    Lead,
    /// Sits at the front desk.
    Office,
    /// Looks after the care group with this number.
    Educator(usize),
    /// Gives practice, reading and homework hours.
    Tutor,
}

/// One who works here.
#[derive(Debug)]
pub struct Colleague {
    /// Name, account and badge.
    pub person: Person,
    /// What this colleague does.
    pub duty: Duty,
}

/// A grown-up who may be called about a member.
#[derive(Debug)]
pub struct Contact {
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// What the contact is to the child.
    pub relation: &'static str,
    /// An invented number from the range that is reserved for films.
    pub phone: String,
    /// Whether the contact may take the child home.
    pub may_pick_up: bool,
}

/// A standing group: a class or a care group.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Whether it is a care group.
    pub care: bool,
}

/// A room.
#[derive(Debug)]
pub struct Room {
    /// Its name.
    pub name: String,
    /// How many members it takes.
    pub capacity: u32,
}

/// What a badge reader is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Members and staff come in here.
    DoorIn,
    /// Members and staff go home here.
    DoorOut,
    /// Stands in one room.
    Room(usize),
    /// Is carried about; every scan names its room.
    Mobile,
}

/// A badge reader.
#[derive(Debug)]
pub struct Device {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub mode: Mode,
}

/// The whole house.
#[derive(Debug)]
pub struct House {
    /// The members, class by class.
    pub members: Vec<Member>,
    /// The staff, see [`staff`](super::places::staff).
    pub staff: Vec<Colleague>,
    /// The classes, then the care groups.
    pub groups: Vec<Group>,
    /// The rooms, see [`mod@room`].
    pub rooms: Vec<Room>,
    /// The badge readers, see [`device`](super::places::device).
    pub devices: Vec<Device>,
}

impl House {
    /// Returns the house of this seed; structure and sizes are the same for every seed.
    pub fn new(seed: u64) -> House {
        let mut dice = Dice::new(seed);
        let mut names = Names::new(&mut dice);
        let members = members(&mut names, &mut dice);
        let staff = colleagues(&mut names, &mut dice);
        House { members, staff, groups: groups(), rooms: rooms(), devices: devices() }
    }

    /// Returns the places of all members in care.
    pub fn in_care(&self) -> impl Iterator<Item = usize> {
        self.members.iter().enumerate().filter(|(_, m)| m.care.is_some()).map(|(place, _)| place)
    }

    /// Returns the care group of a member; the first one for a member without.
    pub(super) fn care_of(&self, member: usize) -> usize {
        self.members.get(member).and_then(|m| m.care).unwrap_or_default()
    }

    /// Returns the tag of a member.
    pub(super) fn member_tag(&self, member: usize) -> String {
        self.members.get(member).map(|m| m.person.tag.clone()).unwrap_or_default()
    }

    /// Returns the tag of a colleague.
    pub(super) fn staff_tag(&self, colleague: usize) -> String {
        self.staff.get(colleague).map(|c| c.person.tag.clone()).unwrap_or_default()
    }
}

/// Returns a tag of seven bytes: the reserved prefix, a kind and a number.
pub(super) fn tag(kind: u8, number: usize) -> String {
    format!("{TAG_PREFIX}{kind:02X}{:08X}", number.saturating_mul(0x0001_0003).saturating_add(0x51))
}

/// The four fourth places of each year are one larger: 4 x 26 + 8 x 25 = 304.
const fn class_size(class: usize) -> usize {
    if is_large(class) { 26 } else { 25 }
}

/// Returns whether a class has 26 members.
pub(super) const fn is_large(class: usize) -> bool {
    class % 3 == 2
}

/// In every class ten go home after lessons; the others stay in care.
const LESSONS_ONLY_IN_CLASS: usize = 10;

fn members(names: &mut Names, dice: &mut Dice) -> Vec<Member> {
    let mut members = Vec::with_capacity(MEMBERS);
    let mut next_in_care = 0;
    let mut contacts_so_far = 0;
    for class in 0..CLASSES {
        for place in 0..class_size(class) {
            let care = (place >= LESSONS_ONLY_IN_CLASS).then(|| {
                next_in_care += 1;
                (next_in_care - 1) % CARE_GROUPS
            });
            let number = members.len();
            let (given, family) = names.child(dice);
            // Spreads the contacts evenly over the members, at least one each.
            let contacts_due = (number + 1) * CONTACTS / MEMBERS;
            let contacts = (contacts_so_far..contacts_due)
                .map(|number| contact(names, dice, &family, number))
                .collect();
            contacts_so_far = contacts_due;
            let username = username(&given, &family);
            let person = Person { given, family, username, tag: tag(1, number) };
            members.push(Member { person, class, care, contacts });
        }
    }
    members
}

fn contact(names: &mut Names, dice: &mut Dice, child: &str, number: usize) -> Contact {
    const RELATIONS: [&str; 5] = ["Mutter", "Vater", "Oma", "Opa", "Tante"];
    let (given, family) = names.relative(dice, child);
    let relation = RELATIONS.get(dice.below(RELATIONS.len())).copied().unwrap_or_default();
    // The regulator keeps 030 23125-xxx free for films and examples.
    let phone = format!("030 23125 {number:03}");
    Contact { given, family, relation, phone, may_pick_up: dice.below(6) != 0 }
}

fn colleagues(names: &mut Names, dice: &mut Dice) -> Vec<Colleague> {
    let educators = (0..CARE_GROUPS).flat_map(|group| [Duty::Educator(group); 2]);
    let duties = [Duty::Lead, Duty::Office].into_iter().chain(educators).chain([Duty::Tutor; 4]);
    duties
        .enumerate()
        .map(|(number, duty)| {
            let (given, family) = names.adult(dice);
            let username = match duty {
                Duty::Lead => "leitung".to_owned(),
                Duty::Office => "buero".to_owned(),
                Duty::Educator(_) | Duty::Tutor => username(&given, &family),
            };
            let person = Person { given, family, username, tag: tag(2, number) };
            Colleague { person, duty }
        })
        .collect()
}

fn groups() -> Vec<Group> {
    const CARE: [&str; CARE_GROUPS] =
        ["Füchse", "Dachse", "Igel", "Eulen", "Biber", "Frösche", "Käuzchen"];
    let classes = (1..=4).flat_map(|year| ["a", "b", "c"].map(|letter| format!("{year}{letter}")));
    let care = CARE.iter().map(|name| Group { name: (*name).to_owned(), care: true });
    classes.map(|name| Group { name, care: false }).chain(care).collect()
}

fn rooms() -> Vec<Room> {
    let named = |name: &str, capacity| Room { name: name.to_owned(), capacity };
    let mut rooms = vec![named("Foyer", 80)];
    rooms.extend(
        groups().iter().filter(|g| g.care).map(|g| named(&format!("Gruppenraum {}", g.name), 30)),
    );
    rooms.extend([
        named("Mensa", 64),
        named("Hausaufgabenraum", 30),
        named("Bücherei", 30),
        named("Computerraum", 26),
        named("Kreativraum", 20),
        named("Turnhalle", 60),
        named("Hof", 150),
    ]);
    rooms
}

fn devices() -> Vec<Device> {
    vec![
        Device { name: "Eingang", mode: Mode::DoorIn },
        Device { name: "Ausgang", mode: Mode::DoorOut },
        Device { name: "Hoftor", mode: Mode::Room(room::YARD) },
        Device { name: "Mensa links", mode: Mode::Room(room::MENSA) },
        Device { name: "Mensa rechts", mode: Mode::Room(room::MENSA) },
        Device { name: "Tablet 1", mode: Mode::Mobile },
        Device { name: "Tablet 2", mode: Mode::Mobile },
        Device { name: "Tablet 3", mode: Mode::Mobile },
        Device { name: "Tablet 4", mode: Mode::Mobile },
        Device { name: "Bücherei", mode: Mode::Room(room::LIBRARY) },
        Device { name: "Turnhalle", mode: Mode::Room(room::GYM) },
        Device { name: "Computerraum", mode: Mode::Room(room::COMPUTER) },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{CARE_GROUPS, CLASSES, CONTACTS, House, IN_CARE, MEMBERS, TAG_PREFIX, room};

    #[test]
    fn the_house_has_the_sizes_of_the_model() {
        let house = House::new(42);
        assert_eq!(house.members.len(), MEMBERS);
        assert_eq!(house.in_care().count(), IN_CARE);
        assert_eq!(house.staff.len(), 20);
        assert_eq!(house.groups.len(), CLASSES + CARE_GROUPS);
        assert_eq!(house.rooms.len(), 15);
        assert_eq!(house.devices.len(), 12);
        assert_eq!(house.members.iter().map(|m| m.contacts.len()).sum::<usize>(), CONTACTS);
        for group in 0..CARE_GROUPS {
            let size = house.members.iter().filter(|m| m.care == Some(group)).count();
            assert!((26..=27).contains(&size), "care group {group} has {size}");
            let room = &house.rooms[room::of_care(group)];
            assert!(
                room.name.ends_with(&house.groups[CLASSES + group].name) && room.capacity == 30
            );
        }
        for (place, capacity) in [(room::MENSA, 64), (room::COMPUTER, 26), (room::YARD, 150)] {
            assert_eq!(house.rooms[place].capacity, capacity);
        }
    }

    #[test]
    fn names_user_names_and_tags_are_each_used_once() {
        for seed in 1..20 {
            let house = House::new(seed);
            let members = house.members.iter().map(|m| &m.person);
            let people: Vec<_> = members.chain(house.staff.iter().map(|c| &c.person)).collect();
            let names: HashSet<_> = people.iter().map(|p| (&p.given, &p.family)).collect();
            let users: HashSet<_> = people.iter().map(|p| &p.username).collect();
            let tags: HashSet<_> = people.iter().map(|p| &p.tag).collect();
            assert_eq!((names.len(), users.len(), tags.len()), (324, 324, 324), "seed {seed}");
            assert!(tags.iter().all(|tag| tag.len() == 14 && tag.starts_with(TAG_PREFIX)));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_house() {
        assert_eq!(format!("{:?}", House::new(42)), format!("{:?}", House::new(42)));
        assert_ne!(format!("{:?}", House::new(42)), format!("{:?}", House::new(43)));
    }
}
