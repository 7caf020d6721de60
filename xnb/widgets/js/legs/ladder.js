// @ts-check
import { CommLeg } from "./comm_leg.js";
import { LADDER } from "../shared/strings.js";
import { Leg } from "./leg.js";

const RETRY_MS = [500, 1500, 4000, 8000];
const BUSY_CHECK_MS = 250;
/** The kernel speaks every 0.4 s on a good way; a silence this long is one of the kernel. */
const STALL_MS = 2500;
/** What breaks so soon after that was broken by it, not by the path. */
const AFTER_STALL_MS = 6000;
/** For this long a page of the same place does not look for a path where there was none. */
const REMEMBER_MS = 10 * 60_000;
const MEMORY = "xnb-no-webrtc";

/**
 * @typedef {"webrtc"|"comm"|"jpeg"} Path
 * @typedef {"idle"|"opening"|"waiting"|"connected"|"lost"} LadderState waiting: the kernel has
 *   no media to send yet
 * @typedef {Leg|CommLeg} Rung
 * @typedef {import("./leg.js").LegHooks & {
 *   makeRung?: (path: Path, hooks: import("./leg.js").LegHooks) => any,
 *   obstacle?: (path: Path) => string, memory?: Pick<Storage, "getItem"|"setItem"|"removeItem">,
 *   now?: () => number}} LadderHooks
 */

/** From the best way down. @type {Path[]} */
const PATHS = ["webrtc", "comm", "jpeg"];

/**
 * Brings the call's media to this page on the best way there is, and goes on with the next one
 * when that fails, at the start or in mid-call. Knows no widget, and nobody need know which way
 * it is: `stream` holds picture and sound on each.
 */
export class Ladder {
  /**
   * @param {string} page the page's own random name
   * @param {LadderHooks} hooks
   */
  constructor(page, hooks) {
    this.page = page;
    this.hooks = hooks;
    /** @type {LadderState} */
    this.state = "idle";
    /** "auto" chooses; another value is the only way taken. @type {"auto"|Path} */
    this.force = "auto";
    /** In words why it is not a better way, or why there is none. */
    this.why = "";
    /** @type {Rung|null} */
    this.rung = null;
    this.empty = (hooks.makeStream ?? (() => new MediaStream()))();
    /** @type {MediaStreamTrack[]} */
    this.carried = [];
    this.hasVideo = false;
    this.failures = 0;
    /** Whether the kernel wants no other attempt. */
    this.final = false;
    /** How often the kernel had no media yet. */
    this.waits = 0;
    /** When the kernel was heard last, and when it was heard again after a silence. */
    this.heardAt = Infinity;
    this.stalledAt = -Infinity;
    this.wasConnected = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** @returns {Path|""} the way that media take now */
  get path() {
    return this.state === "connected" ? /** @type {Path} */ (this.rung?.path) : "";
  }

  /** Picture and sound, also while there are none; each connection has its own. */
  get stream() {
    return this.rung?.stream ?? this.empty;
  }

  /** @returns {RTCPeerConnection|null} on WebRTC only */
  get pc() {
    return this.rung?.pc ?? null;
  }

  /** Another one for each connection; null while there is none. @returns {object|null} */
  get link() {
    return this.state === "connected" ? this.rung : null;
  }

  /** Counts that tests and the curious may look at, such as underruns of the sound. */
  get figures() {
    return { path: this.path, ...this.rung?.figures };
  }

  /** @param {boolean} hasVideo whether the call has video */
  open(hasVideo) {
    if (this.state !== "idle") return;
    this.hasVideo = hasVideo;
    this.failures = 0;
    this.waits = 0;
    this.final = false;
    this.why = "";
    if (this.force !== "auto") {
      this.why = LADDER.forced.replace("{}", this.force);
      this.#climb(this.force);
    } else if (this.#remembered()) {
      this.why = LADDER.noPathBefore;
      this.#climb(this.#next("webrtc"));
    } else {
      this.#climb("webrtc");
    }
  }

  /** The next way down from `path` that this page has; notes why others are left out.
   * @param {Path} path
   * @returns {Path|null}
   */
  #next(path) {
    const obstacle = this.hooks.obstacle ?? ((one) => (one === "webrtc" ? "" : CommLeg.obstacle(one)));
    for (const one of PATHS.slice(PATHS.indexOf(path) + 1)) {
      const why = obstacle(one);
      if (!why) return one;
      this.#note(why);
    }
    return null;
  }

  /** @param {string} why */
  #note(why) {
    if (why && !this.why.includes(why)) this.why = `${this.why} ${why}`.trim();
  }

  /** @param {Path|null} path */
  #climb(path) {
    clearTimeout(this.timer);
    this.#release();
    if (path === null) {
      this.#go("lost");
      return;
    }
    const make = this.hooks.makeRung ?? this.#make;
    const rung = (this.rung = make.call(this, path, {
      ...this.hooks, changed: () => this.#changed(rung), busy: () => this.#isBusy,
    }));
    this.state = "opening";
    this.heardAt = Infinity;
    this.wasConnected = false;
    rung.carry(this.carried);
    rung.open(this.hasVideo);
  }

  /** @param {Path} path @param {import("./leg.js").LegHooks} hooks @returns {Rung} */
  #make(path, hooks) {
    return path === "webrtc" ? new Leg(this.page, hooks) : new CommLeg(this.page, path, hooks);
  }

  /** @param {Rung} rung */
  #changed(rung) {
    if (rung !== this.rung) return;
    if (rung.state === "lost") {
      this.#lost(rung);
    } else if (rung.state === "connected") {
      this.failures = 0;
      this.waits = 0;
      this.wasConnected = true;
      if (rung.path === "webrtc") this.#forget();
      this.#go("connected");
    } else {
      this.#go("opening");
    }
  }

  /** @param {Rung} rung that is lost */
  #lost(rung) {
    const path = /** @type {Path} */ (rung.path);
    if (rung.final) {
      this.why = rung.why;
      this.final = true;
      this.#release();
      this.#go("lost");
      return;
    }
    const busy = this.#isBusy || this.#now() - this.stalledAt < AFTER_STALL_MS;
    if (this.force === "auto" && !rung.again && !busy) {
      this.#note(rung.why);
      if (path === "webrtc" && !this.wasConnected) this.#remember();
      const next = this.#next(path);
      if (next) {
        this.#climb(next);
        return;
      }
    }
    const pause = busy ? BUSY_CHECK_MS : RETRY_MS[this.failures++];
    if (pause === undefined) {
      if (!this.why.includes(rung.why)) this.why = rung.why;
      this.#release();
      this.#go("lost");
      return;
    }
    this.#again(path, pause);
    this.#go("opening");
  }

  /** Whether the kernel says nothing at all now. */
  get #isBusy() {
    return Boolean(this.hooks.busy?.()) || this.#now() - this.heardAt > STALL_MS;
  }

  /** Tries a way again after a pause, but not while the kernel cannot answer.
   * @param {Path} path
   * @param {number} pause in milliseconds
   */
  #again(path, pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.hooks.busy?.()) this.#again(path, BUSY_CHECK_MS);
      else this.#climb(path);
    }, pause);
  }

  /**
   * There is nothing to connect to yet, which is nobody's failure: tries again when the kernel
   * says `ready`, and now and then by itself.
   *
   * @param {Path} path
   */
  #wait(path) {
    this.#release();
    this.#again(path, RETRY_MS[Math.min(this.waits, RETRY_MS.length - 1)]);
    this.waits += 1;
    this.#go("waiting");
  }

  /** Media come, so a way that was not found, or not looked for, may be there now. */
  #ready() {
    if (this.state === "waiting" || (this.state === "lost" && !this.final)) {
      clearTimeout(this.timer);
      this.state = "idle";
      this.open(this.hasVideo);
    }
  }

  #release() {
    const rung = this.rung;
    this.rung = null;
    rung?.close();
  }

  /**
   * A message of the kernel; those for other pages, and of ways that were left, are passed over.
   *
   * @param {any} message
   * @param {any[]} [buffers]
   */
  receive(message, buffers) {
    const { rung } = this;
    if (message?.type === "ready") this.#ready();
    if (message?.page !== this.page || !rung) return;
    const now = this.#now();
    if (now - this.heardAt > STALL_MS) this.stalledAt = now;
    if (rung.path === "webrtc" && this.state === "connected") this.heardAt = now;
    const isOfPath = !message.path || message.path === rung.path;
    if (message.type === "wait") {
      if (isOfPath && this.state === "opening") this.#wait(/** @type {Path} */ (rung.path));
      return;
    }
    if (message.type === "lost" && !isOfPath) return;
    rung.receive(message, buffers);
  }

  /**
   * Sends these tracks from now on, also on a later connection.
   *
   * @param {MediaStreamTrack[]} tracks of each kind one at most; none sends nothing
   */
  carry(tracks) {
    this.carried = tracks;
    this.rung?.carry(tracks);
  }

  /** @returns {Promise<number|null>} the sound's level 0 to 1, if it is known */
  async level() {
    return (await this.rung?.level()) ?? null;
  }

  /** @param {LadderState} state */
  #go(state) {
    this.state = state;
    this.hooks.changed();
  }

  /** Ends it and tells the kernel. May be called again; `open` starts anew. */
  close() {
    if (this.state === "idle") return;
    clearTimeout(this.timer);
    this.#release();
    this.hooks.send({ type: "bye", page: this.page });
    this.#go("idle");
  }

  // Where WebRTC found no path it is not waited for with each call

  get #memory() {
    return this.hooks.memory ?? window.sessionStorage;
  }

  #now() {
    return (this.hooks.now ?? Date.now)();
  }

  #remembered() {
    try {
      const at = Number(this.#memory.getItem(MEMORY) ?? NaN);
      return this.#now() - at < REMEMBER_MS;
    } catch {
      return false;
    }
  }

  #remember() {
    try {
      this.#memory.setItem(MEMORY, String(this.#now()));
    } catch {
      // A page without storage looks for a path each time.
    }
  }

  #forget() {
    try {
      this.#memory.removeItem(MEMORY);
    } catch {
      // There was nothing then.
    }
  }
}
