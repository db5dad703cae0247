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
//
// `bits` are those of the double that a text stands for. `wellFormed` is the canonical text with
// U+FFFD for every lone surrogate, for languages whose strings cannot hold one.

import { readFileSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "../interop/capnweb.mjs";
import { unique } from "../conformance/vectors.mjs";
import { accepted } from "./accepted.mjs";
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

/** One row a line, so that a change of the tables can be read as a difference. */
function format(rows) {
  return `[\n${rows.map(row => JSON.stringify(row)).join(",\n")}\n]\n`;
}

const check = process.argv.includes("--check");
const tables = {
  "values.json": valueTable(),
  "accepted.json": acceptedTable(),
};
for (const [file, rows] of Object.entries(tables)) {
  unique(`rows in ${file}`, rows.map(({ name }) => name));
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
