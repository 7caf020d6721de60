// @ts-check

// A click waits in the kernel for as long as a cell runs; it is carried out in the end.
const PATIENCE_MS = 60_000;

/**
 * Values that the page already shows although Python has not said so yet. An entry ends when
 * Python says the same, refuses, or takes too long.
 */
export class Optimistic {
  /** @param {() => number} now in milliseconds */
  constructor(now = () => performance.now()) {
    /** @type {Map<string, {value: unknown, until: number}>} */
    this.entries = new Map();
    this.now = now;
  }

  /**
   * @param {string} name
   * @param {unknown} value
   */
  set(name, value) {
    this.entries.set(name, { value, until: this.now() + PATIENCE_MS });
  }

  /** @param {string} name */
  drop(name) {
    this.entries.delete(name);
  }

  /**
   * What to show.
   *
   * @template T
   * @param {string} name
   * @param {T} told what Python said last
   * @returns {T}
   */
  get(name, told) {
    const entry = this.entries.get(name);
    if (!entry) return told;
    if (entry.value === told || this.now() > entry.until) {
      this.entries.delete(name);
      return told;
    }
    return /** @type {T} */ (entry.value);
  }
}
