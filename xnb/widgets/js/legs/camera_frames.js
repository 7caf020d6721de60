// @ts-check
import { Timeline } from "../card/timeline.js";

const QUEUE_FRAMES = 3;
/** Constrained baseline, level 3.1: 1280x720 at 30. */
const NAMES = { vp8: "vp8", h264: "avc1.42e01f" };

/**
 * @typedef {{codec: string, bitrate: number, fps: number}} CameraLimits bitrate in bits a second
 * @typedef {import("./comm_wire.js").WireFrame} WireFrame
 */

/**
 * @param {MediaStreamTrack} track
 * @param {(frame: VideoFrame) => void} take closes the frame
 * @returns {() => void} stops
 */
function readPictures(track, take) {
  const Processor = /** @type {any} */ (globalThis).MediaStreamTrackProcessor;
  let open = true;
  if (Processor) {
    const reader = new Processor({ track, maxBufferSize: 2 }).readable.getReader();
    const read = async () => {
      while (open) {
        const { done, value } = await reader.read();
        if (done) return;
        if (open) take(value);
        else value.close();
      }
    };
    read().catch(() => {});
    return () => {
      open = false;
      reader.cancel().catch(() => {});
    };
  }
  // Other browsers: pictures of an element that plays the track, while the page is seen.
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  const next = () =>
    video.requestVideoFrameCallback((_now, { mediaTime }) => {
      if (!open) return;
      take(new VideoFrame(video, { timestamp: Math.round(1e6 * mediaTime) }));
      next();
    });
  next();
  video.play().catch(() => {});
  return () => {
    open = false;
    video.srcObject = null;
  };
}

/** A camera's pictures, encoded. */
export class CameraFrames {
  /**
   * @param {MediaStreamTrack} track
   * @param {CameraLimits} limits
   * @param {{hasRoom: () => boolean, give: (frame: WireFrame) => void}} hooks
   */
  constructor(track, limits, hooks) {
    this.track = track;
    this.limits = { ...limits };
    this.hooks = hooks;
    this.line = new Timeline();
    /** @type {VideoEncoder|null} */
    this.encoder = null;
    this.codec = "";
    this.size = "";
    this.key = true;
    this.last = -Infinity;
    this.errors = 0;
    /** Pictures: that the camera gave, without room for their message, that the encoder was too
     * slow for, that were encoded. */
    this.figures = { seen: 0, held: 0, slow: 0, encoded: 0 };
    this.stop = readPictures(track, (frame) => {
      try {
        this.#take(frame);
      } finally {
        frame.close();
      }
    });
  }

  /** @param {CameraLimits} limits */
  limit(limits) {
    const changed =
      limits.codec !== this.limits.codec || limits.bitrate !== this.limits.bitrate;
    this.limits = { ...limits };
    if (changed) this.size = ""; // configured anew with the next picture
  }

  needKey() {
    this.key = true;
  }

  /** @param {VideoFrame} frame */
  #take(frame) {
    const now = performance.now();
    this.figures.seen += 1;
    if (now - this.last < 700 / this.limits.fps) return;
    if (!this.hooks.hasRoom()) {
      this.figures.held += 1;
      return;
    }
    const encoder = this.#ready(frame);
    if (!encoder || encoder.encodeQueueSize >= QUEUE_FRAMES) {
      this.figures.slow += 1;
      return;
    }
    this.last = now;
    const time = this.line.time(frame.timestamp / 1000, now);
    // A frame of its own time; the pixels are shared.
    const timed = new VideoFrame(frame, { timestamp: Math.round(1000 * time) });
    try {
      encoder.encode(timed, { keyFrame: this.key });
      this.key = false;
    } finally {
      timed.close();
    }
  }

  /** @param {VideoFrame} frame @returns {VideoEncoder|null} */
  #ready(frame) {
    const [width, height] = [frame.displayWidth & ~1, frame.displayHeight & ~1];
    const size = `${width}x${height} ${this.limits.codec}`;
    if (this.encoder && this.encoder.state === "configured" && this.size === size) {
      return this.encoder;
    }
    if (this.errors >= 3) return null;
    const { codec } = this.limits;
    if (this.encoder && this.codec !== codec && this.encoder.state !== "closed") {
      this.encoder.close();
    }
    if (!this.encoder || this.encoder.state === "closed") this.encoder = this.#make(codec);
    this.size = size;
    /** @type {VideoEncoderConfig} */
    const config = {
      codec: /** @type {Record<string, string>} */ (NAMES)[codec] ?? "vp8", width, height,
      bitrate: this.limits.bitrate, framerate: this.limits.fps, latencyMode: "realtime",
    };
    if (codec === "h264") config.avc = { format: "annexb" };
    this.encoder.configure(config);
    return this.encoder;
  }

  /** @param {string} codec @returns {VideoEncoder} */
  #make(codec) {
    this.key = true;
    this.codec = codec;
    return new VideoEncoder({
      output: (chunk) => {
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        this.errors = 0;
        this.figures.encoded += 1;
        this.hooks.give({ codec, isKey: chunk.type === "key", time: chunk.timestamp / 1000, data });
      },
      error: () => {
        this.errors += 1;
        this.encoder = null;
      },
    });
  }

  close() {
    this.stop();
    if (this.encoder && this.encoder.state !== "closed") this.encoder.close();
    this.encoder = null;
    this.errors = 3;
  }
}
