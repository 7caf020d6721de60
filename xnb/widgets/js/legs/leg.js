// @ts-check
import { LADDER } from "../shared/strings.js";
import { stripHiddenCandidates } from "./sdp.js";
import { Watch } from "./watch.js";

const ANSWER_TIMEOUT_MS = 12_000;
const CONNECT_TIMEOUT_MS = 4000;
const DISCONNECTED_MS = 1500;
const BUSY_CHECK_MS = 250;

/**
 * @typedef {"idle"|"connecting"|"connected"|"lost"} LegState
 * @typedef {{send: (content: object, buffers?: ArrayBuffer[]) => void, changed: () => void,
 *   busy?: () => boolean, makePeer?: () => RTCPeerConnection,
 *   makeStream?: () => MediaStream}} LegHooks `busy`: a cell keeps the kernel from answering
 */

/**
 * The page's end of WebRTC: one peer connection to the kernel, until it is lost. It receives, and
 * sends what it is given to carry, in the one codec that the kernel's answer leaves: the call's.
 * Knows no widget: what it has to say goes to `send`, what it hears comes in by `receive`.
 */
export class Leg {
  /**
   * @param {string} page the page's own random name
   * @param {LegHooks} hooks
   */
  constructor(page, hooks) {
    this.page = page;
    this.path = "webrtc";
    this.hooks = hooks;
    /** @type {LegState} */
    this.state = "idle";
    this.why = "";
    /** Whether it was lost for a reason that has nothing to do with the path. */
    this.again = false;
    /** Whether the kernel wants no other attempt. */
    this.final = false;
    this.stream = (hooks.makeStream ?? (() => new MediaStream()))();
    /** @type {RTCPeerConnection|null} */
    this.pc = null;
    /** @type {Map<string, RTCRtpSender>} */
    this.senders = new Map();
    /** @type {MediaStreamTrack[]} */
    this.carried = [];
    this.watches = { down: new Watch(), up: new Watch() };
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** @param {boolean} video whether the call has video */
  async open(video) {
    if (this.state !== "idle") return;
    this.#go("connecting");
    const make = this.hooks.makePeer ?? (() => new RTCPeerConnection({ iceServers: [] }));
    /** @type {RTCPeerConnection} */
    let pc;
    try {
      pc = this.pc = make();
    } catch {
      this.#lose(LADDER.noWebRtc);
      return;
    }
    pc.ontrack = (event) => {
      this.stream.addTrack(event.track);
      this.hooks.changed();
    };
    pc.onconnectionstatechange = () => this.#connection(pc);
    // Both ways from the start: beginning to send needs no new negotiation then.
    for (const kind of video ? ["audio", "video"] : ["audio"]) {
      this.senders.set(kind, pc.addTransceiver(kind, { direction: "sendrecv" }).sender);
    }
    this.carry(this.carried);
    this.#within(ANSWER_TIMEOUT_MS, LADDER.noAnswer, true);
    try {
      // With the offer given: in Firefox ipywebrtc's shims refuse a call without it.
      await pc.setLocalDescription(await pc.createOffer());
    } catch {
      if (pc === this.pc) this.#lose(LADDER.noOffer);
    }
    if (pc !== this.pc) return;
    const sdp = stripHiddenCandidates(pc.localDescription?.sdp ?? "");
    this.hooks.send({ type: "offer", page: this.page, sdp });
  }

  /**
   * @param {{type: string, sdp?: string, why?: string, again?: boolean, final?: boolean,
   *   packets?: number, received?: number}} message a message of the kernel for this page
   * @param {any[]} [_buffers] there are none here
   */
  async receive(message, _buffers) {
    const { pc } = this;
    if (!pc) return;
    if (message.type === "answer") {
      if (this.state === "connecting") this.#within(CONNECT_TIMEOUT_MS, LADDER.noPath);
      try {
        await pc.setRemoteDescription({ type: "answer", sdp: message.sdp ?? "" });
      } catch {
        if (pc === this.pc) this.#lose(LADDER.badAnswer);
      }
    } else if (message.type === "lost") {
      this.#lose(message.why ?? "", message.again, message.final);
    } else if (message.type === "sent" && this.state === "connected") {
      const { sent, received } = await this.#counts();
      if (pc !== this.pc) return;
      const now = performance.now();
      const isDeadDown = this.watches.down.beat(message.packets ?? 0, received, now);
      const isDeadUp = this.watches.up.beat(sent, message.received ?? 0, now);
      if (isDeadDown || isDeadUp) this.#lose(LADDER.died);
    }
  }

  /**
   * Sends these tracks from now on.
   *
   * @param {MediaStreamTrack[]} tracks of each kind one at most; none sends nothing
   */
  carry(tracks) {
    this.carried = tracks;
    for (const [kind, sender] of this.senders) {
      const track = tracks.find((one) => one.kind === kind) ?? null;
      if (sender.track !== track) sender.replaceTrack(track).catch(() => {});
    }
  }

  /** @param {RTCPeerConnection} pc */
  #connection(pc) {
    if (pc !== this.pc) return;
    if (pc.connectionState === "connected") {
      clearTimeout(this.timer);
      this.#go("connected");
    } else if (pc.connectionState === "failed" || pc.connectionState === "closed") {
      this.#lose(this.state === "connected" ? LADDER.died : LADDER.noPath);
    } else if (pc.connectionState === "disconnected") {
      this.#within(DISCONNECTED_MS, LADDER.died);
    }
  }

  /**
   * Gives up after a time, but not while the kernel cannot answer: then the time begins anew.
   *
   * @param {number} milliseconds
   * @param {string} why
   * @param {boolean} [again]
   */
  #within(milliseconds, why, again) {
    clearTimeout(this.timer);
    let waited = false;
    const check = () => {
      if (this.hooks.busy?.()) {
        waited = true;
        this.timer = setTimeout(check, BUSY_CHECK_MS);
      } else if (waited) {
        this.#within(milliseconds, why, again);
      } else {
        this.#lose(why, again);
      }
    };
    this.timer = setTimeout(check, milliseconds);
  }

  /**
   * @param {string} why
   * @param {boolean} [again]
   * @param {boolean} [final]
   */
  #lose(why, again = false, final = false) {
    this.#drop();
    Object.assign(this, { why, again, final });
    this.#go("lost");
  }

  #drop() {
    clearTimeout(this.timer);
    const pc = this.pc;
    this.pc = null;
    this.senders.clear();
    if (pc) {
      pc.ontrack = pc.onconnectionstatechange = null;
      pc.close();
    }
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  /** @param {LegState} state */
  #go(state) {
    this.state = state;
    this.hooks.changed();
  }

  /** Closes the connection without a word to anybody. May be called again. */
  close() {
    this.state = "idle";
    this.#drop();
  }

  /** @returns {Promise<{sent: number, received: number}>} packets so far */
  async #counts() {
    let [sent, received] = [0, 0];
    for (const report of (await this.pc?.getStats())?.values() ?? []) {
      if (report.type === "inbound-rtp") received += report.packetsReceived ?? 0;
      else if (report.type === "outbound-rtp") sent += report.packetsSent ?? 0;
    }
    return { sent, received };
  }

  get figures() {
    return {};
  }

  /** @returns {Promise<number|null>} the sound's level 0 to 1 from the receiver, if it is known */
  async level() {
    const receiver = this.pc?.getReceivers().find((one) => one.track.kind === "audio");
    if (!receiver) return null;
    for (const report of (await receiver.getStats()).values()) {
      if (report.type === "inbound-rtp" && typeof report.audioLevel === "number") {
        return report.audioLevel;
      }
    }
    return null;
  }
}
