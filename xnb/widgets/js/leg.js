// @ts-check
import { stripHiddenCandidates } from "./sdp.js";

const ANSWER_TIMEOUT_MS = 12_000;
const DISCONNECTED_MS = 6000;
const RETRY_MS = [500, 1500, 4000, 8000];

/**
 * @typedef {"idle"|"connecting"|"connected"|"waiting"|"lost"} LegState
 * @typedef {{send: (content: object) => void, changed: () => void,
 *   makePeer?: () => RTCPeerConnection, makeStream?: () => MediaStream}} LegHooks
 */

/**
 * The page's end: one peer connection to the kernel, made again when it is lost. It receives, and
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
    this.hooks = hooks;
    /** @type {LegState} */
    this.state = "idle";
    this.why = "";
    this.stream = (hooks.makeStream ?? (() => new MediaStream()))();
    /** @type {RTCPeerConnection|null} */
    this.pc = null;
    /** @type {Map<string, RTCRtpSender>} */
    this.senders = new Map();
    /** @type {MediaStreamTrack[]} */
    this.carried = [];
    this.failures = 0;
    this.video = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** @param {boolean} video whether the call has video */
  async open(video) {
    if (this.state !== "idle" && this.state !== "waiting") return;
    this.video = video;
    this.#drop();
    this.#go("connecting");
    const make = this.hooks.makePeer ?? (() => new RTCPeerConnection({ iceServers: [] }));
    /** @type {RTCPeerConnection} */
    let pc;
    try {
      pc = this.pc = make();
    } catch {
      this.#lose("This browser has no WebRTC.", true);
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
    this.#within(ANSWER_TIMEOUT_MS, "The kernel did not answer this page.");
    try {
      await pc.setLocalDescription();
    } catch {
      if (pc === this.pc) this.#lose("This browser could not offer to receive the call.");
    }
    if (pc !== this.pc) return;
    const sdp = stripHiddenCandidates(pc.localDescription?.sdp ?? "");
    this.hooks.send({ type: "offer", page: this.page, sdp });
  }

  /**
   * A message of the kernel; those for other pages are passed over.
   *
   * @param {{type: string, page?: string, sdp?: string, why?: string, final?: boolean}} message
   */
  async receive(message) {
    if (message.page !== this.page || !this.pc) return;
    if (message.type === "answer") {
      try {
        await this.pc.setRemoteDescription({ type: "answer", sdp: message.sdp ?? "" });
      } catch {
        this.#lose("The kernel's answer could not be used.");
      }
    } else if (message.type === "lost") {
      this.#lose(message.why ?? "", message.final);
    }
  }

  /**
   * Sends these tracks from now on, also over a later connection.
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
      this.failures = 0;
      this.#go("connected");
    } else if (pc.connectionState === "failed" || pc.connectionState === "closed") {
      this.#lose("Sound and picture find no path from the kernel to this page.");
    } else if (pc.connectionState === "disconnected") {
      this.#within(DISCONNECTED_MS, "The kernel's media stopped.");
    }
  }

  /**
   * @param {number} milliseconds
   * @param {string} why
   */
  #within(milliseconds, why) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#lose(why), milliseconds);
  }

  /**
   * @param {string} why
   * @param {boolean} [final]
   */
  #lose(why, final = false) {
    this.#drop();
    this.why = why;
    const pause = RETRY_MS[this.failures++];
    if (final || pause === undefined) {
      this.#go("lost");
      return;
    }
    this.#go("waiting");
    this.timer = setTimeout(() => this.open(this.video), pause);
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

  /** Closes the connection and tells the kernel. May be called again; `open` starts anew. */
  close() {
    if (this.state === "idle") return;
    this.#drop();
    this.failures = 0;
    this.hooks.send({ type: "bye", page: this.page });
    this.#go("idle");
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
