// @ts-check
import { element } from "../shared/dom.js";
import { stripOf } from "./strip.js";

const NAMES = ["codec", "fps", "bitrate", "rtt", "loss", "path", "sending"];

/**
 * Writes the figures of the call into their row, if they are others than before.
 *
 * @param {import("./session.js").Session} session
 * @param {HTMLElement} row
 * @param {string} size of the picture when Python tells none
 * @param {string[]} [before] more texts, in front
 */
export function drawStrip(session, row, size, before = []) {
  /** @type {Record<string, string>} */
  const told = {};
  for (const name of NAMES) told[name] = String(session.value(name) ?? "");
  const { path: shownBy, why } = session.leg;
  const texts = [
    ...before, ...stripOf({ ...told, size: session.value("size") || size, shownBy, why }),
  ];
  const joined = texts.join("\n");
  if (row.dataset.drawn === joined) return;
  row.dataset.drawn = joined;
  row.replaceChildren(...texts.map((text) => element("span", {}, text)));
}
