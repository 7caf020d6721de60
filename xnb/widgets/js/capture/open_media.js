// @ts-check
import { repeated } from "./repeat.js";

const CAMERA_HEIGHT_PX = 480;
const CAMERA_FPS = 30;
const SCREEN_FPS = 15;
const WIDGET_TIMEOUT_MS = 10_000;

/**
 * @typedef {import("./refusals.js").What} What
 * @typedef {{camera?: boolean, microphone?: boolean, screen?: boolean, cameraId?: string|null,
 *   microphoneId?: string|null, model?: string}} Wish what to take; a `model` is the
 *   "IPY_MODEL_…" name of an ipywebrtc MediaStream widget
 * @typedef {Pick<MediaDevices, "getUserMedia"|"enumerateDevices"> & Partial<MediaDevices>} Devices
 */

/** Why something could not be opened, and what it was. */
export class OpenError extends Error {
  /**
   * @param {What} what
   * @param {unknown} cause
   */
  constructor(what, cause) {
    super(what);
    this.what = what;
    this.cause = cause;
  }
}

/**
 * @param {{camera?: boolean, microphone?: boolean}} wish
 * @returns {What}
 */
export function nameOf({ camera, microphone }) {
  if (camera && microphone) return "camera or microphone";
  return camera ? "camera" : "microphone";
}

/** @param {unknown} error */
function isMissing(error) {
  const known = error instanceof Error || error instanceof DOMException;
  return known && error.name === "NotFoundError";
}

/**
 * Camera, microphone or both. Without a camera the microphone alone will do, and the other way
 * round.
 *
 * @param {Devices} devices
 * @param {Wish} wish
 * @param {{height: number, fps: number}} limits
 * @returns {Promise<MediaStreamTrack[]>}
 */
export async function openDevices(devices, wish, limits) {
  const height = Math.min(CAMERA_HEIGHT_PX, limits.height);
  const fps = Math.min(CAMERA_FPS, limits.fps);
  const { cameraId, microphoneId } = wish;
  const video = wish.camera && {
    height: { ideal: height },
    width: { ideal: Math.round((height * 4) / 3) },
    frameRate: { ideal: fps, max: fps },
    ...(cameraId && { deviceId: { exact: cameraId } }),
  };
  const audio = wish.microphone && (microphoneId ? { deviceId: { exact: microphoneId } } : true);
  const get = async (/** @type {MediaStreamConstraints} */ what) =>
    (await devices.getUserMedia(what)).getTracks();
  try {
    return await get({ audio: audio || false, video: video || false });
  } catch (error) {
    if (!isMissing(error) || !video || !audio) throw new OpenError(nameOf(wish), error);
  }
  try {
    return await get({ audio, video: false });
  } catch {
    return get({ audio: false, video }).catch((error) => {
      throw new OpenError(nameOf(wish), error);
    });
  }
}

/**
 * The picture of a screen, window or tab that the person chooses, sharp rather than fluent.
 *
 * @param {Devices} devices
 * @param {{height: number, fps: number}} limits
 * @returns {Promise<MediaStreamTrack[]>}
 */
export async function openScreen(devices, limits) {
  try {
    if (!devices.getDisplayMedia) throw new DOMException("", "NotSupportedError");
    const stream = await devices.getDisplayMedia({
      audio: false,
      video: {
        height: { max: limits.height },
        frameRate: { ideal: Math.min(SCREEN_FPS, limits.fps), max: limits.fps },
      },
    });
    const tracks = stream.getTracks();
    for (const track of tracks) track.contentHint = "detail";
    return tracks;
  } catch (error) {
    throw new OpenError("screen", error);
  }
}

/**
 * What an ipywebrtc widget gives: copies, so that stopping ours leaves the widget's own alone.
 *
 * @param {string} name "IPY_MODEL_…"
 * @param {(id: string) => Promise<any>} findModel
 * @param {number} [limit_ms]
 * @returns {Promise<MediaStreamTrack[]>}
 */
export async function openWidget(name, findModel, limit_ms = WIDGET_TIMEOUT_MS) {
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("", "TimeoutError")), limit_ms);
  });
  const open = async () => (await findModel(name.replace("IPY_MODEL_", ""))).stream;
  try {
    /** @type {MediaStream} */
    const stream = await Promise.race([open(), late]);
    const tracks = stream.getTracks().map((track) => {
      const steady = repeated(track);
      return steady === track ? track.clone() : steady;
    });
    if (tracks.length === 0) throw new DOMException("", "NotFoundError");
    return tracks;
  } catch (error) {
    throw new OpenError("widget", error);
  } finally {
    clearTimeout(timer);
  }
}
