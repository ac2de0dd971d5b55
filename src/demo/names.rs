//! The invented names of the demo house. Given names are common ones, family names are made up of
//! German sounding parts; nobody is meant. Umlauts, sharp s, hyphens and particles are among them
//! on purpose, since real lists have them.

use super::dice::Dice;

/// Given names of children.
const CHILDREN: [&str; 72] = [
    "Mia",
    "Emil",
    "Jonas",
    "Käthe",
    "Lina",
    "Matteo",
    "Ömer",
    "Paula",
    "Rüdiger",
    "Sofia",
    "Theo",
    "Ümit",
    "Valentin",
    "Wilma",
    "Xenia",
    "Yara",
    "Zoë",
    "Ada",
    "Björn",
    "Carlotta",
    "Dilan",
    "Elif",
    "Finn",
    "Greta",
    "Henri",
    "Ida",
    "Jördis",
    "Karim",
    "Leonie",
    "Malik",
    "Nele",
    "Oskar",
    "Pia",
    "Quirin",
    "Romy",
    "Samuel",
    "Tilda",
    "Ulla",
    "Vincent",
    "Wanda",
    "Ayşe",
    "Bela",
    "Cem",
    "Dorothea",
    "Enno",
    "Fritzi",
    "Götz",
    "Hanna-Lena",
    "Ilias",
    "Jule",
    "Kaspar",
    "Lotte",
    "Milan",
    "Noah",
    "Oda",
    "Piet",
    "Ronja",
    "Selma",
    "Tamino",
    "Uma",
    "Viktoria",
    "Wenzel",
    "Anna-Sophie",
    "Karl-Friedrich",
    "Söhnke",
    "Merle",
    "Levke",
    "Momo",
    "Nuri",
    "Amira",
    "Tjark",
    "Fenja",
];

/// Given names of grown-ups.
const ADULTS: [&str; 48] = [
    "Annegret",
    "Bernd",
    "Claudia",
    "Dietmar",
    "Esra",
    "Frauke",
    "Gökhan",
    "Heike",
    "Ingo",
    "Jutta",
    "Kerstin",
    "Lothar",
    "Monika",
    "Norbert",
    "Olga",
    "Petra",
    "Ralf",
    "Sabine",
    "Torsten",
    "Ursula",
    "Volker",
    "Wiebke",
    "Yusuf",
    "Zeynep",
    "Agnieszka",
    "Björn-Ole",
    "Carmen",
    "Dörte",
    "Erik",
    "Fatma",
    "Günther",
    "Helga",
    "Iris",
    "Jürgen",
    "Katrin",
    "Lars",
    "Maren",
    "Nicole",
    "Özlem",
    "Pavel",
    "Regine",
    "Sönke",
    "Tanja",
    "Ulrike",
    "Viola",
    "Walter",
    "Silke",
    "Marlies",
];

/// First parts of family names.
const FRONTS: [&str; 24] = [
    "Ähren", "Birken", "Dachs", "Eschen", "Falken", "Grün", "Hasel", "Immen", "Kräuter", "Linden",
    "Moos", "Nebel", "Öhlen", "Quell", "Rüben", "Sanddorn", "Tannen", "Ufer", "Vogel", "Weiß",
    "Winter", "Zeisig", "Kühn", "Groß",
];

/// Last parts of family names.
const BACKS: [&str; 16] = [
    "acker", "bach", "berger", "brück", "dorf", "felder", "garten", "häuser", "höfer", "kamp",
    "lohe", "moser", "pohl", "rode", "steg", "wälder",
];

/// Gives out names, no full name twice.
pub(super) struct Names {
    families: Vec<String>,
    taken: std::collections::HashSet<(String, String)>,
}

impl Names {
    /// Returns the list in an order of its own.
    pub(super) fn new(dice: &mut Dice) -> Names {
        let mut families: Vec<String> =
            FRONTS.iter().flat_map(|a| BACKS.iter().map(move |b| format!("{a}{b}"))).collect();
        dice.shuffle(&mut families);
        let joined: Vec<String> = families
            .iter()
            .zip(families.iter().skip(1))
            .step_by(31)
            .map(|(one, other)| format!("{one}-{other}"))
            .collect();
        let noble = families.iter().skip(5).step_by(61).map(|name| format!("von der {name}"));
        let mut all: Vec<String> = joined.into_iter().chain(noble).collect();
        all.extend(families.iter().take(200).cloned());
        dice.shuffle(&mut all);
        Names { families: all, taken: std::collections::HashSet::new() }
    }

    /// Returns a child's name that nobody has yet.
    pub(super) fn child(&mut self, dice: &mut Dice) -> (String, String) {
        self.fresh(dice, &CHILDREN)
    }

    /// Returns a grown-up's name that nobody has yet.
    pub(super) fn adult(&mut self, dice: &mut Dice) -> (String, String) {
        self.fresh(dice, &ADULTS)
    }

    /// Returns the name of a relative: mostly of the same family name.
    pub(super) fn relative(&mut self, dice: &mut Dice, family: &str) -> (String, String) {
        if dice.below(5) == 0 {
            return self.adult(dice);
        }
        let given = pick(dice, &ADULTS);
        (given.to_owned(), family.to_owned())
    }

    fn fresh(&mut self, dice: &mut Dice, given: &[&str]) -> (String, String) {
        loop {
            let family = self.families.get(dice.below(self.families.len()));
            let name = (pick(dice, given).to_owned(), family.cloned().unwrap_or_default());
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

fn pick<'a>(dice: &mut Dice, from: &[&'a str]) -> &'a str {
    from.get(dice.below(from.len())).copied().unwrap_or_default()
}

/// Returns a name as a user name: lower case, plain letters, dots between the parts.
pub(super) fn username(given: &str, family: &str) -> String {
    let mut plain = String::new();
    for letter in given.chars().chain(['.']).chain(family.chars()).flat_map(char::to_lowercase) {
        match letter {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            'ë' => plain.push('e'),
            'ş' => plain.push('s'),
            ' ' => plain.push('.'),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Dice, Names, username};

    #[test]
    fn a_user_name_has_plain_letters_only() {
        let mut dice = Dice::new(42);
        let mut names = Names::new(&mut dice);
        for _ in 0..300 {
            let (given, family) = names.child(&mut dice);
            let name = username(&given, &family);
            assert!(
                name.chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '-'),
                "{given} {family} gives {name}"
            );
        }
        assert_eq!(username("Jördis", "von der Weißlohe"), "joerdis.von.der.weisslohe");
    }

    #[test]
    fn umlauts_and_hyphens_are_among_the_names() {
        let mut dice = Dice::new(42);
        let mut names = Names::new(&mut dice);
        let all: Vec<_> = (0..300).map(|_| names.child(&mut dice)).collect();
        for part in ["ä", "ö", "ü", "ß", "-", "von der"] {
            assert!(all.iter().any(|(g, f)| g.contains(part) || f.contains(part)), "{part}");
        }
    }
}
