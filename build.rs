//! Packs `assets/` for the binary: writes what is served to the output directory, scripts and styles
//! without what only their readers need, a page's modules joined, with compressed forms beside it,
//! and hashes all of it into one version for its path. `src/http/assets/mod.rs` embeds the result.

#[path = "src/http/assets/join.rs"]
mod join;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest, Sha256};

/// Formats that are compressed already.
const PACKED: [&str; 2] = ["png", "woff2"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/http/assets/join.rs");
    println!("cargo:rerun-if-changed=assets");
    let assets = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("no manifest directory")?)
        .join("assets");
    let packed = PathBuf::from(env::var_os("OUT_DIR").ok_or("no output directory")?).join("assets");
    // A release is built once and loaded often; a debug build the other way round.
    let release = env::var_os("PROFILE").is_some_and(|profile| profile == "release");

    // What was packed before may be there no longer.
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }
    let mut all = Sha256::new();
    for (name, bytes) in served(&assets)? {
        all.update(&name);
        all.update(bytes.len().to_le_bytes());
        all.update(&bytes);
        pack(&packed.join(name), &bytes, release)?;
    }
    println!("cargo:rustc-env=ASSETS_VERSION={}", version(&all.finalize()));
    let embedded = format!("#[derive(RustEmbed)]\n#[folder = {packed:?}]\nstruct Packed;\n");
    fs::write(packed.with_file_name("packed.rs"), embedded)?;
    Ok(())
}

/// Returns what is served, by name.
fn served(assets: &Path) -> Result<BTreeMap<String, Vec<u8>>, Box<dyn Error>> {
    let mut found = Vec::new();
    collect(assets, &mut found)?;
    let (mut served, mut modules, mut pages) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for path in found {
        let name =
            path.strip_prefix(assets)?.to_str().ok_or("a file name is not UTF-8")?.to_owned();
        match ending(&path) {
            "js" => drop(modules.insert(name, text(&path)?)),
            "css" | "ftl" => drop(served.insert(name, whole(&path)?.into_bytes())),
            // Templates are compiled into the program.
            "html" => pages.extend(scripts_of(&fs::read_to_string(&path)?)),
            // Pins are for builders.
            "" => {}
            _ => drop(served.insert(name, fs::read(&path)?)),
        }
    }
    let joined = join::join(&modules, &pages)?;
    served.extend(joined.into_iter().map(|(name, text)| (name, text.into_bytes())));
    Ok(served)
}

/// Collects the files below `dir`.
fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "node_modules") {
                collect(&path, found)?;
            }
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// Returns the modules that a page starts with.
fn scripts_of(template: &str) -> impl Iterator<Item = String> + '_ {
    let named = template.split("<script type=\"module\" src=\"{{ self::url(\"").skip(1);
    named.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
}

/// Returns what is served of a text. Comments and indentation of ours are a sixth of all scripts and
/// styles as they go over the wire; `vendor/` comes squeezed, with the licences that it must carry.
fn text(file: &Path) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let ours = file.components().all(|part| part.as_os_str() != "vendor");
    if ours && ["js", "css"].contains(&ending(file)) { squeezed(&text) } else { Ok(text) }
}

/// Returns a text with those that it imports in their place: `@import "./x";`, in a catalogue of
/// words behind a `#`.
fn whole(file: &Path) -> Result<String, Box<dyn Error>> {
    let mut whole = String::new();
    for line in text(file)?.lines() {
        let other = line.trim_start_matches("# ").strip_prefix("@import \"./");
        match other.and_then(|rest| rest.strip_suffix("\";")) {
            Some(other) => whole += &self::whole(&file.with_file_name(other))?,
            None => whole.extend([line, "\n"]),
        }
    }
    Ok(whole)
}

/// Leaves out empty lines, and those that are comments from their beginning to their end.
fn squeezed(text: &str) -> Result<String, Box<dyn Error>> {
    let mut in_comment = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        let comment = in_comment || line.starts_with("/*");
        in_comment = comment && !line.ends_with("*/");
        if in_comment && line.contains("*/") {
            return Err(
                format!("what follows a comment stands in a line of its own: {line}").into()
            );
        }
        if !comment && !line.starts_with("//") && !line.is_empty() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    Ok(kept)
}

/// Writes one file, and its compressed forms where they are smaller.
fn pack(path: &Path, bytes: &[u8], release: bool) -> Result<(), Box<dyn Error>> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, bytes)?;
    if PACKED.contains(&ending(path)) {
        return Ok(());
    }
    for (coding, small) in [("br", brotli(bytes, release)?), ("gz", gzip(bytes, release)?)] {
        if small.len() < bytes.len() {
            fs::write(path.with_extension(format!("{}.{coding}", ending(path))), small)?;
        }
    }
    Ok(())
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

fn ending(path: &Path) -> &str {
    path.extension().and_then(|end| end.to_str()).unwrap_or_default()
}

/// The first twelve hexadecimal digits of a hash.
fn version(hash: &[u8]) -> String {
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
