// @ts-check

/** @typedef {"mute"|"camera"|"page"|"screen"|"record"|"hangup"|"sound"|"snapshot"|"tiles"|"pip"|
 *   "full"|"devices"|"stats"} Action */

/** @type {Record<Action, string>} */
export const KEYS = {
  mute: "M", camera: "V", page: "P", screen: "S", record: "R", hangup: "H", sound: "A",
  snapshot: "C", tiles: "T", pip: "I", full: "F", devices: "D", stats: "G",
};

const ACTIONS = new Map(
  Object.entries(KEYS).map(([action, key]) => [key, /** @type {Action} */ (action)]),
);

/**
 * What a key means to a card that has the focus.
 *
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, repeat?: boolean}} event
 * @returns {Action|null}
 */
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null;
  return ACTIONS.get(event.key.toUpperCase()) ?? null;
}

/** @typedef {"accept"|"sound"|"decline"|"silence"} Answer */

/** @type {Record<string, Answer>} */
const ANSWERS = { a: "accept", s: "sound", d: "decline", m: "silence" };

/**
 * What a key means while it rings.
 *
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, repeat?: boolean}} event
 * @returns {Answer|null}
 */
export function answerOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null;
  return ANSWERS[event.key.toLowerCase()] ?? null;
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
