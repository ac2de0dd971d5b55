//! What each column of an imported file is taken for: by its heading, or as somebody has said.

use serde::Serialize;

use super::headings::{self, Column};
use super::table::{self, Fault, Record, Table};

/// The word that leaves a column out.
pub const IGNORE: &str = "ignore";

/// What somebody has said of columns. Each is named by its heading, or by `[C]` as the third, and
/// holds a field or is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches(Vec<(String, Option<Column>)>);

impl Matches {
    /// Reads pairs of a name and the word for a field; the error is the word that is none.
    pub fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Matches, &'a str> {
        let read = |(name, word): (&str, &'a str)| {
            let field = headings::field(word);
            let known = field.is_some() || word == IGNORE;
            if known { Ok((table::tidied(name), field)) } else { Err(word) }
        };
        pairs.into_iter().map(read).collect::<Result<_, _>>().map(Matches)
    }

    /// Says whether a column with this heading is spoken of.
    pub fn names(&self, heading: &str) -> bool {
        self.0.iter().any(|(name, _)| is_called(name, heading))
    }

    /// Returns what a column holds, None if it is left out or nobody knows.
    fn field(&self, at: usize, heading: &str) -> Option<Column> {
        let by_place = self.0.iter().find(|(name, _)| *name == place(at));
        let by_heading = || self.0.iter().find(|(name, _)| is_called(name, heading));
        match by_place.or_else(by_heading) {
            Some((_, field)) => *field,
            None => headings::column(heading),
        }
    }
}

/// A column as a file has it, and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ImportColumn)]
pub struct Taken {
    /// What a spreadsheet calls it: A to Z, then AA.
    pub letter: String,
    /// As it stands in the file; empty if it has none.
    pub heading: String,
    /// What it is taken for, such as `given_name` or `phone_2`; null if it is not read.
    pub field: Option<String>,
    /// The first value in it, shortened.
    pub example: String,
}

/// The columns of a file.
#[derive(Debug, Default)]
pub struct Columns {
    /// The heading of each, and what it holds if it is read.
    pub held: Vec<(String, Option<Column>)>,
    pub taken: Vec<Taken>,
    pub faults: Vec<Fault>,
}

/// Decides what each column holds, and complains of what cannot be so.
pub fn decide(table: &Table, matches: &Matches) -> Columns {
    let headings = &table.headings.cells;
    let rows = table.records.iter().map(|record| record.cells.len());
    let width = rows.max().unwrap_or_default().max(headings.len());
    let mut columns = Columns::default();
    // Behind the last heading a cell is a slip, unless somebody has said what the column is.
    let said = (headings.len()..width).filter(|at| matches.names(&place(*at))).max();
    let read = said.map_or(headings.len(), |at| at + 1);
    for at in 0..read {
        let heading = headings.get(at).map(String::as_str).unwrap_or_default();
        // Without what a terminal might obey.
        let heading: String = heading.chars().filter(|c| !c.is_control()).collect();
        let field = matches.field(at, &heading);
        columns.held.push((heading, field));
    }
    columns.divide_names();
    for at in 0..width {
        let (heading, field) = columns.held.get(at).cloned().unwrap_or_default();
        let example = example(table, at);
        if !heading.is_empty() || !example.is_empty() {
            let field = field.map(Column::word);
            columns.taken.push(Taken { letter: letters(at), heading, field, example });
        }
    }
    columns.check(&table.headings, width, matches);
    columns
}

impl Columns {
    /// Without a column for given names, that for family names has whole names.
    fn divide_names(&mut self) {
        let has = |column| self.held.iter().any(|(_, held)| *held == Some(column));
        if has(Column::GivenName) || has(Column::Name) {
            return;
        }
        for (_, held) in &mut self.held {
            if *held == Some(Column::FamilyName) {
                *held = Some(Column::Name);
            }
        }
    }

    fn check(&mut self, row: &Record, width: usize, matches: &Matches) {
        let mut met = Vec::new();
        for (at, (heading, held)) in self.held.iter().enumerate() {
            let Some(column) = held else { continue };
            if met.iter().any(|other| clash(*other, *column)) {
                let problem = "two columns mean the same; number them, leave one out or match it";
                self.faults.push(row.fault(heading, &place(at), "import.column_twice", problem));
            }
            met.push(*column);
        }
        let names = [Column::GivenName, Column::FamilyName, Column::Name];
        if !met.iter().any(|column| names.contains(column)) {
            let found = row.cells.join(", ");
            let problem = "no column is called Vorname, Nachname, Given name or Family name; \
                           match the one with names";
            self.faults.push(row.fault("", &found, "import.no_name_column", problem));
        }
        for (name, _) in &matches.0 {
            let is_there = (0..width).any(|at| *name == place(at))
                || self.held.iter().any(|(heading, _)| is_called(name, heading));
            if !is_there {
                let problem = "the file has no such column";
                self.faults.push(row.fault(name, "", "import.no_such_column", problem));
            }
        }
    }

    /// Says whether some column has names: without one no row says anything.
    pub fn name_somebody(&self) -> bool {
        !self.faults.iter().any(|fault| fault.code == "import.no_name_column")
    }
}

/// A whole name leaves nothing for the columns of its parts.
fn clash(one: Column, other: Column) -> bool {
    let is_part = |column| matches!(column, Column::GivenName | Column::FamilyName);
    one == other || one == Column::Name && is_part(other) || other == Column::Name && is_part(one)
}

fn example(table: &Table, at: usize) -> String {
    let mut cells = table.records.iter().filter_map(|record| record.cells.get(at));
    cells.find(|cell| !cell.is_empty()).map(|cell| table::shortened(cell)).unwrap_or_default()
}

/// Returns what a spreadsheet calls the column at this place: A to Z, then AA.
pub fn letters(at: usize) -> String {
    let before = if at < 26 { String::new() } else { letters(at / 26 - 1) };
    let letter = ('A'..='Z').nth(at % 26).unwrap_or_default();
    format!("{before}{letter}")
}

/// How a column is named by its place.
fn place(at: usize) -> String {
    format!("[{}]", letters(at))
}

fn is_called(name: &str, heading: &str) -> bool {
    !heading.is_empty() && name.to_lowercase() == heading.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Matches, Taken, letters};
    use crate::domain::people::import::{Import, read_as};

    fn import(file: &str, pairs: &[(&str, &str)]) -> Import {
        read_as(file.as_bytes(), &Matches::read(pairs.iter().copied()).unwrap())
    }

    fn fields(import: &Import) -> Vec<Option<&str>> {
        import.columns.iter().map(|column| column.field.as_deref()).collect()
    }

    fn codes(import: &Import) -> Vec<(&str, &str, &str)> {
        import.faults.iter().map(|f| (&*f.column, &*f.value, f.code)).collect()
    }

    #[test]
    fn a_column_is_told_with_what_it_is_taken_for_and_an_example() {
        let file =
            "Vorname;Nachname;;Geburtstag;Telefon 2;\nMia;Berg;;;;\nTom;Berg;x;1.2.2018;1;\n";
        let import = import(file, &[]);
        let field = [Some("given_name"), Some("family_name"), None, None, Some("phone_2")];
        assert_eq!(fields(&import), field);
        let birthday = Taken {
            letter: "D".to_owned(),
            heading: "Geburtstag".to_owned(),
            field: None,
            example: "1.2.2018".to_owned(),
        };
        assert_eq!(import.columns[3], birthday);
    }

    #[test]
    fn a_heading_that_nobody_knows_is_matched_and_one_that_is_known_left_out() {
        let file = "Kind;Familie;Klasse\nMia;Berg;3b\n";
        assert_eq!(
            codes(&import(file, &[])),
            [("", "Kind, Familie, Klasse", "import.no_name_column")]
        );
        let said = [("kind", "given_name"), ("[B]", "family_name"), ("Klasse", "ignore")];
        let import = import(file, &said);
        assert_eq!((codes(&import), &import.ignored), (vec![], &vec!["Klasse".to_owned()]));
        let entry = &import.entries[0];
        assert_eq!((&*entry.given_name, &*entry.family_name), ("Mia", "Berg"));
        assert!(entry.groups.is_empty());
    }

    #[test]
    fn of_two_headings_alike_one_is_named_by_its_place() {
        let file = "Name;Kontakt;Telefon;Telefon\nMia Berg;Eva;0171 1;0171 2\n";
        assert_eq!(codes(&import(file, &[])), [("Telefon", "[D]", "import.column_twice")]);
        let left_out = import(file, &[("[C]", "ignore")]);
        assert_eq!((codes(&left_out), &*left_out.entries[0].contacts[0].phone), (vec![], "0171 2"));
        // Two parts and the whole are one too many.
        let whole = import("Vorname;Nachname;Voll\nMia;Berg;Berg, Mia\n", &[("Voll", "name")]);
        assert_eq!(codes(&whole), [("Voll", "[C]", "import.column_twice")]);
        let said = [("Voll", "name"), ("Vorname", "ignore"), ("Nachname", "ignore")];
        let whole = import("Vorname;Nachname;Voll\n;;\"Berg, Mia\"\n", &said);
        assert_eq!((codes(&whole), &*whole.entries[0].given_name), (vec![], "Mia"));
    }

    #[test]
    fn a_column_behind_the_headings_is_read_when_somebody_says_so() {
        let file = "Vorname;Nachname\nMia;Berg;3b\n";
        assert_eq!(codes(&import(file, &[])), [("", "3b", "import.too_many_cells")]);
        assert_eq!(fields(&import(file, &[])), [Some("given_name"), Some("family_name"), None]);
        let class = import(file, &[("[C]", "class")]);
        assert_eq!((codes(&class), &*class.entries[0].groups[0].1), (vec![], "3b"));
    }

    #[test]
    fn a_column_is_called_as_a_spreadsheet_calls_it() {
        let called = [0, 25, 26, 51, 52, 99].map(letters);
        assert_eq!(called, ["A", "Z", "AA", "AZ", "BA", "CV"]);
    }

    #[test]
    fn a_heading_is_told_without_what_a_terminal_might_obey() {
        let import = import("Name;\u{9b}2JOrt\nMia Berg;\n", &[]);
        assert_eq!((&*import.columns[1].heading, &*import.ignored[0]), ("2JOrt", "2JOrt"));
    }

    #[test]
    fn what_is_said_of_no_column_is_a_complaint_and_no_word_is_a_mistake() {
        let import = import("Name\nMia Berg\n", &[("Geburtstag", "ignore"), ("[Z]", "class")]);
        let code = "import.no_such_column";
        assert_eq!(codes(&import), [("Geburtstag", "", code), ("[Z]", "", code)]);
        for word in ["birthday", "", "phone_0", "phone_10", "given_name_2", "phone_1", "Name"] {
            assert_eq!(Matches::read([("A", word)]), Err(word));
        }
    }
}
