// @ts-check

/** @typedef {{from: number, to: number}} Span seconds */

const SHORTEST_VIEW_S = 1;
export const SHORTEST_PART_S = 0.1;

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @returns {number}
 */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/**
 * @param {number} seconds
 * @returns {string} `0:04.2`, `12:05.0`, `1:02:03.5`
 */
export function moment(seconds) {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const whole = Math.floor(tenths / 10);
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  const rest = `${two(whole % 60)}.${tenths % 10}`;
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/**
 * @param {number} bytes
 * @returns {string} `3.4 MB`, `120 MB`, `12 kB`
 */
export function size(bytes) {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/**
 * How far a key moves the position of a slider (ARIA), in seconds.
 *
 * @param {{key: string, shiftKey: boolean}} event
 * @param {number} now
 * @param {number} end
 * @param {number} [step] of an arrow key
 * @returns {number|null} the new position
 */
export function movedBy(event, now, end, step = 1) {
  const fine = event.shiftKey ? step / 10 : step;
  switch (event.key) {
    case "ArrowRight":
    case "ArrowUp":
      return clamp(now + fine, 0, end);
    case "ArrowLeft":
    case "ArrowDown":
      return clamp(now - fine, 0, end);
    case "PageUp":
      return clamp(now + 10 * step, 0, end);
    case "PageDown":
      return clamp(now - 10 * step, 0, end);
    case "Home":
      return 0;
    case "End":
      return end;
    default:
      return null;
  }
}

/**
 * @param {number} seconds
 * @param {Span} view
 * @returns {number} 0 at the left edge, 1 at the right one, beyond outside of it
 */
export const placeOf = (seconds, view) => (seconds - view.from) / (view.to - view.from || 1);

/**
 * @param {number} place 0 to 1
 * @param {Span} view
 * @returns {number} seconds
 */
export const secondsAt = (place, view) => view.from + clamp(place, 0, 1) * (view.to - view.from);

/**
 * @param {Span} view
 * @param {number} factor above 1 shows more
 * @param {number} around stays where it is
 * @param {number} duration
 * @returns {Span}
 */
export function zoomed(view, factor, around, duration) {
  const length = clamp(
    (view.to - view.from) * factor, Math.min(SHORTEST_VIEW_S, duration), duration,
  );
  const from = clamp(around - placeOf(around, view) * length, 0, duration - length);
  return { from, to: from + length };
}

/**
 * A view of the same length that holds `seconds`; itself where it does already.
 *
 * @param {Span} view
 * @param {number} seconds
 * @param {number} duration
 * @returns {Span}
 */
export function following(view, seconds, duration) {
  if (seconds >= view.from && seconds <= view.to) return view;
  const length = view.to - view.from;
  const from = clamp(seconds - length / 10, 0, duration - length);
  return { from, to: from + length };
}

/**
 * The part with one end moved; the ends stay apart and inside.
 *
 * @param {Span} part
 * @param {"from"|"to"} end
 * @param {number} seconds
 * @param {number} duration
 * @returns {Span}
 */
export function movedEnd(part, end, seconds, duration) {
  const apart = Math.min(SHORTEST_PART_S, duration);
  return end === "from"
    ? { from: clamp(seconds, 0, part.to - apart), to: part.to }
    : { from: part.from, to: clamp(seconds, part.from + apart, duration) };
}

/**
 * More than is shown, so that there is something to draw when the view moves on.
 *
 * @param {Span} view
 * @param {number} duration
 * @returns {Span}
 */
export function widened(view, duration) {
  const more = (view.to - view.from) / 2;
  return { from: Math.max(0, view.from - more), to: Math.min(duration, view.to + more) };
}

/**
 * Whether what is known of a span is enough to draw a view of it, in its width and detail.
 *
 * @param {Span} known
 * @param {Span} view
 * @returns {boolean}
 */
export function suits(known, view) {
  const holds = known.from <= view.from + 1e-6 && known.to >= view.to - 1e-6;
  return holds && known.to - known.from <= 2.01 * (view.to - view.from);
}
