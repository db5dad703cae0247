// Writes the tables of this folder: what the npm package `capnweb` really does on the wire.
//
//   node generate.mjs           write the tables
//   node generate.mjs --check   fail if a table is not what the package does today
//
// values.json    {name, text, canonical?, bits?, wellFormed?}: the text that serialize() makes of a
//                JavaScript value. `canonical` is there where reading and writing once more gives
//                another text, because JavaScript forgets what it cannot name.
// accepted.json  {name, text, canonical, bits?, wellFormed?, lossy?}: texts that deserialize() takes
//                though serialize() never makes them, with the text that the value is written as
//                again. `lossy` where JavaScript loses what another implementation may well keep
//                (the name of an unknown error, the order of integer keys).
// aborts.json    {name, main, limits?, frames, abort, ended, engine?}: frames fed to a fresh session
//                and the abort frame it answered with; null if it sent none, and then `ended` tells
//                whether it has given up silently or goes on.
// replies.json   {name, main, steps: [{in, out: [frame]}], stats, engine?, defect?}: frames fed one at
//                a time to a fresh session and what came out after each, before the next one was
//                fed; then the number of entries in the tables of that session. `defect` says what is
//                wrong with the package there: the row documents it, nobody has to repeat it.
//
// `bits` are those of the double that a text stands for. `wellFormed` is the canonical text with
// U+FFFD for every lone surrogate, for languages whose strings cannot hold one. `engine` marks
// wording that comes from the JavaScript engine and that no other implementation has to repeat.
//
// The sessions serve the fixed target (documented in tests/interop/target.mjs) as their main object,
// one new target each, or nothing where `main` is false.

import { readFileSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "../interop/capnweb.mjs";
import { aborts } from "./aborts.mjs";
import { accepted } from "./accepted.mjs";
import { record } from "./recorder.mjs";
import { replies } from "./replies.mjs";
import { toBits, values } from "./values.mjs";

/** What every row about a value has: how it is written again, and what its text stands for. */
function reading(text) {
  const value = deserialize(text);
  const canonical = serialize(value);
  // Only lone surrogates are written as such escapes.
  const wellFormed = canonical.replace(/(?<=(?<!\\)(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, "\ufffd");
  return {
    canonical,
    ...(typeof value === "number" && { bits: toBits(value) }),
    ...(wellFormed !== canonical && { wellFormed }),
  };
}

function valueTable() {
  return values().map(({ name, value }) => {
    const text = serialize(value);
    const { canonical, ...rest } = reading(text);
    return { name, text, ...(canonical !== text && { canonical }), ...rest };
  });
}

function acceptedTable() {
  return accepted.map(([name, text, lossy]) => ({ name, text, ...reading(text), ...(lossy && { lossy }) }));
}

async function abortTable() {
  const rows = [];
  for (const { name, frames, main = true, limits, engine } of aborts) {
    const { steps, ended } = await record(frames, { main, limits });
    const sent = steps.flatMap(step => step.out);
    const abort = sent.find(text => text.startsWith("[\"abort\"")) ?? null;
    rows.push({ name, main, ...(limits && { limits }), frames, abort, ended, ...(engine && { engine }) });
  }
  return rows;
}

async function replyTable() {
  const rows = [];
  for (const { name, frames, main = true, ...flags } of replies) {
    const { steps, ended, stats } = await record(frames, { main });
    const aborted = steps.flatMap(step => step.out).some(text => text.startsWith("[\"abort\""));
    if (aborted || ended) {
      throw new Error(`"${name}" ends its session: ${JSON.stringify(steps, null, 1)}`);
    }
    rows.push({ name, main, steps, stats, ...flags });
  }
  return rows;
}

function unique(file, rows) {
  const seen = new Set();
  for (const { name } of rows) {
    if (seen.has(name)) throw new Error(`${file} has two rows named "${name}"`);
    seen.add(name);
  }
}

/** One row a line, so that a change of the tables can be read as a difference. */
function format(rows) {
  return `[\n${rows.map(row => JSON.stringify(row)).join(",\n")}\n]\n`;
}

const check = process.argv.includes("--check");
const tables = {
  "values.json": valueTable(),
  "accepted.json": acceptedTable(),
  "aborts.json": await abortTable(),
  "replies.json": await replyTable(),
};
for (const [file, rows] of Object.entries(tables)) {
  unique(file, rows);
  const path = new URL(file, import.meta.url);
  const text = format(rows);
  if (!check) {
    writeFileSync(path, text);
    console.log(`${file}: ${rows.length} rows`);
  } else if (readFileSync(path, "utf8") !== text) {
    console.error(`${file} is not what the package does: run generate.mjs and look at the difference`);
    process.exitCode = 1;
  }
}
