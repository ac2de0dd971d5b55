//! A file of people: what each row says of a person, and every complaint with its place.
//!
//! This only reads. A cell that is empty, or a column that is missing, says nothing: what is
//! known of the person stays as it is. Nothing is taken over while there is a complaint.

use std::collections::HashMap;

use super::cells::{self, Refused};
use super::columns::{self, Columns, Matches, Taken};
use super::headings::{self, Column};
use super::model::{NewContact, Role};
use super::repeats::Repeats;
use super::rules;
use super::table::{self, Fault, Record};
use crate::domain::house::Language;
use crate::words;

/// How many complaints are listed; after that many the file is another file.
const FAULTS_MAX: usize = 200;

/// What holds a name, whole or in part.
const NAMES: [Column; 3] = [Column::FamilyName, Column::GivenName, Column::Name];

words! {
    /// The kind of group that a column names.
    GroupKind { Class = "class", Care = "care", Ward = "ward" }
}

/// What one row says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    pub at: Record,
    pub number: Option<String>,
    pub given_name: String,
    pub family_name: String,
    pub display_name: Option<String>,
    pub role: Option<Role>,
    /// What stands there of the role, with the heading of its column.
    pub role_cell: (String, String),
    pub language: Option<Language>,
    pub groups: Vec<(GroupKind, String)>,
    /// The heading of the column of the first group.
    pub group_heading: String,
    /// Tags, each with the heading of its column.
    pub badges: Vec<(String, String)>,
    pub contacts: Vec<NewContact>,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    pub entries: Vec<Entry>,
    /// The heading of the first column with a name.
    pub name_heading: String,
    /// Headings that mean nothing to us, and `[C]` for the third column if it has none; their
    /// columns were not read.
    pub ignored: Vec<String>,
    /// What each column is taken for.
    pub columns: Vec<Taken>,
    pub faults: Vec<Fault>,
}

/// Reads a file by its headings. Never fails: what is wrong with it is among the faults.
pub fn read(bytes: &[u8]) -> Import {
    read_as(bytes, &Matches::default())
}

/// Reads a file, with what somebody has said of its columns.
pub fn read_as(bytes: &[u8], matches: &Matches) -> Import {
    let known = |heading: &str| matches.names(heading) || headings::column(heading).is_some();
    match table::read(bytes, known) {
        Err(fault) => Import { faults: vec![fault], ..Import::default() },
        Ok(table) => {
            let mut reading = Reading::new(columns::decide(&table, matches));
            if table.records.is_empty() {
                let problem = "there is no row under the headings";
                let fault = table.headings.fault("", "", "import.empty", problem);
                reading.import.faults.push(fault);
            }
            for record in table.records {
                if reading.import.faults.len() >= FAULTS_MAX {
                    break;
                }
                reading.row(record);
            }
            Import { name_heading: reading.heading_of(&NAMES), ..reading.import }
        }
    }
}

struct Reading {
    headings: Vec<(String, Option<Column>)>,
    import: Import,
    repeats: Repeats,
}

impl Reading {
    fn new(columns: Columns) -> Reading {
        // Without a column for names no row can say anything.
        let names_somebody = columns.name_somebody();
        let Columns { held, taken, faults } = columns;
        let unread = held.iter().filter(|(heading, held)| held.is_none() && !heading.is_empty());
        let ignored = unread.map(|(heading, _)| heading.clone()).collect();
        Reading {
            import: Import { ignored, columns: taken, faults, ..Import::default() },
            headings: if names_somebody { held } else { Vec::new() },
            repeats: Repeats::default(),
        }
    }

    fn row(&mut self, record: Record) {
        if self.headings.is_empty() {
            return;
        }
        let before = self.import.faults.len();
        self.check_cells(&record);
        let mut entry = Entry { at: record, ..Entry::default() };
        let mut contacts: HashMap<u8, NewContact> = HashMap::new();
        let columns = self.headings.iter().cloned().zip(entry.at.cells.clone());
        for ((heading, column), value) in columns.collect::<Vec<_>>() {
            if let Some(column) = column.filter(|_| !value.is_empty())
                && let Err((code, problem)) =
                    read_cell(&mut entry, &mut contacts, column, &heading, &value)
            {
                self.import.faults.push(entry.at.fault(&heading, &value, code, problem));
            }
        }
        self.finish_contacts(&mut entry, contacts);
        self.check_entry(&mut entry);
        if self.import.faults.len() == before {
            self.import.entries.push(entry);
        }
    }

    fn check_cells(&mut self, record: &Record) {
        for (at, cell) in record.cells.iter().enumerate() {
            let heading = self.headings.get(at).map_or("", |(heading, _)| heading);
            if at >= self.headings.len() && !cell.is_empty() {
                let problem = "this row has more cells than there are headings";
                self.import.faults.push(record.fault("", cell, "import.too_many_cells", problem));
                return;
            }
            let is_read = self.headings.get(at).is_some_and(|(_, held)| held.is_some());
            if heading.is_empty() && !cell.is_empty() && !is_read {
                let unnamed = format!("[{}]", columns::letters(at));
                if !self.import.ignored.contains(&unnamed) {
                    self.import.ignored.push(unnamed);
                }
            }
            if cell.chars().any(|c| c.is_control() || c == '\u{fffd}') {
                let shown: String = cell.chars().filter(|c| !c.is_control()).collect();
                let problem =
                    "holds characters that cannot be read; save the file as \"CSV UTF-8\"";
                self.import.faults.push(record.fault(
                    heading,
                    &shown,
                    "import.unreadable",
                    problem,
                ));
            }
        }
    }

    fn finish_contacts(&mut self, entry: &mut Entry, contacts: HashMap<u8, NewContact>) {
        let mut contacts: Vec<_> = contacts.into_iter().collect();
        contacts.sort_by_key(|(number, _)| *number);
        let mut names = Vec::new();
        for (number, contact) in contacts {
            // "Abholberechtigt: nein" beside an empty contact says nothing.
            if contact.name.is_empty() && contact.phone.is_empty() {
                continue;
            }
            if contact.name.is_empty() {
                let columns = [Column::Phone(number), Column::Contact(number)];
                let heading = self.heading_of(&columns);
                let problem = "a telephone number without the name of the contact";
                let fault =
                    entry.at.fault(&heading, &contact.phone, "import.contact_name", problem);
                self.import.faults.push(fault);
            }
            let name = rules::search_key(&contact.name);
            if !contact.name.is_empty() && names.contains(&name) {
                let heading = self.heading_of(&[Column::Contact(number)]);
                let problem = "the same contact stands twice in this row";
                let fault =
                    entry.at.fault(&heading, &contact.name, "import.contact_twice", problem);
                self.import.faults.push(fault);
            }
            names.push(name);
            entry.contacts.push(contact);
        }
    }

    fn heading_of(&self, columns: &[Column]) -> String {
        let found = self.headings.iter().find(|(_, c)| c.is_some_and(|c| columns.contains(&c)));
        found.map_or(String::new(), |(heading, _)| heading.clone())
    }

    /// Checks what only the whole row, or the rows before it, can tell.
    fn check_entry(&mut self, entry: &mut Entry) {
        if self.headings.iter().any(|(_, c)| *c == Some(Column::Name)) {
            (entry.given_name, entry.family_name) = cells::divided_name(&entry.family_name);
        }
        if entry.given_name.is_empty() && entry.family_name.is_empty() {
            let heading = self.heading_of(&NAMES);
            let fault = entry.at.fault(&heading, "", "import.no_name", "this row names nobody");
            self.import.faults.push(fault);
            return;
        }
        let number = self.heading_of(&[Column::Number]);
        let name = self.heading_of(&NAMES);
        self.import.faults.extend(self.repeats.complaints(entry, &number, &name));
    }
}

fn read_cell(
    entry: &mut Entry,
    contacts: &mut HashMap<u8, NewContact>,
    column: Column,
    heading: &str,
    value: &str,
) -> Result<(), Refused> {
    cells::computed(value)?;
    match column {
        Column::Number => entry.number = Some(cells::number(value)?),
        Column::GivenName => entry.given_name = cells::name(value)?,
        Column::FamilyName | Column::Name => entry.family_name = cells::name(value)?,
        Column::DisplayName => entry.display_name = Some(cells::name(value)?),
        Column::Role => {
            entry.role = Some(cells::role(value)?);
            entry.role_cell = (value.to_owned(), heading.to_owned());
        }
        Column::Language => entry.language = Some(cells::language(value)?),
        Column::Class(_) => add_group(entry, GroupKind::Class, heading, value)?,
        Column::Care(_) => add_group(entry, GroupKind::Care, heading, value)?,
        Column::Ward(_) => add_group(entry, GroupKind::Ward, heading, value)?,
        Column::Badge(_) => entry.badges.push((cells::badge(value)?, heading.to_owned())),
        Column::Contact(n) => of(contacts, n).name = cells::name(value)?,
        Column::Phone(n) => of(contacts, n).phone = cells::number(value)?,
        Column::Relation(n) => of(contacts, n).relation = cells::detail(value)?,
        Column::MayFetch(n) => of(contacts, n).may_fetch = Some(cells::yes_or_no(value)?),
        Column::Emergency(n) => of(contacts, n).emergency = Some(cells::yes_or_no(value)?),
    }
    Ok(())
}

fn of(contacts: &mut HashMap<u8, NewContact>, number: u8) -> &mut NewContact {
    contacts.entry(number).or_default()
}

fn add_group(
    entry: &mut Entry,
    kind: GroupKind,
    heading: &str,
    value: &str,
) -> Result<(), Refused> {
    let group = (kind, cells::detail(value)?);
    if entry.groups.is_empty() {
        heading.clone_into(&mut entry.group_heading);
    }
    if !entry.groups.contains(&group) {
        entry.groups.push(group);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults(file: &str) -> Vec<(u32, String, String, &'static str)> {
        let faults = read(file.as_bytes()).faults.into_iter();
        faults.map(|f| (f.row, f.column, f.value, f.code)).collect()
    }

    #[test]
    fn a_german_file_and_an_english_one_say_the_same() {
        let german = "Schülernummer;Nachname;Vorname;Klasse;Gruppe;Rolle;Ausweis;Geburtstag;\
                      Kontakt 1;Telefon 1;Abholberechtigt 1;Kontakt 2;Telefon 2\n\
                      =\"0042\";Müller;Mia;3b;Füchse;Schülerin;04:a1:b2:c3;1.2.2018;\
                      Eva Müller;'0171 234;ja;;\n";
        let english = "ID,Surname,First name,Class,Group,Role,Badge,Birthday,\
                       Contact,Phone,May collect\n\
                       0042,Müller,Mia,3b,Füchse,pupil,04A1B2C3,2018-02-01,\
                       Eva Müller,0171 234,yes\n";
        let (mut german, english) = (read(german.as_bytes()), read(english.as_bytes()));
        assert_eq!((&german.faults, &english.faults), (&vec![], &vec![]));
        assert_eq!(german.ignored, ["Geburtstag"]);
        assert_eq!(english.ignored, ["Birthday"]);
        let entry = german.entries.first_mut().unwrap();
        assert_eq!(entry.number.as_deref(), Some("0042"));
        assert_eq!(entry.badges[0].0, "04A1B2C3");
        assert_eq!(entry.contacts[0].phone, "0171 234");
        assert_eq!(entry.contacts[0].may_fetch, Some(true));
        entry.at = english.entries[0].at.clone();
        entry.role_cell = ("pupil".to_owned(), "Role".to_owned());
        entry.group_heading = "Class".to_owned();
        entry.badges[0].1 = "Badge".to_owned();
        assert_eq!(german.entries, english.entries);
    }

    #[test]
    fn a_whole_name_in_one_column_is_divided() {
        let import = read("Name\nMia Berg\n\"von Stein, Jo Ann\"\nCher".as_bytes());
        let names: Vec<_> =
            import.entries.iter().map(|e| (&*e.given_name, &*e.family_name)).collect();
        assert_eq!(names, [("Mia", "Berg"), ("Jo Ann", "von Stein"), ("", "Cher")]);
    }

    // Fault 90: every complaint names its row and its column.
    #[test]
    fn every_wrong_cell_is_named_by_row_and_column() {
        let file = "Vorname;Nachname;Nr;Chip;Rolle;Telefon\n\
                    Mia;Berg;1;1,23E+11;Kind;\n\
                    \n\
                    Tom;Berg;1;04A1B2C3;König;\n\
                    Ida;Berg;2;04:A1:B2:C3;;\n\
                    ;;3;;;\n\
                    Udo;Berg;4;;Leitung;0171 2\n\
                    Eva;Berg;5;;;;;x\n\
                    Uta;#NAME?;6;#N/A;;\n";
        let at = |row, column: &str, value: &str, code| (row, column.into(), value.into(), code);
        assert_eq!(
            faults(file),
            [
                at(2, "Chip", "1,23E+11", "import.number_mangled"),
                at(4, "Rolle", "König", "import.role_unknown"),
                at(4, "Nr", "1", "import.number_twice"),
                at(5, "Chip", "04A1B2C3", "import.badge_twice"),
                at(6, "Vorname", "", "import.no_name"),
                at(7, "Telefon", "0171 2", "import.contact_name"),
                at(8, "", "x", "import.too_many_cells"),
                at(9, "Nachname", "#NAME?", "import.formula_failed"),
                at(9, "Chip", "#N/A", "import.formula_failed"),
            ]
        );
    }

    #[test]
    fn the_same_person_twice_is_a_complaint_unless_groups_or_numbers_differ() {
        let file = "Vorname;Nachname;Klasse\nMia;Müller;1a\nMia;Mueller;1b\nMIA;Muller;1a\n";
        assert_eq!(
            faults(file).iter().map(|f| (f.0, f.3)).collect::<Vec<_>>(),
            [(4, "import.person_twice")]
        );
        assert_eq!(faults("Nr;Vorname;Nachname\n1;Mia;Berg\n2;Mia;Berg\n"), []);
    }

    #[test]
    fn a_row_without_a_number_is_never_a_second_of_somebody() {
        let staff = "Name;Rolle;Gruppe\nAda Krause;Lehrerin;A\nAda Krause;Büro;B\n";
        let numbers = "Nr;Name;Klasse\n;Mia Berg;1a\n7;Mia Berg;1a\n;Mia Berg;1a\n";
        let column = "Name".to_owned();
        let twice = |row, name: &str| (row, column.clone(), name.into(), "import.person_twice");
        assert_eq!(faults(staff), [twice(3, "Ada Krause")]);
        assert_eq!(faults(numbers), [twice(3, "Mia Berg"), twice(4, "Mia Berg")]);
    }

    #[test]
    fn a_file_that_is_no_list_of_people_is_one_complaint() {
        for (file, code) in [
            ("", "import.empty"),
            ("Vorname;Nachname\n;;;\n", "import.empty"),
            ("Farbe;Preis\nrot;3\nblau;4\n", "import.no_name_column"),
            ("Vorname;First name;Nachname\nA;B;C\n", "import.column_twice"),
            ("Vorname;Nachname\n\"Mia;Berg\n", "import.unclosed_quote"),
        ] {
            assert_eq!(faults(file).iter().map(|f| f.3).collect::<Vec<_>>(), [code], "{file}");
        }
        let nul = faults("Vorname;Nachname\nMi\0a;Berg\n");
        assert_eq!(nul, [(2, "Vorname".into(), "Mia".into(), "import.unreadable")]);
    }

    #[test]
    fn numbers_of_two_contacts_without_names_are_not_the_same_contact_twice() {
        let twice = faults("Name;Mobil 1;Mobil 2\nMia Berg;1;2\n");
        let names: Vec<_> = twice.iter().map(|f| (&*f.1, f.3)).collect();
        assert_eq!(names, [("Mobil 1", "import.contact_name"), ("Mobil 2", "import.contact_name")]);
    }

    #[test]
    fn the_list_of_complaints_has_an_end() {
        let file = format!("Vorname;Rolle\n{}", "A;König\n".repeat(4_000));
        assert!((FAULTS_MAX..FAULTS_MAX + 10).contains(&faults(&file).len()));
    }

    proptest! {
        #[test]
        fn any_bytes_yield_entries_or_complaints(rest in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut file = b"Vorname;Nachname;Chip;Rolle;Kontakt;Abholberechtigt\n".to_vec();
            file.extend(rest);
            let import = read(&file);
            for entry in import.entries {
                prop_assert!(!entry.given_name.is_empty() || !entry.family_name.is_empty());
            }
        }
    }
}
