// @ts-check
import { Announcer } from "./announcer.js";
import { Capture } from "../capture/capture.js";
import { Kernel } from "../shared/kernel.js";
import { Ladder } from "../legs/ladder.js";
import { LastPicture } from "./last_picture.js";
import { Meter } from "./meter.js";
import { Optimistic } from "./optimistic.js";
import { OwnSound } from "./own_sound.js";
import { StatsHistory } from "./stats_history.js";
import { Thumbnail } from "./thumbnail.js";

const FRAME_MS = 1000 / 30;
const KEEP_LEG_MS = 4000;
// Python takes a page that is silent for longer than twice this for gone.
const VIEW_MS = 20_000;

/**
 * @typedef {import("./card.js").Card|import("../group/card.js").GroupCard} Card
 */

/** What one model owns in one page, however often it is shown: connection, sound, timers. */
export class Session {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.page = crypto.getRandomValues(new Uint32Array(3)).join("-");
    /** @type {Set<Card>} */
    this.cards = new Set();
    /** @type {Model|null} */
    this.media = null;
    this.kernel = new Kernel(model);
    this.wasAlive = false;
    this.toldViewAt = 0;
    this.guess = new Optimistic();
    this.leg = this.makeLadder("", () => this.legChanged());
    this.capture = new Capture({
      changed: () => this.#captureChanged(),
      findModel: (id) => this.model.widget_manager.get_model(id),
    });
    this.announcer = new Announcer(this);
    this.meter = new Meter(() => this.leg.level());
    this.ownSound = new OwnSound();
    this.ownLevel = 0;
    this.history = new StatsHistory();
    this.lastPicture = new LastPicture();
    this.sound = { off: false, volume: 1, blocked: false };
    this.thumbnail = new Thumbnail();
    this.visible = false;
    this.durationAt = performance.now();
    this.lastDrawn = 0;
    this.frameRequest = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.parting = undefined;
    this.ticker = setInterval(() => this.#tick(), 500);
    this.onHide = () => this.#leave();
    this.onVisibility = () => this.seen();
    this.onChange = () => this.changed();
    this.onDuration = () => (this.durationAt = performance.now());
    this.onMessage = (/** @type {any} */ message) => this.message(message);
    this.onMedia = (/** @type {any} */ message, /** @type {any[]} */ buffers) =>
      this.mediaMessage(message, buffers);
    window.addEventListener("pagehide", this.onHide);
    document.addEventListener("visibilitychange", this.onVisibility);
    model.on("change", this.onChange);
    model.on("change:duration_s", this.onDuration);
    model.on("msg:custom", this.onMessage);
    this.#findMedia();
  }

  /**
   * @param {string} feed whose media it brings; `""` is the call's own
   * @param {() => void} changed
   */
  makeLadder(feed, changed) {
    return new Ladder(this.page, {
      send: (content, buffers) =>
        this.kernel.tell(this.media, feed ? { ...content, feed } : content, buffers),
      changed,
      busy: () => this.busy,
    });
  }

  async #findMedia() {
    const name = String(this.model.get("leg") ?? "").replace("IPY_MODEL_", "");
    if (!name) return;
    try {
      this.media = await this.model.widget_manager.get_model(name);
    } catch {
      this.media = null;
    }
    this.media?.on("msg:custom", this.onMedia);
    this.media?.on("comm_live_update", this.onChange);
    this.changed();
  }

  // What to show

  /**
   * @param {string} name of a trait
   * @returns {any}
   */
  value(name) {
    return this.guess.get(name, this.model.get(name));
  }

  /** Whether there is a kernel behind this card. */
  get alive() {
    return this.media !== null && this.media.comm_live !== false && !this.kernel.isEnding;
  }

  get connected() {
    const state = this.value("state");
    return state === "connected" || state === "reconnecting";
  }

  /** Seconds since the call was connected, going on by itself between two messages. */
  get duration() {
    const told = Number(this.model.get("duration_s")) || 0;
    return this.connected ? told + (performance.now() - this.durationAt) / 1000 : told;
  }

  /** Whether Python has been silent for long while it should report every second. */
  get busy() {
    return this.alive && this.connected && this.visible && this.kernel.isSilent;
  }

  // Cards

  /** @param {Card} card */
  add(card) {
    clearTimeout(this.parting);
    this.cards.add(card);
    this.seen();
    this.changed();
  }

  /** @param {Card} card */
  remove(card) {
    this.cards.delete(card);
    this.seen();
    for (const other of this.cards) other.update();
    if (this.cards.size === 0) this.parting = setTimeout(() => this.closeLeg(), KEEP_LEG_MS);
  }

  /** The one card whose element plays the sound. @returns {Card|null} */
  get speaker() {
    return this.cards.values().next().value ?? null;
  }

  /** Some card came into view or went out of it. */
  seen() {
    const visible =
      document.visibilityState === "visible" && [...this.cards].some((card) => card.inView);
    if (visible === this.visible) return;
    this.visible = visible;
    this.kernel.hear();
    this.#tellView();
    if (visible) this.#animate();
  }

  #tellView() {
    const open = this.cards.size > 0;
    const { page, visible } = this;
    this.toldViewAt = performance.now();
    this.kernel.tell(this.model, { type: "view", page, open, visible });
    this.kernel.tell(this.media, { type: "visible", page, visible });
  }

  // Commands: shown at once, then told to Python

  /** @param {import("./keys.js").Action} action */
  command(action) {
    this.wake();
    this.capture.refusal = null;
    if (action === "hangup") {
      if (this.value("state") === "ended") return;
      this.guess.set("state", "ended");
      this.closeLeg();
      this.capture.stop();
      this.#send("hangup", true);
    } else if (action === "mute") {
      this.#toggle("muted", "mute");
    } else if (action === "camera" && this.value("has_video")) {
      this.#toggle("camera_on", "camera");
    } else if (action === "page" && this.reached) {
      if (this.capture.active || this.capture.asking) this.capture.stop();
      else this.capture.start({ camera: Boolean(this.value("has_video")), microphone: true });
    } else if (action === "screen" && this.reached && this.value("has_video")) {
      this.capture.switchTo({ screen: !this.capture.what.screen });
    } else if (action === "record" && this.connected) {
      this.#toggle("recording", "record");
    } else if (action === "snapshot" && this.connected) {
      this.#send("snapshot", true);
    }
    this.#followMute();
    this.update();
  }

  /** @param {number} index of the recording to show a player of */
  play(index) {
    this.kernel.tell(this.model, { type: "command", name: "play", index });
  }

  /**
   * @param {string} trait
   * @param {string} name
   */
  #toggle(trait, name) {
    const on = !this.value(trait);
    this.guess.set(trait, on);
    this.#send(name, on);
  }

  /**
   * @param {string} name
   * @param {boolean} on
   */
  #send(name, on) {
    this.kernel.tell(this.model, { type: "command", name, on });
  }

  /** @param {any} message */
  message(message) {
    this.kernel.hear();
    if (message?.type === "figures") this.#figures(message);
    if (message?.type === "level") this.ownSound.tell(message.peak);
    if (message?.type !== "refused") return;
    const traits = { mute: "muted", camera: "camera_on", record: "recording", hangup: "state" };
    const trait = /** @type {Record<string, string>} */ (traits)[message.name];
    if (trait) this.guess.drop(trait);
    this.changed();
  }

  /** @param {import("./stats_history.js").Reading} figures of this second */
  #figures(figures) {
    this.history.add(performance.now() / 1000, figures);
    for (const card of this.cards) card.charts?.update();
  }

  // This page's own camera and microphone

  /** Whether media can flow between this page and the call. */
  get reached() {
    return this.connected && this.leg.state === "connected";
  }

  #followMute() {
    const on = { audio: !this.value("muted"), video: Boolean(this.value("camera_on")) };
    this.capture.setOn(on);
  }

  #captureChanged() {
    this.leg.carry(this.capture.stream?.getTracks() ?? []);
    this.ownSound.listen(this.capture.stream);
    this.announcer.tell(true);
    for (const card of this.cards) card.selfChanged();
    this.update();
  }

  // Sound

  /** A gesture: sound may begin. */
  wake() {
    this.meter.wake();
    if (this.sound.blocked) {
      this.sound.blocked = false;
      for (const card of this.cards) card.play();
    }
  }

  /** @param {{off?: boolean, volume?: number}} change */
  setSound(change) {
    Object.assign(this.sound, change);
    this.update();
  }

  // Media

  legChanged() {
    this.meter.listen(this.leg.stream);
    if (this.leg.state === "lost" || this.leg.state === "idle") this.capture.stop();
    else if (this.capture.active) this.announcer.tell(false);
    for (const card of this.cards) card.streamChanged();
    this.update();
  }

  /**
   * @param {any} message
   * @param {any[]} buffers
   */
  mediaMessage(message, buffers) {
    this.kernel.hear();
    if (message?.type === "preview") this.#showThumbnail(message, buffers);
    else if (message?.type === "snapshot") this.#answerSnapshot(message.id);
    else if (message?.type === "capture" || message?.type === "release") {
      this.announcer.heard(message);
    } else {
      if (message?.page === this.page && ["answer", "opened"].includes(message.type)) {
        this.capture.limit(message.max_height_px, message.max_fps);
      }
      this.leg.receive(message, buffers);
    }
  }

  /**
   * @param {{n: number}} message
   * @param {any[]} buffers
   */
  async #showThumbnail(message, buffers) {
    if (!this.visible || !buffers?.[0]) return;
    try {
      await this.thumbnail.take(buffers[0]);
      for (const card of this.cards) card.drawThumbnail();
    } finally {
      this.kernel.tell(this.media, { type: "shown", page: this.page, n: message.n });
    }
  }

  /** @param {number} id of Python's question for the picture that is or was shown */
  async #answerSnapshot(id) {
    this.keepPicture();
    const picture = await this.lastPicture.jpeg();
    if (!picture) return;
    const { width, height, data } = picture;
    this.kernel.tell(this.media, { type: "snapshot", page: this.page, id, width, height }, [data]);
  }

  keepPicture() {
    if (this.value("remote_camera_off")) return;
    for (const card of this.cards) card.keepPicture(this.lastPicture);
  }

  closeLeg() {
    if (this.leg.state === "connected") this.keepPicture();
    this.leg.close();
  }

  // Time

  changed() {
    this.wasAlive = this.alive;
    this.kernel.hear();
    this.#followMute();
    if (this.connected && this.cards.size > 0 && this.alive) {
      if (this.leg.state === "idle") {
        this.#tellView();
        this.leg.force = this.value("transport") || "auto";
        this.leg.open(Boolean(this.value("has_video")));
      }
    } else if (!this.connected || !this.alive) {
      this.closeLeg();
    }
    this.update();
  }

  update() {
    for (const card of this.cards) card.update();
  }

  #tick() {
    if (this.alive !== this.wasAlive) this.changed();
    const open = this.cards.size > 0 && this.connected && this.alive;
    if (open && performance.now() - this.toldViewAt > VIEW_MS) this.#tellView();
    if (this.thumbnail.expire()) this.update();
    for (const card of this.cards) card.tick();
  }

  /** Listens for a moment. */
  sample() {
    this.meter.sample();
    this.ownLevel = this.ownSound.sample(Boolean(this.value("muted")));
  }

  #animate() {
    cancelAnimationFrame(this.frameRequest);
    if (!this.visible) return;
    this.frameRequest = requestAnimationFrame((now) => {
      if (now - this.lastDrawn >= FRAME_MS - 2) {
        this.lastDrawn = now;
        if (this.connected) {
          this.sample();
          for (const card of this.cards) if (card.inView) card.drawSound();
        }
      }
      this.#animate();
    });
  }

  #leave() {
    this.closeLeg();
    this.capture.stop();
    const gone = { type: "view", page: this.page, open: false, visible: false };
    this.kernel.tell(this.model, gone);
  }

  close() {
    clearInterval(this.ticker);
    clearTimeout(this.parting);
    cancelAnimationFrame(this.frameRequest);
    window.removeEventListener("pagehide", this.onHide);
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.media?.off("msg:custom", this.onMedia);
    this.media?.off("comm_live_update", this.onChange);
    this.closeLeg();
    this.capture.close();
    this.meter.close();
    this.ownSound.close();
    this.thumbnail.close();
  }
}
