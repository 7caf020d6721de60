// @ts-check

/**
 * @typedef {"steps"|"video"|"wait"|"camera-off"|"audio"|"no-path"|"grid"|"failed"|"ended"|
 *   "gone"} Mode a group that is connected is always a "grid"
 */

/**
 * What fills the stage.
 *
 * @param {{alive: boolean, state: string, hasVideo: boolean, cameraOff: boolean, frames: number,
 *   legState: string, failed: boolean}} facts
 * @returns {Mode}
 */
export function modeOf({ alive, state, hasVideo, cameraOff, frames, legState, failed }) {
  if (failed) return "failed";
  if (state === "ended") return "ended";
  if (!alive) return "gone";
  if (state !== "connected" && state !== "reconnecting") return "steps";
  if (legState === "lost") return "no-path";
  if (!hasVideo) return "audio";
  if (cameraOff) return "camera-off";
  return frames > 0 ? "video" : "wait";
}
