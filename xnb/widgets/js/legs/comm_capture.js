// @ts-check
import { CameraFrames } from "./camera_frames.js";
import { MicrophoneFrames } from "./microphone_frames.js";

const SOUND_HELD = 2;
/** Pictures that may be on their way, and messages of any kind: sound is small and goes on. */
const PICTURES_IN_FLIGHT = 10;
const MESSAGES_IN_FLIGHT = 40;

/** @typedef {import("./comm_wire.js").WireFrame} WireFrame */

/**
 * What this page captures, encoded here and sent in messages, as long as they are acknowledged: a
 * kernel or a network that is slow gets fewer pictures and not later ones.
 */
export class FrameCapture {
  /** @param {(frames: WireFrame[], n: number) => void} send */
  constructor(send) {
    this.send = send;
    this.sent = 0;
    this.got = 0;
    /** Numbers of the messages on their way that hold a picture. @type {number[]} */
    this.pictures = [];
    /** @type {WireFrame[]} */
    this.pending = [];
    /** @type {import("./camera_frames.js").CameraLimits} */
    this.limits = { codec: "vp8", bitrate: 1_500_000, fps: 30 };
    /** @type {CameraFrames|null} */
    this.camera = null;
    /** @type {MicrophoneFrames|null} */
    this.microphone = null;
  }

  /** Whether this page can encode at all. */
  static get isPossible() {
    return typeof VideoEncoder !== "undefined" && typeof AudioEncoder !== "undefined";
  }

  get hasRoom() {
    return this.pictures.length < PICTURES_IN_FLIGHT;
  }

  /**
   * Encodes these tracks from now on.
   *
   * @param {MediaStreamTrack[]} tracks of each kind one at most
   */
  carry(tracks) {
    const find = (/** @type {string} */ kind) => tracks.find((one) => one.kind === kind) ?? null;
    const [video, audio] = [find("video"), find("audio")];
    if ((this.camera?.track ?? null) !== video) {
      this.camera?.close();
      this.camera = null;
      if (video) {
        this.camera = new CameraFrames(video, this.limits, {
          hasRoom: () => this.hasRoom,
          give: (frame) => this.#picture(frame),
        });
      }
    }
    if ((this.microphone?.track ?? null) !== audio) {
      this.microphone?.close();
      this.microphone = audio && new MicrophoneFrames(audio, (frame) => this.#sound(frame));
    }
  }

  /** @param {Partial<import("./camera_frames.js").CameraLimits>} limits */
  limit(limits) {
    Object.assign(this.limits, limits);
    this.camera?.limit(this.limits);
  }

  needKey() {
    this.camera?.needKey();
  }

  /** The kernel has all messages up to this one. @param {number} n */
  acknowledged(n) {
    if (n <= this.got || n > this.sent) return;
    this.got = n;
    this.pictures = this.pictures.filter((one) => one > n);
  }

  /** @param {WireFrame} frame */
  #picture(frame) {
    this.pending.push(frame);
    this.pictures.push(this.sent + 1);
    this.#flush();
  }

  /** @param {WireFrame} frame */
  #sound(frame) {
    this.pending.push(frame);
    if (this.pending.length >= SOUND_HELD) this.#flush();
  }

  #flush() {
    const frames = this.pending;
    this.pending = [];
    const hasPicture = this.pictures.at(-1) === this.sent + 1;
    if (!hasPicture && this.sent - this.got >= MESSAGES_IN_FLIGHT) return;
    this.sent += 1;
    this.send(frames, this.sent);
  }

  close() {
    this.carry([]);
    this.pending = [];
  }
}
