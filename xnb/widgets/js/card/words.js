// @ts-check
import { CARD } from "../shared/strings.js";

/** @typedef {import("./session.js").Session} Session */

/** @type {Record<string, string>} */
const MODES = { failed: CARD.failed, ended: CARD.ended, gone: CARD.gone };

/**
 * The call's state in one or two words.
 *
 * @param {Session} session
 * @param {string} mode
 * @returns {string}
 */
export function statusOf(session, mode) {
  return MODES[mode] ?? String(session.value("state_text"));
}

/**
 * What lies over the picture; mostly nothing.
 *
 * @param {Session} session
 * @param {{text: string, until: number}} trouble of this page alone, for some time
 * @returns {string}
 */
export function noticeOf(session, trouble) {
  const { refusal, asking } = session.capture;
  const state = session.value("state");
  if (state === "ended") return "";
  if (state === "reconnecting") return CARD.reconnecting;
  if (session.busy) return session.value("own_thread") ? CARD.silentPython : CARD.kernelBusy;
  if (refusal) return `${refusal.cause} ${refusal.remedy}`;
  if (asking) return CARD.asking;
  if (performance.now() < trouble.until) return trouble.text;
  return String(session.value("notice") || session.value("saving") || "");
}
