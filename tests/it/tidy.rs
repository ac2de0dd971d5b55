//! The rules of the house, checked on its own files. Exemptions are listed here, with a reason,
//! and only shrink.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file.
const LINES_MAX: usize = 400;

/// Which crates belong in which rooms (a layer, or one file of it).
const ROOMS: &[(&str, &[&str])] = &[
    ("argon2", &["live/hasher.rs"]),
    ("axum", &["http"]),
    ("clap", &["cli"]),
    ("hyper", &["http", "client.rs", "demo"]),
    ("r2d2_sqlite", &["store"]),
    ("rusqlite", &["base", "store", "live", "domain", "app.rs", "jobs.rs", "http"]),
    ("rust_embed", &["http/assets/mod.rs"]),
    ("sd_notify", &["systemd.rs"]),
    ("tower", &["http"]),
    ("tower_sessions", &["http"]),
];

/// The nouns that are more than rows: what each has in all six places. `house` is the ground that
/// the others stand on; its routes and page are those of the set-up.
const GROUND: &[&str] = &["house"];

/// Nouns whose page has the name of what it shows.
const PAGES: &[(&str, &str)] = &[];

/// Tables of later nouns that a noun reads: where a member is and belongs decides who may hear of
/// them, and the room of a reader is shown with it.
const READ_ABOVE: &[(&str, &str)] = &[
    ("src/domain/devices/queries.rs", "room"),
    ("src/domain/people/queries.rs", "group_member"),
    ("src/domain/people/queries.rs", "visit"),
    ("src/domain/rooms/queries.rs", "visit"),
    ("src/domain/rooms/scope.rs", "visit"),
];

#[test]
fn imports_point_down() {
    let (layers, slices) = (modules("src/lib.rs"), modules("src/domain/mod.rs"));
    let mut wrong = Vec::new();
    for file in sources("src") {
        let Some(own) = place(&layers, &file.room(1)) else { continue };
        for used in file.used("crate::") {
            if place(&layers, &used).is_some_and(|at| own < at) {
                wrong.push(format!("{} uses {used}, which stands above it", file.path));
            }
        }
        if file.room(1) == "domain" && file.path.matches('/').count() > 2 {
            let own = place(&slices, &file.room(2));
            for used in file.used("crate::domain::") {
                if place(&slices, &used).is_some_and(|at| own < Some(at)) {
                    wrong.push(format!("{} uses {used}, which stands above it", file.path));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn nouns_write_their_own_tables_and_read_those_below() {
    let (slices, tables) = (modules("src/domain/mod.rs"), tables());
    let (mut wrong, mut excused) = (Vec::new(), BTreeSet::new());
    for file in sources("src/domain") {
        let own = place(&slices, &file.room(2));
        let code = file.code().replace(['\\', '"'], "");
        for verb in ["from", "join", "into", "update"] {
            for rest in code.split(&format!("{verb} ")).skip(1) {
                let table = word(rest);
                let Some((_, noun)) = tables.iter().find(|(name, _)| *name == table) else {
                    continue;
                };
                let reads = ["from", "join"].contains(&verb);
                let above = own.is_some() && own < place(&slices, noun);
                if !above {
                    continue;
                }
                match READ_ABOVE.iter().find(|one| **one == (&file.path, &table)) {
                    Some(one) if reads => drop(excused.insert(one)),
                    _ => wrong.push(format!("{}: {verb} {table}, of {noun}", file.path)),
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(excused, READ_ABOVE.iter().collect(), "the list only shrinks");
}

#[test]
fn every_module_is_a_layer_or_the_command_line() {
    let layers = modules("src/lib.rs");
    for file in sources("src") {
        let room = file.room(1);
        let known = layers.contains(&room) || ["lib", "main"].contains(&room.as_str());
        assert!(known, "{}: {room} is not in lib.rs", file.path);
    }
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in sources("src") {
        let inside = file.path.trim_start_matches("src/");
        for (name, rooms) in ROOMS {
            let here = rooms.iter().any(|room| {
                inside == *room || inside.strip_prefix(room).is_some_and(|r| r.starts_with('/'))
            });
            if !here && file.uses_crate(name) {
                wrong.push(format!("{}: {name} belongs in {rooms:?}", file.path));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn layers_do_not_do_what_is_not_theirs() {
    let rules: &[(&str, &[&str], &str)] = &[
        ("domain", &["tokio::spawn", "thread::spawn"], "domain never spawns"),
        (
            "domain",
            &["Clock::System", "SystemTime", "Instant::now"],
            "domain never reads the clock",
        ),
        ("domain", &["StatusCode", "http::"], "domain never knows a status"),
        (
            "http",
            &["prepare(", "prepare_cached(", "execute(", "query_row("],
            "http never writes SQL",
        ),
        ("cli", &["prepare(", "prepare_cached(", "execute(", "query_row("], "cli never writes SQL"),
        ("live", &["Visit", "Room(", "HelpR"], "live never names a noun"),
        ("event", &["rusqlite::Connection", "crate::store"], "event reads nothing"),
    ];
    let mut wrong = Vec::new();
    for file in sources("src") {
        for (room, words, rule) in rules {
            if file.room(1) != *room {
                continue;
            }
            for word in words.iter().filter(|word| file.code().contains(**word)) {
                wrong.push(format!("{}: {word:?}: {rule}", file.path));
            }
        }
        let touches_log = file.code().contains("event_log");
        let may = ["src/live/log.rs", "src/store/backup.rs"].contains(&file.path.as_str());
        if touches_log && !may {
            wrong.push(format!("{}: only live/log.rs touches event_log", file.path));
        }
        let formats =
            file.code().contains("format!(\"select") || file.code().contains("format!(\"update");
        if formats {
            wrong.push(format!("{}: SQL is never built by format!", file.path));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for file in sources("src").into_iter().chain(sources("tests/it")).chain(sources("benches")) {
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            wrong.push(format!("{}: {lines} lines, at most {LINES_MAX}", file.path));
        }
        if !file.text.starts_with("//!") {
            wrong.push(format!("{}: begins without a //! sentence", file.path));
        }
        for word in ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!("] {
            if file.path != "tests/it/tidy.rs" && file.text.contains(word) {
                wrong.push(format!("{}: {word}", file.path));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn slices_have_the_same_shape() {
    for slice in modules("src/domain/mod.rs") {
        let own = format!("src/domain/{slice}");
        for part in ["mod.rs", "model.rs", "queries.rs", "commands.rs"] {
            assert!(Path::new(&own).join(part).is_file(), "{own}: has no {part}");
        }
        // A facet stands beside them, as a module of the slice.
        let named = fs::read_to_string(format!("{own}/mod.rs")).unwrap();
        for file in sources(&own) {
            let name = file.name();
            let known = name == "mod" || named.contains(&format!("mod {name};"));
            assert!(known, "{}: is no module of its slice", file.path);
        }
    }
}

#[test]
fn a_noun_has_its_six_places() {
    let (schema, events) = (read("schema.sql"), read("docs/events.md").to_lowercase());
    let mut missing = Vec::new();
    for noun in modules("src/domain/mod.rs") {
        if !schema.contains(&format!("\n-- {noun}: ")) {
            missing.push(format!("schema.sql: a section {noun}"));
        }
        if GROUND.contains(&noun.as_str()) {
            continue;
        }
        let page = PAGES.iter().find(|(of, _)| *of == noun).map_or(noun.as_str(), |(_, page)| page);
        for path in [
            format!("src/http/{noun}.rs"),
            format!("tests/it/{noun}.rs"),
            format!("assets/{page}.js"),
        ] {
            if !Path::new(&path).is_file() {
                missing.push(path);
            }
        }
        if !events.contains(&format!("\n## {noun}\n")) {
            missing.push(format!("docs/events.md: a section {noun}"));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn no_test_file_is_forgotten() {
    let main = read("tests/it/main.rs");
    for file in sources("tests/it") {
        let name = file.name();
        let known = name == "main" || main.contains(&format!("mod {name};"));
        assert!(known, "{}: is not in tests/it/main.rs", file.path);
    }
}

#[test]
fn every_setting_is_read_by_somebody() {
    let text = read("src/config.rs");
    let fields = text.split_once("pub struct Config {").unwrap().1.split_once("\n}").unwrap().0;
    let fields = fields.lines().filter_map(|l| l.trim().strip_prefix("pub ")?.split(':').next());
    let all: String = sources("src")
        .iter()
        .filter(|file| file.path != "src/config.rs")
        .map(|file| file.code().replace(char::is_whitespace, ""))
        .collect();
    let unread: Vec<_> = fields
        .filter(|field| {
            !["config", "settings"].iter().any(|of| all.contains(&format!("{of}.{field}")))
        })
        .collect();
    assert_eq!(unread, Vec::<&str>::new());
}

#[test]
fn an_event_holds_no_words_of_people() {
    let text = read("src/event/mod.rs");
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let found: BTreeSet<_> = code.match_indices("String").map(|(at, _)| at).collect();
    // The one inside Label, which is the name of a thing or a closed word.
    assert_eq!(found.len(), 1, "src/event/mod.rs: a String in an event");
    assert!(code.contains("pub struct Label(pub String);"));
}

/// Each table and view with the noun in whose section of the schema it stands.
fn tables() -> Vec<(String, String)> {
    let (mut noun, mut tables) = (String::new(), Vec::new());
    for line in read("schema.sql").lines() {
        let section = line.strip_prefix("-- ").and_then(|line| line.split_once(':'));
        if let Some((name, _)) = section.filter(|(name, _)| !name.contains(' ')) {
            name.clone_into(&mut noun);
        }
        let made = line.strip_prefix("create table ").or_else(|| line.strip_prefix("create view "));
        if let Some(table) = made {
            tables.push((word(table.trim_start_matches('"')), noun.clone()));
        }
    }
    tables
}

/// A source file.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The `depth`-th part of the path, without `.rs`.
    fn room(&self, depth: usize) -> String {
        self.path.split('/').nth(depth).unwrap_or_default().trim_end_matches(".rs").to_owned()
    }

    fn name(&self) -> String {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".rs").to_owned()
    }

    /// The text without comments and without what is compiled for tests only.
    fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// The modules named after `prefix`, alone or in braces.
    fn used(&self, prefix: &str) -> Vec<String> {
        let code = self.code();
        let mut used = Vec::new();
        for rest in code.split(prefix).skip(1) {
            match rest.strip_prefix('{') {
                Some(list) => used.extend(top_level(list)),
                None => used.push(word(rest)),
            }
        }
        used
    }

    fn uses_crate(&self, name: &str) -> bool {
        let code = self.code();
        code.match_indices(&format!("{name}::")).any(|(at, _)| {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            !before.is_alphanumeric() && before != '_' && before != ':'
        })
    }
}

/// The first word of each entry of a braced list.
fn top_level(list: &str) -> Vec<String> {
    let (mut depth, mut entries, mut entry) = (0, Vec::new(), String::new());
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => entries.push(std::mem::take(&mut entry)),
            _ if depth == 0 => entry.push(c),
            _ => {}
        }
    }
    entries.push(entry);
    entries.iter().map(|entry| word(entry.trim())).filter(|word| !word.is_empty()).collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn place(list: &[String], name: &str) -> Option<usize> {
    list.iter().position(|other| other == name)
}

/// The modules that `file` declares, in its own order: each may use those before it.
fn modules(file: &str) -> Vec<String> {
    let text = read(file);
    let names = text.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn sources(dir: impl Into<PathBuf>) -> Vec<File> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.into()]);
    while let Some(dir) = dirs.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(File { path: path.to_str().unwrap().to_owned(), text: read(&path) });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
