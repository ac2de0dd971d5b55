//! What is on paper holds: the event catalogue, links, licences, the pins of vendored files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

/// Licences that we take code under.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OFL-1.1",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Events that no page has to act upon: other clients may.
const SILENT: &[&str] = &[];

/// Frames that the stream itself sends.
const OF_THE_STREAM: &[&str] = &["stream.connected"];

/// The kinds of events and signals, as the code names them.
fn kinds() -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    let catalogue = read("src/event/mod.rs");
    let kind = catalogue.split_once("pub fn kind(&self)").unwrap().1;
    kinds.extend(quoted(kind.split_once("\n    }\n").unwrap().0));
    // Signals are built where their nouns are: whatever is named as their kind.
    for path in files("src", "rs") {
        let text = read(&path);
        if text.contains("Signal") && !path.starts_with("src/event/") {
            kinds.extend(quoted(&text).into_iter().filter(|word| SIGNALS.contains(&word.as_str())));
        }
    }
    kinds
}

/// Passing state; each must be sent by some code.
const SIGNALS: &[&str] = &[
    "house.counts_changed",
    "presence.list_changed",
    "presence.updated",
    "queue.changed",
    "room.occupancy_changed",
    "user.status_changed",
];

/// The words in quotes that look like a kind: `noun.verb`.
fn quoted(text: &str) -> Vec<String> {
    let words = text.split('"').skip(1).step_by(2).filter(|word| is_kind(word));
    words.map(str::to_owned).collect()
}

fn is_kind(word: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    word.split_once('.').is_some_and(|(noun, verb)| part(noun) && part(verb))
}

#[test]
fn every_signal_is_sent_by_somebody() {
    let kinds = kinds();
    let unsent: Vec<_> = SIGNALS.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert_eq!(unsent, Vec::<&&str>::new());
}

#[test]
fn the_catalogue_on_paper_is_the_catalogue_in_the_code() {
    let paper = read("docs/events.md");
    let rows = paper.lines().filter_map(|l| l.strip_prefix("| `")?.split_once('`'));
    let described: BTreeSet<String> = rows
        .map(|(kind, _)| kind.to_owned())
        .filter(|kind| is_kind(kind) && !OF_THE_STREAM.contains(&kind.as_str()))
        .collect();
    assert_eq!(described, kinds());
    let mut rows: Vec<_> = paper
        .lines()
        .filter_map(|l| l.strip_prefix("| `")?.split_once('`'))
        .map(|(kind, _)| kind)
        .filter(|kind| is_kind(kind))
        .collect();
    rows.sort_unstable();
    let twice: Vec<_> = rows.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).collect();
    assert_eq!(twice, Vec::<&str>::new(), "what is described twice is described differently");
}

/// What the catalogue on paper says of one kind.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// With `{id}` in place of ids.
    pub topics: BTreeSet<String>,
    /// The fields of the data, those inside lists too.
    pub fields: BTreeSet<String>,
}

/// Reads the catalogue on paper. "As above" is what the row before says, "as `run.started`" what
/// that row says; what stands in brackets are values.
pub fn described() -> BTreeMap<String, Described> {
    let paper = read("docs/events.md");
    let (mut all, mut above) = (BTreeMap::<String, Described>::new(), Described::default());
    for row in paper.lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let kind = cells.get(1).map_or("", |cell| cell.trim_matches('`'));
        let &[_, _, _, topics, data, _] = cells.as_slice() else { continue };
        if !is_kind(kind) {
            continue;
        }
        let mut row = Described { topics: code_words(topics), fields: code_words(data) };
        if topics.contains("inbox") {
            row.topics.insert("user:{id}:inbox".to_owned());
        }
        row.topics.retain(|topic| topic.contains("{id}") || !["from", "to"].contains(&&**topic));
        let named: Vec<_> = row.fields.iter().filter_map(|word| all.get(word)).cloned().collect();
        row.fields.retain(|word| !is_kind(word) && word != "null");
        for other in named {
            row.fields.extend(other.fields);
        }
        if topics.contains("as above") || topics.contains("those topics") {
            row.topics.extend(above.topics.clone());
        }
        if let Some(without) = data.strip_prefix("the same without `") {
            let left_out = without.split('`').next().unwrap_or_default();
            row.fields = above.fields.iter().filter(|field| *field != left_out).cloned().collect();
        } else if data.contains("as above") {
            row.fields.extend(above.fields.clone());
        }
        above = row.clone();
        all.insert(kind.to_owned(), row);
    }
    all
}

/// The words in a cell that are set as code, but for those in brackets.
fn code_words(cell: &str) -> BTreeSet<String> {
    let mut depth = 0;
    let mut words = BTreeSet::new();
    for (at, part) in cell.split('`').enumerate() {
        if at % 2 == 1 && depth == 0 {
            words.insert(part.trim_end_matches("[]").to_owned());
        } else if at % 2 == 0 {
            depth += part.matches('(').count();
            depth -= part.matches(')').count().min(depth);
        }
    }
    words
}

#[test]
fn every_event_is_handled_by_a_page_or_listed_as_silent() {
    let pages: String = files("assets", "js").iter().map(read).collect();
    let unheard: Vec<_> = kinds()
        .into_iter()
        .filter(|kind| !pages.contains(&format!("\"{kind}\"")) && !SILENT.contains(&kind.as_str()))
        .collect();
    assert_eq!(unheard, Vec::<String>::new());
    for kind in SILENT {
        assert!(!pages.contains(&format!("\"{kind}\"")), "{kind} is handled: not silent any more");
    }
}

#[test]
fn what_a_page_imports_is_there() {
    let mut missing = Vec::new();
    for path in files("assets", "js").into_iter().filter(|path| !path.contains("/vendor/")) {
        let text = read(&path);
        let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
        for import in code.split("from \"").skip(1).chain(code.split("import(\"").skip(1)) {
            let name = import.split('"').next().unwrap_or_default();
            let target = Path::new(&path).parent().unwrap().join(name);
            let one_hand =
                !name.contains("vendor/") || path == "assets/ui.js" || path == "assets/text.js";
            if !name.starts_with('.') || !target.is_file() || !one_hand {
                missing.push(format!("{path}: {name}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// A house has no internet: no page, style or text names a place outside.
#[test]
fn pages_never_reach_outside_the_house() {
    let mut outside = Vec::new();
    for end in ["js", "css", "html", "ftl"] {
        for path in files("assets", end).into_iter().filter(|path| !path.contains("/vendor/")) {
            let text = read(&path);
            let lines = text.lines().filter(|line| !line.contains("http://www.w3.org/"));
            for line in lines.filter(|l| l.contains("http://") || l.contains("https://")) {
                outside.push(format!("{path}: {}", line.trim()));
            }
        }
    }
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn vendored_files_are_the_pinned_ones() {
    let pins = read("assets/vendor/PINS");
    let mut pinned = BTreeSet::from(["PINS".to_owned()]);
    for pin in pins.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, hash) = (pin.split("  ").next().unwrap(), pin.rsplit("  ").next().unwrap());
        let bytes = fs::read(Path::new("assets/vendor").join(name)).unwrap();
        let found: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(found, hash, "assets/vendor/{name}");
        pinned.insert(name.to_owned());
    }
    let there: BTreeSet<String> = fs::read_dir("assets/vendor")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, pinned);
}

#[test]
fn what_we_build_upon_is_free_and_comes_from_the_registry() {
    let lock = read("Cargo.lock");
    for source in lock.lines().filter_map(|line| line.strip_prefix("source = ")) {
        assert_eq!(source, "\"registry+https://github.com/rust-lang/crates.io-index\"");
    }
    // What other systems would need is not on this disk, and not in our binary.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &platform])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or("none given");
        if !is_free(licence) {
            wrong.push(format!("{}: {licence}", package["name"]));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Whether one of the alternatives consists of licences that we take.
fn is_free(licence: &str) -> bool {
    let licence = licence.replace(['(', ')'], "").replace('/', " OR ");
    let known = |one: &str| LICENCES.contains(&one.trim());
    licence.split(" OR ").any(|choice| choice.split(" AND ").all(known))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn files(dir: &str, end: &str) -> Vec<String> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = dirs.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path.to_str().unwrap().to_owned());
            } else if path.extension().is_some_and(|e| e == end) {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// By default the box answers to its addresses alone: an example that names it must say what else is
/// needed, on its own page and before.
#[test]
fn an_example_that_calls_the_box_by_a_name_says_so_where_names_are_explained() {
    let mut papers = files("docs", "md");
    papers.push("README.md".to_owned());
    let mut wrong = Vec::new();
    for path in papers {
        let text = read(&path);
        for (at, _) in text.match_indices("http://") {
            let host = text[at + 7..].split([':', '/', '`', ' ', '\n']).next().unwrap_or_default();
            let number = host.parse::<std::net::IpAddr>().is_ok();
            let answered = number || ["localhost", "<the"].contains(&host);
            if !answered && !text[..at].contains("hosts = ") {
                wrong.push(format!("{path}: {host}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(read("README.md").contains("the setting `hosts`"), "nobody says how a name works");
}
