// An R2 bucket that takes one write per second and key, as Cloudflare's does and its emulation does
// not. A module of the runtime: what it returns takes the place of the binding.
//
// Every write that it is asked for is noted in the object `.writes` of the bucket behind it. The object
// `.next/KEY` there is a list of what the next writes of a key meet with:
//
//   { meanwhile: VALUE }   somebody else writes this just before
//   { refused: true }      nothing is written, and an error is the answer
//   { lost: true }         all is written, and an error is the answer nevertheless
//   {}                     nothing

const INTERVAL = 1_000;

// The runtime's bindings tell by this name what they are.
class R2Bucket {
  #bucket;
  #last = new Map();
  #log = [];

  constructor(bucket) { this.#bucket = bucket; }

  head(key) { return this.#bucket.head(key); }
  get(key, options) { return this.#bucket.get(key, options); }
  list(options) { return this.#bucket.list(options); }
  async delete(keys) { return await this.#bucket.delete(keys); }

  async put(key, value, options) {
    const now = Date.now();
    const refused = now - (this.#last.get(key) ?? -INTERVAL) < INTERVAL;
    this.#log.push({ key, now, refused });
    await this.#bucket.put(".writes", JSON.stringify(this.#log));
    if (refused) {
      throw new Error("put: Reduce your concurrent request rate for the same object. (10058)");
    }
    this.#last.set(key, now);
    const { meanwhile, refused: fails, lost } = await this.#next(key);
    if (fails) throw new Error("put: We encountered an internal error. (10001)");
    if (meanwhile) await this.#bucket.put(key, JSON.stringify(meanwhile));
    const object = await this.#bucket.put(key, value, options);
    if (lost) throw new Error("put: Network connection lost.");
    return object;
  }

  async #next(key) {
    const object = await this.#bucket.get(`.next/${key}`);
    const [next = {}, ...later] = object ? await object.json() : [];
    if (object) await this.#bucket.put(`.next/${key}`, JSON.stringify(later));
    return next;
  }
}

export default env => new R2Bucket(env.BUCKET);
