// Parses recorded KQL with Microsoft's own parser (npm
// @kusto/language-service-next) and prints each diagnostic.
//
//   node check.mjs RECORDS ROOT
//
// RECORDS is a folder of files with one JSON object a line:
//   {"kind": "hunting" | "query" | "command", "text": "..."}
// ROOT is searched for golden files *.kql, which hold commands separated by
// blank lines, each beginning with a dot. Exit code 1 if anything was found,
// or if nothing was there to check.

import { createRequire } from "node:module";
import { readFileSync, readdirSync, existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const require = createRequire(import.meta.url);
require("@kusto/language-service-next/bridge.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.js");
const { Language } = globalThis.Kusto;
const { Symbols } = Language;

const [records, root] = process.argv.slice(2);
if (!records || !root) {
  console.error("usage: node check.mjs RECORDS ROOT");
  process.exit(2);
}

const texts = [...recorded(records), ...golden(root)];
const catalogue = JSON.parse(readFileSync(join(root, "catalog", "schemas.json"), "utf8"));
const made = new Map();
for (const t of texts) {
  if (t.kind === "hunting" || ofFleet(t)) continue;
  if (!made.has(t.from)) made.set(t.from, []);
  made.get(t.from).push(t);
}
const schemas = new Map();
let everMade;

// candidates are the schemas that a text is checked under, one after the other
// until one has no diagnostics: what its own file makes; what all files make,
// where the own file wins; what the own file had made when it sent the text,
// because a test can make a function in several forms. A golden text, which no test has
// sent, is then checked under what each file makes that makes all functions it calls.
function* candidates(t) {
  const file = t.from.endsWith(".kql") ? "" : t.from;
  const own = made.get(file) ?? [];
  if (ofFleet(t)) {
    yield known(`fleet ${t.from}`, () => fleetSchema(texts.filter((other) => other.from === t.from && ofFleet(other))));
    return;
  }
  if (t.kind === "hunting") {
    yield known(`source ${file}`, () => sourceSchema(own));
    return;
  }
  if (own.length > 0) yield known(`own ${file}`, () => destinationSchema(own));
  yield known(`all ${file}`, () => destinationSchema([...[...made].filter(([from]) => from !== file).flatMap(([, list]) => list), ...own]));
  if (own.length > 0 && t.kind === "command") yield destinationSchema(own.slice(0, own.indexOf(t) + 1));
  if (file === "") {
    for (const [from, list] of made) {
      if (!from.endsWith(".kql") && makesCalled(list, t.text)) yield known(`own ${from}`, () => destinationSchema(list));
    }
  }
}

// ofFleet says whether a text is for the database of a fleet, whose functions have the names of
// those in the databases of its tenants.
function ofFleet(t) {
  return /kusto.fleet.testdata|_fleet\.ndjson$/.test(t.from) || /\bFleet(?:Tenants|Databases|Coverage)\b/.test(t.text);
}

// makesCalled says whether a file makes a function that a text calls, and all those that it calls
// of which any file makes one.
function makesCalled(list, text) {
  everMade ??= new Set([...made.values()].flatMap((texts) => [...created(texts).functions.keys()]));
  const called = [...new Set(text.match(/\b\w+(?=\()/g))].filter((name) => everMade.has(name));
  const { functions } = created(list);
  return called.length > 0 && called.every((name) => functions.has(name));
}

// diagnosed are the diagnostics of a text under the last of its candidates, and
// none if one of them has none.
function diagnosed(t) {
  let list = [];
  for (const globals of candidates(t)) {
    list = parts(t.text).flatMap((text) => diagnose(text, globals)).filter((d) => !onPurpose(t, d));
    if (list.length === 0) break;
  }
  return list;
}

// onPurpose says whether a text names what is not there because its test wants that.
function onPurpose(t, d) {
  return /NoSuch|Inventry/.test(d.message + d.at) || asksWhetherThere.test(t.text);
}

const asksWhetherThere = /^\.show table \w+$/;
const aboutATable = /^(\.(?:show|alter|alter-merge|create|drop|clear) table) \w+?(Raw|Typed|Landing)? (?=policy |ingestion |extents )/;

// One thread for each processor parses; each takes every n-th text.
if (isMainThread) {
  const threads = availableParallelism();
  const all = await Promise.all(Array.from({ length: threads }, (_, first) => new Promise((done, failed) => {
    const w = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), workerData: { first, threads } });
    w.on("message", (m) => (m.line ? console.log(m.line) : done(m)));
    w.on("error", failed);
  })));
  const counts = {};
  let bad = 0;
  for (const m of all) {
    bad += m.bad;
    for (const [kind, n] of Object.entries(m.counts)) counts[kind] = (counts[kind] ?? 0) + n;
  }
  const total = Object.values(counts).reduce((a, b) => a + b, 0);
  console.log(`kqlcheck: ${total} different texts (${Object.entries(counts).map(([k, n]) => `${n} ${k}`).join(", ")}), ${bad} diagnostics`);
  process.exit(bad || !total ? 1 : 0);
}

const counts = {};
let bad = 0;
for (const t of unique(texts).filter((_, i) => i % workerData.threads === workerData.first)) {
  counts[t.kind] = (counts[t.kind] ?? 0) + 1;
  for (const d of diagnosed(t)) {
    bad++;
    parentPort.postMessage({ line: `${t.from}: ${d.code} ${d.message}\n    at: ${d.at}\n    in: ${t.text.replace(/\s+/g, " ").slice(0, 300)}\n` });
  }
}
parentPort.postMessage({ counts, bad });

function known(key, make) {
  if (!schemas.has(key)) schemas.set(key, make());
  return schemas.get(key);
}

// parts are what is parsed of a text. The parser does not know the form of .update
// table that moves extents, though the command's page gives it, so its predicate is
// parsed in the form that appends
// (https://learn.microsoft.com/kusto/management/update-table-command).
function parts(text) {
  const update = /^(\.update (?:async )?table \S+ delete (\w+)) move \S+ (?:with \(extentTagsToMove = '[^']*'\) )?(<\|[\s\S]*)$/.exec(text);
  return update ? [`${update[1]} append ${update[2]} ${update[3]}`] : [text];
}

function recorded(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((file) =>
    readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean)
      .map((line) => recordedText(file, JSON.parse(line))));
}

// recordedText is a recorded text. The name of a database in a command, such as that of one tenant of
// several, or the GUID that is the engine's name in an Eventhouse, stands here for the name that the
// schemas have.
function recordedText(file, { kind, text }) {
  const named = text.replace(/^(\.[\w-]+ database )(?:\['[^']*'\]|\w+(?= (?:admins|users|viewers|ingestors|monitors|unrestrictedviewers)\b))/, "$1['security']");
  return { from: file, kind, text: shortened(named) };
}

function golden(folder) {
  const found = [];
  for (const e of readdirSync(folder, { withFileTypes: true })) {
    if (["node_modules", ".git", "dist", "bin"].includes(e.name)) continue;
    const at = join(folder, e.name);
    if (e.isDirectory()) found.push(...golden(at));
    else if (e.name.endsWith(".kql")) found.push(...statements(at));
  }
  return found;
}

// statements cuts a file at the lines that begin a command; a file without
// commands is one query. The line that begins a script is parsed with its first command.
function statements(file) {
  const text = readFileSync(file, "utf8");
  const parts = text.split(/^(?=\.)/m).map((s) => s.replace(/^\s*\/\/.*$/gm, "").trim()).filter(Boolean)
    .map((s, i, all) => (/^\.execute database script[^\n]*<\|$/.test(s) ? `${s}\n${all[i + 1]}` : s));
  const kind = /hunting|hunts/.test(file) ? "hunting" : "query";
  return parts.map((s) => ({ from: file, kind: s.startsWith(".") ? "command" : kind, text: s }));
}

// unique leaves out texts that differ only in the values of literals, and in ids of
// operations and extents: the parser looks at their types alone. Quoted names, in
// brackets, are not literals. It needs a tenth of a second for a command. Commands about a
// table that differ in its name alone are the same for it, if the name has the same ending.
function unique(list) {
  const seen = new Set();
  return list.filter((t) => {
    const shape = t.kind + t.text
      .replace(aboutATable, "$1 T$2 ")
      .replace(/(?<!\[)(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/g, '""')
      .replace(/""(?:, "")+/g, '""')
      .replace(/\b(?=[a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b/gi, "0")
      .replace(/\d+/g, "0")
      .replace(/\(0(?:, 0)+\)/g, "(0)");
    return !seen.has(shape) && seen.add(shape);
  });
}

// shortened leaves out the middle of long lists: lines of a datatable that
// differ only in their values, and literals in a row.
function shortened(text) {
  if (text.length < 4000) return text;
  if (text.startsWith(".ingest inline")) return text.split("\n", 50).join("\n"); // the rest is data
  const shape = (line) => line.replace(/"(?:[^"\\]|\\.)*"|datetime\([^)]*\)|\d+/g, "0");
  const lines = text.split("\n");
  const kept = [];
  for (let i = 0; i < lines.length;) {
    const same = shape(lines[i]);
    let end = i + 1;
    while (end < lines.length && shape(lines[end]) === same) end++;
    kept.push(...lines.slice(i, Math.min(end, i + 20)));
    i = end;
  }
  return kept.join("\n").replace(/((?:"(?:[^"\\]|\\.)*", ){20})(?:"(?:[^"\\]|\\.)*", )+/g, "$1");
}

function diagnose(text, globals) {
  const code = Language.KustoCode.ParseAndAnalyze(text, globals);
  const list = code.GetDiagnostics();
  const out = [];
  for (let i = 0; i < list.Count; i++) {
    const d = list.getItem(i);
    if (d.Severity === "Error" || d.Severity === "Warning") {
      out.push({ code: d.Code, message: d.Message, at: text.slice(d.Start, d.Start + Math.max(d.Length, 20)).replace(/\s+/g, " ") });
    }
  }
  return out;
}

function make(name, columns) {
  return new Symbols.TableSymbol.$ctor7(name, `(${columns.map(([c, t]) => `['${c}']:${t}`).join(", ")})`, null);
}

function globalsOf(name, symbols) {
  const database = new Symbols.DatabaseSymbol.ctor(name, symbols);
  return Language.GlobalState.Default.WithDatabase(database);
}

// sourceSchema is Defender's: the catalogue, and what a test has added to its
// tables, which shows in the typed ones that it made.
function sourceSchema(list) {
  const { tables } = created(list);
  return globalsOf("hunting", Object.entries(catalogue).map(([name, t]) => {
    const columns = [...t.columns, ...(t.observed ?? [])];
    return make(name, together(columns, tables.get(`${name}Typed`) ?? []));
  }));
}

function together(columns, more) {
  return [...columns, ...more.filter(([c]) => !columns.some(([k]) => k === c))];
}

// destinationSchema gathers what the texts themselves create.
function destinationSchema(list) {
  return globalsOf("security", symbolsOf(list));
}

function symbolsOf(list) {
  const { tables, functions } = created(list);
  const symbols = [...tables].map(([name, columns]) => make(name, columns));
  for (const [name, f] of functions) {
    symbols.push(new Symbols.FunctionSymbol.$ctor16(name, f.parameters, f.body, null));
  }
  return [...symbols, ...stored(list, tables, globalsOf("security", symbols))];
}

// fleetSchema is that of a fleet of one tenant, whose database has what all files make. What its
// own test made there wins.
function fleetSchema(list) {
  const own = made.get(list[0].from.replace("_fleet.", ".")) ?? [];
  const tenant = new Symbols.DatabaseSymbol.ctor("tenant", symbolsOf([...[...made.values()].flat(), ...own]));
  const group = new Symbols.EntityGroupSymbol.$ctor1("FleetTenants", [tenant]);
  const fleet = new Symbols.DatabaseSymbol.ctor("security", [group, ...symbolsOf(list)]);
  return Language.GlobalState.Default.WithCluster(new Symbols.ClusterSymbol.ctor("cluster", [fleet, tenant])).WithDatabase(fleet);
}

// stored are the tables that a query alone gives a shape: .set Name <| query.
function stored(list, tables, globals) {
  const found = new Map();
  for (const { text } of list) {
    const m = /^\.set(?:-or-append|-or-replace)? (?:async )?([A-Za-z_]\w*)(?: with \([^)]*\))? <\|([\s\S]*)$/.exec(text);
    if (!m || tables.has(m[1]) || found.has(m[1])) continue;
    const columns = Language.KustoCode.ParseAndAnalyze(m[2], globals).ResultType?.Columns;
    if (!columns) continue;
    const named = [];
    for (let i = 0; i < columns.Count; i++) named.push([columns.getItem(i).Name, columns.getItem(i).Type.Name]);
    found.set(m[1], make(m[1], named));
  }
  return found.values();
}

// created gathers the tables and functions that texts make.
function created(list) {
  const tables = new Map();
  const functions = new Map();
  for (const t of list) {
    t.creates ??= creates(t.text.trim());
    for (const [name, columns] of t.creates.tables) {
      tables.set(name, together(tables.get(name) ?? [], columns)); // tests make some tables in several shapes
    }
    for (const [name, f] of t.creates.functions) functions.set(name, f);
  }
  return { tables, functions };
}

// creates is what one text makes.
function creates(text) {
  const tables = [];
  const functions = [];
  const table = /^\.(?:create(?:-merge)?|alter-merge) tables?\s+([\s\S]*)$/.exec(text);
  if (table) {
    for (const m of table[1].matchAll(/(?:\['([^']+)'\]|\["([^"]+)"\]|([A-Za-z_]\w*))\s*\(([^()]*:[^()]*)\)/g)) {
      tables.push([m[1] ?? m[2] ?? m[3], m[4].split(",").map((c) => c.split(":").map((s) => s.trim().replace(/^\[['"]|['"]\]$/g, "")))]);
    }
  }
  const made = /^\.create(?:-or-alter)? function\s/.test(text) && /function\s+(?:ifnotexists\s+)?(?:with\s*\((?:[^()'"]|'[^']*'|"[^"]*")*\)\s*)?(?:\['([^']+)'\]|([A-Za-z_]\w*))\s*(\([^{]*?\))\s*(\{[\s\S]*\})\s*$/.exec(text);
  if (made) functions.push([made[1] ?? made[2], { parameters: made[3], body: made[4] }]);
  return { tables, functions };
}
