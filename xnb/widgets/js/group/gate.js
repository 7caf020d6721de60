// @ts-check

/** Lets connections be made a few at a time: many at once take longer than each may take. */
export class Gate {
  /** @param {number} most that may be under way */
  constructor(most) {
    this.most = most;
    /** @type {Set<string>} */
    this.inside = new Set();
    /** @type {Map<string, () => void>} */
    this.waiting = new Map();
  }

  /**
   * @param {string} key
   * @param {() => void} begin called at once, or when there is room
   */
  enter(key, begin) {
    if (this.inside.has(key)) return;
    this.waiting.set(key, begin);
    this.#next();
  }

  /** It is made, or will not be. @param {string} key */
  leave(key) {
    this.waiting.delete(key);
    if (this.inside.delete(key)) this.#next();
  }

  #next() {
    for (const [key, begin] of this.waiting) {
      if (this.inside.size >= this.most) return;
      this.waiting.delete(key);
      this.inside.add(key);
      begin();
    }
  }
}
