// @ts-check

const KEPT_S = 120;
/** Between readings further apart than this nothing was known: no line is drawn. */
const GAP_S = 3.5;

/** @typedef {Record<string, number|null|undefined>} Reading */

/** The figures of the last two minutes, one reading a second. Only in the page, never in a trait. */
export class StatsHistory {
  constructor() {
    /** @type {{at: number, reading: Reading}[]} */
    this.kept = [];
  }

  /**
   * @param {number} now in seconds
   * @param {Reading} reading
   */
  add(now, reading) {
    this.kept.push({ at: now, reading });
    while (this.kept.length > 0 && this.kept[0].at < now - KEPT_S) this.kept.shift();
  }

  /** @returns {Reading} the newest; empty when there is none */
  get latest() {
    return this.kept[this.kept.length - 1]?.reading ?? {};
  }

  /**
   * Columns for a chart: seconds before the newest reading (0 and less), then a line for each name.
   *
   * @param {string[]} names
   * @param {number} [scale] each value is multiplied by it
   * @returns {[number[], ...(number|null)[][]]}
   */
  columns(names, scale = 1) {
    /** @type {number[]} */
    const x = [];
    /** @type {(number|null)[][]} */
    const lines = names.map(() => []);
    const end = this.kept[this.kept.length - 1]?.at ?? 0;
    let before = -Infinity;
    for (const { at, reading } of this.kept) {
      if (x.length > 0 && at - before > GAP_S) {
        x.push((before + at) / 2 - end);
        for (const line of lines) line.push(null);
      }
      before = at;
      x.push(at - end);
      names.forEach((name, i) => {
        const value = reading[name];
        lines[i].push(typeof value === "number" ? value * scale : null);
      });
    }
    return [x, ...lines];
  }
}
