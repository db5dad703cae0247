// What a wasm file is made of: its sections, and its functions by the crates that they come from.

const SECTIONS = { 0: "custom", 1: "types", 2: "imports", 3: "functions", 4: "tables", 6: "globals", 7: "exports", 9: "elements", 10: "code", 11: "data" };
const CUSTOM = 0, IMPORTS = 2, CODE = 10;
const FUNCTION_NAMES = 1;

/** Reads what WebAssembly is written in, from a place on. */
class Reader {
  constructor(bytes, at = 0) { this.bytes = bytes; this.at = at; }
  byte() { return this.bytes[this.at++]; }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  text() {
    const length = this.number();
    this.at += length;
    return this.bytes.toString("utf8", this.at - length, this.at);
  }
  limits() {
    const flags = this.number();
    this.number();
    if (flags & 1) this.number();
  }
}

function sections(bytes) {
  const reader = new Reader(bytes, 8);
  const found = [];
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.number();
    const start = reader.at;
    const name = id === CUSTOM ? `custom: ${reader.text()}` : SECTIONS[id] ?? `section ${id}`;
    found.push({ id, name, size, start, body: reader.at });
    reader.at = start + size;
  }
  return found;
}

/** How many functions are imported: they come first where functions are numbered. */
function importedFunctions(bytes, { body }) {
  const reader = new Reader(bytes, body);
  let functions = 0;
  for (let count = reader.number(); count > 0; count--) {
    reader.text();
    reader.text();
    switch (reader.byte()) {
      case 0: reader.number(); functions++; break;
      case 1: reader.byte(); reader.limits(); break;
      case 2: reader.limits(); break;
      case 3: reader.byte(); reader.byte(); break;
      case 4: reader.byte(); reader.number(); break;
    }
  }
  return functions;
}

function functionNames(bytes, { body, start, size }) {
  const reader = new Reader(bytes, body);
  const names = new Map();
  while (reader.at < start + size) {
    const kind = reader.byte();
    const end = reader.number() + reader.at;
    if (kind === FUNCTION_NAMES) {
      for (let count = reader.number(); count > 0; count--) {
        const index = reader.number();
        names.set(index, reader.text());
      }
    }
    reader.at = end;
  }
  return names;
}

/**
 * The crate that a function's name begins with: the one that wrote it, whoever made it use its
 * types, and for implementations of traits the one of the type.
 */
function crateOf(name) {
  const [found] = name.match(/[a-z_][a-z0-9_]*(?=(\[[0-9a-f]+\])?::)/i) ?? [];
  return found ?? "other";
}

/** Bytes of the sections, and of the code by crate, each with the largest first. `bytes` is a `Buffer`. */
export function weigh(bytes) {
  const all = sections(bytes);
  const find = id => all.find(section => section.id === id);
  const names = functionNames(bytes, all.find(({ name }) => name === "custom: name"));
  const first = importedFunctions(bytes, find(IMPORTS));
  const reader = new Reader(bytes, find(CODE).body);
  const crates = new Map();
  const count = reader.number();
  for (let n = 0; n < count; n++) {
    const size = reader.number();
    const crate = crateOf(names.get(first + n) ?? "");
    crates.set(crate, (crates.get(crate) ?? 0) + size);
    reader.at += size;
  }
  const sorted = entries => [...entries].toSorted(([, a], [, b]) => b - a);
  return {
    sections: sorted(all.map(({ name, size }) => [name, size])),
    crates: sorted(crates),
  };
}
