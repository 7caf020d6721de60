// @ts-check
import { element, say, show } from "./dom.js";
import { clock } from "./format.js";
import { icon } from "./icons.js";
import { CONTROL_KEYS, actionOf, movedFocus } from "./keys.js";
import { modeOf, panelOf } from "./panel.js";
import { drawSound } from "./soundview.js";
import { fallingLevel, loudness } from "./wave.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./keys.js").Action} Action */

/** @type {{action: Action, label: string, key: string, on: import("./icons.js").IconName,
 *   off: import("./icons.js").IconName}[]} */
const BUTTONS = [
  { action: "mute", label: "Mute microphone", key: "M", on: "micOff", off: "mic" },
  { action: "camera", label: "Turn camera off", key: "V", on: "videoOff", off: "video" },
  { action: "record", label: "Record", key: "R", on: "square", off: "circle" },
  { action: "hangup", label: "Hang up", key: "H", on: "phone", off: "phone" },
];

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
    this.shownLevel = 0;
    this.drawnPanel = "";
    this.themeAt = 0;
    this.colours = { wave: "#1976d2", soft: "#ddd", hot: "#d32f2f" };
    this.#build(host);
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      session.seen();
    });
    this.observer.observe(this.root);
    this.#countFrames();
    session.add(this);
    this.streamChanged();
  }

  /** @param {HTMLElement} host */
  #build(host) {
    this.dot = element("span", { class: "xnb-dot", "aria-hidden": "true" });
    this.title = element("strong", { class: "xnb-title" });
    this.status = element("span", { class: "xnb-status", role: "status", "aria-live": "polite" });
    this.theirMic = element("span", { class: "xnb-flag", role: "img" }, icon("micOff"));
    this.rec = element("span", { class: "xnb-rec-badge" });
    this.time = element("time", { class: "xnb-time", "aria-label": "Duration" });
    const head = element(
      "header", { class: "xnb-head" },
      this.dot, this.title, this.status, this.theirMic,
      element("span", { class: "xnb-gap" }), this.rec, this.time,
    );
    this.video = element("video", { class: "xnb-video", playsinline: "", autoplay: "" });
    this.video.muted = true;
    this.panel = element("div", { class: "xnb-panel" });
    this.self = element("canvas", { class: "xnb-self", role: "img", "aria-label": "Your picture" });
    this.unblock = element(
      "button", { class: "xnb-unblock", type: "button" }, icon("volume"), "Click for sound",
    );
    this.unblock.addEventListener("click", () => this.session.wake());
    this.note = element("p", { class: "xnb-note", role: "status", "aria-live": "polite" });
    const stage = (this.stage = element(
      "div", { class: "xnb-stage" },
      this.video, this.panel, this.self, this.unblock, this.note,
    ));
    this.wave = element("canvas", { class: "xnb-wave-canvas", "aria-hidden": "true" });
    this.level = element("span", {
      class: "xnb-level", role: "meter", "aria-label": "Sound level", "aria-valuemin": "0",
      "aria-valuemax": "100", "aria-valuenow": "0",
    });
    this.sound = element("div", { class: "xnb-wave" }, this.wave, this.level);
    this.bar = this.#toolbar();
    this.foot = element("footer", { class: "xnb-foot" });
    this.root = element(
      "section", { class: "xnb-card", role: "group", tabindex: "0" },
      head, stage, this.sound, this.bar, this.foot,
    );
    this.root.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("pointerdown", () => this.session.meter.wake());
    this.video.addEventListener("resize", () => {
      const { videoWidth: width, videoHeight: height } = this.video;
      if (width && height) stage.style.setProperty("--xnb-ratio", `${width} / ${height}`);
    });
    host.classList.add("xnb");
    host.append(this.root);
  }

  #toolbar() {
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    const middle = element("div", { class: "xnb-main" });
    for (const { action, label, key, on, off } of BUTTONS) {
      const button = element("button", {
        class: `xnb-button xnb-${action}`, type: "button", title: `${label} (${key})`,
        "aria-label": label, "aria-keyshortcuts": key, "data-action": action, tabindex: "-1",
      });
      const images = [icon(off)];
      if (on !== off) images.push(icon(on));
      button.append(...images);
      button.addEventListener("click", () => this.session.command(action));
      this.buttons.set(action, button);
      middle.append(button);
    }
    this.speaker = element("button", {
      class: "xnb-button xnb-quiet", type: "button", "aria-label": "Turn sound off",
      title: "Turn sound off", "aria-pressed": "false", "data-action": "sound", tabindex: "-1",
    }, icon("volume"), icon("volumeOff"));
    this.speaker.addEventListener("click", () =>
      this.session.setSound({ off: !this.session.sound.off }),
    );
    this.volume = element("input", {
      class: "xnb-volume", type: "range", min: "0", max: "1", step: "0.05", value: "1",
      "aria-label": "Volume", tabindex: "-1",
    });
    this.volume.addEventListener("input", () =>
      this.session.setSound({ volume: Number(this.volume.value), off: false }),
    );
    return element(
      "div", { class: "xnb-bar", role: "toolbar", "aria-label": "Call controls" },
      element("span", { class: "xnb-side" }), middle,
      element("span", { class: "xnb-side xnb-out" }, this.speaker, this.volume),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const controls = [...this.bar.querySelectorAll("button, input")].filter(
      (one) => /** @type {HTMLElement} */ (one).offsetParent && !one.hasAttribute("disabled"),
    );
    const index = controls.indexOf(target);
    const isSlider = target === this.volume;
    const step = index >= 0 ? movedFocus(event.key, index, controls.length) : null;
    if (step !== null && !(isSlider && event.key !== "Home" && event.key !== "End")) {
      this.#focusOn(/** @type {HTMLElement} */ (controls[step]));
      event.preventDefault();
    } else {
      const action = actionOf(event);
      if (action) {
        const button = this.buttons?.get(action);
        if (button && !button.disabled && button.offsetParent) button.click();
        event.preventDefault();
      } else if (!(target !== this.root && CONTROL_KEYS.has(event.key))) {
        return;
      }
    }
    event.stopPropagation();
  }

  /** @param {HTMLElement} control */
  #focusOn(control) {
    for (const one of this.bar.querySelectorAll("button, input")) one.setAttribute("tabindex", "-1");
    control.setAttribute("tabindex", "0");
    control.focus();
  }

  // The picture

  #countFrames() {
    if (!this.video.requestVideoFrameCallback) return;
    this.frameCallback = this.video.requestVideoFrameCallback(() => {
      this.frames += 1;
      if (this.frames === 1) this.update();
      this.root.dataset.frames = String(this.frames);
      this.#countFrames();
    });
  }

  /** The session's stream has other tracks now. */
  streamChanged() {
    const { stream } = this.session.leg;
    if (stream.getTracks().length === 0) {
      this.video.srcObject = null;
      this.frames = 0;
      this.root.dataset.frames = "0";
    } else if (this.video.srcObject !== stream) {
      this.video.srcObject = stream;
    }
    if (this.video.srcObject) this.play();
  }

  /** Plays, with sound if this card is the one that may. */
  async play() {
    const { session } = this;
    const loud = session.speaker === this && !session.sound.blocked;
    this.video.muted = !loud || session.sound.off;
    this.video.volume = session.sound.volume;
    try {
      await this.video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      if (this.video.muted) return;
      session.sound.blocked = true;
      session.update();
      this.video.play().catch(() => {});
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
    const { dataset } = this.root;
    dataset.state = state;
    dataset.mode = mode;
    dataset.transport = session.leg.state === "connected" ? "webrtc" : "none";
    dataset.recording = String(Boolean(session.value("recording")));
    this.#head(mode);
    this.#fill(mode);
    this.#controls(mode);
    this.#footer();
    this.tick();
  }

  /** @param {string} mode */
  #head(mode) {
    const { session } = this;
    const title = String(session.value("title") || "Call");
    const words = { failed: "failed", ended: "ended", gone: "not live" };
    const text = /** @type {Record<string, string>} */ (words)[mode] ?? session.value("state_text");
    say(this.title, title);
    say(this.status, String(text));
    this.root.setAttribute("aria-label", `Call with ${title}`);
    this.theirMic.setAttribute("aria-label", `${title} is muted`);
    this.theirMic.title = `${title} is muted`;
    show(this.theirMic, session.connected && Boolean(session.value("remote_muted")));
  }

  /** @param {import("./panel.js").Mode} mode */
  #fill(mode) {
    const { session } = this;
    const parts = ["title", "stages", "failure", "ended", "recorded"].map((n) => session.value(n));
    const drawn = JSON.stringify([mode, session.leg.why, parts]);
    if (drawn !== this.drawnPanel) {
      this.drawnPanel = drawn;
      this.panel.replaceChildren(...panelOf(mode, session));
    }
    this.video.setAttribute("aria-label", `Picture from ${session.value("title")}`);
    show(this.panel, mode !== "video");
    const own = session.connected && session.value("camera_on") && session.thumbnail;
    show(this.self, Boolean(own));
    show(this.unblock, session.sound.blocked && session.connected);
    this.#notice();
  }

  #notice() {
    const { session } = this;
    let text = String(session.value("notice") ?? "");
    if (session.value("state") === "ended") text = "";
    else if (session.value("state") === "reconnecting") text = "Connection lost, trying again …";
    else if (session.busy) {
      text = session.value("own_thread")
        ? "Python has not answered for a while."
        : "A cell is running, so the call stands still until it is done. " +
          'Client(loop="thread") keeps calls going meanwhile.';
    }
    say(this.note, text);
    show(this.note, text !== "");
  }

  /** @param {string} mode */
  #controls(mode) {
    const { session } = this;
    const over = mode === "ended" || mode === "failed" || mode === "gone";
    show(this.bar, !over);
    show(this.sound, !over && mode !== "steps");
    const pressed = {
      mute: session.value("muted"),
      camera: !session.value("camera_on"),
      record: session.value("recording"),
    };
    const label = session.connected ? "Hang up" : "Cancel the call";
    for (const [action, button] of this.buttons ?? []) {
      if (action === "hangup") {
        button.title = `${label} (H)`;
        button.setAttribute("aria-label", label);
        continue;
      }
      const on = Boolean(/** @type {Record<string, unknown>} */ (pressed)[action]);
      button.setAttribute("aria-pressed", String(on));
      button.disabled = !session.connected;
    }
    const camera = this.buttons?.get("camera");
    if (camera) show(camera, Boolean(session.value("has_video")));
    this.speaker?.setAttribute("aria-pressed", String(session.sound.off));
    this.video.muted = session.sound.off || session.sound.blocked || session.speaker !== this;
    this.video.volume = session.sound.volume;
    const out = /** @type {HTMLElement} */ (this.bar.querySelector(".xnb-out"));
    out.classList.toggle("xnb-away", mode === "steps");
    if (this.bar.querySelectorAll('[tabindex="0"]:not([disabled])').length === 0) {
      this.buttons?.get(session.connected ? "mute" : "hangup")?.setAttribute("tabindex", "0");
    }
  }

  #footer() {
    const { session } = this;
    const picture = ["codec", "size", "fps"].map((name) => session.value(name)).filter(Boolean);
    const texts = [
      picture.join(" "),
      session.value("rtt"), session.value("loss"), session.value("path"),
      session.value("sending") ? `sending ${session.value("sending")}` : "",
    ].filter(Boolean);
    const joined = texts.join("\n");
    if (this.foot.dataset.drawn !== joined) {
      this.foot.dataset.drawn = joined;
      this.foot.replaceChildren(...texts.map((text) => element("span", {}, text)));
    }
    show(this.foot, session.connected && session.alive && texts.length > 0);
  }

  /** Twice a second: what changes by itself. */
  tick() {
    const { session } = this;
    const over = session.value("state") === "ended";
    const seconds = over ? Number(session.value("ended")?.duration_s ?? 0) : session.duration;
    say(this.time, session.connected || seconds > 0 ? clock(seconds) : "");
    const recording = session.connected && Boolean(session.value("recording"));
    show(this.rec, recording);
    if (recording) say(this.rec, `REC ${clock(this.#recorded())}`);
    else this.recordSince = undefined;
    this.level.setAttribute("aria-valuenow", String(Math.round(100 * loudness(this.shownLevel))));
    this.#notice();
  }

  #recorded() {
    const told = Number(this.session.model.get("record_elapsed")) || 0;
    const now = performance.now() / 1000;
    this.recordSince ??= now - (this.session.model.get("recording") ? told : 0);
    return now - this.recordSince;
  }

  drawThumbnail() {
    const picture = this.session.thumbnail;
    if (!picture) return;
    if (this.self.width !== picture.width || this.self.height !== picture.height) {
      this.self.width = picture.width;
      this.self.height = picture.height;
    }
    this.self.getContext("2d")?.drawImage(picture, 0, 0);
    if (this.self.hidden) this.update();
  }

  drawSound() {
    const { meter } = this.session;
    this.shownLevel = fallingLevel(this.shownLevel, meter.level);
    this.panel.style.setProperty("--xnb-level", loudness(this.shownLevel).toFixed(3));
    this.#readTheme();
    drawSound(this.wave, meter.wave, this.shownLevel, this.colours);
  }

  #readTheme() {
    const now = performance.now();
    if (now - this.themeAt < 1000) return;
    this.themeAt = now;
    const style = getComputedStyle(this.root);
    const read = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    this.colours = {
      wave: read("--xnb-accent"), soft: read("--xnb-line"), hot: read("--xnb-bad"),
    };
  }

  close() {
    this.observer.disconnect();
    if (this.frameCallback !== undefined) this.video.cancelVideoFrameCallback(this.frameCallback);
    this.inView = false;
    this.video.srcObject = null;
    this.session.remove(this);
    this.root.remove();
  }
}
