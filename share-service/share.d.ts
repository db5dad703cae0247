// Made of Rust types by capnweb: change those, and not this file.
import type { RpcTarget } from "capnweb";

/**
 * The main object of a service that shares sessions.
 *
 * What a client may do to a share depends on the share's secret, which every call carries.
 *
 * The items of `data` are objects with a `type`: `session` (whose `data` is the session), `message` and `part` (an
 * object with an `id`), `session_diff` (an array of anything), or `model` (an array of objects with an `id`). Those of
 * other types are skipped. A session replaces the one that there is, diffs are appended, everything else replaces what
 * has the same `id` or is added behind it. What is in them is kept as `JSON.stringify` would write it; a bigint, a
 * function or an object with methods fails the call with a `TypeError` that says where it was.
 */
export interface ShareApi extends RpcTarget {
  /**
   * Creates the share of a session, or finds the one that it has. Data is merged as by a sync, in either case, and
   * counts as one.
   *
   * # Errors
   * `Error`, if the session's id is empty or too long, if the share's id already belongs to another session, and for
   * data that a sync would refuse.
   */
  createShare(sessionId: string, initialData?: Array<unknown> | null): ShareInfo | Promise<ShareInfo>;
  /**
   * Merges changes into a share, all or none. They are durable when this returns.
   *
   * # Errors
   * `Error`, with the message `Share not found` or `Invalid secret`, or one that says which item lacks what or is
   * beyond which limit.
   */
  syncShare(shareId: string, secret: Secret, data: Array<unknown>): SyncResult | Promise<SyncResult>;
  /**
   * Deletes a share.
   *
   * # Errors
   * `Error`, with the message `Share not found` or `Invalid secret`.
   */
  deleteShare(shareId: string, secret: Secret): DeleteResult | Promise<DeleteResult>;
  /**
   * Shows what values arrive as.
   *
   * # Errors
   * `RangeError`, for an invalid date.
   */
  probeValue(probe: Probe): Probed | Promise<Probed>;
  /**
   * Calls a function with `server-called`, and returns what it returns.
   *
   * # Errors
   * What the function throws.
   */
  probeCallback(callback: (a: string) => string | Promise<string>): string | Promise<string>;
}

/** The answer to deleting a share. */
export type DeleteResult = {
  /** Always true: a failure is an error. */
  success: boolean;
};

/** Values to be shown. */
export type Probe = {
  /** A date. */
  when: Date;
  /** Binary data. */
  bytes: Uint8Array;
  /** Anything. */
  nested: unknown;
};

/** What has arrived of a `Probe`. */
export type Probed = {
  /** The date as text: ISO 8601, with milliseconds and `Z`. */
  when: string;
  /** The bytes, as an array of numbers. */
  bytes: Array<number>;
  /** How many bytes there are. */
  size: number;
  /** What was nested, as it came. */
  nested: unknown;
};

/** Something that proves the right to do something. Compared in constant time, never shown by `Debug`. */
export type Secret = string;

/** The answer to creating a share. */
export type ShareInfo = {
  /** The id of the share. */
  id: string;
  /** What the client must present to change it. */
  secret: Secret;
  /** Where it can be seen. */
  url: string;
};

/** The answer to a sync. */
export type SyncResult = {
  /** Always true: a failure is an error. */
  success: boolean;
  /**
   * How many syncs the share holds by now, this one included. A client that lost the answer to a sync finds out by
   * this number whether it was stored.
   */
  syncCount: number;
};
