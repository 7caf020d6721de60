// @ts-check

const HEIGHT_PX = 480;
const FPS = 30;

/**
 * @typedef {{cause: string, remedy: string}} Refusal
 * @typedef {{camera: boolean, microphone: boolean}} Wish
 * @typedef {{changed: () => void, getMedia?: (wish: MediaStreamConstraints) =>
 *   Promise<MediaStream>, isSecure?: () => boolean}} CaptureHooks
 */

/** @type {Record<string, [string, string]>} */
const REFUSALS = {
  NotAllowedError: [
    "This browser does not let the page use your {}.",
    "Allow it in the address bar, then click again.",
  ],
  NotFoundError: ["This computer has no {}.", "Connect one, then click again."],
  NotReadableError: [
    "Your {} could not be started.",
    "Close other programs that use it, then click again.",
  ],
};

/**
 * @param {Wish} wish
 * @returns {string}
 */
function nameOf({ camera, microphone }) {
  if (camera && microphone) return "camera or microphone";
  return camera ? "camera" : "microphone";
}

/**
 * Why there is nothing to capture, in words.
 *
 * @param {unknown} error
 * @param {Wish} wish
 * @returns {Refusal}
 */
export function refusalOf(error, wish) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  const [cause, remedy] = REFUSALS[name] ?? [
    `Your {} could not be used (${name || "unknown error"}).`,
    "Reload the page, then click again.",
  ];
  return { cause: cause.replace("{}", nameOf(wish)), remedy };
}

/** The page's own camera and microphone. Knows no widget and no connection. */
export class Capture {
  /** @param {CaptureHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {MediaStream|null} */
    this.stream = null;
    this.asking = false;
    /** @type {Refusal|null} */
    this.refusal = null;
    this.maxHeight = HEIGHT_PX;
    this.maxFps = FPS;
    this.attempt = 0;
    this.on = { audio: true, video: true };
  }

  /** Limits of the call: taller and faster pictures are not taken.
   * @param {number} [height]
   * @param {number} [fps]
   */
  limit(height, fps) {
    this.maxHeight = Math.min(HEIGHT_PX, height || HEIGHT_PX);
    this.maxFps = Math.min(FPS, fps || FPS);
  }

  get active() {
    return this.stream !== null;
  }

  /**
   * @param {"audio"|"video"} kind
   * @returns {MediaStreamTrack|null}
   */
  track(kind) {
    return this.stream?.getTracks().find((one) => one.kind === kind) ?? null;
  }

  /**
   * Asks for the devices. Without a camera the microphone alone will do.
   *
   * @param {Wish} wish
   * @returns {Promise<boolean>} whether something is captured now
   */
  async start(wish) {
    if (this.active || this.asking) return this.active;
    const attempt = ++this.attempt;
    this.refusal = null;
    if (!(this.hooks.isSecure ?? (() => window.isSecureContext))()) {
      return this.#refuse({
        cause: "Browsers give cameras and microphones only to pages from https or localhost.",
        remedy: "Open JupyterLab at localhost, through an SSH tunnel if need be, or with https.",
      });
    }
    this.asking = true;
    this.hooks.changed();
    try {
      const stream = await this.#open(wish);
      if (attempt !== this.attempt) {
        for (const track of stream.getTracks()) track.stop();
        return false;
      }
      this.#take(stream);
    } catch (error) {
      if (attempt !== this.attempt) return false;
      return this.#refuse(refusalOf(error, wish));
    }
    return true;
  }

  /**
   * @param {Wish} wish
   * @returns {Promise<MediaStream>}
   */
  async #open(wish) {
    const get = this.hooks.getMedia ?? ((what) => navigator.mediaDevices.getUserMedia(what));
    const height = this.maxHeight;
    const video = wish.camera && {
      height: { ideal: height },
      width: { ideal: Math.round((height * 4) / 3) },
      frameRate: { ideal: this.maxFps, max: this.maxFps },
    };
    const audio = wish.microphone;
    try {
      return await get({ audio, video });
    } catch (error) {
      const isMissing = error instanceof Error || error instanceof DOMException
        ? error.name === "NotFoundError" : false;
      if (!isMissing || !video || !audio) throw error;
      try {
        return await get({ audio, video: false });
      } catch {
        return get({ audio: false, video });
      }
    }
  }

  /** @param {MediaStream} stream */
  #take(stream) {
    this.asking = false;
    this.stream = stream;
    for (const track of stream.getTracks()) {
      // Unplugged, or taken back in the browser's own controls.
      track.onended = () => this.stop();
    }
    this.setOn(this.on);
    this.hooks.changed();
  }

  /** @param {Refusal} refusal */
  #refuse(refusal) {
    this.asking = false;
    this.refusal = refusal;
    this.hooks.changed();
    return false;
  }

  /**
   * Silence and blackness at once, whatever Python is busy with.
   *
   * @param {{audio: boolean, video: boolean}} on
   */
  setOn(on) {
    this.on = on;
    for (const track of this.stream?.getTracks() ?? []) {
      track.enabled = track.kind === "audio" ? on.audio : on.video;
    }
  }

  /** Gives the devices back. May be called again. */
  stop() {
    this.attempt += 1;
    const was = this.active || this.asking;
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.stream = null;
    this.asking = false;
    if (was) this.hooks.changed();
  }
}
