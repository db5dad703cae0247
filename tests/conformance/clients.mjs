// The scripts of `clients.json`: what an application does, and what its peer sends in between.

import { shows } from "./vectors.mjs";

const MAIN = "main";

const call = (as, on, path, ...args) => ({ do: "call", on, path, args, as });
const main = (as, method, ...args) => call(as, MAIN, [method], ...args);
const get = (as, on, ...path) => ({ do: "get", on, path, as });
const wait = (what, as = `${what} is`) => ({ do: "await", what, as });
const dispose = what => ({ do: "dispose", what });
const dup = (as, what) => ({ do: "dup", what, as });
const map = (as, on, each, path) => ({ do: "map", on, ...(path && { path }), each, as });
const func = (as, does) => ({ do: "function", as, does });
const promise = as => ({ do: "promise", as });
const settle = (what, value) => ({ do: "settle", what, value });
const fail = (what, ...error) => ({ do: "settle", what, error });
const readable = as => ({ do: "readable", as });
const writable = as => ({ do: "writable", as });
const write = (what, value) => ({ do: "write", what, value });
const close = what => ({ do: "close", what });
const abort = (what, ...error) => ({ do: "abort", what, error });
const read = what => ({ do: "read", what });
const cancel = what => ({ do: "cancel", what });

/** What the script holds under this name, or a property of it. */
const its = (name, ...path) => ({ $: name, ...(path.length > 0 && { path }) });
const ITEM = its("item");
const square = of => ({ call: MAIN, path: ["square"], args: [of] });

const push = expression => `["push",${expression}]`;
const called = (id, args = "") => push(`["pipeline",${id},[],[${args}]]`);
const pull = id => `["pull",${id}]`;
const release = (id, count = 1) => `["release",${id},${count}]`;
const resolve = (id, expression) => `["resolve",${id},${expression}]`;
const reject = (id, name, message) => `["reject",${id},["error","${name}","${message}"]]`;
const stream = (id, method, args = "") => `["stream",["pipeline",${id},["${method}"],[${args}]]]`;
const done = id => resolve(id, "[\"undefined\"]");

const row = (name, ...steps) => ({ name, steps });
const flagged = (flags, name, ...steps) => ({ name, steps, ...flags });

export const clients = [
  ...shows("calls/client",
    row("call, awaited", main("a", "square", 5), wait("a"), resolve(1, "25")),
    row("call that is rejected", main("a", "fail"), wait("a"), reject(1, "RangeError", "no")),
    row("call that is rejected with a plain value", main("a", "fail"), wait("a"), "[\"reject\",1,\"no\"]"),
    row("call with arrays and objects", main("a", "echo", [[1], []], { a: [2] }), wait("a"), resolve(1, "[[[[1]],{\"b\":[[]]}]]")),
    row("calls answered out of order", main("a", "square", 1), main("b", "square", 2), wait("a"), wait("b"), resolve(2, "4"), resolve(1, "1")),
    row("call of the main object itself", call("a", MAIN, [], 1), wait("a"), resolve(1, "2"))),
  ...shows("pull/lazy",
    row("call that is never awaited", main("a", "square", 5)),
    row("chain of which the end is awaited", main("a", "makeCounter", 1), call("b", "a", ["increment"], 2), wait("b"), resolve(2, "3"), dispose("a")),
    row("property that is never used", get("a", MAIN, "info", "a"))),
  ...shows("pull/client-once",
    row("promise awaited twice", main("a", "square", 5), wait("a", "v"), wait("a", "w"), resolve(1, "25")),
    row("promise awaited again after its resolution", main("a", "square", 5), wait("a", "v"), resolve(1, "25"), wait("a", "w"))),
  ...shows("release/caller",
    row("promise disposed unawaited", main("a", "square", 5), dispose("a")),
    row("promise disposed after its resolution", main("a", "square", 5), wait("a"), resolve(1, "25"), dispose("a")),
    row("promise disposed, then answered all the same", main("a", "square", 5), dispose("a"), resolve(1, "{\"s\":[\"export\",-1]}")),
    row("promise disposed while calls on it wait", main("a", "makeCounter"), call("b", "a", ["increment"]), dispose("a"), wait("b"), resolve(2, "1"))),
  ...shows("release/result-stubs",
    row("stub as a result", main("a", "makeCounter"), wait("a", "s"), resolve(1, "[\"export\",-1]"), call("b", "s", ["increment"], 2), wait("b"), resolve(2, "2"), dispose("s")),
    row("stub as a result, duplicated", main("a", "makeCounter"), wait("a", "s"), resolve(1, "[\"export\",-1]"), dup("t", "s"), dispose("s"), call("b", "t", ["increment"]), dispose("b"), dispose("t")),
    row("stub in an object", main("a", "giveBack"), wait("a", "v"), resolve(1, "{\"s\":[\"export\",-1]}"), call("b", "v", ["s", "increment"]), dispose("b"), dispose("v")),
    flagged({ freedom: "order" }, "several stubs in a result", main("a", "makeCounters"), wait("a", "v"), resolve(1, "{\"first\":[\"export\",-1],\"second\":[\"export\",-2]}"), dispose("v"))),
  ...shows("tables/new-id-each-time",
    row("function sent twice in one call", func("f", "double"), main("a", "echo", its("f"), [its("f")]), dispose("a"), release(-1), release(-2)),
    row("function sent in two calls", func("f", "double"), main("a", "keep", its("f")), main("b", "keep", its("f")), release(-1), dispose("a"), dispose("b"), release(-2))),
  ...shows("promises/pipelining",
    row("call on a result that is not there yet", main("a", "makeCounter", 1), call("b", "a", ["increment"], 2), wait("b"), resolve(2, "3"), dispose("a")),
    row("property of a result that is not there yet", main("a", "makeCounter", 1), get("b", "a", "value"), wait("b"), resolve(2, "1"), dispose("a")),
    row("call through a property of a result", main("a", "makeCounters"), call("b", "a", ["first", "increment"]), wait("b"), resolve(2, "2"), dispose("a"))),
  ...shows("references/path",
    row("property of the main object, awaited", get("a", MAIN, "info", "a"), wait("a"), resolve(1, "{\"b\":1}")),
    row("call through a property", call("a", MAIN, ["info", "f"], 1), dispose("a"))),
  ...shows("references/indexes",
    flagged({ freedom: "indexes" }, "index of an array", get("a", MAIN, "info", "b", 2), wait("a"), resolve(1, "3"))),
  ...shows("promises/duplicate",
    flagged({ freedom: "duplicates" }, "duplicate of a promise", main("a", "makeCounter"), dup("b", "a"), dispose("a"), call("c", "b", ["increment"]), dispose("c"), dispose("b"))),
  ...shows("promises/arguments",
    row("promise as an argument", main("a", "square", 2), main("b", "square", its("a")), wait("b"), resolve(2, "16"), dispose("a")),
    row("promise in an object in an argument", main("a", "square", 2), main("b", "echo", { x: [its("a")] }), dispose("b"), dispose("a")),
    row("property of a promise as an argument", main("a", "echo", 2), main("b", "square", its("a", "x", "y")), dispose("b"), dispose("a")),
    row("property of the main object as an argument", main("a", "echo", its(MAIN, "info")), dispose("a")),
    flagged({ defect: "the package sends the id of a promise that it has released" }, "promise that was awaited, as an argument", main("a", "square", 2), wait("a"), resolve(1, "4"), main("b", "square", its("a")))),
  ...shows("promises/introduced",
    row("promise of one's own as an argument", promise("p"), main("a", "square", its("p")), wait("a"), settle("p", 6), release(-1), resolve(1, "36")),
    row("promise of one's own that is rejected", promise("p"), main("a", "square", its("p")), fail("p", "RangeError", "no"), release(-1), dispose("a")),
    row("promise of one's own, resolved to an object", promise("p"), main("a", "echo", [its("p")]), settle("p", { x: [1] }), release(-1), dispose("a")),
    row("promise of one's own, released before it resolves", promise("p"), main("a", "echo", its("p")), release(-1), settle("p", 1), dispose("a"))),
  ...shows("promises/inside-values",
    row("promise in a result", main("a", "promiseInside"), wait("a"), resolve(1, "{\"p\":[\"promise\",-1]}"), resolve(-1, "5")),
    row("promises in a result", main("a", "promiseInside"), wait("a"), resolve(1, "[[[\"promise\",-1],[\"promise\",-2]]]"), resolve(-2, "2"), resolve(-1, "1")),
    row("promise in a result that is rejected", main("a", "makeRejecting"), wait("a"), resolve(1, "{\"p\":[\"promise\",-1]}"), reject(-1, "Error", "inner"))),
  ...shows("promises/chains",
    row("result that is a promise", main("a", "hold"), wait("a"), resolve(1, "[\"promise\",-1]"), resolve(-1, "5")),
    row("result that is a promise of a stub", main("a", "hold"), wait("a", "s"), resolve(1, "[\"promise\",-1]"), resolve(-1, "[\"export\",-2]"), call("b", "s", []), dispose("b"), dispose("s"))),
  ...shows("calls/callback",
    row("function that is called", func("f", "double"), main("a", "callBack", its("f"), 5), wait("a"), called(-1, "5"), pull(1), release(1), release(-1), resolve(1, "10")),
    row("function that throws", func("f", "fail"), main("a", "callBack", its("f")), called(-1), pull(1), release(1), release(-1), dispose("a")),
    row("function that takes its time", func("f", "wait"), main("a", "callBack", its("f")), called(-1), pull(1), settle("f", "late"), release(1), release(-1), dispose("a")),
    row("function that is called and not pulled", func("f", "double"), main("a", "callBack", its("f")), called(-1, "5"), release(1), release(-1), dispose("a")),
    row("function released while it runs", func("f", "wait"), main("a", "callBack", its("f")), called(-1), pull(1), release(-1), settle("f", 1), release(1), dispose("a")),
    row("function that is given a stub and does not keep it", func("f", "wait"), main("a", "keep", its("f")), dispose("a"), called(-1, "[\"export\",-1]"), pull(1), settle("f", 1), release(1), release(-1))),
  ...shows("references/home",
    row("stub of the peer, sent back", main("a", "makeCounter"), wait("a", "s"), resolve(1, "[\"export\",-1]"), main("b", "keep", its("s")), dispose("b"), dispose("s")),
    row("function that comes home as the whole result", func("f", "double"), main("a", "giveBack", its("f")), resolve(1, "[\"import\",-1]"), call("b", "a", [], 4), wait("b"), dispose("a"), release(-1)),
    row("main object of the peer, sent back", main("a", "giveBack", its(MAIN)), dispose("a"))),
  ...shows("promises/of-the-peer",
    row("function that comes home in an object", func("f", "double"), main("a", "giveBack", its("f")), wait("a", "v"), resolve(1, "{\"stub\":[\"import\",-1]}"), call("b", "v", ["stub"], 4), wait("b"), dispose("v"), release(-1)),
    row("result of a function that comes home", func("f", "double"), main("a", "callBack", its("f"), 5), wait("a"), called(-1, "5"), resolve(1, "{\"r\":[\"pipeline\",1]}"), release(1), release(-1))),
  ...shows("map/recording",
    row("map of a result", main("a", "echo", [1, 2]), map("m", "a", square(ITEM)), wait("m"), resolve(2, "[[1,4]]"), dispose("a")),
    row("map to an object", main("a", "echo", [1]), map("m", "a", { of: ITEM, is: [square(ITEM)], x: "constant" }), dispose("m"), dispose("a")),
    row("map to the elements themselves", main("a", "echo", [1]), map("m", "a", ITEM), dispose("m"), dispose("a")),
    row("map to a property of the elements", main("a", "echo", [1]), map("m", "a", its("item", "a", "b")), dispose("m"), dispose("a")),
    row("map to a constant", main("a", "echo", [1]), map("m", "a", [5, null, "x"]), dispose("m"), dispose("a")),
    row("map that calls the elements", main("a", "echo", [1]), map("m", "a", { call: "item", path: ["increment"], args: [1] }), dispose("m"), dispose("a")),
    row("map in two steps", main("a", "echo", [1]), map("m", "a", square(square(ITEM))), dispose("m"), dispose("a")),
    row("map of a property", map("m", MAIN, square(ITEM), ["info", "list"]), dispose("m")),
    row("map of a map", main("a", "echo", [1]), map("m", "a", square(ITEM)), map("n", "m", square(ITEM)), dispose("n"), dispose("m"), dispose("a"))),
  ...shows("map/nested",
    row("map in a map, recorded", main("a", "echo", [[1]]), map("m", "a", { map: "item", each: square(ITEM) }), dispose("m"), dispose("a")),
    flagged({ freedom: "captures" }, "map in a map that uses the outer element, recorded", main("a", "echo", [[1]]), map("m", "a", { map: "item", path: ["row"], each: { call: MAIN, path: ["add"], args: [its("outer", "by"), ITEM] } }), dispose("m"), dispose("a"))),
  ...shows("stream/readable",
    row("stream that is sent", readable("r"), main("a", "collect", its("r")), wait("a"), write("r", "x"), done(3), close("r"), done(4), resolve(2, "[[\"x\"]]")),
    row("stream that is sent, several chunks ahead", readable("r"), main("a", "collect", its("r")), write("r", 1), write("r", 2), write("r", 3), done(3), done(4), done(5), close("r"), done(6), dispose("a")),
    row("stream that is empty", readable("r"), main("a", "collect", its("r")), close("r"), done(3), dispose("a")),
    row("stream among other calls", readable("r"), main("a", "collect", its("r")), main("b", "square", 2), write("r", 1), wait("b"), resolve(3, "4"), done(4), close("r"), done(5), dispose("a"))),
  ...shows("stream/aborted",
    row("stream that fails at its sender", readable("r"), main("a", "collect", its("r")), write("r", 1), done(3), abort("r", "RangeError", "no"), done(4), dispose("a"))),
  ...shows("stream/cancelled",
    row("stream whose reader has gone", readable("r"), main("a", "collect", its("r")), write("r", 1), reject(3, "Error", "gone"), dispose("a")),
    flagged({ freedom: "reasons" }, "received stream that is cancelled", main("a", "count"), wait("a", "r"), "[\"pipe\"]", resolve(1, "[\"readable\",1]"), stream(1, "write", "1"), cancel("r"), release(1))),
  ...shows("stream/acknowledged-when-taken",
    row("received stream", main("a", "count"), wait("a", "r"), "[\"pipe\"]", resolve(1, "[\"readable\",1]"), read("r"), stream(1, "write", "\"x\""), read("r"), stream(1, "close"), release(1)),
    row("received stream that is aborted", main("a", "count"), wait("a", "r"), "[\"pipe\"]", resolve(1, "[\"readable\",1]"), read("r"), stream(1, "abort", "[\"error\",\"RangeError\",\"no\"]"), release(1))),
  ...shows("stream/writable",
    row("writable that is sent", writable("w"), main("a", "fill", its("w")), stream(-1, "write", "\"x\""), stream(-1, "close"), release(-1), dispose("a")),
    row("writable that is sent and aborted", writable("w"), main("a", "fill", its("w")), stream(-1, "write", "1"), stream(-1, "abort", "[\"error\",\"RangeError\",\"no\"]"), release(-1), dispose("a")),
    row("received writable", main("a", "open"), wait("a", "w"), resolve(1, "[\"writable\",-1]"), write("w", "x"), done(2), write("w", "y"), close("w"), done(3), done(4)),
    row("received writable that is not used", main("a", "open"), wait("a", "w"), resolve(1, "{\"w\":[\"writable\",-1]}"), dispose("w")),
    row("received writable that is aborted", main("a", "open"), wait("a", "w"), resolve(1, "[\"writable\",-1]"), write("w", "x"), done(2), abort("w", "RangeError", "no"), done(3)),
    row("received writable whose write fails", main("a", "open"), wait("a", "w"), resolve(1, "[\"writable\",-1]"), write("w", "x"), reject(2, "RangeError", "no"))),
  ...shows("stream/released-unclosed",
    row("writable that is released unclosed", writable("w"), main("a", "fill", its("w")), stream(-1, "write", "1"), release(-1), dispose("a")),
    row("stream released unclosed by its sender", main("a", "count"), wait("a", "r"), "[\"pipe\"]", resolve(1, "[\"readable\",1]"), read("r"), release(1))),
  ...shows("abort/pending",
    row("abort while calls wait", main("a", "hold"), main("b", "hold"), wait("a"), wait("b"), "[\"abort\",[\"error\",\"RangeError\",\"enough\"]]"),
    row("abort with a plain value while a call waits", main("a", "hold"), wait("a"), "[\"abort\",\"enough\"]"),
    row("bad message while a call waits", main("a", "hold"), wait("a"), "[\"bogus\",1]")),
  ...shows("resolve/unasked",
    row("call answered before it is awaited", main("a", "square", 5), resolve(1, "25"), wait("a")),
    row("call rejected before it is awaited", main("a", "fail"), reject(1, "RangeError", "no"), wait("a")),
    row("call answered unasked, whose result is used", main("a", "makeCounter"), resolve(1, "[\"export\",-1]"), call("b", "a", ["increment"]), dispose("b"), dispose("a")),
    row("stub resolved unasked", main("a", "makeCounter"), wait("a", "s"), resolve(1, "[\"export\",-1]"), resolve(-1, "5"), dispose("s")),
    row("main object resolved unasked", resolve(0, "{\"x\":[\"export\",-1]}"), call("a", MAIN, ["x", "f"]), dispose("a"))),
  ...shows("resolve/once",
    row("call answered twice", main("a", "square", 5), wait("a"), resolve(1, "25"), resolve(1, "26"))),
];
