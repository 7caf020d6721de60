// @ts-check

const STRANGE_MS = 250;
const LEAK = 1e-4;

/**
 * Puts the times of one kind of media on the page's own clock, so that camera and microphone,
 * which count from wherever they like, are in step: whatever came promptest was not late.
 */
export class Timeline {
  constructor() {
    /** @type {number|null} */
    this.offset = null;
    this.seen = 0;
    this.latest = -Infinity;
  }

  /**
   * @param {number} media milliseconds on the medium's own clock
   * @param {number} now milliseconds on the page's clock
   * @returns {number} milliseconds on the page's clock, rising
   */
  time(media, now) {
    const offset = now - media;
    if (this.offset === null || Math.abs(offset - this.offset) > STRANGE_MS) {
      this.offset = offset;
    } else {
      // Two clocks drift: what nothing confirms rises by 0.1 ms a second.
      this.offset = Math.min(offset, this.offset + LEAK * Math.max(0, now - this.seen));
    }
    this.seen = now;
    this.latest = Math.max(media + this.offset, this.latest + 0.1);
    return this.latest;
  }
}
