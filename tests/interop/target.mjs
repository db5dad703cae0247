// The fixed target: the main object that every peer of these tests serves, in every language.
//
// It is small on purpose, because whoever wants to run the vectors in `tests/conformance` or the tests in
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
//   collect(stream)       reads a stream to its end; an array of its chunks
//   first(stream)         reads one chunk of a stream, cancels the rest, returns the chunk
//   count(n)              a stream of the numbers 1 to n
//   fill(writable, n)     writes the numbers 1 to n to a stream and closes it; returns n
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

export class TestTarget extends RpcTarget {
  #held = [];
  #kept;

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

  async collect(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
  }

  async first(stream) {
    const reader = stream.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return value;
  }

  count(n) {
    let last = 0;
    return new ReadableStream({
      pull: controller => (last < n ? controller.enqueue(++last) : controller.close()),
    });
  }

  async fill(writable, n) {
    const writer = writable.getWriter();
    for (let i = 1; i <= n; i++) await writer.write(i);
    await writer.close();
    return n;
  }

  #holdOne() {
    return new Promise(resolve => this.#held.push(resolve));
  }
}
