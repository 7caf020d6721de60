// @ts-check

const FLOOR_DB = -60;

/** The last seconds of sound as one peak for each column; the oldest falls out. */
export class Wave {
  /** @param {number} columns */
  constructor(columns) {
    this.peaks = new Float32Array(columns);
    this.next = 0;
  }

  /** @param {number} peak 0 to 1 */
  push(peak) {
    this.peaks[this.next] = Math.min(1, Math.max(0, peak));
    this.next = (this.next + 1) % this.peaks.length;
  }

  /**
   * @param {number} column 0 is the oldest
   * @returns {number}
   */
  at(column) {
    return this.peaks[(this.next + column) % this.peaks.length];
  }

  /** @returns {number} the newest peak */
  get latest() {
    return this.at(this.peaks.length - 1);
  }
}

/**
 * @param {ArrayLike<number>} samples -1 to 1
 * @returns {number} the highest absolute value
 */
export function peakOf(samples) {
  let peak = 0;
  for (let i = 0; i < samples.length; i++) {
    const value = Math.abs(samples[i]);
    if (value > peak) peak = value;
  }
  return peak;
}

/**
 * Loudness as people see it on a meter: 0 at -60 dBFS, 1 at 0 dBFS.
 *
 * @param {number} peak 0 to 1
 * @returns {number} 0 to 1
 */
export function loudness(peak) {
  if (peak <= 0) return 0;
  const db = 20 * Math.log10(peak);
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}

/**
 * A meter's needle: up at once, down slowly.
 *
 * @param {number} shown 0 to 1
 * @param {number} level 0 to 1
 * @returns {number}
 */
export function fallingLevel(shown, level) {
  return Math.max(level, shown - 0.04);
}
