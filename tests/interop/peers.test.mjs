// The JavaScript servers of this folder do what listener.mjs says about their commands.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { start } from "./process.mjs";
import { connect, it, rejection } from "./support.mjs";

describe("a JavaScript server", () => {
  it("reports the tables of its live sessions", async context => {
    const server = await start("server.mjs");
    context.after(server.stop);
    assert.equal(await server.command("stats"), "STATS []");
    const connection = await connect(server.url);
    await connection.main.keep(() => 1);
    assert.equal(await server.command("stats"), 'STATS [{"imports":2,"exports":1}]');
    await connection.main.dropKept();
    await connection.assertClean();
    assert.equal(await server.command("stats"), 'STATS [{"imports":1,"exports":1}]');
    connection.ws.terminate();
    assert.equal(await server.stop(), 0);
  });

  it("closes its connections on command", async context => {
    const server = await start("server.mjs", "--key", "k");
    context.after(server.stop);
    const connection = await connect(server.url, { headers: { "x-test-key": "k" } });
    const pending = rejection(connection.main.hold());
    await connection.roundTrip();
    assert.equal(await server.command("close"), "CLOSED 1");
    assert.equal((await pending).message, "Peer closed WebSocket: 1001 closed by command");
    assert.equal(await server.stop(), 0);
  });

  it("says that it does not know a command", async context => {
    const server = await start("share-server.mjs", "--key", "k");
    context.after(server.stop);
    assert.equal(await server.command("constructor"), "UNKNOWN constructor");
    assert.equal(await server.stop(), 0);
  });
});
