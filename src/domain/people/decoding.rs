//! The text of an imported file: in which encoding it is, and whether it is a text at all.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::table::Fault;

/// How other kinds of files begin that are taken for a list: pictures, PDF, RTF, web pages.
const OTHERS: [&[u8]; 6] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"{\\rtf", b"<"];

/// Returns the text: UTF-8 or UTF-16 by its mark, else UTF-8 if it is valid, else what
/// Western spreadsheets write.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Fault> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        let problem = "this is a workbook (Excel, LibreOffice), not CSV; save it as \"CSV UTF-8\"";
        return Err(whole_file("import.workbook", problem));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if OTHERS.iter().any(|other| text.starts_with(other)) {
        return Err(no_table());
    }
    let (encoding, mark) = match bytes {
        [0xef, 0xbb, 0xbf, ..] => (UTF_8, 3),
        [0xff, 0xfe, ..] => (UTF_16LE, 2),
        [0xfe, 0xff, ..] => (UTF_16BE, 2),
        _ if std::str::from_utf8(bytes).is_ok() => (UTF_8, 0),
        _ => (WINDOWS_1252, 0),
    };
    let (text, broken) = encoding.decode_without_bom_handling(bytes.get(mark..).unwrap_or(&[]));
    if broken {
        let problem =
            format!("the file is not valid {}; save it as \"CSV UTF-8\"", encoding.name());
        return Err(whole_file("import.encoding", problem));
    }
    // Without its mark, UTF-16 looks like text with a NUL beside each letter.
    if text.starts_with('\0') || text.chars().nth(1) == Some('\0') {
        let problem = "the file is in an unknown encoding; save it as \"CSV UTF-8\"";
        return Err(whole_file("import.encoding", problem));
    }
    Ok(text.into_owned())
}

/// Complains of a file that is another kind of file.
pub(super) fn no_table() -> Fault {
    let problem = "this is no table but another kind of file, such as a picture, a PDF or a web page; \
                   save the list as \"CSV UTF-8\"";
    whole_file("import.no_table", problem)
}

/// Complains of a file as a whole.
pub(super) fn whole_file(code: &'static str, problem: impl Into<String>) -> Fault {
    let (column, value) = (String::new(), String::new());
    Fault { row: 1, line: 1, column, value, code, problem: problem.into() }
}
