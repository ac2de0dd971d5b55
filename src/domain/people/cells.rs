//! What a cell of an imported file may hold, column by column.

use super::model::Role;
use super::rules;
use crate::domain::house::Language;

/// Why a cell cannot be taken: a stable code and a sentence.
pub type Refused = (&'static str, String);

/// The words for a role, each as its search key.
const ROLES: &[(&str, Role)] = &[
    ("member", Role::Member),
    ("mitglied", Role::Member),
    ("kind", Role::Member),
    ("child", Role::Member),
    ("schuler", Role::Member),
    ("schulerin", Role::Member),
    ("schuler in", Role::Member),
    ("pupil", Role::Member),
    ("student", Role::Member),
    ("patient", Role::Member),
    ("patientin", Role::Member),
    ("teilnehmer", Role::Member),
    ("teilnehmerin", Role::Member),
    ("staff", Role::Staff),
    ("personal", Role::Staff),
    ("mitarbeiter", Role::Staff),
    ("mitarbeiterin", Role::Staff),
    ("erzieher", Role::Staff),
    ("erzieherin", Role::Staff),
    ("betreur", Role::Staff),
    ("betreurin", Role::Staff),
    ("lehrer", Role::Staff),
    ("lehrerin", Role::Staff),
    ("lehrkraft", Role::Staff),
    ("fachkraft", Role::Staff),
    ("padagoge", Role::Staff),
    ("padagogin", Role::Staff),
    ("educator", Role::Staff),
    ("teacher", Role::Staff),
    ("tutor", Role::Staff),
    ("office", Role::Office),
    ("buro", Role::Office),
    ("sekretariat", Role::Office),
    ("empfang", Role::Office),
    ("verwaltung", Role::Office),
    ("front desk", Role::Office),
    ("admin", Role::Admin),
    ("administrator", Role::Admin),
    ("leitung", Role::Admin),
    ("lead", Role::Admin),
];

/// What a spreadsheet writes where a formula has failed, in English and in German.
const FAILED: &[&str] = &[
    "#N/A",
    "#NV",
    "#NAME?",
    "#REF!",
    "#BEZUG!",
    "#VALUE!",
    "#WERT!",
    "#NUM!",
    "#ZAHL!",
    "#DIV/0!",
    "#NULL!",
    "#SPILL!",
    "#ÜBERLAUF!",
    "#CALC!",
    "#KALK!",
];

/// Refuses what stands where a formula has failed: a list that was put together from others has
/// it where one was not found, and it is neither a class nor the number of a card.
pub fn computed(value: &str) -> Result<(), Refused> {
    if !FAILED.contains(&value) {
        return Ok(());
    }
    let problem = "the formula of this cell has failed; mend it, or empty the cell, and save anew";
    Err(("import.formula_failed", problem.to_owned()))
}

/// Returns a name, not over-long.
pub fn name(value: &str) -> Result<String, Refused> {
    bounded(value, rules::NAME_MAX)
}

/// Divides a whole name in one cell, `Berg, Mia` or `Mia Berg`, into given and family name.
pub fn divided_name(whole: &str) -> (String, String) {
    let (given, family) = match whole.split_once(',') {
        Some((family, given)) => (given.trim(), family.trim()),
        None => whole.rsplit_once(' ').unwrap_or(("", whole)),
    };
    (given.to_owned(), family.to_owned())
}

/// Returns a short text, not over-long.
pub fn detail(value: &str) -> Result<String, Refused> {
    bounded(value, rules::NUMBER_MAX)
}

fn bounded(value: &str, max: usize) -> Result<String, Refused> {
    if value.chars().count() > max {
        return Err(("import.too_long", format!("has more than {max} characters")));
    }
    Ok(value.to_owned())
}

/// Returns a number as text, its zeros kept: of a person in another system, of a telephone.
pub fn number(value: &str) -> Result<String, Refused> {
    detail(whole_number(value)?)
}

/// Returns the number of a badge as readers write it.
pub fn badge(value: &str) -> Result<String, Refused> {
    rules::tag(whole_number(value)?).map_err(|_| {
        let problem = "is no badge number: 4 to 20 bytes in hex, or 4 to 40 printable characters";
        ("import.badge_wrong", problem.to_owned())
    })
}

/// Takes off the apostrophe that keeps a cell from becoming a number, and refuses what has
/// become one.
fn whole_number(value: &str) -> Result<&str, Refused> {
    let value = value.strip_prefix('\'').unwrap_or(value);
    if rules::is_mangled_number(value) {
        let problem = "the spreadsheet has shortened this number and lost its last digits; \
                       make the column text, enter the number again and save the file anew";
        return Err(("import.number_mangled", problem.to_owned()));
    }
    Ok(value)
}

/// Returns a role.
pub fn role(value: &str) -> Result<Role, Refused> {
    let key = rules::search_key(value);
    match ROLES.iter().find(|(word, _)| *word == key.trim_start()) {
        Some((_, role)) => Ok(*role),
        None => Err(("import.role_unknown", "is no role: member, staff or office".to_owned())),
    }
}

/// Returns the code of a language.
pub fn language(value: &str) -> Result<Language, Refused> {
    match rules::search_key(value).trim_start() {
        "de" | "deutsch" | "german" => Ok(Language::De),
        "en" | "englisch" | "english" => Ok(Language::En),
        _ => Err(("import.language_unknown", "is no language of Daybook: de or en".to_owned())),
    }
}

/// Returns a yes or a no.
pub fn yes_or_no(value: &str) -> Result<bool, Refused> {
    match value.to_lowercase().as_str() {
        "ja" | "j" | "yes" | "y" | "x" | "1" | "true" | "wahr" => Ok(true),
        "nein" | "n" | "no" | "-" | "0" | "false" | "falsch" => Ok(false),
        _ => Err(("import.yes_or_no", "must be yes or no (ja or nein)".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_for_a_role_is_written_as_it_is_looked_up() {
        for (word, _) in ROLES {
            assert_eq!(rules::search_key(word).trim_start(), *word);
        }
        for spelling in ["Betreuer", "SCHÜLER/IN", "Büro", "Pädagogin", "Front desk"] {
            assert!(role(spelling).is_ok(), "{spelling}");
        }
    }

    #[test]
    fn a_failed_formula_is_no_value() {
        for failed in ["#NV", "#N/A", "#BEZUG!", "#NAME?"] {
            assert_eq!(computed(failed).unwrap_err().0, "import.formula_failed", "{failed}");
        }
        assert!(["", "#1", "#NVA", "3b"].into_iter().all(|cell| computed(cell).is_ok()));
    }

    #[test]
    fn zeros_and_apostrophes_of_a_number_are_what_they_were() {
        assert_eq!(number("'00123").unwrap(), "00123");
        assert_eq!(badge("'00123456").unwrap(), "00123456");
        assert_eq!(name("'t Hart").unwrap(), "'t Hart");
        assert_eq!(badge("1,23E+11").unwrap_err().0, "import.number_mangled");
        assert_eq!(badge("ä").unwrap_err().0, "import.badge_wrong");
    }
}
