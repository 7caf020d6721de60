// @ts-check
import { LADDER } from "../shared/strings.js";

/** H.264 of calls is constrained baseline; a decoder takes more than its level says. */
const NAMES = { vp8: "vp8", h264: "avc1.42e01f" };
const BUSY_FRAMES = 6;
/** What calls send says nothing of its colours; it is meant as WebRTC takes it, ITU-R BT.601. */
const COLOURS = /** @type {VideoColorSpaceInit} */ ({
  primaries: "smpte170m", transfer: "smpte170m", matrix: "smpte170m", fullRange: false,
});

/** @typedef {import("./comm_wire.js").WireFrame} WireFrame */
/** @typedef {import("./comm_screen.js").Picture} Picture */

/**
 * Whether this page can decode a codec by itself.
 *
 * @param {string} codec "vp8" or "h264"
 * @returns {Promise<boolean>}
 */
export async function canDecode(codec) {
  const name = /** @type {Record<string, string>} */ (NAMES)[codec];
  if (typeof VideoDecoder === "undefined" || name === undefined) return false;
  try {
    return (await VideoDecoder.isConfigSupported({ codec: name })).supported === true;
  } catch {
    return false;
  }
}

/** Encoded pictures to pictures, by WebCodecs. */
export class VideoFrames {
  /**
   * @param {{show: (picture: Picture) => void, needKey: () => void,
   *   broken: (why: string) => void, ready: () => void}} hooks `ready`: there is room again
   */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {VideoDecoder|null} */
    this.decoder = null;
    this.codec = "";
    this.needsKey = true;
    this.errors = 0;
    this.decoded = 0;
  }

  /** Whether more than a few pictures wait. */
  get isBusy() {
    return (this.decoder?.decodeQueueSize ?? 0) >= BUSY_FRAMES;
  }

  /** @param {WireFrame} frame */
  take({ codec, isKey, time, data }) {
    if (!this.decoder || this.codec !== codec) this.#make(codec);
    if (this.needsKey && !isKey) {
      this.hooks.needKey();
      return;
    }
    this.needsKey = false;
    try {
      this.decoder?.decode(
        new EncodedVideoChunk({
          type: isKey ? "key" : "delta", timestamp: Math.round(1000 * time), data,
        }),
      );
    } catch {
      this.#failed();
    }
  }

  /** @param {string} codec */
  #make(codec) {
    this.#close();
    this.codec = codec;
    this.needsKey = true;
    const decoder = new VideoDecoder({
      output: (frame) => {
        if (decoder !== this.decoder) {
          frame.close();
          return;
        }
        this.decoded += 1;
        this.errors = 0;
        this.hooks.show({
          width: frame.displayWidth, height: frame.displayHeight, source: frame,
          time: frame.timestamp / 1000, close: () => frame.close(),
        });
        this.hooks.ready();
      },
      error: () => {
        if (decoder === this.decoder) this.#failed();
      },
    });
    this.decoder = decoder;
    try {
      decoder.configure({
        codec: /** @type {Record<string, string>} */ (NAMES)[codec], optimizeForLatency: true,
        .../** @type {object} */ ({ colorSpace: COLOURS }),
      });
    } catch {
      this.#failed();
    }
  }

  #failed() {
    this.#close();
    this.errors += 1;
    this.needsKey = true;
    if (this.errors >= 3) {
      this.hooks.broken(LADDER.noVideoDecoding.replace("{}", this.codec.toUpperCase()));
    } else {
      this.hooks.needKey();
    }
  }

  #close() {
    const decoder = this.decoder;
    this.decoder = null;
    if (decoder && decoder.state !== "closed") decoder.close();
  }

  close() {
    this.#close();
  }
}
