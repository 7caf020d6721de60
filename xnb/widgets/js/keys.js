// @ts-check

/** @typedef {"mute"|"camera"|"page"|"record"|"hangup"} Action */

/** @type {Record<string, Action>} */
const ACTIONS = { m: "mute", v: "camera", p: "page", r: "record", h: "hangup" };

/**
 * What a key means to a card that has the focus.
 *
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, repeat?: boolean}} event
 * @returns {Action|null}
 */
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null;
  return ACTIONS[event.key.toLowerCase()] ?? null;
}

/**
 * Where the focus goes in a toolbar (ARIA: roving tabindex).
 *
 * @param {string} key
 * @param {number} index of the focused button
 * @param {number} count
 * @returns {number|null}
 */
export function movedFocus(key, index, count) {
  if (count === 0) return null;
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return null;
}

/** Keys that JupyterLab would take away from a focused button or slider. */
export const CONTROL_KEYS = new Set([
  "Enter", " ", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End",
]);
