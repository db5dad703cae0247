// Made of Rust types by capnweb: change those, and not this file.
import type { RpcStub, RpcTarget } from "capnweb";

/** What a client begins with. */
export interface Api extends Base {
  /**
   * Who has this token.
   *
   * # Errors
   * If nobody has.
   */
  authenticate(token: string): Session | Promise<Session>;
  add(a: number, b: number): number | Promise<number>;
  greeting(name: string, title?: string | null): string | Promise<string>;
  /** Of the server. */
  readonly version: string | Promise<string>;
  ids(): Array<number> | Promise<Array<number>>;
  nameOf(id: number): string | Promise<string>;
  tomorrow(day: Date): Date | Promise<Date>;
  reversed(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  doubled(n: bigint): bigint | Promise<bigint>;
  account(): Account | Promise<Account>;
  newest(): Item | Promise<Item>;
  /** The numbers of the items on a page. */
  page(page: Page<Item>): Page<number> | Promise<Page<number>>;
  count(words: Array<string>): { [key in string]: number } | Promise<{ [key in string]: number }>;
  describe(shape: Shape): string | Promise<string>;
  echo(value: unknown): unknown;
  adder(a: number): ((a: number) => number | Promise<number>) | Promise<(a: number) => number | Promise<number>>;
  notify(listener: Listener): string | Promise<string>;
  numbers(until: number): ReadableStream<number> | Promise<ReadableStream<number>>;
  total(numbers: ReadableStream<number>): number | Promise<number>;
  untyped(any: RpcStub<any>): RpcStub<any> | Promise<RpcStub<any>>;
}

export interface Base extends RpcTarget {
  /** Answers `pong`. */
  ping(): string | Promise<string>;
}

/** What clients implement. */
export interface Listener extends RpcTarget {
  readonly label: string | Promise<string>;
  /** Something has happened. */
  notified(what: string, by: Session): boolean | Promise<boolean>;
}

export interface Session extends RpcTarget {
  profile(): Profile | Promise<Profile>;
  /** Calls back until that says no, and tells how often it said yes. */
  watch(onChange: (a: string, b: number) => boolean | Promise<boolean>): number | Promise<number>;
  introduce(to: (a: RpcStub<Session>) => string | Promise<string>): string | Promise<string>;
}

export type Account = { balance: bigint };

export type Item = { id: number; title: string | null; tags: Array<string> };

/** Some of many. */
export type Page<T> = {
  items: Array<T>;
  /** The number of the next page. */
  next: number | null;
};

export type Profile = {
  /** What friends say. */
  firstName: string;
  since: Date;
};

export type Shape =
  | { "kind": "circle"; radius: number }
  | { "kind": "rectangle"; width: number; height: number }
  | { "kind": "nothing" };
