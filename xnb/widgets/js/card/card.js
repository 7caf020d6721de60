// @ts-check
import { Controls } from "./controls.js";
import { DeviceMenu } from "./device_menu.js";
import { say, show } from "../shared/dom.js";
import { layout } from "./layout.js";
import { modeOf } from "./mode.js";
import { OwnPicture } from "./own_picture.js";
import { PANEL_VALUES, panelOf } from "./panel.js";
import { PlayerSlot } from "./player_slot.js";
import { drawSound } from "./soundview.js";
import { StatsPanel } from "./stats_panel.js";
import { CARD, filled } from "../shared/strings.js";
import { drawStrip } from "./strip_row.js";
import { Theme } from "../shared/theme.js";
import { Times } from "./times.js";
import { View } from "./view.js";
import { fallingLevel, loudness } from "./wave.js";
import { noticeOf, statusOf } from "./words.js";

/** @typedef {import("./session.js").Session} Session */

const TROUBLE_MS = 6000;
/** Where motion is not wanted, the waveform stands still and is drawn anew this often. */
const CALM_MS = 1000;

/** One drawing of a call; the session does the work. */
export class Card {
  /**
   * @param {Session} session
   * @param {HTMLElement} host
   */
  constructor(session, host) {
    this.session = session;
    this.inView = false;
    this.frames = 0;
    this.levels = { theirs: 0, yours: 0 };
    this.drawnPanel = "";
    this.waveAt = 0;
    /** What went wrong in this page alone, for some seconds. */
    this.trouble = { text: "", until: 0 };
    const ui = (this.ui = layout());
    this.theme = new Theme(ui.root);
    this.view = new View(ui.root, ui.video, {
      changed: () => this.update(),
      trouble: (text) => (this.trouble = { text, until: performance.now() + TROUBLE_MS }),
    });
    this.own = new OwnPicture(session, ui.mirror, ui.self);
    this.times = new Times(session, ui);
    this.player = new PlayerSlot(session.model, ui.player);
    this.controls = new Controls(session, ui, this.view);
    this.devices = new DeviceMenu(session, this.#button("devices"), ui.menu);
    this.charts = new StatsPanel(session, this.#button("stats"), ui.charts);
    host.classList.add("xnb");
    host.append(ui.root);
    this.#listen();
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      session.seen();
    });
    this.observer.observe(ui.root);
    this.#countFrames();
    session.add(this);
    this.streamChanged();
    this.selfChanged();
  }

  /** @param {import("./keys.js").Action} action */
  #button(action) {
    return /** @type {HTMLButtonElement} */ (this.ui.buttons.get(action));
  }

  #listen() {
    const { root, video, stage, unblock } = this.ui;
    root.addEventListener("pointerdown", () => this.session.meter.wake());
    unblock.addEventListener("click", () => this.session.wake());
    video.addEventListener("resize", () => {
      const { videoWidth: width, videoHeight: height } = video;
      if (width && height) stage.style.setProperty("--xnb-ratio", `${width} / ${height}`);
    });
  }

  // The picture

  #countFrames() {
    if (!this.ui.video.requestVideoFrameCallback) return;
    this.frameCallback = this.ui.video.requestVideoFrameCallback(() => {
      this.frames += 1;
      if (this.frames === 1) this.update();
      this.ui.root.dataset.frames = String(this.frames);
      this.#countFrames();
    });
  }

  /** The session's stream has other tracks now. */
  streamChanged() {
    const { stream } = this.session.leg;
    if (stream.getTracks().length === 0) {
      this.ui.video.srcObject = null;
      this.frames = 0;
      this.ui.root.dataset.frames = "0";
    } else if (this.ui.video.srcObject !== stream) {
      this.ui.video.srcObject = stream;
    }
    if (this.ui.video.srcObject) this.play();
  }

  /** This page captures something else now. */
  selfChanged() {
    this.own.captured();
    this.devices.update();
  }

  /** Plays, with sound if this card is the one that may. */
  async play() {
    const { session } = this;
    const loud = session.speaker === this && !session.sound.blocked;
    this.ui.video.muted = !loud || session.sound.off;
    this.ui.video.volume = session.sound.volume;
    try {
      await this.ui.video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      if (this.ui.video.muted) return;
      session.sound.blocked = true;
      session.update();
      this.ui.video.play().catch(() => {});
    }
  }

  // Drawing

  update() {
    const { session } = this;
    const failed = Object.keys(session.value("failure") ?? {}).length > 0;
    const state = String(session.value("state"));
    const mode = modeOf({
      alive: session.alive, state, failed, frames: this.frames,
      hasVideo: Boolean(session.value("has_video")),
      cameraOff: Boolean(session.value("remote_camera_off")),
      legState: session.leg.state,
    });
    const { dataset } = this.ui.root;
    dataset.state = state;
    dataset.mode = mode;
    dataset.transport = session.leg.path || "none";
    dataset.video = String(Boolean(session.value("has_video")));
    dataset.recording = String(Boolean(session.value("recording")));
    const isOver = ["failed", "ended", "gone"].includes(mode);
    dataset.layout = this.view.tiles && session.connected && dataset.video === "true" && !isOver
      ? "tiles" : "corner";
    this.#head(mode);
    this.#fill(mode);
    this.controls.update(mode);
    this.ui.video.muted = session.sound.off || session.sound.blocked || session.speaker !== this;
    this.ui.video.volume = session.sound.volume;
    this.#footer();
    if (isOver) this.view.leave();
    if (isOver) this.charts.close();
    this.player.show(isOver ? String(session.model.get("player") ?? "") : "");
    this.tick();
  }

  /** @param {string} mode */
  #head(mode) {
    const { session } = this;
    const title = String(session.value("title") || CARD.call);
    say(this.ui.title, title);
    say(this.ui.theirName, title);
    say(this.ui.status, statusOf(session, mode));
    const muted = filled(CARD.isMuted, title);
    this.ui.root.setAttribute("aria-label", filled(CARD.callWith, title));
    this.ui.theirMic.setAttribute("aria-label", muted);
    this.ui.theirMic.title = muted;
    const level = filled(CARD.theirLevel, title);
    this.ui.level.setAttribute("aria-label", level);
    this.ui.level.title = level;
    show(this.ui.theirMic, session.connected && Boolean(session.value("remote_muted")));
  }

  /** @param {import("./mode.js").Mode} mode */
  #fill(mode) {
    const { session } = this;
    const parts = PANEL_VALUES.map((name) => session.value(name));
    const drawn = JSON.stringify([mode, session.leg.why, session.alive, parts]);
    if (drawn !== this.drawnPanel) {
      this.drawnPanel = drawn;
      this.ui.panel.replaceChildren(...panelOf(mode, session));
    }
    this.ui.video.setAttribute("aria-label", filled(CARD.pictureFrom, session.value("title")));
    show(this.ui.panel, mode !== "video");
    const isShown = this.own.update();
    const tiles = this.ui.root.dataset.layout === "tiles";
    show(this.ui.own, tiles && !isShown);
    show(this.ui.theirName, tiles);
    show(this.ui.yourName, tiles);
    show(this.ui.unblock, session.sound.blocked && session.connected);
    this.#notice();
  }

  #notice() {
    const text = noticeOf(this.session, this.trouble);
    say(this.ui.note, text);
    show(this.ui.note, text !== "");
  }

  #footer() {
    const { session } = this;
    const { videoWidth: width, videoHeight: height } = this.ui.video;
    drawStrip(session, this.ui.figures, width && height ? `${width}×${height}` : "");
    show(this.ui.foot, session.connected && session.alive);
  }

  /** Twice a second: what changes by itself. */
  tick() {
    const { session } = this;
    this.ui.root.dataset.figures = JSON.stringify(session.leg.figures);
    this.times.tick();
    const percent = (/** @type {number} */ level) => String(Math.round(100 * loudness(level)));
    this.ui.level.setAttribute("aria-valuenow", percent(this.levels.theirs));
    this.ui.yourLevel.setAttribute("aria-valuenow", percent(this.levels.yours));
    this.#notice();
  }

  /** @param {import("./last_picture.js").LastPicture} picture to keep what is shown now */
  keepPicture(picture) {
    picture.keep(this.ui.video);
  }

  drawThumbnail() {
    if (this.own.drawn()) this.update();
  }

  drawSound() {
    const { meter, ownLevel } = this.session;
    this.levels = {
      theirs: fallingLevel(this.levels.theirs, meter.level),
      yours: fallingLevel(this.levels.yours, ownLevel),
    };
    const { theme } = this;
    const isCalm = theme.isCalm;
    this.ui.panel.style.setProperty("--xnb-level", loudness(this.levels.theirs).toFixed(3));
    const now = performance.now();
    if (isCalm && now - this.waveAt < CALM_MS) return;
    this.waveAt = now;
    drawSound(this.ui.wave, meter.wave, this.levels, theme.colours);
  }

  close() {
    this.observer.disconnect();
    if (this.frameCallback !== undefined) this.ui.video.cancelVideoFrameCallback(this.frameCallback);
    this.inView = false;
    this.player.show("");
    this.charts.close();
    this.view.close();
    this.ui.video.srcObject = null;
    this.session.remove(this);
    this.ui.root.remove();
  }
}
