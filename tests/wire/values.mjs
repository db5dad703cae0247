// The values of `values.json`: what JavaScript can send without a session.

/** A small generator with a fixed seed, so that the tables are the same on every run. */
function* random64(seed) {
  let state = seed;
  const mask = (1n << 64n) - 1n;
  for (;;) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    yield z ^ (z >> 31n);
  }
}

const scratch = new DataView(new ArrayBuffer(8));

function fromBits(bits) {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}

export function toBits(number) {
  scratch.setFloat64(0, number);
  return `0x${scratch.getBigUint64(0).toString(16).padStart(16, "0")}`;
}

function doubles() {
  const list = [
    0, -0, 1, -1, 0.1, -0.1, 0.5, 1.5, 1 / 3, 255, 256, 65535, 65536, 5.0, 1e3,
    2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32,
    Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, -(2 ** 53), 2 ** 53 + 2,
    2 ** 63, -(2 ** 63), 2 ** 64, 1e15, 1e16, 1e17, 123456789012345680000, 1e20, 999999999999999900000,
    1e21, -1e21, 1e22, 1.5e300, 1e-5, 1e-6, 1e-7, 1.5e-7, 0.000001234, 5e-324, 1e-323,
    2.2250738585072014e-308, 2.225073858507201e-308, Number.EPSILON, Number.MAX_VALUE,
    -Number.MAX_VALUE, Number.MIN_VALUE, NaN, Infinity, -Infinity, Math.PI, Math.E,
    9007199254740993, 0.1 + 0.2, 4.35, 0.000035, 1e23, 8.41e21, 9.5367431640625e-7,
  ];
  const random = random64(1n);
  const next = () => random.next().value;
  while (list.length < 260) {
    const number = fromBits(next());
    if (Number.isFinite(number)) list.push(number);
  }
  for (let i = 0; i < 60; i++) list.push(Number(next() >> 11n) / 2 ** 53);
  for (let i = 0; i < 60; i++) list.push(Number(BigInt.asIntN(54, next())));
  for (let i = 0; i < 20; i++) list.push(Number(next() % 100000n) / 100);
  return list.map((value, index) => ({ name: `number ${index}: ${Object.is(value, -0) ? "-0" : value}`, value }));
}

const strings = {
  "empty": "",
  "ASCII": "Hello, world!",
  "quotes and backslashes": "\"quoted\" \\ / 'single'",
  "short escapes": "\b\f\n\r\t",
  "all control characters": Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join(""),
  "DEL and C1 controls": "\x7f\x80\x9f",
  "Latin-1 and CJK": "grüße 日本語",
  "non-BMP": "😀𝒳\u{10ffff}",
  "line and paragraph separators": "a\u2028b\u2029c",
  "byte order mark and noncharacters": "\ufeff\ufffe\uffff",
  "combining characters": "e\u0301 é",
  "lone high surrogate": "\ud800",
  "lone low surrogate": "\udfff",
  "surrogates in the wrong order": "\udc00\ud800",
  "lone surrogate between pairs": "😀\ud83d😀",
  "looks like a tag": "[\"undefined\"]",
  "looks like a number": "1e400",
  "replacement character": "\ufffd",
};

const bytes = Uint8Array.from({ length: 256 }, (_, i) => i).buffer;

function typedArrays() {
  const kinds = [
    Uint8Array, Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    BigInt64Array, BigUint64Array, Float32Array, Float64Array,
  ];
  const list = kinds.flatMap(Kind => [
    { name: `${Kind.name}, empty`, value: new Kind(0) },
    { name: `${Kind.name}, a view into a larger buffer`, value: new Kind(bytes, 16, 3) },
    { name: `${Kind.name}, all byte values`, value: new Kind(bytes) },
  ]);
  for (let length = 1; length <= 6; length++) {
    list.push({ name: `Uint8Array of ${length}`, value: new Uint8Array(bytes, 250, length) });
  }
  list.push(
    { name: "Buffer", value: Buffer.from("buffer") },
    { name: "Uint8Array that needs + and /", value: Uint8Array.of(0xfb, 0xff, 0xbf, 0xfe) },
    { name: "ArrayBuffer", value: bytes.slice(0, 5) },
    { name: "ArrayBuffer, empty", value: new ArrayBuffer(0) },
    { name: "DataView", value: new DataView(bytes, 7, 5) },
    { name: "DataView, empty", value: new DataView(new ArrayBuffer(0)) },
    { name: "Float64Array with special values", value: Float64Array.of(NaN, -0, Infinity, 1.5) },
    { name: "BigInt64Array with extremes", value: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
  );
  return list;
}

function named(error, name) {
  Object.defineProperty(error, "name", { value: name, enumerable: false });
  return error;
}

function errors() {
  const classes = [
    Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
  ];
  class Custom extends Error {}
  class Renamed extends TypeError {
    get name() { return "Renamed"; }
  }
  return [
    ...classes.map(Class => ({ name: Class.name, value: new Class(`a ${Class.name}`) })),
    { name: "error without a message", value: new Error() },
    { name: "error with an odd message", value: new Error("line\n\"two\" 😀 \ud800") },
    { name: "error of a subclass that keeps the name", value: new Custom("custom") },
    { name: "error of a subclass with its own name", value: new Renamed("renamed") },
    { name: "error named constructor", value: named(new Error("m"), "constructor") },
    { name: "error with an empty name", value: named(new Error("m"), "") },
    { name: "error with a cause", value: new Error("outer", { cause: new TypeError("inner") }) },
    { name: "error with a cause that is no error", value: new Error("outer", { cause: { code: 7, list: [1] } }) },
    { name: "error with an undefined cause", value: new Error("outer", { cause: undefined }) },
    { name: "error with a null cause", value: new Error("outer", { cause: null }) },
    {
      name: "error with three causes",
      value: new Error("1", { cause: new RangeError("2", { cause: new URIError("3") }) }),
    },
    {
      name: "error with properties of every kind",
      value: Object.assign(new Error("props"), {
        code: "E_CODE", status: 404, when: new Date(0), big: 5n, list: [1, [2]], nothing: null,
        missing: undefined, nan: NaN, bytes: Uint8Array.of(1, 2), nested: { inner: new Error("i") },
      }),
    },
    { name: "error with an own name and stack", value: Object.assign(new Error("m"), { name: "RangeError", stack: "s" }) },
    { name: "error with a property that cannot be sent", value: Object.assign(new Error("m"), { symbol: Symbol("s"), kept: 1 }) },
    { name: "error with properties and a cause", value: Object.assign(new TypeError("m", { cause: 1 }), { code: 2 }) },
    { name: "AggregateError, empty", value: new AggregateError([], "none") },
    { name: "AggregateError", value: new AggregateError([new Error("a"), new TypeError("b"), 3], "several") },
    { name: "AggregateError without a message", value: new AggregateError([new Error("a")]) },
    { name: "AggregateError with a cause", value: new AggregateError([1], "m", { cause: "c" }) },
    { name: "AggregateError in an AggregateError", value: new AggregateError([new AggregateError([1], "in")], "out") },
    { name: "errors in a container", value: { list: [new Error("a")], one: new Error("b") } },
  ];
}

export function values() {
  const holes = [1, , 3]; // eslint-disable-line no-sparse-arrays
  const deep = depth => { let value = 1; for (let i = 0; i < depth; i++) value = [value]; return value; };
  const deepObject = depth => { let value = 1; for (let i = 0; i < depth; i++) value = { a: value }; return value; };
  return [
    { name: "null", value: null },
    { name: "undefined", value: undefined },
    { name: "true", value: true },
    { name: "false", value: false },
    ...doubles(),
    ...Object.entries(strings).map(([name, value]) => ({ name: `string: ${name}`, value })),
    ...[0n, 1n, -1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n,
      2n ** 127n - 1n, -(2n ** 127n), 2n ** 128n - 1n, 2n ** 128n, -(10n ** 60n), 10n ** 300n]
      .map(value => ({ name: `bigint ${value}`.slice(0, 60), value })),
    ...[0, 1, -1, 1700000000000, 1700000000123, -62198755200000, 8.64e15, -8.64e15, 253402300799999]
      .map(ms => ({ name: `date ${ms}`, value: new Date(ms) })),
    { name: "date from fractional milliseconds", value: new Date(1.9) },
    { name: "date from negative fractional milliseconds", value: new Date(-1.9) },
    { name: "date out of range", value: new Date(8.64e15 + 1) },
    { name: "date, invalid", value: new Date(NaN) },
    ...typedArrays(),
    { name: "array, empty", value: [] },
    { name: "array of scalars", value: [1, "a", true, null, undefined, 2.5] },
    { name: "array with holes", value: holes },
    { name: "array of empty arrays", value: [[], [[]], [[], []]] },
    { name: "array in an array", value: [[1]] },
    { name: "array that looks like a tag", value: ["undefined"] },
    { name: "array that looks like a bigint", value: ["bigint", "5"] },
    { name: "array that looks like an import", value: ["import", 0] },
    { name: "array of special values", value: [NaN, -Infinity, 5n, new Date(0), Uint8Array.of(1)] },
    { name: "array, 100 deep", value: deep(100) },
    { name: "array, as deep as is sent", value: deep(255) },
    { name: "object, empty", value: {} },
    { name: "object of scalars", value: { a: 1, b: "two", c: false, d: null } },
    { name: "object with undefined members", value: { a: undefined, b: { c: undefined } } },
    { name: "object with odd keys", value: { "": 1, " ": 2, "a.b": 3, "\"": 4, "😀": 5, "\ud800": 6, "$": 7 } },
    { name: "object with integer keys, which come first", value: { b: 1, 10: 2, 9: 3, a: 4, "-1": 5, "01": 6 } },
    { name: "object with names of common methods", value: { then: 1, length: 2, name: 3, prototype: 4, call: 5 } },
    { name: "object of containers", value: { list: [1, { x: [] }], inner: { y: { z: [null] } } } },
    { name: "object, 100 deep", value: deepObject(100) },
    { name: "object, as deep as is sent", value: deepObject(255) },
    ...errors(),
    { name: "URL", value: new URL("https://user:pw@example.com:8443/a%20b/../c?q=1&r=ü#frag") },
    { name: "URL of another scheme", value: new URL("mailto:someone@example.com") },
    { name: "URL that gets a slash", value: new URL("http://example.com") },
    { name: "headers", value: new Headers([["B", "2"], ["a", "1"], ["b", "3"]]) },
    { name: "headers, empty", value: new Headers() },
    { name: "everything at once", value: {
      s: "x", n: -1.5, u: undefined, z: null, t: [true, [new Date(1), [2n]]],
      e: new TypeError("t", { cause: [1] }), b: new Uint16Array([1, 258]), l: new URL("data:,x"),
    } },
  ];
}
