// @ts-check

/** A smaller change does not call for another layer. */
const CHANGE = 0.15;
/** A tile that goes out of view for a moment only keeps its picture. */
export const HIDE_AFTER_MS = 2000;
export const SETTLE_MS = 250;

/** @typedef {Record<string, number>} Heights of the tiles by key, in pixels of the screen */

/**
 * Whether Python should be told.
 *
 * @param {Heights} told
 * @param {Heights} now
 * @returns {boolean}
 */
export function isOther(told, now) {
  const keys = Object.keys(now);
  if (keys.length !== Object.keys(told).length) return true;
  return keys.some((key) => {
    const [before, after] = [told[key], now[key]];
    if (before === undefined || (before === 0) !== (after === 0)) return true;
    return Math.abs(after - before) > CHANGE * Math.max(before, after);
  });
}

/**
 * How long to wait before telling it: shown at once, changed when it stands, hidden later.
 *
 * @param {Heights} told
 * @param {Heights} now
 * @returns {number} milliseconds
 */
export function patience(told, now) {
  const keys = Object.keys(now);
  if (keys.some((key) => !told[key] && now[key] > 0)) return 0;
  return keys.some((key) => told[key] > 0 && now[key] === 0) ? HIDE_AFTER_MS : SETTLE_MS;
}
