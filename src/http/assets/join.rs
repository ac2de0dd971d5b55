//! Joins the pages' modules into the files that browsers fetch: one for what a page starts with, one
//! for each part that it loads when it is first needed. A fetch costs some 700 bytes and a turn on the
//! wire, and a screen is made of twenty modules.
//!
//! Used by `build.rs`; what it relies on is how our modules are written, and it says so where one
//! is not. A module becomes a function that is called once, whichever file brings it:
//!
//! ```js
//! $module("rooms.js", () => {
//! const { api } = $module("api.js");
//! ...
//! return { RoomCards };
//! });
//! ```

use std::collections::{BTreeMap, BTreeSet};

/// Why scripts cannot be joined: the module and what is wrong with it.
pub type Refused = String;

/// Where the functions of modules are kept; what each file begins with.
const REGISTRY: &str = "const made = new Map();
export function $module(name, make) {
if (make && !made.has(name)) made.set(name, make());
return made.get(name);
}
";

/// One module, taken apart.
#[derive(Debug, Default)]
struct Module {
    /// Local name -> the module and what it is called there.
    imports: BTreeMap<String, (String, String)>,
    /// The modules that are needed before this one, in the order in which they are named.
    needs: Vec<String>,
    /// The modules that are loaded when they are first needed.
    later: BTreeSet<String>,
    /// Name for others -> local name.
    exports: BTreeMap<String, String>,
    body: String,
}

/// Returns the files to serve by name, made of all `modules` (name -> text) that can be reached from
/// `pages`, the modules that pages start with.
pub fn join(
    modules: &BTreeMap<String, String>,
    pages: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>, Refused> {
    let read = |(name, text): (&String, &String)| Ok((name.clone(), Module::read(name, text)?));
    let all = Modules(modules.iter().map(read).collect::<Result<_, Refused>>()?);
    let mut files = BTreeMap::new();
    for page in pages {
        let first = all.needed_by(page)?;
        files.insert(page.clone(), format!("{REGISTRY}{}", all.written(&first)?));
        for (part, there) in all.parts_of(&first)? {
            let mut own = all.needed_by(&part)?;
            own.retain(|name| !there.contains(name));
            let names = all.get(&part)?.exports.keys().cloned().collect::<Vec<_>>().join(", ");
            let text = format!(
                "import {{ $module }} from \"./{page}\";\n{}export const {{ {names} }} = $module(\"{part}\");\n",
                all.written(&own)?
            );
            if files.insert(part.clone(), text).is_some() {
                return Err(format!("{part}: is loaded by two pages"));
            }
        }
    }
    Ok(files)
}

struct Modules(BTreeMap<String, Module>);

impl Modules {
    fn get(&self, name: &str) -> Result<&Module, Refused> {
        self.0.get(name).ok_or_else(|| format!("{name}: there is no such module"))
    }

    /// Returns a module and all that it needs, each after what it needs itself.
    fn needed_by(&self, name: &str) -> Result<Vec<String>, Refused> {
        let mut found = Vec::new();
        self.collect(name, &mut Vec::new(), &mut found)?;
        Ok(found)
    }

    fn collect<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        found: &mut Vec<String>,
    ) -> Result<(), Refused> {
        if found.iter().any(|known| known == name) {
            return Ok(());
        }
        if path.contains(&name) {
            return Err(format!("{name}: needs itself, by {}", path.join(", ")));
        }
        path.push(name);
        for need in &self.get(name)?.needs {
            self.collect(need, path, found)?;
        }
        path.pop();
        found.push(name.to_owned());
        Ok(())
    }

    /// Returns the parts that a page may load, each with the modules that are there for certain when
    /// it does: what the page starts with, and what every module that loads the part needs.
    fn parts_of(&self, first: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>, Refused> {
        let mut parts = BTreeMap::<String, BTreeSet<String>>::new();
        let mut new = first.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(name) = new.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let there: BTreeSet<_> = first.iter().cloned().chain(self.needed_by(&name)?).collect();
            for part in &self.get(&name)?.later {
                match parts.get_mut(part) {
                    Some(known) => known.retain(|one| there.contains(one)),
                    None => {
                        parts.insert(part.clone(), there.clone());
                    }
                }
                new.extend(self.needed_by(part)?);
            }
        }
        Ok(parts)
    }

    fn written(&self, names: &[String]) -> Result<String, Refused> {
        names.iter().map(|name| self.get(name).map(|module| module.written(name))).collect()
    }
}

impl Module {
    fn read(name: &str, text: &str) -> Result<Module, Refused> {
        let mut module = Module::default();
        // What is made by a bundler has one list of exports, at its end and in the middle of a line.
        let (text, list) = match text.rsplit_once(";export{") {
            Some((body, list)) => (format!("{body};\n"), format!("export {{{list}")),
            None => (text.to_owned(), String::new()),
        };
        let mut lines = text.lines().chain(list.lines());
        while let Some(line) = lines.next() {
            if line.starts_with("import ") || line.starts_with("export {") {
                let mut statement = line.to_owned();
                while !statement.ends_with(';') {
                    statement += lines.next().ok_or_else(|| format!("{name}: no end of {line}"))?;
                }
                module.take_names(&statement).ok_or_else(|| format!("{name}: {statement}"))?;
            } else {
                module.take_line(line).ok_or_else(|| format!("{name}: {line}"))?;
            }
        }
        Ok(module)
    }

    /// Takes `import { a, b as c } from "./x.js";` or the same with `export`, or without `from`.
    fn take_names(&mut self, statement: &str) -> Option<()> {
        let (verb, rest) = statement.trim_end_matches(';').split_once(" {")?;
        let (names, from) = rest.split_once('}')?;
        let from = match from.trim() {
            "" => None,
            from => Some(target(from.strip_prefix("from ")?)?),
        };
        for pair in names.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (theirs, ours) = pair.split_once(" as ").unwrap_or((pair, pair));
            let local = match (&from, verb) {
                (None, "export") => theirs.to_owned(),
                (Some(from), "import") => self.import(from, theirs, ours)?,
                // Passed on; a module may need it itself as well.
                (Some(from), "export") => self.import(from, theirs, theirs)?,
                _ => return None,
            };
            if verb == "export" {
                self.exports.insert(ours.to_owned(), local);
            }
        }
        Some(())
    }

    fn import(&mut self, from: &str, theirs: &str, ours: &str) -> Option<String> {
        if !self.needs.iter().any(|known| known == from) {
            self.needs.push(from.to_owned());
        }
        let source = (from.to_owned(), theirs.to_owned());
        let known = self.imports.entry(ours.to_owned()).or_insert_with(|| source.clone());
        (*known == source).then(|| ours.to_owned())
    }

    /// Takes a line of the body; what it declares for others is noted.
    fn take_line(&mut self, line: &str) -> Option<()> {
        for (_, rest) in
            line.match_indices("import(").map(|(at, found)| line.split_at(at + found.len()))
        {
            let (name, _) = rest.split_once(')')?;
            self.later.insert(target(name)?);
        }
        let declared = match line.strip_prefix("export ") {
            Some(declared) => {
                let kinds = ["async function ", "function ", "const ", "class "];
                let rest = kinds.iter().find_map(|kind| declared.strip_prefix(kind))?;
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')?;
                let name = rest.get(..end).filter(|name| !name.is_empty())?;
                self.exports.insert(name.to_owned(), name.to_owned());
                declared
            }
            None => line,
        };
        self.body.push_str(declared);
        self.body.push('\n');
        Some(())
    }

    /// Returns the module as a function of its own.
    fn written(&self, name: &str) -> String {
        let mut text = format!("$module(\"{name}\", () => {{\n");
        for need in &self.needs {
            let names = self.imports.iter().filter(|(_, (from, _))| from == need);
            let names: Vec<_> = names.map(|(ours, (_, theirs))| pair(theirs, ours)).collect();
            text += &format!("const {{ {} }} = $module(\"{need}\");\n", names.join(", "));
        }
        text += &self.body;
        if !self.exports.is_empty() {
            let names: Vec<_> =
                self.exports.iter().map(|(others, ours)| pair(others, ours)).collect();
            text += &format!("return {{ {} }};\n", names.join(", "));
        }
        text + "});\n"
    }
}

/// Writes a property and the local name for it, which are often one word.
fn pair(property: &str, local: &str) -> String {
    if property == local { local.to_owned() } else { format!("{property}: {local}") }
}

/// Returns the module that `"./x.js"` names.
fn target(quoted: &str) -> Option<String> {
    Some(quoted.strip_prefix("\"./")?.strip_suffix('"')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(modules: &[(&str, &str)]) -> Result<BTreeMap<String, String>, Refused> {
        let modules = modules.iter().map(|&(name, text)| (name.to_owned(), text.to_owned()));
        join(&modules.collect(), &BTreeSet::from(["app.js".to_owned()]))
    }

    #[test]
    fn a_module_comes_after_what_it_needs_and_in_one_file() {
        let files = joined(&[
            ("app.js", "import { b as c } from \"./b.js\";\nimport { a } from \"./a.js\";\nc(a, () => import(\"./page.js\"));\n"),
            ("a.js", "export const a = 1;\n"),
            ("b.js", "export { x } from \"./vendor/v.js\";\nimport { a } from \"./a.js\";\nexport async function b() {\n}\n"),
            ("page.js", "import { a } from \"./a.js\";\nimport { more } from \"./more.js\";\nexport class Page {}\nimport(\"./card.js\")\n"),
            ("more.js", "export function more() {}\n"),
            ("card.js", "import { Page } from \"./page.js\";\nexport const card = Page;\n"),
            ("vendor/v.js", "var q=1;export{q as x};\n"),
            ("other.js", "export const other = 1;\n"),
        ])
        .unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["app.js", "card.js", "page.js"]);
        let order = |file: &str| -> Vec<String> {
            let lines = files[file].lines().filter_map(|line| line.strip_prefix("$module(\""));
            lines.filter_map(|line| Some(line.split_once('"')?.0.to_owned())).collect()
        };
        assert_eq!(order("app.js"), ["vendor/v.js", "a.js", "b.js", "app.js"]);
        assert_eq!(
            order("page.js"),
            ["more.js", "page.js"],
            "the rest is in the page's first file"
        );
        assert_eq!(order("card.js"), ["card.js"], "only the page loads it");
        assert_eq!(
            files["app.js"].strip_prefix(REGISTRY).unwrap(),
            "$module(\"vendor/v.js\", () => {\nvar q=1;\nreturn { x: q };\n});\n\
             $module(\"a.js\", () => {\nconst a = 1;\nreturn { a };\n});\n\
             $module(\"b.js\", () => {\nconst { x } = $module(\"vendor/v.js\");\n\
             const { a } = $module(\"a.js\");\nasync function b() {\n}\nreturn { b, x };\n});\n\
             $module(\"app.js\", () => {\nconst { b: c } = $module(\"b.js\");\n\
             const { a } = $module(\"a.js\");\nc(a, () => import(\"./page.js\"));\n});\n"
        );
        assert!(files["card.js"].starts_with("import { $module } from \"./app.js\";\n"));
        assert!(files["card.js"].ends_with("export const { card } = $module(\"card.js\");\n"));
    }

    #[test]
    fn a_part_that_two_modules_load_brings_what_one_of_them_lacks() {
        let files = joined(&[
            ("app.js", "import(\"./a.js\"), import(\"./b.js\")\n"),
            ("a.js", "import { x } from \"./x.js\";\nexport const a = 1;\nimport(\"./part.js\")\n"),
            ("b.js", "export const b = 1;\nimport(\"./part.js\")\n"),
            ("part.js", "import { x } from \"./x.js\";\nexport const part = x;\n"),
            ("x.js", "export const x = 1;\n"),
        ])
        .unwrap();
        for file in ["a.js", "part.js"] {
            assert!(files[file].contains("$module(\"x.js\", "), "{}", files[file]);
        }
        assert!(!files["b.js"].contains("x.js"));
    }

    #[test]
    fn what_would_be_joined_wrongly_is_refused() {
        let two = |text: &str| {
            joined(&[
                ("app.js", text),
                ("b.js", "import { a } from \"./app.js\";\nexport const b = a;\n"),
            ])
        };
        for text in [
            // Whoever imports it would see the first value for ever.
            "export let count = 0;\n",
            "export default 1;\n",
            "import b from \"./b.js\";\n",
            "import * as b from \"./b.js\";\n",
            "import { a } from \"../a.js\";\n",
            "import { a }\n",
            "import(name)\n",
            "import(`./${name}.js`)\n",
            // Nowhere, and in a circle.
            "import { c } from \"./c.js\";\n",
            "import(\"./c.js\")\n",
            "import { b } from \"./b.js\";\nexport const a = b;\n",
        ] {
            assert!(two(text).is_err(), "{text}");
        }
        assert!(two("export const a = 1;\nimport(\"./b.js\")\n").is_ok());
    }
}
