// Builds assets/vendor/ from the exact packages of package-lock.json.
//
//   node tools/vendor/vendor.mjs          writes assets/vendor/
//   node tools/vendor/vendor.mjs --check  builds elsewhere and fails on any differing byte
//
// Packages are installed into a temporary folder, so the repository never holds node_modules. The
// Rust build never runs this: the outputs are committed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.join(here, "../../assets/vendor");
const check = process.argv.includes("--check");

// The oldest browsers that Daybook promises to run in.
const floor = ["es2022", "safari16.4", "chrome111", "firefox115"];

const bundles = {
  "ui.js": `
    export { render, Component, Fragment } from "preact";
    export { useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useId, useErrorBoundary } from "preact/hooks";
    import { h } from "preact";
    import htm from "htm";
    export const html = htm.bind(h);`,
  "fluent.js": `export { FluentBundle, FluentResource } from "@fluent/bundle";`,
};

const fonts = {
  "hyper-latin.woff2": "atkinson-hyperlegible-next-latin-wght-normal.woff2",
  "hyper-latin-ext.woff2": "atkinson-hyperlegible-next-latin-ext-wght-normal.woff2",
};

const from = {
  "ui.js": ["preact", "htm"],
  "fluent.js": ["@fluent/bundle"],
  "hyper-latin.woff2": ["@fontsource-variable/atkinson-hyperlegible-next"],
  "hyper-latin-ext.woff2": ["@fontsource-variable/atkinson-hyperlegible-next"],
  "icons.svg": ["lucide-static"],
};

const work = fs.mkdtempSync(path.join(os.tmpdir(), "daybook-vendor-"));
try {
  await main();
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

async function main() {
  for (const file of ["package.json", "package-lock.json"]) {
    fs.copyFileSync(path.join(here, file), path.join(work, file));
  }
  const install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", install, { cwd: work, stdio: ["ignore", "ignore", "inherit"] });

  const out = check ? path.join(work, "out") : target;
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out, { recursive: true });

  await writeBundles(out);
  for (const [name, file] of Object.entries(fonts)) {
    fs.copyFileSync(path.join(packageDir(from[name][0]), "files", file), path.join(out, name));
  }
  fs.writeFileSync(path.join(out, "icons.svg"), sprite());
  fs.writeFileSync(path.join(out, "LICENSES.txt"), licenses());
  fs.writeFileSync(path.join(out, "PINS"), pins(out));

  if (check) compare(out);
}

async function writeBundles(out) {
  const require = createRequire(path.join(work, "package.json"));
  const { build } = await import(pathToFileURL(require.resolve("esbuild")).href);
  for (const [name, contents] of Object.entries(bundles)) {
    await build({
      stdin: { contents, resolveDir: work, loader: "js" },
      bundle: true,
      minify: true,
      format: "esm",
      target: floor,
      conditions: ["browser", "production"],
      legalComments: "none",
      outfile: path.join(out, name),
      logLevel: "error",
    });
  }
}

/** One <symbol> per name in icons.txt. */
function sprite() {
  const names = fs.readFileSync(path.join(here, "icons.txt"), "utf8").trim().split(/\s+/);
  const symbols = names.map((name) => {
    const svg = fs.readFileSync(path.join(packageDir("lucide-static"), "icons", `${name}.svg`), "utf8");
    const inner = svg.replace(/<!--.*?-->/gs, "").replace(/^.*?<svg[^>]*>/s, "").replace("</svg>", "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, " ").trim()}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

function licenses() {
  return packages().map((name) => {
    const { version, license } = manifest(name);
    const file = fs.readdirSync(packageDir(name)).find((entry) => /^licen[sc]e/i.test(entry));
    const text = file
      ? fs.readFileSync(path.join(packageDir(name), file), "utf8").trim()
      : `This package ships no licence file; the text of ${license} stands elsewhere in this file.`;
    return `== ${name} ${version} (${license})\n\n${text}\n`;
  }).join("\n");
}

/** Lines of `file  package version licence  sha256`; the suite compares the sums. */
function pins(out) {
  const files = fs.readdirSync(out).filter((name) => name !== "PINS").sort();
  return files.map((name) => {
    const sources = (from[name] ?? []).map((source) => {
      const { version, license } = manifest(source);
      return `${source} ${version} ${license}`;
    });
    const sum = createHash("sha256").update(fs.readFileSync(path.join(out, name))).digest("hex");
    return `${name}  ${sources.join(", ") || "generated"}  ${sum}\n`;
  }).join("");
}

function compare(out) {
  const names = new Set([...fs.readdirSync(target), ...fs.readdirSync(out)]);
  const bytes = (dir, name) => {
    const file = path.join(dir, name);
    return fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0);
  };
  const bad = [...names].filter((name) => !bytes(target, name).equals(bytes(out, name)));
  if (bad.length > 0) {
    console.error(`assets/vendor differs from its recipe: ${bad.join(", ")}`);
    process.exitCode = 1;
  } else {
    console.log(`assets/vendor: ${names.size} files identical to their recipe`);
  }
}

/** The packages whose text reaches a browser: everything installed but the tool itself. */
function packages() {
  return Object.keys(manifest(".").dependencies).sort();
}

function packageDir(name) {
  return name === "." ? work : path.join(work, "node_modules", name);
}

function manifest(name) {
  return JSON.parse(fs.readFileSync(path.join(packageDir(name), "package.json"), "utf8"));
}
