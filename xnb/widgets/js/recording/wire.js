// @ts-check

/** @typedef {{content: any, buffers: DataView[]}} Answer */
/** @typedef {{resolve: (answer: Answer) => void, reject: (error: Error) => void,
 *   progress?: (share: number) => void}} Waiting */

const SILENT_MS = 4000;
const AGAIN_MS = 15_000;
const TRIES = 4;
// Of 256 KiB each. Jupyter's server holds back more than 3 MB that nobody asked for.
const IN_FLIGHT = 6;
// Parts of a Blob of this size are no longer in the page's own memory.
const MERGED_BYTES = 16 << 20;

/** What is said when the user, not the network, ended a request. */
export class Canceled extends Error {}

/** Asks Python and gets answers, in custom messages of one model. */
export class Wire {
  /**
   * @param {{send(content: object): void}} model
   * @param {{silent(silent: boolean): void}} hooks told when Python keeps us waiting
   * @param {{page?: string, now?: () => number}} [options]
   */
  constructor(model, hooks, { page, now = () => performance.now() } = {}) {
    this.model = model;
    this.hooks = hooks;
    this.page = page ?? crypto.getRandomValues(new Uint32Array(3)).join("-");
    this.now = now;
    /** @type {Map<number, Waiting>} */
    this.waiting = new Map();
    this.next = 1;
    this.heard = now();
    this.silent = false;
  }

  /**
   * @param {string} type
   * @param {object} [content]
   * @param {{progress?: (share: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<Answer>}
   */
  ask(type, content = {}, { progress, signal } = {}) {
    const id = this.next++;
    if (this.waiting.size === 0) this.heard = this.now();
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      signal?.addEventListener("abort", () => {
        this.model.send({ type: "cancel", page: this.page, id });
      });
      this.model.send({ type, page: this.page, id, ...content });
    });
  }

  /**
   * A message of Python.
   *
   * @param {any} content
   * @param {DataView[]} buffers
   */
  receive(content, buffers) {
    if (content?.page !== this.page) return;
    const waiting = this.waiting.get(content.id);
    if (!waiting) return;
    this.heard = this.now();
    this.#setSilent(false);
    if (content.type === "progress") {
      waiting.progress?.(content.share);
      return;
    }
    this.waiting.delete(content.id);
    if (content.type === "failed") waiting.reject(new Error(content.text));
    else if (content.type === "canceled") waiting.reject(new Canceled());
    else waiting.resolve({ content, buffers });
  }

  /** Now and then: notices that nothing comes. */
  tick() {
    this.#setSilent(this.waiting.size > 0 && this.now() - this.heard > SILENT_MS);
  }

  /** @param {boolean} silent */
  #setSilent(silent) {
    if (silent === this.silent) return;
    this.silent = silent;
    this.hooks.silent(silent);
  }

  /** Nobody waits any more. */
  close() {
    for (const { reject } of this.waiting.values()) reject(new Canceled());
    this.waiting.clear();
  }

  /**
   * Brings a file into the page, piece by piece: the next piece is asked for when one has come.
   *
   * @param {{form: number, size_bytes: number, piece_bytes: number}} file
   * @param {(loaded: number) => void} progress
   * @param {(ms: number) => Promise<void>} [sleep]
   * @returns {Promise<BlobPart[]>} in order
   */
  async read({ form, size_bytes, piece_bytes }, progress, sleep = later) {
    /** @type {(BlobPart|undefined)[]} */
    const pieces = new Array(Math.ceil(size_bytes / piece_bytes));
    /** @type {BlobPart[]} */
    const merged = [];
    let next = 0;
    let done = 0;
    let first = 0;
    let loaded = 0;
    const merge = (/** @type {boolean} */ all) => {
      const full = (done - first) * piece_bytes >= MERGED_BYTES;
      if (!all && !full) return;
      merged.push(new Blob(/** @type {BlobPart[]} */ (pieces.slice(first, done))));
      pieces.fill(undefined, first, done);
      first = done;
    };
    const worker = async () => {
      while (next < pieces.length) {
        const index = next++;
        const offset = index * piece_bytes;
        const length = Math.min(piece_bytes, size_bytes - offset);
        const data = await this.#piece({ form, offset, length }, sleep);
        pieces[index] = data;
        loaded += length;
        while (done < pieces.length && pieces[done] !== undefined) done += 1;
        merge(false);
        progress(loaded);
      }
    };
    await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, pieces.length) }, worker));
    merge(true);
    return merged;
  }

  /**
   * @param {{form: number, offset: number, length: number}} piece
   * @param {(ms: number) => Promise<void>} sleep
   * @returns {Promise<BlobPart>}
   */
  async #piece(piece, sleep) {
    for (let tries = 0; tries < TRIES; tries++) {
      const id = this.next;
      const late = sleep(AGAIN_MS).then(() => null);
      const answer = await Promise.race([this.ask("read", piece), late]);
      this.waiting.delete(id);
      if (!answer) continue;
      const data = answer.buffers[0];
      if (data?.byteLength !== piece.length) throw new Error("The file changed while it was read.");
      // A copy: the view may be into a whole message.
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    }
    throw new Error("lost");
  }
}

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
function later(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
