// The fixed target: the main object that every peer of these tests serves, in every language.
//
// It is small on purpose, because whoever wants to run the tables in `tests/wire` or the tests in
// this folder against another implementation has to write it again by hand:
//
//   square(n)             n * n
//   add(a, b)             a + b
//   echo(x)               x as it came (values only: for stubs see giveBack)
//   greet(name)           "Hello, <name>!"
//   fail(name, message)   throws the standard error class of that name; of an unknown name, a plain
//                         Error whose `name` is set to it
//   throwValue(v)         throws v, which need not be an error
//   getUndefined()        undefined
//   getNull()             null
//   info                  property: {a: {b: [1, 2, {c: "x"}]}}
//   makeCounter(start=0)  a new Counter: increment(by=1) adds and returns the new value; property
//                         `value` is the present one
//   makeCounters()        {first: Counter from 1, second: Counter from 2}
//   callBack(fn, arg)     awaits fn(arg) and returns its result
//   giveBack(stub)        {stub: a duplicate of the stub}
//   keep(stub)            keeps a duplicate of the stub, dropping what was kept before; undefined
//   callKept(arg)         awaits kept(arg) and returns its result; without one, throws
//                         Error("Nothing is kept.")
//   dropKept()            drops what is kept; undefined
//   hold()                a result that stays pending until releaseHeld
//   heldInside()          {p: promise}, where the promise stays pending until releaseHeld
//   releaseHeld(value)    resolves everything held, oldest first, with the value; returns how many
//   promiseInside(value)  {p: promise of the value}
//   makeRejecting(msg)    {p: promise that rejects with Error(msg)}
//   sumStream(numbers)    reads the stream to its end; returns the sum
//   sizeStream(bytes)     reads a stream of bytes to its end; returns how many there were
//   sizeLater(gate, bytes)  awaits gate(), then does the same
//   readSome(stream, n)   reads n chunks and no more; returns them
//   ignoreStream(stream)  leaves it unread; undefined
//   countStream(n)        a readable stream of 0, 1, ... n - 1
//   failingStream(n, message)  the same, which then fails with RangeError(message)
//   byteStream(n, size)   a readable stream of n Uint8Arrays of that size
//   fillStream(stream, n) writes 0, 1, ... n - 1 to a writable stream and closes it; returns n
//   leaveStream(stream)   writes 1 to a writable stream and does not close it; undefined
//   abortStream(stream, message)  writes 1 and aborts it with RangeError(message); undefined
//   makeSink()            {stream: writable stream of numbers}, of which sinkState tells
//   sinkState()           {sum, state}: the sum of what was written to the last sink, and "open",
//                         "closed" or "aborted"
//
// One target belongs to one connection: what it keeps and holds is seen by nobody else.

import { RpcPromise, RpcTarget } from "capnweb";

const ERROR_CLASSES = {
  __proto__: null,
  Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
};

export class Counter extends RpcTarget {
  #value;

  constructor(start) {
    super();
    this.#value = start;
  }

  increment(by = 1) {
    this.#value += by;
    return this.#value;
  }

  get value() {
    return this.#value;
  }
}

/** A stream of 0, 1, ... n - 1, and of what `end` does with it then. */
function counting(n, end) {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < n) controller.enqueue(next++);
      else end(controller);
    },
  });
}

export class TestTarget extends RpcTarget {
  #held = [];
  #kept;
  #sink;

  square(n) { return n * n; }
  add(a, b) { return a + b; }
  echo(x) { return x; }
  greet(name) { return `Hello, ${name}!`; }
  getUndefined() { return undefined; }
  getNull() { return null; }

  get info() { return { a: { b: [1, 2, { c: "x" }] } }; }

  fail(name, message) {
    const known = ERROR_CLASSES[name];
    if (known) throw new known(message);
    const error = new Error(message);
    Object.defineProperty(error, "name", { value: name, enumerable: false });
    throw error;
  }

  throwValue(v) { throw v; }

  makeCounter(start = 0) { return new Counter(start); }
  makeCounters() { return { first: new Counter(1), second: new Counter(2) }; }

  async callBack(fn, arg) { return await fn(arg); }
  giveBack(stub) { return { stub: stub.dup() }; }

  keep(stub) {
    this.dropKept();
    this.#kept = stub.dup();
  }

  async callKept(arg) {
    if (!this.#kept) throw new Error("Nothing is kept.");
    return await this.#kept(arg);
  }

  dropKept() {
    this.#kept?.[Symbol.dispose]();
    this.#kept = undefined;
  }

  hold() { return this.#holdOne(); }
  heldInside() { return { p: new RpcPromise(this.#holdOne()) }; }

  releaseHeld(value) {
    const held = this.#held;
    this.#held = [];
    for (const resolve of held) resolve(value);
    return held.length;
  }

  promiseInside(value) { return { p: new RpcPromise(Promise.resolve(value)) }; }
  makeRejecting(message) { return { p: new RpcPromise(Promise.reject(new Error(message))) }; }

  async sumStream(numbers) {
    let sum = 0;
    for await (const n of numbers) sum += n;
    return sum;
  }

  async sizeStream(bytes) {
    let size = 0;
    for await (const chunk of bytes) size += chunk.byteLength;
    return size;
  }

  async sizeLater(gate, bytes) {
    await gate();
    return await this.sizeStream(bytes);
  }

  async readSome(stream, n) {
    const reader = stream.getReader();
    const chunks = [];
    while (chunks.length < n) chunks.push((await reader.read()).value);
    await reader.cancel();
    return chunks;
  }

  ignoreStream(_stream) {}

  countStream(n) { return counting(n, controller => controller.close()); }
  failingStream(n, message) {
    return counting(n, controller => controller.error(new RangeError(message)));
  }

  byteStream(n, size) {
    return new ReadableStream({
      pull(controller) {
        if (n-- > 0) controller.enqueue(new Uint8Array(size));
        else controller.close();
      },
    });
  }

  async fillStream(stream, n) {
    const writer = stream.getWriter();
    for (let i = 0; i < n; i++) await writer.write(i);
    await writer.close();
    return n;
  }

  async leaveStream(stream) {
    await stream.getWriter().write(1);
  }

  async abortStream(stream, message) {
    const writer = stream.getWriter();
    await writer.write(1);
    await writer.abort(new RangeError(message));
  }

  makeSink() {
    const sink = { sum: 0, state: "open" };
    this.#sink = sink;
    return {
      stream: new WritableStream({
        write(n) { sink.sum += n; },
        close() { sink.state = "closed"; },
        abort() { sink.state = "aborted"; },
      }),
    };
  }

  sinkState() { return this.#sink; }

  #holdOne() {
    return new Promise(resolve => this.#held.push(resolve));
  }
}
