// @ts-check
import { NO_CAPTURE, NO_DEVICE, NO_SCREEN, filled } from "../shared/strings.js";

/**
 * @typedef {{cause: string, remedy: string}} Refusal
 * @typedef {"camera"|"microphone"|"camera or microphone"|"screen"|"widget"} What
 */

/** @type {Refusal} */
export const NOT_SECURE = NO_CAPTURE.notSecure;

/** @type {Refusal} */
export const NO_STREAM = NO_CAPTURE.noStream;

/**
 * What came by itself to an end: pulled out, or taken back in the browser's own controls.
 *
 * @param {What} what
 * @returns {Refusal}
 */
export function lost(what) {
  const { cause, remedy } = NO_CAPTURE.lost;
  return { cause: filled(cause, what), remedy };
}

/**
 * Why there is nothing to capture, in words.
 *
 * @param {unknown} error
 * @param {What} what
 * @returns {Refusal}
 */
export function refusalOf(error, what) {
  if (what === "widget") return NO_STREAM;
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  const known = (what === "screen" ? NO_SCREEN : NO_DEVICE)[name];
  if (known) return { cause: filled(known[0], what), remedy: known[1] };
  const { cause, remedy } = NO_CAPTURE.unknown;
  return { cause: filled(cause, what, name || NO_CAPTURE.unknownError), remedy };
}
