// @ts-check

/** Pictures are mostly 4:3, some are wider; a tile is at most as wide as between the two. */
const RATIO = 4 / 3;
const WIDEST = 1.5;
export const GAP_PX = 4;
const NARROW_PX = 480;
/** A strip's tile beside a pinned one. */
const STRIP_HEIGHT_PX = { narrow: 60, wide: 84 };

/**
 * How tall the grid may be at most beside the page's other things.
 *
 * @param {number} width of the card in pixels
 * @returns {number} pixels
 */
export function heightFor(width) {
  return Math.round(Math.min(600, Math.max(420, 0.63 * width)));
}

/** @typedef {{columns: number, rows: number, width: number, height: number}} Grid of one tile */

/**
 * The grid in which tiles of one size are largest, as pictures of 4:3; with fewer rows if equal.
 *
 * @param {number} count of tiles
 * @param {number} width of the whole in pixels
 * @param {number} height that it may have at most
 * @returns {Grid}
 */
export function gridOf(count, width, height) {
  /** @type {Grid} */
  let best = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  let largest = -1;
  for (let columns = Math.max(1, count); columns >= 1; columns--) {
    const rows = Math.max(1, Math.ceil(count / columns));
    if (columns > 1 && Math.ceil(count / (columns - 1)) === rows) continue; // a column too many
    const across = Math.floor((width - GAP_PX * (columns - 1)) / columns);
    const down = Math.floor((height - GAP_PX * (rows - 1)) / rows);
    const tall = Math.max(1, Math.min(down, Math.round(across / RATIO)));
    const picture = Math.min(across, tall * RATIO);
    if (picture > largest + 0.5) {
      largest = picture;
      const wide = Math.min(across, Math.round(tall * WIDEST));
      best = { columns, rows, width: Math.max(1, wide), height: tall };
    }
  }
  return best;
}

/**
 * One large tile, and below it a row of small ones, as many as there is room for.
 *
 * @param {number} others how many more there are
 * @param {number} width of the whole in pixels
 * @param {number} height that it may have at most
 * @returns {{width: number, height: number, small: {width: number, height: number}, fit: number}}
 */
export function pinnedOf(others, width, height) {
  const tall = width < NARROW_PX ? STRIP_HEIGHT_PX.narrow : STRIP_HEIGHT_PX.wide;
  const small = { width: Math.round(tall * RATIO), height: tall };
  const fit = Math.max(1, Math.floor((width + GAP_PX) / (small.width + GAP_PX)));
  const room = others > 0 ? height - tall - GAP_PX : height;
  return { width, height: Math.max(1, Math.min(room, Math.round(width / RATIO))), small, fit };
}
