//! Packs `assets/` into the binary: compresses every file ahead, hashes all of them into one
//! version for their path, and writes the table that `src/http/assets.rs` includes.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest, Sha256};

/// What is served, by the end of its name; everything else in `assets/` is for builders only.
const SERVED: [(&str, &str); 9] = [
    ("css", "text/css; charset=utf-8"),
    ("ftl", "text/plain; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("js", "text/javascript; charset=utf-8"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("webmanifest", "application/manifest+json"),
    ("woff2", "font/woff2"),
];

/// Formats that are compressed already.
const PACKED: [&str; 2] = ["png", "woff2"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=assets");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("no manifest directory")?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no output directory")?);
    // A release is built once and loaded often; a debug build the other way round.
    let release = env::var_os("PROFILE").is_some_and(|profile| profile == "release");

    let assets = root.join("assets");
    let mut files = Vec::new();
    if assets.is_dir() {
        collect(&assets, &mut files)?;
    }
    // By the text of the path, as the look-up compares: `text.js` stands before `text/de.ftl`.
    files.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));

    let packed = out.join("assets");
    fs::create_dir_all(&packed)?;
    let mut all = Sha256::new();
    let mut rows = String::new();
    for file in &files {
        let name = file.strip_prefix(&assets)?.to_str().ok_or("a file name is not UTF-8")?;
        let bytes = fs::read(file)?;
        all.update(name.as_bytes());
        all.update(bytes.len().to_le_bytes());
        all.update(&bytes);
        row(&mut rows, file, name, &bytes, &packed, release)?;
    }

    let version = hex(&all.finalize(), 12);
    let table = format!(
        "/// The version of all files together.\n\
         pub const VERSION: &str = {version:?};\n\
         /// Every file, sorted by its name.\n\
         pub static FILES: &[File] = &[\n{rows}];\n"
    );
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

/// Collects the files below `dir` that are served.
fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "node_modules") {
                collect(&path, found)?;
            }
        } else if content_type(&path).is_some() {
            found.push(path);
        }
    }
    Ok(())
}

/// Appends the table's row for one file, with its compressed forms where they are smaller.
fn row(
    rows: &mut String,
    file: &Path,
    name: &str,
    bytes: &[u8],
    packed: &Path,
    release: bool,
) -> Result<(), Box<dyn Error>> {
    let content_type = content_type(file).ok_or("a file without a content type")?;
    let flat = name.replace('/', "+");
    let (mut br, mut gz) = (String::from("None"), String::from("None"));
    if !PACKED.iter().any(|end| name.ends_with(&format!(".{end}"))) {
        br = keep_if_smaller(packed.join(format!("{flat}.br")), bytes, brotli(bytes, release)?)?;
        gz = keep_if_smaller(packed.join(format!("{flat}.gz")), bytes, gzip(bytes, release)?)?;
    }
    let etag = hex(&Sha256::digest(bytes), 16);
    let file = file.to_str().ok_or("a path is not UTF-8")?;
    writeln!(
        rows,
        "    File {{ name: {name:?}, content_type: {content_type:?}, etag: {etag:?}, \
         plain: include_bytes!({file:?}), br: {br}, gz: {gz} }},"
    )?;
    Ok(())
}

fn keep_if_smaller(path: PathBuf, plain: &[u8], small: Vec<u8>) -> Result<String, Box<dyn Error>> {
    if small.len() >= plain.len() {
        return Ok("None".to_owned());
    }
    fs::write(&path, small)?;
    let path = path.to_str().ok_or("a path is not UTF-8")?;
    Ok(format!("Some(include_bytes!({path:?}))"))
}

fn brotli(bytes: &[u8], release: bool) -> Result<Vec<u8>, Box<dyn Error>> {
    let quality = if release { 11 } else { 3 };
    let mut small = Vec::new();
    brotli::CompressorWriter::new(&mut small, 4096, quality, 22).write_all(bytes)?;
    Ok(small)
}

fn gzip(bytes: &[u8], release: bool) -> Result<Vec<u8>, Box<dyn Error>> {
    let level = flate2::Compression::new(if release { 9 } else { 1 });
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn content_type(path: &Path) -> Option<&'static str> {
    let end = path.extension()?.to_str()?;
    SERVED.iter().find(|(known, _)| *known == end).map(|(_, content_type)| *content_type)
}

/// The first `digits` hexadecimal digits of a hash.
fn hex(hash: &[u8], digits: usize) -> String {
    let mut text = String::new();
    for byte in hash {
        text.push_str(&format!("{byte:02x}"));
    }
    text.truncate(digits);
    text
}
