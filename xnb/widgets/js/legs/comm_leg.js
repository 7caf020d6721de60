// @ts-check
import { FrameCapture } from "./comm_capture.js";
import { JpegFrames } from "./comm_jpeg.js";
import { Screen } from "./comm_screen.js";
import { Sound } from "./comm_sound.js";
import { canDecode, VideoFrames } from "./comm_video.js";
import { pack, unpack } from "./comm_wire.js";
import { LADDER } from "../shared/strings.js";

const OPEN_TIMEOUT_MS = 12_000;
const ACK_EVERY = 4;
const ACK_LATEST_MS = 100;
const KEY_GAP_MS = 300;
/** What a camera of 640x480 is encoded at, at most. */
const MOST_BPS = 1_500_000;

/**
 * The page's end of media in messages: encoded ("comm") or as JPEGs and samples ("jpeg").
 * Same shape as `Leg`.
 */
export class CommLeg {
  /**
   * @param {string} page the page's own random name
   * @param {"comm"|"jpeg"} path
   * @param {import("./leg.js").LegHooks} hooks
   */
  constructor(page, path, hooks) {
    this.page = page;
    this.path = path;
    this.hooks = hooks;
    /** @type {import("./leg.js").LegState} */
    this.state = "idle";
    this.why = "";
    this.again = false;
    this.final = false;
    this.stream = new MediaStream();
    this.pc = null;
    this.hasVideo = false;
    this.ceiling = MOST_BPS;
    /** @type {Screen|null} */
    this.screen = null;
    /** @type {Sound|null} */
    this.sound = null;
    /** @type {VideoFrames|JpegFrames|null} */
    this.pictures = null;
    /** @type {FrameCapture|null} */
    this.capture = null;
    /** @type {MediaStreamTrack[]} */
    this.carried = [];
    this.heard = 0;
    this.told = 0;
    this.received = 0;
    this.askedKey = -Infinity;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.ackTimer = undefined;
  }

  /** Why this path is impossible in this page, "" if it is possible. @param {"comm"|"jpeg"} path */
  static obstacle(path) {
    if (path === "jpeg" || typeof VideoDecoder !== "undefined") return "";
    return window.isSecureContext ? LADDER.noWebCodecs : LADDER.insecure;
  }

  /** @param {boolean} hasVideo */
  open(hasVideo) {
    if (this.state !== "idle") return;
    this.hasVideo = hasVideo;
    const obstacle = CommLeg.obstacle(this.path);
    if (obstacle) {
      this.#lose(obstacle);
      return;
    }
    this.#go("connecting");
    this.timer = setTimeout(() => this.#lose(LADDER.noAnswer, true), OPEN_TIMEOUT_MS);
    this.hooks.send({ type: "open", page: this.page, path: this.path });
  }

  /**
   * @param {any} message
   * @param {any[]} [buffers]
   */
  receive(message, buffers) {
    if (this.state !== "connecting" && this.state !== "connected") return;
    if (message.type === "opened" && message.path === this.path) this.#opened(message);
    else if (message.type === "frames") this.#take(message, buffers?.[0]);
    else if (message.type === "got") this.capture?.acknowledged(message.n);
    else if (message.type === "encode") this.#encode(message);
    else if (message.type === "lost") this.#lose(message.why, message.again, message.final);
  }

  /** @param {any} message */
  async #opened({ codec, max_fps, max_bitrate_bps }) {
    clearTimeout(this.timer);
    if (this.path === "comm" && this.hasVideo && codec && !(await canDecode(codec))) {
      this.#lose(LADDER.noCodec.replace("{}", codec.toUpperCase()));
      return;
    }
    if (this.state !== "connecting") return;
    const broken = (/** @type {string} */ why) => this.#lose(why);
    this.sound = new Sound(broken);
    this.stream.addTrack(this.sound.track);
    if (this.hasVideo) {
      const screen = (this.screen = new Screen(() => this.sound?.heard() ?? null));
      const show = (/** @type {import("./comm_screen.js").Picture} */ one) => screen.show(one);
      const ready = () => this.#acknowledge();
      this.pictures =
        this.path === "jpeg"
          ? new JpegFrames({ show, ready })
          : new VideoFrames({ show, ready, broken, needKey: () => this.#needKey() });
      this.stream.addTrack(screen.begin());
    }
    if (FrameCapture.isPossible) {
      this.capture = new FrameCapture((frames, n) => {
        this.hooks.send({ type: "frames", page: this.page, n }, [pack(frames)]);
      });
      this.ceiling = Math.min(max_bitrate_bps, MOST_BPS);
      this.capture.limit({ codec: codec || "vp8", fps: max_fps, bitrate: this.ceiling });
      this.capture.carry(this.carried);
    }
    this.#go("connected");
  }

  /** @param {any} message @param {any} buffer */
  #take({ n, got }, buffer) {
    if (got !== undefined) this.capture?.acknowledged(got);
    this.heard = n;
    if (buffer) {
      this.received += 1;
      for (const frame of unpack(buffer)) {
        if (frame.codec === "opus" || frame.codec === "pcm") this.sound?.take(frame);
        else this.pictures?.take(frame);
      }
    }
    this.#acknowledge();
  }

  /** Tells the kernel how far this page has come, unless pictures queue up here. */
  #acknowledge() {
    if (this.pictures?.isBusy || this.heard === this.told) return;
    if (this.path === "jpeg" || this.heard - this.told >= ACK_EVERY) {
      this.#tellAck();
    } else {
      this.ackTimer ??= setTimeout(() => {
        this.ackTimer = undefined;
        if (!this.pictures?.isBusy) this.#tellAck();
      }, ACK_LATEST_MS);
    }
  }

  #tellAck() {
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
    if (this.heard === this.told) return;
    this.told = this.heard;
    this.hooks.send({ type: "ack", page: this.page, ack: this.told });
  }

  #needKey() {
    const now = performance.now();
    if (now - this.askedKey < KEY_GAP_MS) return;
    this.askedKey = now;
    this.hooks.send({ type: "keyframe", page: this.page });
  }

  /** @param {{keyframe: boolean, bitrate_bps: number|null}} wish */
  #encode({ keyframe, bitrate_bps }) {
    if (keyframe) this.capture?.needKey();
    this.capture?.limit({ bitrate: Math.min(bitrate_bps ?? MOST_BPS, this.ceiling) });
  }

  /** @param {MediaStreamTrack[]} tracks */
  carry(tracks) {
    this.carried = tracks;
    this.capture?.carry(tracks);
  }

  get figures() {
    return {
      ...this.sound?.figures, messages: this.received, drawn: this.screen?.drawn ?? 0,
      late: this.screen?.late ?? 0, early: this.screen?.early ?? 0, decoded: this.pictures?.decoded ?? 0,
      camera: this.capture?.camera?.figures,
    };
  }

  /** @returns {Promise<number|null>} */
  async level() {
    return this.sound?.level ?? null;
  }

  /**
   * @param {string} why
   * @param {boolean} [again]
   * @param {boolean} [final]
   */
  #lose(why, again = false, final = false) {
    if (this.state === "lost" || (this.state === "idle" && this.sound)) return;
    this.#drop();
    Object.assign(this, { why: why ?? "", again, final });
    this.#go("lost");
  }

  #drop() {
    clearTimeout(this.timer);
    clearTimeout(this.ackTimer);
    this.capture?.close();
    this.pictures?.close();
    this.screen?.close();
    this.sound?.close();
    this.capture = this.pictures = this.screen = this.sound = null;
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  /** @param {import("./leg.js").LegState} state */
  #go(state) {
    this.state = state;
    this.hooks.changed();
  }

  /** Ends it without a word to anybody. May be called again. */
  close() {
    this.state = "idle";
    this.#drop();
  }
}
