//! A table as spreadsheets save it, read from bytes: which encoding, which separator, which
//! cells. Every row knows where it stands, so that a complaint can name the place.

use serde::Serialize;

use super::decoding::{self, whole_file};
use crate::base::text;

/// How many rows are read at the most; a house has 2,000 people, not a million.
pub const ROWS_MAX: usize = 5_000;

/// How many columns a row has at the most.
const COLUMNS_MAX: usize = 100;

/// How many characters of a cell a complaint repeats.
const VALUE_MAX: usize = 40;

/// How many rows may stand above the headings, such as a title and a date.
const ABOVE_MAX: usize = 5;

/// One complaint about one place of the file. The code is stable, for a page to say it in its
/// own language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// The row as a spreadsheet counts it; the first is row 1, mostly with the headings.
    pub row: u32,
    /// The line of the file on which that row begins. It differs from the row when cells
    /// hold line breaks, or the file begins with `sep=`.
    pub line: u32,
    /// The heading of the column as it stands in the file; empty when it is not about one.
    pub column: String,
    /// What stands there, shortened.
    pub value: String,
    pub code: &'static str,
    pub problem: String,
}

/// A row that is not empty, its cells trimmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    pub row: u32,
    pub line: u32,
    pub cells: Vec<String>,
}

impl Record {
    /// Returns a complaint about this row.
    pub fn fault(
        &self,
        column: &str,
        value: &str,
        code: &'static str,
        problem: impl Into<String>,
    ) -> Fault {
        Fault {
            row: self.row,
            line: self.line,
            column: shortened(column),
            value: shortened(value),
            code,
            problem: problem.into(),
        }
    }
}

/// The headings and the rows under them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub headings: Record,
    pub records: Vec<Record>,
}

/// Reads a file. `known` tells whether a heading means something: the separator that yields
/// most of those is the one.
pub fn read(bytes: &[u8], known: impl Fn(&str) -> bool) -> Result<Table, Fault> {
    let text = decoding::decode(bytes)?;
    let (body, first_line, told) = separator_line(&text);
    let separator = match told {
        Some(separator) => separator,
        None => guess_separator(body, &known),
    };
    let mut scan = Scan::new(body, separator, first_line);
    let Some(headings) = scan.record()? else {
        return Err(whole_file("import.empty", "the file is empty"));
    };
    if headings.cells.iter().flat_map(|cell| cell.chars()).any(|c| c < ' ') {
        return Err(decoding::no_table());
    }
    scan.headings.clone_from(&headings.cells);
    Ok(Table { headings, records: scan.records()? }.without_title(known))
}

impl Table {
    /// Leaves out what stands above the headings: rows that know none, if one below knows two.
    fn without_title(mut self, known: impl Fn(&str) -> bool) -> Table {
        let headings = |row: &Record| row.cells.iter().filter(|cell| known(cell)).count();
        let mut below = self.records.iter().take(ABOVE_MAX);
        if headings(&self.headings) == 0
            && let Some(at) = below.position(|row| headings(row) > 1)
        {
            self.headings = self.records.drain(..=at).next_back().unwrap_or_default();
        }
        self
    }
}

/// Takes off the line `sep=;` that Excel writes and reads: the rest, the number of its first
/// line, and the separator told.
fn separator_line(text: &str) -> (&str, u32, Option<char>) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim().trim_matches('"');
    let told = first.get(..4).filter(|key| key.eq_ignore_ascii_case("sep=")).and(first.get(4..));
    match told.map(|told| told.chars().collect::<Vec<_>>()).as_deref() {
        // A program that takes the line for a row fills it up with empty cells.
        Some([separator, more @ ..])
            if *separator != '"' && more.iter().all(|c| c == separator) =>
        {
            (rest, 2, Some(*separator))
        }
        // A tab at the end has been trimmed away.
        Some([]) => (rest, 2, Some('\t')),
        _ => (text, 1, None),
    }
}

fn guess_separator(text: &str, known: impl Fn(&str) -> bool) -> char {
    let worth = |record: Result<Record, Fault>| match record {
        Ok(record) => (record.cells.iter().filter(|cell| known(cell)).count(), record.cells.len()),
        // It divides the line, though into too many.
        Err(_) => (0, COLUMNS_MAX),
    };
    let best = |separator: char| {
        let mut scan = Scan::new(text, separator, 1);
        let rows = std::iter::from_fn(|| scan.record().transpose()).take(ABOVE_MAX + 1);
        rows.map(worth).max().unwrap_or_default()
    };
    // `max_by_key` keeps the last of equals: the semicolon of German spreadsheets.
    [',', '\t', ';'].into_iter().max_by_key(|separator| best(*separator)).unwrap_or(';')
}

/// Walks the text, character by character.
struct Scan<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    separator: char,
    row: u32,
    line: u32,
    /// What the columns are called, once that is known.
    headings: Vec<String>,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str, separator: char, first_line: u32) -> Scan<'a> {
        let chars = text.chars().peekable();
        Scan { chars, separator, row: 0, line: first_line, headings: Vec::new() }
    }

    fn records(mut self) -> Result<Vec<Record>, Fault> {
        let mut records = Vec::new();
        while let Some(record) = self.record()? {
            if records.len() >= ROWS_MAX {
                let problem = format!("a file may have {ROWS_MAX} rows; divide it");
                return Err(record.fault("", "", "import.too_many_rows", problem));
            }
            records.push(record);
        }
        Ok(records)
    }

    /// Returns the next row that is not empty, or None at the end.
    fn record(&mut self) -> Result<Option<Record>, Fault> {
        while self.chars.peek().is_some() {
            self.row += 1;
            let mut record = Record { row: self.row, line: self.line, cells: Vec::new() };
            while self.cell(&mut record)? {
                if record.cells.len() >= COLUMNS_MAX {
                    let problem = format!("a row may have {COLUMNS_MAX} columns");
                    return Err(record.fault("", "", "import.too_many_columns", problem));
                }
            }
            while record.cells.last().is_some_and(String::is_empty) {
                record.cells.pop();
            }
            if !record.cells.is_empty() {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Reads one cell into the record; returns whether another follows in this row.
    fn cell(&mut self, record: &mut Record) -> Result<bool, Fault> {
        let mut cell = String::new();
        let more = loop {
            match self.chars.next() {
                None => break false,
                Some(c @ ('\r' | '\n')) => {
                    self.end_line(c);
                    break false;
                }
                Some(c) if c == self.separator => break true,
                Some('"') if cell.trim().is_empty() => {
                    cell.clear();
                    self.quoted(&mut cell, record)?;
                }
                Some(c) => cell.push(c),
            }
        };
        record.cells.push(tidied(&cell));
        Ok(more)
    }

    /// Counts a line; of CR LF the CR is the end and takes the LF with it.
    fn end_line(&mut self, c: char) {
        if c == '\r' {
            self.chars.next_if_eq(&'\n');
        }
        self.line += 1;
    }

    fn quoted(&mut self, cell: &mut String, record: &Record) -> Result<(), Fault> {
        loop {
            match self.chars.next() {
                None => {
                    let problem = "a quotation mark is opened here and never closed";
                    let column = self.headings.get(record.cells.len()).cloned();
                    let column = column.unwrap_or_default();
                    return Err(record.fault(&column, cell, "import.unclosed_quote", problem));
                }
                Some('"') if self.chars.next_if_eq(&'"').is_some() => cell.push('"'),
                Some('"') => return Ok(()),
                Some(c) => {
                    self.line += u32::from(c == '\n');
                    cell.push(c);
                }
            }
        }
    }
}

/// Returns a cell without blanks around it, with single blanks inside, and without the
/// wrapping `="..."` by which a spreadsheet keeps the zeros of a number. One in which nothing can
/// be seen is empty.
pub(super) fn tidied(cell: &str) -> String {
    let invisible = |c: char| matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}');
    let words = |text: &str| {
        let seen: String = text.chars().filter(|c| !invisible(*c)).collect();
        seen.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut cell = words(cell);
    if let Some(kept) = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        cell = words(kept);
    }
    if text::can_be_seen(&cell) { cell } else { String::new() }
}

/// Returns the beginning of a cell, without what a terminal might obey.
pub(super) fn shortened(value: &str) -> String {
    let value: String = value.chars().filter(|c| !c.is_control()).collect();
    match value.char_indices().nth(VALUE_MAX) {
        Some((at, _)) => format!("{}…", value.get(..at).unwrap_or_default()),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(heading: &str) -> bool {
        matches!(heading, "Name" | "Klasse" | "Ort")
    }

    fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
        let table = read(bytes, known).unwrap();
        std::iter::once(table.headings).chain(table.records).map(|r| r.cells).collect()
    }

    // Fault 90: the encodings and separators that spreadsheets write.
    #[test]
    fn the_same_table_is_read_from_every_way_to_save_it() {
        let expected = [["Name", "Klasse"], ["Jörg", "3b"]];
        let text = "Name;Klasse\r\nJörg;3b\r\n";
        let utf16 = |swap: bool| {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(|u| if swap { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        let forms: [Vec<u8>; 9] = [
            text.into(),
            format!("\u{feff}{text}").into(),
            utf16(false),
            utf16(true),
            b"Name;Klasse\nJ\xf6rg;3b".to_vec(),
            "Name,Klasse\nJörg,3b\n\n\n".into(),
            "Name\tKlasse\rJörg\t3b\r".into(),
            "sep=;\r\nName;Klasse\r\n\r\nJörg;3b;;;\r\n".into(),
            "\"Name\"; \"Klasse\"\n\u{a0}\"Jörg\" ;=\"3b\"\n;;\n".into(),
        ];
        for form in forms {
            assert_eq!(cells(&form), expected, "{}", String::from_utf8_lossy(&form));
        }
    }

    #[test]
    fn a_separator_told_or_inside_the_headings_is_not_guessed_wrongly() {
        assert_eq!(cells(b"sep=|\nName|Ort\na;b|c,d")[1], ["a;b", "c,d"]);
        assert_eq!(cells(b"sep=|||\nName|Ort\na;b|c,d")[1], ["a;b", "c,d"]);
        assert_eq!(cells(b"Name,\"Ort; Land; Kreis\",Klasse\nA,B,C")[1], ["A", "B", "C"]);
        assert_eq!(cells(b"Name\nAnna"), [["Name"], ["Anna"]]);
    }

    #[test]
    fn a_title_above_the_headings_is_left_out() {
        for text in [
            "Liste;;\n;;\nStand;1.8.;\nName;Ort;Klasse\nA;B;C\n",
            "Liste, Stand 1.8.\nName,Ort,Klasse\nA,B,C\n",
        ] {
            let expected = [["Name", "Ort", "Klasse"], ["A", "B", "C"]];
            assert_eq!(cells(text.as_bytes()), expected, "{text}");
        }
        let table = read(b"Liste\n\nName;Ort\nA;B\n", known).unwrap();
        assert_eq!((table.headings.row, table.records[0].row), (3, 4));
        // One word that is a heading may be a name; and who has headings has no title.
        assert_eq!(cells(b"Kind;Alter\nOrt;7\n")[0], ["Kind", "Alter"]);
        assert_eq!(cells(b"Name;Alter\nOrt;Klasse\n")[0], ["Name", "Alter"]);
    }

    #[test]
    fn a_row_knows_its_place_behind_empty_lines_and_line_breaks_in_cells() {
        let table = read(b"sep=;\nName;Ort\n\n\"A\nB\";C\r\n\"D\"\"E\";F\n", known).unwrap();
        let places: Vec<_> = table.records.iter().map(|r| (r.row, r.line)).collect();
        assert_eq!(places, [(3, 4), (4, 6)]);
        assert_eq!(table.records[0].cells, ["A B", "C"]);
        assert_eq!(table.records[1].cells, ["D\"E", "F"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        let fault = |bytes: &[u8]| read(bytes, known).unwrap_err();
        assert_eq!(fault(b"").code, "import.empty");
        assert_eq!(fault(b" \n\t\r\n").code, "import.empty");
        assert_eq!(fault(b"N\0a\0m\0e\0").code, "import.encoding");
        assert_eq!(fault(b"\xff\xfea\0\x00\xd8b\0").code, "import.encoding");
        assert_eq!(fault(b"\xef\xbb\xbfJ\xf6rg").code, "import.encoding");
        assert_eq!(fault(b"PK\x03\x04\x14\0").code, "import.workbook");
        for other in [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR;x"[..],
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01",
            b"%PDF-1.4\n%\xe2\xe3;x\n",
            b"\xef\xbb\xbf<!DOCTYPE html>\n<table>;x",
            b"Na\x01me;Ort\nA;B\n",
        ] {
            assert_eq!(fault(other).code, "import.no_table", "{}", String::from_utf8_lossy(other));
        }
        let unclosed = fault(b"Name;Ort\nA;B\nC;\"D\nE;F\n");
        assert_eq!(unclosed.code, "import.unclosed_quote");
        assert_eq!((unclosed.row, unclosed.column.as_str()), (3, "Ort"));
        let wide = fault(";".repeat(200).as_bytes());
        assert_eq!(wide.code, "import.too_many_columns");
    }

    #[test]
    fn a_million_lines_are_refused_and_not_read() {
        let long = format!("Name\n{}", "A\n".repeat(1_000_000));
        let fault = read(long.as_bytes(), known).unwrap_err();
        assert_eq!((fault.code, fault.row), ("import.too_many_rows", 5_002));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, known);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(sep=.\n)?[a;,\"\t\r\n =']{0,60}") {
            let _ = read(text.as_bytes(), known);
        }

        #[test]
        fn what_a_writer_of_csv_writes_is_read_again(
            rows in proptest::collection::vec(
                proptest::collection::vec("[a-zÄ;,\"'\n]{0,6}x", 3), 1..20),
            separator in proptest::sample::select(vec![b';', b',', b'\t']),
        ) {
            let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
            writer.write_record(["Name", "Klasse", "Ort"]).unwrap();
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let written = writer.into_inner().unwrap();
            let read: Vec<Vec<String>> = cells(&written).split_off(1);
            let tidy: Vec<Vec<String>> =
                rows.iter().map(|row| row.iter().map(|cell| tidied(cell)).collect()).collect();
            prop_assert_eq!(read, tidy);
        }
    }
}
