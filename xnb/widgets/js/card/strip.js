// @ts-check
import { STATS, filled } from "../shared/strings.js";

/** @type {Record<string, string>} */
const PATHS = { webrtc: STATS.webrtc, comm: STATS.comm, jpeg: STATS.jpeg };

/**
 * The figures below the picture, each as a text; those that are not known are left out.
 *
 * @param {{codec?: string, size?: string, fps?: string, bitrate?: string, rtt?: string,
 *   loss?: string, path?: string, sending?: string, shownBy?: string, why?: string}} figures
 *   `shownBy` is the ladder's path to this page, `why` its reason
 * @returns {string[]}
 */
export function stripOf({ codec, size, fps, bitrate, rtt, loss, path, sending, shownBy, why }) {
  const by = PATHS[shownBy ?? ""] ?? "";
  const shown = why ? filled(STATS.shownWhy, by, why) : filled(STATS.shown, by);
  const texts = [
    [codec, size, fps].filter(Boolean).join(" "),
    bitrate, rtt, loss, path,
    by ? shown : "",
    sending ? filled(STATS.sending, sending) : "",
  ];
  return texts.filter((text) => text !== undefined && text !== "").map(String);
}
