// @ts-check
import { GROUP, filled } from "../shared/strings.js";

/**
 * That this page cannot give its camera and microphone to the call, and why; mostly nothing.
 *
 * @param {import("./session.js").GroupSession} session
 * @returns {string}
 */
export function ownLost(session) {
  const isLost = session.connected && session.leg.state === "lost";
  return isLost ? filled(GROUP.ownLost, session.leg.why).trim() : "";
}
