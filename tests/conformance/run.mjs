// Replays the vectors of this folder against the npm package `capnweb`.
//
//   node run.mjs            fail if the package does anything else than the vectors say
//   node run.mjs --write    write down what it does today
//
// README.md explains the vectors.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { aborts } from "./aborts.mjs";
import { clients } from "./clients.mjs";
import { record } from "./recorder.mjs";
import { replies } from "./replies.mjs";
import { unique } from "./vectors.mjs";

const here = name => new URL(name, import.meta.url);

/** What the package makes of one row of the sources. */
async function vector({ bullet, name, frames, steps = frames, main = true, limits, ...flags }) {
  const { steps: recorded, ...after } = await record(steps, { main, limits });
  return { bullet, name, main, ...(limits && { limits }), steps: recorded, ...after, ...flags };
}

async function vectors(rows, check = () => {}) {
  const recorded = [];
  for (const row of rows) {
    const result = await vector(row);
    check(result);
    recorded.push(result);
  }
  return recorded;
}

function goesOn({ name, ended, steps }) {
  if (ended) throw new Error(`"${name}" ends its session: ${JSON.stringify(steps, null, 1)}`);
}

/** One vector a line, so that a change can be read as a difference. */
const line = row => JSON.stringify(row);
const format = rows => `[\n${rows.map(line).join(",\n")}\n]\n`;

/** What has to be as it was: not the words of an engine, which change from release to release. */
function comparable(row) {
  const kind = frame => JSON.parse(frame)[0];
  return line(row.engine ? { ...row, steps: row.steps.map(step => ({ ...step, out: step.out.map(kind) })) } : row);
}

/** Tells which vectors differ, and how. */
function compare(file, rows) {
  const committed = new Map(JSON.parse(readFileSync(here(file), "utf8")).map(row => [row.name, row]));
  const differences = [];
  for (const row of rows) {
    const before = committed.get(row.name);
    if (!before || comparable(before) !== comparable(row)) {
      differences.push(`${row.name}\n  is      ${line(row)}\n  was     ${before && line(before)}`);
    }
    committed.delete(row.name);
  }
  for (const name of committed.keys()) differences.push(`${name}\n  has no source any more`);
  return differences;
}

/** Every statement is shown by a vector or by tests that exist, and vectors show nothing else. */
function checkBullets(shown) {
  const bullets = JSON.parse(readFileSync(here("bullets.json"), "utf8"));
  const protocol = readFileSync(here("../../PROTOCOL.md"), "utf8");
  const anchors = new Set([...protocol.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-")));
  unique("bullets", bullets.map(({ id }) => id));
  const wrong = [];
  for (const { id, see, tests = [] } of bullets) {
    if (!anchors.has(see)) wrong.push(`${id}: PROTOCOL.md has no section #${see}`);
    if (!shown.has(id) && tests.length === 0) wrong.push(`${id}: no vector and no test shows it`);
    for (const test of tests) {
      const [path, name] = test.split("::");
      const file = here(`../../${path}`);
      if (!existsSync(file) || !readFileSync(file, "utf8").includes(name)) {
        wrong.push(`${id}: there is no test ${test}`);
      }
    }
  }
  const known = new Set(bullets.map(({ id }) => id));
  for (const id of shown) {
    if (!known.has(id)) wrong.push(`${id}: shown by vectors and no statement of bullets.json`);
  }
  return wrong;
}

const files = {
  "aborts.json": await vectors(aborts),
  "replies.json": await vectors(replies, goesOn),
  "clients.json": await vectors(clients),
};
const all = Object.values(files).flat();
for (const [file, rows] of Object.entries(files)) {
  unique(`vectors in ${file}`, rows.map(({ name }) => name));
  if (process.argv.includes("--write")) writeFileSync(here(file), format(rows));
  const differences = compare(file, rows);
  if (differences.length > 0) process.exitCode = 1;
  for (const difference of differences) console.error(`${file}: ${difference}`);
  console.log(`${file}: ${rows.length} vectors, ${differences.length} of them different`);
}
const wrong = checkBullets(new Set(all.map(({ bullet }) => bullet)));
for (const each of wrong) console.error(each);
if (wrong.length > 0) process.exitCode = 1;
