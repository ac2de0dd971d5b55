//! Settings: their layers, and what is said of a wrong one.

use std::path::Path;

use daybook::config::{Config, SETTINGS, Sources};

fn sources(environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    Sources { environment: map(environment), flags: map(flags), ..Sources::default() }
}

fn parse(file: &str, sources: &Sources) -> Result<Config, String> {
    Config::parse(sources, Some((Path::new("daybook.toml"), file))).map_err(|e| format!("{e:#}"))
}

#[test]
fn the_defaults_are_valid() {
    let config = Config::parse(&Sources::default(), None).unwrap();
    assert_eq!(config.listen, "0.0.0.0:8080".parse().unwrap());
    assert_eq!(config.given.len(), SETTINGS.len() + 1);
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_defaults() {
    let file = "listen = \"127.0.0.1:1\"\nwrite_queue = 7\nstreams_max = 9\nhosts = [\"a\", \"b\"]";
    let env = [("DAYBOOK_LISTEN", "127.0.0.1:2"), ("DAYBOOK_WRITE_QUEUE", "8"), ("HOME", "/")];
    let config = parse(file, &sources(&env, &[("listen", "127.0.0.1:3")])).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!((config.write_queue, config.streams_max), (8, 9));
    assert_eq!(config.hosts, ["a", "b"]);
    for filter in ["WARN", "info, daybook::live=trace", "off,daybook=debug"] {
        assert!(parse(&format!("log_level = '{filter}'"), &Sources::default()).is_ok(), "{filter}");
    }
    let from = |name| config.given.iter().find(|g| g.name == name).unwrap().source.clone();
    assert_eq!(from("listen"), "flag --listen");
    assert_eq!(from("write_queue"), "environment DAYBOOK_WRITE_QUEUE");
    assert_eq!(from("streams_max"), "daybook.toml: line 3: streams_max");
    assert_eq!(from("log"), "default");
}

/// Fault 95.
#[test]
fn what_is_wrong_is_said_in_one_line_with_its_place() {
    let none = Sources::default();
    for (file, says) in [
        ("lisen = 1", "daybook.toml: line 1: lisen: no such setting"),
        ("\nwrite_queue = 0", "daybook.toml: line 2: write_queue: \"0\" is not a whole number"),
        ("write_queue = \"many\"", "\"many\" is not a whole number from 1 to 65536"),
        ("write_queue = true", "line 1: write_queue: a boolean cannot stand here"),
        ("listen = \"localhost\"", "\"localhost\" is not an address and a port"),
        ("listen = \"0.0.0.0:99999\"", "\"0.0.0.0:99999\" is not an address and a port"),
        ("scans_keep_days = 3", "\"3\" is not a whole number from 4 to 366"),
        ("activity_keep_days = 3", "\"3\" is not a whole number from 4 to 366"),
        ("log = 'xml'", "\"xml\" is not one of auto"),
        ("log_level = 'warning'", "\"warning\" is not one of off, error, warn, info, debug, trace"),
        ("log_level = 'info,daybook=loud'", "\"info,daybook=loud\" is not one of off"),
        ("hosts = 'http://x'", "\"http://x\" is not host names"),
        ("log = ", "daybook.toml: line 1: "),
        ("log = 'text'\nlog = 'json'", "daybook.toml: line 2: duplicate key"),
        ("streams_max = 100000", "streams_max (100000) is above connections_max (12000)"),
    ] {
        let answer = parse(file, &none).unwrap_err();
        assert!(answer.contains(says), "{file:?} gives {answer:?}");
        assert!(!answer.contains('\n'), "{file:?} gives {answer:?}");
    }
    let typo = parse("", &sources(&[("DAYBOOK_LISTN", "x")], &[])).unwrap_err();
    assert_eq!(typo, "environment DAYBOOK_LISTN: no such setting");
}

#[test]
fn a_named_file_must_be_there_and_an_unnamed_one_need_not() {
    let named = sources(&[], &[("data", "/nowhere"), ("settings", "/nowhere/x.toml")]);
    assert!(format!("{:#}", Config::load(&named).unwrap_err()).starts_with("/nowhere/x.toml: "));
    assert!(Config::load(&sources(&[], &[("data", "/nowhere")])).is_ok());
}
