// Streams: readable and writable ones, in arguments and results.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { clean, it, rejection } from "./support.mjs";

/** A stream of numbers from 0 on, and what became of it. */
function numbers({ count = Infinity, error } = {}) {
  const source = { pulled: 0 };
  source.cancelled = new Promise(resolve => {
    source.stream = new ReadableStream({
      pull(controller) {
        if (source.pulled < count) controller.enqueue(source.pulled++);
        else if (error) controller.error(error);
        else controller.close();
      },
      cancel: resolve,
    });
  });
  return source;
}

/** A writable stream, what was written to it, and how it ended. */
function sink() {
  const seen = { chunks: [] };
  seen.ended = new Promise(resolve => {
    seen.stream = new WritableStream({
      write(chunk) { seen.chunks.push(chunk); },
      close() { resolve("closed"); },
      abort(reason) { resolve(reason); },
    });
  });
  return seen;
}

describe("readable streams in arguments", () => {
  it("are read to their end", clean(async connection => {
    assert.equal(await connection.main.sumStream(numbers({ count: 4 }).stream), 6);
    assert.deepEqual(connection.frames.slice(0, 2), [
      '> ["pipe"]',
      '> ["push",["pipeline",0,["sumStream"],[["readable",1]]]]',
    ]);
    assert.ok(connection.frames.includes('> ["stream",["pipeline",1,["write"],[3]]]'));
  }));

  it("may be long", clean(async ({ main }) => {
    assert.equal(await main.sumStream(numbers({ count: 2000 }).stream), 1999000);
  }));

  it("may be of bytes", clean(async ({ main }) => {
    let left = 300;
    const bytes = new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (left-- > 0) controller.enqueue(new Uint8Array(8192));
        else controller.close();
      },
    });
    assert.equal(await main.sizeStream(bytes), 300 * 8192);
  }));

  it("may be several", clean(async ({ main }) => {
    const sums = await Promise.all([1, 2, 3, 4].map(n => main.sumStream(numbers({ count: 10 * n }).stream)));
    assert.deepEqual(sums, [45, 190, 435, 780]);
  }));

  it("hand on their errors", clean(async ({ main }) => {
    const failing = numbers({ count: 2, error: new RangeError("no more") });
    const error = await rejection(main.sumStream(failing.stream));
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "no more");
  }));

  it("are cancelled when the reader has had enough", clean(async ({ main }) => {
    const source = numbers();
    assert.deepEqual(await main.readSome(source.stream, 3), [0, 1, 2]);
    await source.cancelled;
  }));

  it("are cancelled when nobody reads them", clean(async ({ main }) => {
    const source = numbers();
    await main.ignoreStream(source.stream);
    await source.cancelled;
  }));

  it("wait for a reader that does not read, and calls do not wait for them", clean(async connection => {
    const { main } = connection;
    let left = 1000;
    const bytes = new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(new Uint8Array(4096));
        else controller.close();
      },
    });
    let open;
    const gate = new Promise(resolve => { open = resolve; });
    const size = main.sizeLater(() => gate, bytes).then(value => value);
    for (let trips = 0; trips < 20; trips++) await connection.roundTrip();
    const sent = connection.frames.filter(frame => frame.startsWith('> ["stream",')).length;
    // The initial window of 256 KiB on each session in between, which had no reason to grow far.
    assert.ok(sent >= 40 && sent < 400, `${sent} of 1000 chunks were sent`);
    open();
    assert.equal(await size, 1000 * 4096);
  }));
});

describe("readable streams in results", () => {
  it("are read to their end", clean(async ({ main }) => {
    const chunks = [];
    for await (const chunk of await main.countStream(5)) chunks.push(chunk);
    assert.deepEqual(chunks, [0, 1, 2, 3, 4]);
  }));

  it("may be of bytes, and long", clean(async ({ main }) => {
    let size = 0;
    for await (const chunk of await main.byteStream(300, 8192)) size += chunk.byteLength;
    assert.equal(size, 300 * 8192);
  }));

  it("hand on their errors", clean(async ({ main }) => {
    const reader = (await main.failingStream(0, "that was all")).getReader();
    const error = await rejection(reader.read());
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "that was all");
  }));

  it("may be left unread", clean(async ({ main }) => {
    const reader = (await main.countStream(100000)).getReader();
    assert.equal((await reader.read()).value, 0);
    await reader.cancel();
  }));
});

describe("writable streams in arguments", () => {
  it("are written and closed", clean(async ({ main }) => {
    const to = sink();
    assert.equal(await main.fillStream(to.stream, 5), 5);
    assert.deepEqual(to.chunks, [0, 1, 2, 3, 4]);
    assert.equal(await to.ended, "closed");
  }));

  it("are aborted", clean(async ({ main }) => {
    const to = sink();
    await main.abortStream(to.stream, "no more");
    const reason = await to.ended;
    assert.ok(reason instanceof RangeError);
    assert.equal(reason.message, "no more");
  }));

  it("that are left open are aborted", clean(async ({ main }) => {
    const to = sink();
    await main.leaveStream(to.stream);
    assert.equal((await to.ended).message,
      "WritableStream RPC stub was disposed without calling close()");
    assert.deepEqual(to.chunks, [1]);
  }));

  it("hand on their errors", clean(async ({ main }) => {
    const full = new WritableStream({ write() { throw new RangeError("full"); } });
    const error = await rejection(main.fillStream(full, 1000));
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "full");
  }));
});

describe("writable streams in results", () => {
  it("are written and closed", clean(async ({ main }) => {
    const { stream } = await main.makeSink();
    const writer = stream.getWriter();
    for (let n = 1; n <= 100; n++) writer.write(n);
    await writer.close();
    assert.deepEqual(await main.sinkState(), { sum: 5050, state: "closed" });
  }));

  it("are aborted", clean(async ({ main }) => {
    const { stream } = await main.makeSink();
    const writer = stream.getWriter();
    await writer.write(1);
    await writer.abort(new RangeError("no more"));
    let state;
    do state = await main.sinkState(); while (state.state === "open");
    assert.deepEqual(state, { sum: 1, state: "aborted" });
  }));
});
