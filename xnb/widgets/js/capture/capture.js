// @ts-check
import { OpenError, openDevices, openScreen, openWidget } from "./open_media.js";
import { NOT_SECURE, lost, refusalOf } from "./refusals.js";

/**
 * @typedef {import("./refusals.js").Refusal} Refusal
 * @typedef {import("./refusals.js").What} What
 * @typedef {import("./open_media.js").Wish} Wish
 * @typedef {import("./open_media.js").Devices} Devices
 * @typedef {"audio"|"video"} Kind
 * @typedef {"camera"|"microphone"|"screen"|"widget"} Origin
 * @typedef {{id: string, label: string}} Device a label is empty until the page was allowed once
 * @typedef {{track: MediaStreamTrack, origin: Origin}} Piece
 * @typedef {{changed: () => void, devices?: () => Devices|undefined, isSecure?: () => boolean,
 *   findModel?: (id: string) => Promise<any>,
 *   makeStream?: (tracks: MediaStreamTrack[]) => MediaStream}} CaptureHooks
 */

const HEIGHT_PX = 1080;
const FPS = 30;

/**
 * What the page itself gives: camera or screen, microphone, or an ipywebrtc widget's stream.
 * Knows no card and no connection; `changed` is called whenever something here is different,
 * also when a device was connected or pulled out.
 */
export class Capture {
  /** @param {CaptureHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {MediaStream|null} another one after each change */
    this.stream = null;
    /** @type {Refusal|null} why the last wish came to nothing; what was captured before goes on */
    this.refusal = null;
    this.limits = { height: HEIGHT_PX, fps: FPS };
    this.on = { audio: true, video: true };
    /** @type {Map<Kind, Piece>} */
    this.pieces = new Map();
    /** @type {Record<Kind, number>} a later wish of the same kind outdates an earlier one */
    this.turn = { audio: 0, video: 0 };
    /** @type {Set<Kind>} what the browser is being asked for */
    this.asked = new Set();
    /** Chosen last; taken again next time. */
    this.chosen = { cameraId: "", microphoneId: "" };
    /** Whether a camera was on before the screen, to come back after it. */
    this.cameraBefore = false;
    this.onDevices = () => this.hooks.changed();
    this.#devices?.addEventListener?.("devicechange", this.onDevices);
  }

  /** @returns {Devices|undefined} */
  get #devices() {
    return this.hooks.devices ? this.hooks.devices() : globalThis.navigator?.mediaDevices;
  }

  get active() {
    return this.stream !== null;
  }

  /** Whether the browser is being asked for something. */
  get asking() {
    return this.asked.size > 0;
  }

  /** What is captured now: the devices' ids (`""` if the browser tells none), and the screen. */
  get what() {
    const [video, audio] = [this.pieces.get("video"), this.pieces.get("audio")];
    const id = (/** @type {Piece} */ piece) => piece.track.getSettings?.().deviceId ?? "";
    return {
      camera: video?.origin === "camera" ? id(video) : null,
      microphone: audio?.origin === "microphone" ? id(audio) : null,
      screen: video?.origin === "screen",
      widget: video?.origin === "widget" || audio?.origin === "widget",
    };
  }

  /**
   * What could be chosen. Labels are empty until the page was allowed to use a device of that kind.
   *
   * @returns {Promise<{cameras: Device[], microphones: Device[], screen: boolean}>}
   */
  async devices() {
    const devices = this.#devices;
    const found = devices ? await devices.enumerateDevices().catch(() => []) : [];
    const of = (/** @type {string} */ kind) =>
      found
        .filter((one) => one.kind === kind)
        .map(({ deviceId, label }) => ({ id: deviceId, label }));
    return {
      cameras: of("videoinput"),
      microphones: of("audioinput"),
      screen: typeof devices?.getDisplayMedia === "function",
    };
  }

  /**
   * Limits of the call: taller and faster pictures are not taken.
   *
   * @param {number} [height]
   * @param {number} [fps]
   */
  limit(height, fps) {
    this.limits = { height: height || HEIGHT_PX, fps: Math.min(FPS, fps || FPS) };
  }

  /**
   * @param {Kind} kind
   * @returns {MediaStreamTrack|null}
   */
  track(kind) {
    return this.pieces.get(kind)?.track ?? null;
  }

  /**
   * Takes what is wished; what is captured already and not named in the wish goes on.
   *
   * @param {Wish} wish
   * @returns {Promise<boolean>} whether it is captured now; else see `refusal`
   */
  async start(wish) {
    const { camera, microphone, screen, model } = wish;
    this.refusal = null;
    if (model) {
      const find = this.hooks.findModel ?? (() => Promise.reject(new Error("no widgets here")));
      return this.#take(["audio", "video"], "widget", () => openWidget(model, find));
    }
    const ids = {
      cameraId: wish.cameraId || this.chosen.cameraId,
      microphoneId: wish.microphoneId || this.chosen.microphoneId,
    };
    let isTaken = true;
    if (screen) {
      isTaken = await this.#take(["video"], "screen", (devices) =>
        openScreen(devices, this.limits),
      );
    }
    const missing = {
      camera: Boolean(camera && !screen && !this.#has("camera", wish.cameraId)),
      microphone: Boolean(microphone && !this.#has("microphone", wish.microphoneId)),
    };
    if (!isTaken || (!missing.camera && !missing.microphone)) return isTaken;
    /** @type {Kind[]} */
    const kinds = [];
    if (missing.microphone) kinds.push("audio");
    if (missing.camera) kinds.push("video");
    return this.#take(kinds, "camera", async (devices) => {
      const all = { ...missing, ...ids };
      try {
        return await openDevices(devices, all, this.limits);
      } catch (error) {
        // Chosen some time ago and gone since: any will do, unless it was named now.
        if (wish.cameraId || wish.microphoneId || !(ids.cameraId || ids.microphoneId)) throw error;
        return openDevices(devices, missing, this.limits);
      }
    });
  }

  /**
   * Changes one thing in mid-call; the sender keeps its connection and only changes its track.
   *
   * @param {{cameraId?: string|null, microphoneId?: string|null, screen?: boolean}} change another
   *   camera or microphone (`""`: the browser's choice, `null`: none), or the screen begins or ends
   * @returns {Promise<boolean>} whether it is so now; else see `refusal`, and all is as before
   */
  async switchTo({ cameraId, microphoneId, screen }) {
    if (screen === true) return this.start({ screen });
    if (screen === false) return this.#endScreen();
    if (cameraId === null) this.drop(["video"]);
    if (microphoneId === null) this.drop(["audio"]);
    const wish = {
      camera: typeof cameraId === "string",
      microphone: typeof microphoneId === "string",
      cameraId,
      microphoneId,
    };
    if (!wish.camera && !wish.microphone) return true;
    const isTaken = await this.start(wish);
    if (isTaken && typeof cameraId === "string") this.chosen.cameraId = cameraId;
    if (isTaken && typeof microphoneId === "string") this.chosen.microphoneId = microphoneId;
    return isTaken;
  }

  /** The screen ends: the camera comes back if there was one. */
  async #endScreen() {
    if (!this.what.screen) return true;
    if (this.cameraBefore && (await this.start({ camera: true }))) return true;
    this.drop(["video"]);
    return true;
  }

  /**
   * Whether it is captured already.
   *
   * @param {"camera"|"microphone"} origin
   * @param {string|null|undefined} id this very one; any if not given
   */
  #has(origin, id) {
    const piece = this.pieces.get(origin === "camera" ? "video" : "audio");
    if (piece?.origin !== origin) return false;
    return !id || piece.track.getSettings?.().deviceId === id;
  }

  /**
   * @param {Kind[]} kinds
   * @param {Origin} origin of the picture; sound from devices is the microphone's
   * @param {(devices: Devices) => Promise<MediaStreamTrack[]>} open
   */
  async #take(kinds, origin, open) {
    const devices = this.#devices;
    const isSecure = (this.hooks.isSecure ?? (() => window.isSecureContext))();
    if (origin !== "widget" && (!isSecure || !devices)) {
      this.refusal = NOT_SECURE;
      this.hooks.changed();
      return false;
    }
    const turns = kinds.map((kind) => ++this.turn[kind]);
    for (const kind of kinds) this.asked.add(kind);
    this.hooks.changed();
    /** @type {MediaStreamTrack[]} */
    let tracks = [];
    /** @type {Refusal|null} */
    let refusal = null;
    try {
      tracks = await open(/** @type {Devices} */ (devices));
    } catch (error) {
      const cause = error instanceof OpenError ? error.cause : error;
      refusal = refusalOf(cause, error instanceof OpenError ? error.what : "camera");
    }
    const wanted = kinds.filter((kind, i) => this.turn[kind] === turns[i]);
    for (const kind of wanted) this.asked.delete(kind);
    if (wanted.length > 0 && refusal) this.refusal = refusal;
    let isTaken = false;
    for (const track of tracks) {
      const kind = /** @type {Kind} */ (track.kind);
      if (wanted.includes(kind)) {
        this.#put(kind, track, kind === "audio" && origin === "camera" ? "microphone" : origin);
        isTaken = true;
      } else {
        track.stop();
      }
    }
    this.#rebuild();
    return isTaken;
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack} track
   * @param {Origin} origin
   */
  #put(kind, track, origin) {
    const before = this.pieces.get(kind);
    if (origin === "screen") this.cameraBefore ||= before?.origin === "camera";
    else if (kind === "video") this.cameraBefore = false;
    if (before) release(before.track);
    this.pieces.set(kind, { track, origin });
    track.enabled = this.on[kind];
    track.onended = () => this.#ended(kind, track);
  }

  /**
   * Pulled out, or taken back in the browser's own controls.
   *
   * @param {Kind} kind
   * @param {MediaStreamTrack} track
   */
  #ended(kind, track) {
    const piece = this.pieces.get(kind);
    if (piece?.track !== track) return;
    if (piece.origin === "screen") {
      this.#endScreen();
      return;
    }
    this.refusal = lost(piece.origin);
    this.drop([kind]);
  }

  /**
   * Gives back what is of these kinds, and no more.
   *
   * @param {Kind[]} kinds
   */
  drop(kinds) {
    for (const kind of kinds) {
      this.turn[kind] += 1;
      this.asked.delete(kind);
      const piece = this.pieces.get(kind);
      if (piece) release(piece.track);
      this.pieces.delete(kind);
      if (kind === "video") this.cameraBefore = false;
    }
    this.#rebuild();
  }

  #rebuild() {
    const make = this.hooks.makeStream ?? ((tracks) => new MediaStream(tracks));
    const tracks = [...this.pieces.values()].map((piece) => piece.track);
    this.stream = tracks.length > 0 ? make(tracks) : null;
    this.hooks.changed();
  }

  /**
   * Silence and blackness at once, whatever Python is busy with.
   *
   * @param {{audio: boolean, video: boolean}} on
   */
  setOn(on) {
    this.on = on;
    for (const [kind, { track }] of this.pieces) track.enabled = on[kind];
  }

  /** Gives everything back. May be called again. */
  stop() {
    if (this.active || this.asking) this.drop(["audio", "video"]);
  }

  /** Stops for good. */
  close() {
    this.stop();
    this.#devices?.removeEventListener?.("devicechange", this.onDevices);
  }
}

/** @param {MediaStreamTrack} track */
function release(track) {
  track.onended = null;
  track.stop();
}
