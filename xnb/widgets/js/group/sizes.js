// @ts-check

/** A smaller change does not call for another layer. */
const CHANGE = 0.15;
/** A tile that goes out of view for a moment only keeps its picture. */
export const HIDE_AFTER_MS = 2000;
/** Growth is not told more often than this, and a smaller size when it has stood for so long. */
export const SETTLE_MS = 250;

/** @typedef {Record<string, number>} Heights of the tiles by key, in pixels of the screen */
/** @typedef {"same"|"shown"|"grown"|"shrunk"|"hidden"} Change */

/**
 * @param {number|undefined} told undefined while nothing was
 * @param {number} now
 * @returns {Change}
 */
export function changeOf(told, now) {
  if (told === undefined) return now > 0 ? "shown" : "shrunk";
  if (told === now) return "same";
  if (told === 0) return "shown";
  if (now === 0) return "hidden";
  if (Math.abs(now - told) <= CHANGE * Math.max(told, now)) return "same";
  return now > told ? "grown" : "shrunk";
}

/**
 * Decides when Python is told how tall the tiles are: of one that is shown or grows at once, of
 * one that is hidden after a while, and then even if others change all the time.
 */
export class HeightReports {
  /**
   * @param {() => Heights|null} read the heights now; null while there is nobody to be told
   * @param {(heights: Heights, before: Heights) => void} tell
   * @param {() => number} [clock] milliseconds
   */
  constructor(read, tell, clock = () => performance.now()) {
    this.read = read;
    this.tell = tell;
    this.clock = clock;
    /** @type {Heights} */
    this.told = {};
    this.toldAt = -Infinity;
    /** What is not told yet, and since when. @type {Map<string, {change: Change, at: number}>} */
    this.changes = new Map();
    this.dueAt = Infinity;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** Tiles may have other heights now. */
  look() {
    const heights = this.read();
    if (!heights) {
      this.#stop();
      return;
    }
    this.#follow(heights);
    const dueAt = Math.min(...[...this.changes.keys()].map((key) => this.#due(key)));
    if (dueAt === Infinity) this.#stop();
    else if (dueAt < this.dueAt) this.#wait(dueAt);
  }

  /** Tell of this tile anew, whatever was told. @param {string} key */
  forget(key) {
    delete this.told[key];
    this.changes.delete(key);
  }

  /** Nothing was told any more; `look` begins anew. */
  clear() {
    this.#stop();
    this.told = {};
    this.changes.clear();
  }

  /** @param {Heights} heights */
  #follow(heights) {
    const now = this.clock();
    for (const key of this.changes.keys()) if (!(key in heights)) this.changes.delete(key);
    for (const [key, height] of Object.entries(heights)) {
      const change = changeOf(this.told[key], height);
      if (change === "same") this.changes.delete(key);
      else if (this.changes.get(key)?.change !== change) this.changes.set(key, { change, at: now });
    }
  }

  /** @param {string} key @returns {number} when it is to be told, in milliseconds of the clock */
  #due(key) {
    const { change, at } = this.changes.get(key) ?? { change: "same", at: Infinity };
    if (change === "shown") return at;
    if (change === "grown") return Math.max(at, this.toldAt + SETTLE_MS);
    return at + (change === "hidden" ? HIDE_AFTER_MS : SETTLE_MS);
  }

  /** @param {number} dueAt */
  #wait(dueAt) {
    clearTimeout(this.timer);
    this.dueAt = dueAt;
    this.timer = setTimeout(() => this.#fire(), Math.max(0, dueAt - this.clock()));
  }

  #stop() {
    clearTimeout(this.timer);
    this.dueAt = Infinity;
  }

  #fire() {
    this.dueAt = Infinity;
    const heights = this.read();
    if (!heights) return;
    this.#follow(heights);
    // Timers may be early by less than a millisecond.
    const now = this.clock() + 1;
    const isDue = (/** @type {string} */ key) => this.#due(key) <= now;
    if ([...this.changes.keys()].some(isDue)) {
      const before = this.told;
      this.told = {};
      for (const [key, height] of Object.entries(heights)) {
        const isKept = this.changes.get(key)?.change === "hidden" && !isDue(key);
        this.told[key] = isKept ? before[key] : height;
      }
      this.toldAt = now;
      this.tell({ ...this.told }, before);
    }
    this.look();
  }
}
