// Carries out what an application does, in words that every language has. README.md lists them.

import { RpcPromise, RpcStub } from "../interop/capnweb.mjs";

const ERRORS = { __proto__: null, Error, RangeError, TypeError };

const makeError = ([name, message]) => new ERRORS[name](message);

/** What the application of a session holds, by the names that the script gives. */
export class Actor {
  #held = new Map();
  #got = [];

  constructor(session) {
    this.#held.set("main", session.getRemoteMain());
  }

  /** What has been delivered since the last time: pairs of a name and a value. */
  take() { return this.#got.splice(0); }

  act({ do: name, ...details }) {
    const action = this.#actions[name];
    if (!action) throw new Error(`no action is called "${name}"`);
    action(details);
  }

  #actions = {
    __proto__: null,

    call: ({ on, path = [], args = [], as }) => {
      const found = follow(this.#get(on), path);
      this.#held.set(as, found(...args.map(each => this.#value(each))));
    },
    get: ({ on, path, as }) => this.#held.set(as, follow(this.#get(on), path)),
    dup: ({ what, as }) => this.#held.set(as, this.#get(what).dup()),
    dispose: ({ what }) => {
      this.#get(what)[Symbol.dispose]();
      this.#held.delete(what);
    },
    await: ({ what, as }) => {
      Promise.resolve(this.#get(what)).then(
        value => {
          this.#held.set(as, value);
          this.#note(as, value);
        },
        error => this.#note(as, error, true));
    },
    map: ({ on, path = [], each, as }) =>
      this.#held.set(as, follow(this.#get(on), path).map(item => this.#mapped(each, [item]))),

    function: ({ as, does }) => {
      const calls = [];
      const make = {
        double: () => n => n * 2,
        fail: () => () => { throw new RangeError("no"); },
        wait: () => () => new Promise((resolve, reject) => calls.push({ resolve, reject })),
      }[does];
      this.#held.set(as, Object.assign(make(), { calls }));
    },
    promise: ({ as }) => {
      let settle;
      const promise = new Promise((resolve, reject) => { settle = { resolve, reject }; });
      promise.catch(() => {});
      this.#held.set(as, new RpcPromise(promise));
      this.#held.set(`${as} settles`, settle);
    },
    settle: ({ what, value, error }) => {
      const { resolve, reject } = this.#held.get(`${what} settles`) ?? this.#get(what).calls.shift();
      if (error) reject(makeError(error));
      else resolve(this.#value(value));
    },

    readable: ({ as }) => {
      let writer;
      this.#held.set(as, new ReadableStream({ start: controller => { writer = controller; } }));
      this.#held.set(`${as} writes`, writer);
    },
    writable: ({ as }) => {
      this.#held.set(as, new WritableStream({
        write: chunk => this.#note(as, chunk),
        close: () => this.#got.push([as, { $: "end" }]),
        abort: reason => this.#note(as, reason, true),
      }));
    },
    write: ({ what, value }) => {
      const own = this.#held.get(`${what} writes`);
      if (own) own.enqueue(this.#value(value));
      else this.#writer(what).write(this.#value(value)).catch(() => {});
    },
    close: ({ what }) => {
      const own = this.#held.get(`${what} writes`);
      if (own) return own.close();
      this.#writer(what).close().then(
        () => this.#got.push([what, { $: "end" }]), error => this.#note(what, error, true));
    },
    abort: ({ what, error }) => {
      const own = this.#held.get(`${what} writes`);
      if (own) return own.error(makeError(error));
      this.#writer(what).abort(makeError(error)).catch(() => {});
    },
    read: ({ what }) => {
      this.#reader(what).read().then(
        ({ done, value }) => (done ? this.#got.push([what, { $: "end" }]) : this.#note(what, value)),
        error => this.#note(what, error, true));
    },
    cancel: ({ what }) => { this.#reader(what).cancel().catch(() => {}); },
  };

  #get(name) {
    if (!this.#held.has(name)) throw new Error(`nothing is called "${name}"`);
    return this.#held.get(name);
  }

  /** A stream has one writer or reader for as long as it lives. */
  #writer(name) { return this.#once(`${name} writer`, () => this.#get(name).getWriter()); }
  #reader(name) { return this.#once(`${name} reader`, () => this.#get(name).getReader()); }

  #once(name, make) {
    if (!this.#held.has(name)) this.#held.set(name, make());
    return this.#held.get(name);
  }

  /** A value of a script: JSON in which `{"$": name, "path": […]}` is something that is held. */
  #value(value) {
    return transform(value, ({ $, path = [] }) => follow(this.#get($), path));
  }

  /** The same in the function of a map, where there are items, calls and further maps. */
  #mapped(value, items) {
    return transform(value, special => {
      const on = special.$ ?? special.call ?? special.map;
      const base = on === "item" ? items.at(-1) : on === "outer" ? items.at(-2) : this.#get(on);
      const found = follow(base, special.path ?? []);
      if ("call" in special) return found(...special.args.map(each => this.#mapped(each, items)));
      if ("map" in special) return found.map(item => this.#mapped(special.each, [...items, item]));
      return found;
    });
  }

  #note(name, value, failed = false) {
    this.#got.push([name, failed ? { $: "failed", with: describe(value) } : describe(value)]);
  }
}

const follow = (base, path) => path.reduce((value, key) => value[key], base);

/** Copies JSON, with something else in place of the objects that have a `$`, `call` or `map`. */
function transform(value, special) {
  if (Array.isArray(value)) return value.map(each => transform(each, special));
  if (value === null || typeof value !== "object") return value;
  if ("$" in value || "call" in value || "map" in value) return special(value);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, transform(member, special)]));
}

/** What was delivered, as JSON; `{"$": kind}` stands for what JSON has no word for. */
function describe(value) {
  if (value === undefined) return { $: "undefined" };
  if (value instanceof Error) return { $: "error", name: value.name, message: value.message };
  if (value instanceof RpcStub || typeof value === "function") return { $: "stub" };
  if (value instanceof ReadableStream) return { $: "readable" };
  if (value instanceof WritableStream) return { $: "writable" };
  if (Array.isArray(value)) return [...value].map(describe);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.keys(value).map(key => [key, describe(value[key])]));
  }
  return value;
}
