//! What the headings of an imported file mean, in German and in English.

use super::rules;

/// What a column holds. Those that carry a number can stand there several times
/// (`Kontakt 2`); the first is number 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Column {
    Number,
    GivenName,
    FamilyName,
    /// The whole name in one.
    Name,
    DisplayName,
    Role,
    Language,
    Class(u8),
    Care(u8),
    Ward(u8),
    Badge(u8),
    Contact(u8),
    Phone(u8),
    Relation(u8),
    MayFetch(u8),
    Emergency(u8),
}

/// The headings, each as its search key without blanks: blind to case, umlauts and marks.
const HEADINGS: &[(&str, Column)] = &[
    ("vorname", Column::GivenName),
    ("rufname", Column::GivenName),
    ("givenname", Column::GivenName),
    ("firstname", Column::GivenName),
    ("forename", Column::GivenName),
    ("nachname", Column::FamilyName),
    ("familienname", Column::FamilyName),
    ("zuname", Column::FamilyName),
    ("name", Column::FamilyName),
    ("surname", Column::FamilyName),
    ("lastname", Column::FamilyName),
    ("familyname", Column::FamilyName),
    ("anzeigename", Column::DisplayName),
    ("displayname", Column::DisplayName),
    ("klasse", Column::Class(1)),
    ("class", Column::Class(1)),
    ("gruppe", Column::Care(1)),
    ("ogsgruppe", Column::Care(1)),
    ("betreuungsgruppe", Column::Care(1)),
    ("group", Column::Care(1)),
    ("caregroup", Column::Care(1)),
    ("station", Column::Ward(1)),
    ("ward", Column::Ward(1)),
    ("rolle", Column::Role),
    ("role", Column::Role),
    ("sprache", Column::Language),
    ("language", Column::Language),
    ("ausweis", Column::Badge(1)),
    ("ausweisnummer", Column::Badge(1)),
    ("karte", Column::Badge(1)),
    ("kartennummer", Column::Badge(1)),
    ("chip", Column::Badge(1)),
    ("chipnummer", Column::Badge(1)),
    ("badge", Column::Badge(1)),
    ("badgenumber", Column::Badge(1)),
    ("card", Column::Badge(1)),
    ("cardnumber", Column::Badge(1)),
    ("tag", Column::Badge(1)),
    ("rfid", Column::Badge(1)),
    ("uid", Column::Badge(1)),
    ("externenummer", Column::Number),
    ("externalnumber", Column::Number),
    ("externalid", Column::Number),
    ("schulernummer", Column::Number),
    ("schulernr", Column::Number),
    ("schulerid", Column::Number),
    ("kindnummer", Column::Number),
    ("mitgliedsnummer", Column::Number),
    ("patientennummer", Column::Number),
    ("personalnummer", Column::Number),
    ("personennummer", Column::Number),
    ("pupilnumber", Column::Number),
    ("studentnumber", Column::Number),
    ("studentid", Column::Number),
    ("membernumber", Column::Number),
    ("patientnumber", Column::Number),
    ("nummer", Column::Number),
    ("number", Column::Number),
    ("nr", Column::Number),
    ("no", Column::Number),
    ("id", Column::Number),
    ("kontakt", Column::Contact(1)),
    ("kontaktname", Column::Contact(1)),
    ("kontaktperson", Column::Contact(1)),
    ("contact", Column::Contact(1)),
    ("contactname", Column::Contact(1)),
    ("guardian", Column::Contact(1)),
    ("erziehungsberechtigte", Column::Contact(1)),
    ("erziehungsberechtigter", Column::Contact(1)),
    ("telefon", Column::Phone(1)),
    ("telefonnummer", Column::Phone(1)),
    ("kontakttelefon", Column::Phone(1)),
    ("mobil", Column::Phone(1)),
    ("mobiltelefon", Column::Phone(1)),
    ("handy", Column::Phone(1)),
    ("phone", Column::Phone(1)),
    ("phonenumber", Column::Phone(1)),
    ("contactphone", Column::Phone(1)),
    ("mobile", Column::Phone(1)),
    ("beziehung", Column::Relation(1)),
    ("verhaltnis", Column::Relation(1)),
    ("relation", Column::Relation(1)),
    ("relationship", Column::Relation(1)),
    ("abholberechtigt", Column::MayFetch(1)),
    ("abholung", Column::MayFetch(1)),
    ("darfabholen", Column::MayFetch(1)),
    ("mayfetch", Column::MayFetch(1)),
    ("maycollect", Column::MayFetch(1)),
    ("maypickup", Column::MayFetch(1)),
    ("pickup", Column::MayFetch(1)),
    ("notfall", Column::Emergency(1)),
    ("notfallkontakt", Column::Emergency(1)),
    ("emergency", Column::Emergency(1)),
    ("emergencycontact", Column::Emergency(1)),
];

/// The words for what a column can hold, for whoever matches it by hand.
const FIELDS: &[(&str, Column)] = &[
    ("given_name", Column::GivenName),
    ("family_name", Column::FamilyName),
    ("name", Column::Name),
    ("display_name", Column::DisplayName),
    ("number", Column::Number),
    ("role", Column::Role),
    ("language", Column::Language),
    ("class", Column::Class(1)),
    ("care", Column::Care(1)),
    ("ward", Column::Ward(1)),
    ("badge", Column::Badge(1)),
    ("contact", Column::Contact(1)),
    ("phone", Column::Phone(1)),
    ("relation", Column::Relation(1)),
    ("may_fetch", Column::MayFetch(1)),
    ("emergency", Column::Emergency(1)),
];

impl Column {
    /// Returns the word for it, with its number from the second on: `phone_2`.
    pub fn word(self) -> String {
        let known = FIELDS.iter().find(|(_, first)| first.numbered(1) == self.numbered(1));
        let word = known.map_or("", |(word, _)| word);
        (2..=9)
            .find(|number| self.numbered(1) != Some(self) && self.numbered(*number) == Some(self))
            .map_or_else(|| word.to_owned(), |number| format!("{word}_{number}"))
    }

    /// Returns the same with another number, None if it stands there once at the most.
    fn numbered(self, number: u8) -> Option<Column> {
        match self {
            Column::Class(_) => Some(Column::Class(number)),
            Column::Care(_) => Some(Column::Care(number)),
            Column::Ward(_) => Some(Column::Ward(number)),
            Column::Badge(_) => Some(Column::Badge(number)),
            Column::Contact(_) => Some(Column::Contact(number)),
            Column::Phone(_) => Some(Column::Phone(number)),
            Column::Relation(_) => Some(Column::Relation(number)),
            Column::MayFetch(_) => Some(Column::MayFetch(number)),
            Column::Emergency(_) => Some(Column::Emergency(number)),
            once => (number == 1).then_some(once),
        }
    }
}

/// Returns what a word stands for, such as `given_name` or `phone_2`.
pub fn field(word: &str) -> Option<Column> {
    let find = |word| FIELDS.iter().find(|(name, _)| *name == word).map(|(_, column)| *column);
    let second_on = |(word, number): (_, &str)| {
        let number = number.parse().ok().filter(|n| (2..=9).contains(n))?;
        find(word)?.numbered(number)
    };
    find(word).or_else(|| word.rsplit_once('_').and_then(second_on))
}

/// Returns the words for what a column can hold, without numbers.
pub fn fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(word, _)| *word)
}

/// Returns what the column under `heading` holds; None if it is not for us.
pub fn column(heading: &str) -> Option<Column> {
    let key: String = rules::search_key(heading).split(' ').collect();
    let word = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let number: u8 = match key.get(word.len()..)? {
        "" => 1,
        digits => digits.parse().ok().filter(|n| (1..=9).contains(n))?,
    };
    let (_, column) = HEADINGS.iter().find(|(name, _)| *name == word)?;
    column.numbered(number)
}

#[cfg(test)]
mod tests {
    use super::{Column, HEADINGS, column, field, fields, rules};

    #[test]
    fn every_heading_is_written_as_it_is_looked_up() {
        for (word, held) in HEADINGS {
            let key: String = rules::search_key(word).split(' ').collect();
            assert_eq!(&key, word);
            assert_eq!(column(word), Some(*held), "{word}");
        }
    }

    #[test]
    fn every_field_has_a_word_of_its_own() {
        for word in fields() {
            let column = field(word).unwrap();
            assert_eq!(column.word(), word);
            if let Some(second) = field(&format!("{word}_2")) {
                assert_eq!(second.word(), format!("{word}_2"));
                assert_ne!(second, column);
            }
        }
        for (_, held) in HEADINGS {
            assert_eq!(field(&held.word()), Some(*held));
        }
        assert_eq!(field("number_2"), None);
    }

    #[test]
    fn headings_are_known_in_two_languages_and_as_people_write_them() {
        for (heading, held) in [
            ("Vorname", Column::GivenName),
            ("Given name", Column::GivenName),
            ("LAST_NAME", Column::FamilyName),
            ("Schüler-Nr.", Column::Number),
            ("Schuelernummer", Column::Number),
            ("Chip 2", Column::Badge(2)),
            ("Telefon (3)", Column::Phone(3)),
            ("Verhältnis", Column::Relation(1)),
        ] {
            assert_eq!(column(heading), Some(held), "{heading}");
        }
        for ignored in ["Geburtstag", "Date of birth", "", "Kontakt 0", "Kontakt 12", "Vorname 2"] {
            assert_eq!(column(ignored), None, "{ignored}");
        }
    }
}
