//! The settings of one server: defaults < file < environment < flags, read from maps, checked
//! once, never changed after. What a house decides about itself (its name, its time zone) is not
//! here but in its database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

/// Where the data is when nobody says otherwise.
const DATA: &str = "/var/lib/daybook";

/// The settings' file, looked for in the data directory unless `--settings` names another.
pub const FILE: &str = "daybook.toml";

/// For so long what may be told again is kept at the least, a day more than a told time may lie back:
/// what has been forgotten would be taken for something new.
const REPEATS_DAYS: u32 = 4;

/// How much is logged, from little to much.
const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Every setting that a file, the environment or a flag may give.
pub const SETTINGS: [Setting; 24] = [
    setting("listen", "0.0.0.0:8080", "address:port", "where pages, devices and streams connect"),
    setting("hosts", "", "names", "further host names that browsers may use, by commas"),
    setting("log", "auto", "auto|text|json|journal", "the form of the log on standard error"),
    setting("log_level", "info", "filter", "what is logged, such as info or daybook=debug"),
    setting("connections_max", "12000", "connections", "open at once, in all"),
    setting("connections_per_address", "1000", "connections", "open at once, from one address"),
    setting("streams_max", "10000", "streams", "live streams at once, in all"),
    setting("streams_per_person", "32", "streams", "live streams at once, of one person"),
    setting("streams_per_address", "500", "streams", "live streams at once, from one address"),
    setting("stream_stall_s", "25", "s", "a reader that takes less than 4 KiB in so long is cut"),
    setting("stream_buffer_kib", "64", "KiB", "what the kernel holds for a slow stream"),
    setting("request_head_s", "10", "s", "for a request's head, and between two requests"),
    setting("request_body_s", "15", "s", "for a request's body, beyond what its size explains"),
    setting("device_scans_burst", "2000", "scans", "that one badge reader may send at once"),
    setting("device_scans_per_s", "100", "scans/s", "that one badge reader may go on sending"),
    setting("write_batch", "256", "writes", "that share one commit at the most"),
    setting("write_queue", "1024", "writes", "that may wait; one more is told to come again"),
    setting("read_connections", "4", "connections", "to the database, for reading"),
    setting("events_keep_days", "30", "days", "of the event log, which streams resume from"),
    setting("visits_keep_days", "30", "days", "of visits and attendance"),
    setting("scans_keep_days", "30", "days", "of badge scans"),
    setting("help_keep_days", "30", "days", "of closed help requests"),
    setting("activity_keep_days", "30", "days", "of tracked activity"),
    setting("audit_keep_days", "365", "days", "of the audit trail"),
];

/// One setting; `DAYBOOK_` and the upper-case name is its name in the environment.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub unit: &'static str,
    pub says: &'static str,
}

const fn setting(
    name: &'static str,
    default: &'static str,
    unit: &'static str,
    says: &'static str,
) -> Setting {
    Setting { name, default, unit, says }
}

/// The settings of a running server.
#[derive(Clone, Debug)]
pub struct Config {
    pub data: PathBuf,
    pub listen: SocketAddr,
    pub hosts: Vec<String>,
    pub log: LogForm,
    pub log_level: String,
    pub connections_max: usize,
    pub connections_per_address: usize,
    pub streams_max: usize,
    pub streams_per_person: usize,
    pub streams_per_address: usize,
    pub stream_stall_s: u32,
    pub stream_buffer_kib: usize,
    pub request_head_s: u32,
    pub request_body_s: u32,
    pub device_scans_burst: u32,
    pub device_scans_per_s: u32,
    pub write_batch: usize,
    pub write_queue: usize,
    pub read_connections: u32,
    pub events_keep_days: u32,
    pub visits_keep_days: u32,
    pub scans_keep_days: u32,
    pub help_keep_days: u32,
    pub activity_keep_days: u32,
    pub audit_keep_days: u32,
    /// Every value as it was given, for `daybook check --config`.
    pub given: Vec<Given>,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// Journal under systemd, text elsewhere.
    Auto,
    Text,
    Json,
    Journal,
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Given {
    pub name: &'static str,
    pub value: String,
    pub unit: &'static str,
    pub source: String,
}

/// What a caller has to say: the environment, what `--set` gives and the flags, by the settings'
/// names. A flag of its own wins over `--set`.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub environment: BTreeMap<String, String>,
    pub set: BTreeMap<String, String>,
    pub flags: BTreeMap<String, String>,
}

impl Sources {
    /// Returns this process's environment, with what `--set` gives and these flags.
    pub fn of_process(set: BTreeMap<String, String>, flags: BTreeMap<String, String>) -> Sources {
        // Values that are not UTF-8 can be none of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Sources { environment, set, flags }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let variable = variable(name);
        let given = self.flags.get(name).or_else(|| self.set.get(name));
        given.or_else(|| self.environment.get(&variable)).map(String::as_str)
    }
}

impl Config {
    /// Returns the defaults, for the data in this directory.
    pub fn of(data: &Path) -> Result<Config> {
        let data = data.to_str().context("a path must be UTF-8")?;
        let flags = BTreeMap::from([("data".to_owned(), data.to_owned())]);
        Config::parse(&Sources { flags, ..Sources::default() }, None)
    }

    /// Reads the settings' file, if there is one, and checks everything.
    pub fn load(sources: &Sources) -> Result<Config> {
        let data = PathBuf::from(sources.get("data").unwrap_or(DATA));
        let (path, named) = match sources.get("settings") {
            Some(path) => (PathBuf::from(path), true),
            None => (data.join(FILE), false),
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Config::parse(sources, Some((&path, &text))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !named => {
                Config::parse(sources, None)
            }
            Err(e) => Err(e).with_context(|| path.display().to_string()),
        }
    }

    /// Puts the layers together and checks every value.
    pub fn parse(sources: &Sources, file: Option<(&Path, &str)>) -> Result<Config> {
        let mut layers = Layers::defaults(sources);
        if let Some((path, text)) = file {
            layers.file(path, text)?;
        }
        layers.environment(&sources.environment)?;
        layers.command_line("flag --set ", &sources.set)?;
        layers.command_line("flag --", &sources.flags)?;
        layers.config()
    }
}

/// The values so far, each with its source.
struct Layers {
    data: Given,
    values: BTreeMap<&'static str, Given>,
}

impl Layers {
    fn defaults(sources: &Sources) -> Layers {
        let source = if sources.flags.contains_key("data") {
            "flag --data".to_owned()
        } else if sources.set.contains_key("data") {
            "flag --set data".to_owned()
        } else if sources.environment.contains_key("DAYBOOK_DATA") {
            "environment DAYBOOK_DATA".to_owned()
        } else {
            "default".to_owned()
        };
        let value = sources.get("data").unwrap_or(DATA).to_owned();
        let data = Given { name: "data", value, unit: "directory", source };
        let values = SETTINGS.iter().map(|s| {
            let (value, source) = (s.default.to_owned(), "default".to_owned());
            (s.name, Given { name: s.name, value, unit: s.unit, source })
        });
        Layers { data, values: values.collect() }
    }

    fn set(&mut self, name: &str, value: String, source: String) -> Result<()> {
        let given =
            self.values.get_mut(name).ok_or_else(|| anyhow!("{source}: no such setting"))?;
        given.value = value;
        given.source = source;
        Ok(())
    }

    fn file(&mut self, path: &Path, text: &str) -> Result<()> {
        type Table = BTreeMap<toml::Spanned<String>, toml::Value>;
        let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let path = path.display();
        let table: Table = toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            anyhow!("{path}: line {}: {}", line(at), e.message().replace('\n', ", "))
        })?;
        for (name, value) in table {
            let source = format!("{path}: line {}: {}", line(name.span().start), name.get_ref());
            let value = plain(&value).with_context(|| source.clone())?;
            self.set(name.get_ref(), value, source)?;
        }
        Ok(())
    }

    fn environment(&mut self, environment: &BTreeMap<String, String>) -> Result<()> {
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix("DAYBOOK_") else { continue };
            let name = name.to_ascii_lowercase();
            if !["data", "settings"].contains(&name.as_str()) {
                self.set(&name, value.clone(), format!("environment {variable}"))?;
            }
        }
        Ok(())
    }

    /// Takes what the command line gives, each of it named as it was written there.
    fn command_line(&mut self, how: &str, given: &BTreeMap<String, String>) -> Result<()> {
        for (name, value) in given {
            if !["data", "settings"].contains(&name.as_str()) {
                self.set(name, value.clone(), format!("{how}{name}"))?;
            }
        }
        Ok(())
    }

    fn config(self) -> Result<Config> {
        let config = Config {
            data: PathBuf::from(&self.data.value),
            listen: self.parsed("listen", "an address and a port, such as 0.0.0.0:8080")?,
            hosts: self.names("hosts")?,
            log: match self.text("log")? {
                "auto" => LogForm::Auto,
                "text" => LogForm::Text,
                "json" => LogForm::Json,
                "journal" => LogForm::Journal,
                _ => return Err(self.wrong("log", "one of auto, text, json, journal")),
            },
            log_level: self.filter("log_level")?,
            connections_max: self.count("connections_max", 10..=100_000)?,
            connections_per_address: self.count("connections_per_address", 1..=100_000)?,
            streams_max: self.count("streams_max", 1..=100_000)?,
            streams_per_person: self.count("streams_per_person", 1..=100_000)?,
            streams_per_address: self.count("streams_per_address", 1..=100_000)?,
            stream_stall_s: self.number("stream_stall_s", 1..=600)?,
            stream_buffer_kib: self.count("stream_buffer_kib", 8..=4_096)?,
            request_head_s: self.number("request_head_s", 1..=120)?,
            request_body_s: self.number("request_body_s", 1..=600)?,
            device_scans_burst: self.number("device_scans_burst", 100..=1_000_000)?,
            device_scans_per_s: self.number("device_scans_per_s", 1..=1_000_000)?,
            write_batch: self.count("write_batch", 1..=4_096)?,
            write_queue: self.count("write_queue", 1..=65_536)?,
            read_connections: self.number("read_connections", 1..=64)?,
            events_keep_days: self.number("events_keep_days", 1..=366)?,
            visits_keep_days: self.number("visits_keep_days", 1..=366)?,
            scans_keep_days: self.number("scans_keep_days", REPEATS_DAYS..=366)?,
            help_keep_days: self.number("help_keep_days", 1..=366)?,
            activity_keep_days: self.number("activity_keep_days", REPEATS_DAYS..=366)?,
            audit_keep_days: self.number("audit_keep_days", 30..=3_660)?,
            given: std::iter::once(&self.data).chain(self.values.values()).cloned().collect(),
        };
        ensure!(
            config.streams_max <= config.connections_max,
            "streams_max ({}) is above connections_max ({})",
            config.streams_max,
            config.connections_max
        );
        Ok(config)
    }

    fn text(&self, name: &str) -> Result<&str> {
        let given = self.values.get(name).with_context(|| format!("{name} is in no layer"))?;
        Ok(given.value.trim())
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str, expected: &str) -> Result<T> {
        self.text(name)?.parse().map_err(|_| self.wrong(name, expected))
    }

    fn number(&self, name: &str, within: RangeInclusive<u32>) -> Result<u32> {
        let expected = format!("a whole number from {} to {}", within.start(), within.end());
        let number = self.parsed(name, &expected)?;
        if within.contains(&number) { Ok(number) } else { Err(self.wrong(name, &expected)) }
    }

    fn count(&self, name: &str, within: RangeInclusive<u32>) -> Result<usize> {
        Ok(usize::try_from(self.number(name, within)?)?)
    }

    /// A filter of the log. A word that is no level (`warning`) would be taken for the name of a
    /// module, which never says anything: the log would be silent, errors too.
    fn filter(&self, name: &str) -> Result<String> {
        let has_level = |part: &str| {
            let level = part.rsplit_once('=').map_or(part, |(_, level)| level).trim();
            LOG_LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known))
        };
        let filter = self.text(name)?;
        if filter.split(',').all(has_level) {
            return Ok(filter.to_owned());
        }
        let expected = format!("one of {}, or daybook=LEVEL, by commas", LOG_LEVELS.join(", "));
        Err(self.wrong(name, &expected))
    }

    fn names(&self, name: &str) -> Result<Vec<String>> {
        let names = self.text(name)?.split(',').map(|n| n.trim().to_ascii_lowercase());
        let names: Vec<String> = names.filter(|n| !n.is_empty()).collect();
        let good = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if names.iter().all(|n| n.chars().all(good)) {
            Ok(names)
        } else {
            Err(self.wrong(name, "host names such as daybook.local, without a port"))
        }
    }

    /// The one line that a wrong value is answered with: where it stands, what it is, what it may be.
    fn wrong(&self, name: &str, expected: &str) -> anyhow::Error {
        match self.values.get(name) {
            Some(Given { value, source, .. }) => {
                anyhow!("{source}: {value:?} is not {expected}")
            }
            None => anyhow!("{name} is not {expected}"),
        }
    }
}

/// The environment's name of a setting.
fn variable(name: &str) -> String {
    format!("DAYBOOK_{}", name.to_ascii_uppercase())
}

/// A value of the file as the text that the other layers would have given.
fn plain(value: &toml::Value) -> Result<String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Array(values) => {
            Ok(values.iter().map(plain).collect::<Result<Vec<_>>>()?.join(","))
        }
        other => bail!("a {} cannot stand here", other.type_str()),
    }
}
