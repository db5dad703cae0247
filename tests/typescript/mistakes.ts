// Every line that has a comment with a number behind it is a mistake, which the compiler refuses
// with this number. It refuses nothing else here; the test compares both.

import { RpcTarget, type RpcStub } from "capnweb";
import type { Api, Listener, Session } from "./api.js";

export async function mistakes(api: RpcStub<Api>) {
  await api.nothing(); // TS2339
  await api.add(1, "2"); // TS2345
  await api.add(1); // TS2554
  await api.add(1, 2, 3); // TS2554
  await api.add(1, api.greeting("Alice")); // TS2345
  const sum: string = await api.add(1, 2); // TS2322
  await api.version(); // TS2349
  await api.tomorrow("2020-01-01"); // TS2345
  await api.doubled(2); // TS2345
  await api.greeting("Alice", 3); // TS2345
  await api.describe({ kind: "square", side: 1 }); // TS2322
  await api.authenticate("secret").profile().lastName; // TS2339
  await api.authenticate("secret").watch((what: number) => what > 1); // TS2345
  await api.authenticate("secret").watch((what, n) => "yes"); // TS2345
  await api.notify({ notified: () => true, label: "no target" }); // TS2345
  await api.notify(new Silent()); // TS2345
  await api.total(new ReadableStream<string>()); // TS2345
  const title: string = (await api.newest()).title; // TS2322
  return sum + title;
}

class Silent extends RpcTarget {}

export class Wrong extends RpcTarget implements Listener {
  label = "wrong";
  notified(what: string, by: RpcStub<Session>) { // TS2416
    return `${what} ${by}`;
  }
}
