// @ts-check
import { element, say, show } from "./dom.js";
import { clock } from "./format.js";
import { CONTROL_KEYS, actionOf, movedFocus } from "./keys.js";
import { layout } from "./layout.js";
import { modeOf } from "./mode.js";
import { panelOf } from "./panel.js";
import { drawSound } from "./soundview.js";
import { fallingLevel, loudness } from "./wave.js";

/** @typedef {import("./session.js").Session} Session */

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
    /** @type {number|undefined} */
    this.recordSince = undefined;
    this.ui = layout();
    host.classList.add("xnb");
    host.append(this.ui.root);
    this.#listen();
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      session.seen();
    });
    this.observer.observe(this.ui.root);
    this.#countFrames();
    session.add(this);
    this.streamChanged();
    this.selfChanged();
  }

  #listen() {
    const { root, video, stage, unblock, speaker, volume, buttons } = this.ui;
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("pointerdown", () => this.session.meter.wake());
    unblock.addEventListener("click", () => this.session.wake());
    for (const [action, button] of buttons) {
      button.addEventListener("click", () => this.session.command(action));
    }
    speaker.addEventListener("click", () =>
      this.session.setSound({ off: !this.session.sound.off }),
    );
    volume.addEventListener("input", () =>
      this.session.setSound({ volume: Number(volume.value), off: false }),
    );
    video.addEventListener("resize", () => {
      const { videoWidth: width, videoHeight: height } = video;
      if (width && height) stage.style.setProperty("--xnb-ratio", `${width} / ${height}`);
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const controls = [...this.ui.bar.querySelectorAll("button, input")].filter(
      (one) => /** @type {HTMLElement} */ (one).offsetParent && !one.hasAttribute("disabled"),
    );
    const index = controls.indexOf(target);
    const isSlider = target === this.ui.volume;
    const step = index >= 0 ? movedFocus(event.key, index, controls.length) : null;
    if (step !== null && !(isSlider && event.key !== "Home" && event.key !== "End")) {
      this.#focusOn(/** @type {HTMLElement} */ (controls[step]));
      event.preventDefault();
    } else {
      const action = actionOf(event);
      if (action) {
        const button = this.ui.buttons.get(action);
        if (button && !button.disabled && button.offsetParent) button.click();
        event.preventDefault();
      } else if (!(target !== this.ui.root && CONTROL_KEYS.has(event.key))) {
        return;
      }
    }
    event.stopPropagation();
  }

  /** @param {HTMLElement} control */
  #focusOn(control) {
    for (const one of this.ui.bar.querySelectorAll("button, input")) one.setAttribute("tabindex", "-1");
    control.setAttribute("tabindex", "0");
    control.focus();
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

  /** This page captures something else now: shown as in a mirror, without a way through Python. */
  selfChanged() {
    const { capture } = this.session;
    const picture = capture.track("video") ? capture.stream : null;
    if (this.ui.mirror.srcObject !== picture) this.ui.mirror.srcObject = picture;
    if (picture) this.ui.mirror.play().catch(() => {});
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
    dataset.transport = session.leg.state === "connected" ? "webrtc" : "none";
    dataset.video = String(Boolean(session.value("has_video")));
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
    say(this.ui.title, title);
    say(this.ui.status, String(text));
    this.ui.root.setAttribute("aria-label", `Call with ${title}`);
    this.ui.theirMic.setAttribute("aria-label", `${title} is muted`);
    this.ui.theirMic.title = `${title} is muted`;
    show(this.ui.theirMic, session.connected && Boolean(session.value("remote_muted")));
  }

  /** @param {import("./mode.js").Mode} mode */
  #fill(mode) {
    const { session } = this;
    const parts = ["title", "stages", "failure", "ended", "recorded"].map((n) => session.value(n));
    const drawn = JSON.stringify([mode, session.leg.why, parts]);
    if (drawn !== this.drawnPanel) {
      this.drawnPanel = drawn;
      this.ui.panel.replaceChildren(...panelOf(mode, session));
    }
    this.ui.video.setAttribute("aria-label", `Picture from ${session.value("title")}`);
    show(this.ui.panel, mode !== "video");
    const own = session.connected && Boolean(session.value("camera_on"));
    const mirrored = Boolean(session.capture.track("video"));
    show(this.ui.mirror, own && mirrored);
    show(this.ui.self, own && !mirrored && session.thumbnail !== null);
    show(this.ui.unblock, session.sound.blocked && session.connected);
    this.#notice();
  }

  #notice() {
    const { session } = this;
    const { refusal, asking } = session.capture;
    let text = String(session.value("notice") ?? "");
    if (refusal) text = `${refusal.cause} ${refusal.remedy}`;
    else if (asking) text = "Asking this browser for your devices …";
    if (session.value("state") === "ended") text = "";
    else if (session.value("state") === "reconnecting") text = "Connection lost, trying again …";
    else if (session.busy) {
      text = session.value("own_thread")
        ? "Python has not answered for a while."
        : "A cell is running, so the call stands still until it is done. " +
          'Client(loop="thread") keeps calls going meanwhile.';
    }
    say(this.ui.note, text);
    show(this.ui.note, text !== "");
  }

  /** @param {string} mode */
  #controls(mode) {
    const { session } = this;
    const over = mode === "ended" || mode === "failed" || mode === "gone";
    show(this.ui.bar, !over);
    show(this.ui.sound, !over && mode !== "steps");
    const pressed = {
      mute: session.value("muted"),
      camera: !session.value("camera_on"),
      page: session.capture.active || session.capture.asking,
      record: session.value("recording"),
    };
    const used = session.value("has_video") ? "camera and microphone" : "microphone";
    const label = session.connected ? "Hang up" : "Cancel the call";
    for (const [action, button] of this.ui.buttons) {
      if (action === "hangup") {
        button.title = `${label} (H)`;
        button.setAttribute("aria-label", label);
        continue;
      }
      const on = Boolean(/** @type {Record<string, unknown>} */ (pressed)[action]);
      button.setAttribute("aria-pressed", String(on));
      button.disabled = action === "page" ? !session.reached && !on : !session.connected;
      if (action === "page") {
        const text = `${on ? "Stop using" : "Use"} this page’s ${used}`;
        button.title = `${text} (P)`;
        button.setAttribute("aria-label", text);
      }
    }
    const camera = this.ui.buttons.get("camera");
    if (camera) show(camera, Boolean(session.value("has_video")));
    this.ui.speaker.setAttribute("aria-pressed", String(session.sound.off));
    this.ui.video.muted = session.sound.off || session.sound.blocked || session.speaker !== this;
    this.ui.video.volume = session.sound.volume;
    const out = /** @type {HTMLElement} */ (this.ui.bar.querySelector(".xnb-out"));
    out.classList.toggle("xnb-away", mode === "steps");
    if (this.ui.bar.querySelectorAll('[tabindex="0"]:not([disabled])').length === 0) {
      this.ui.buttons.get(session.connected ? "mute" : "hangup")?.setAttribute("tabindex", "0");
    }
  }

  #footer() {
    const { session } = this;
    const { videoWidth: width, videoHeight: height } = this.ui.video;
    const size = session.value("size") || (width && height ? `${width}×${height}` : "");
    const picture = [session.value("codec"), size, session.value("fps")].filter(Boolean);
    const texts = [
      picture.join(" "),
      session.value("rtt"), session.value("loss"), session.value("path"),
      session.value("sending") ? `sending ${session.value("sending")}` : "",
    ].filter(Boolean);
    const joined = texts.join("\n");
    if (this.ui.foot.dataset.drawn !== joined) {
      this.ui.foot.dataset.drawn = joined;
      this.ui.foot.replaceChildren(...texts.map((text) => element("span", {}, text)));
    }
    show(this.ui.foot, session.connected && session.alive && texts.length > 0);
  }

  /** Twice a second: what changes by itself. */
  tick() {
    const { session } = this;
    const over = session.value("state") === "ended";
    const seconds = over ? Number(session.value("ended")?.duration_s ?? 0) : session.duration;
    say(this.ui.time, session.connected || seconds > 0 ? clock(seconds) : "");
    const recording = session.connected && Boolean(session.value("recording"));
    show(this.ui.rec, recording);
    if (recording) say(this.ui.rec, `REC ${clock(this.#recorded())}`);
    else this.recordSince = undefined;
    this.ui.level.setAttribute("aria-valuenow", String(Math.round(100 * loudness(this.shownLevel))));
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
    if (this.ui.self.width !== picture.width || this.ui.self.height !== picture.height) {
      this.ui.self.width = picture.width;
      this.ui.self.height = picture.height;
    }
    this.ui.self.getContext("2d")?.drawImage(picture, 0, 0);
    if (this.ui.self.hidden) this.update();
  }

  drawSound() {
    const { meter } = this.session;
    this.shownLevel = fallingLevel(this.shownLevel, meter.level);
    this.ui.panel.style.setProperty("--xnb-level", loudness(this.shownLevel).toFixed(3));
    this.#readTheme();
    drawSound(this.ui.wave, meter.wave, this.shownLevel, this.colours);
  }

  #readTheme() {
    const now = performance.now();
    if (now - this.themeAt < 1000) return;
    this.themeAt = now;
    const style = getComputedStyle(this.ui.root);
    const read = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    this.colours = {
      wave: read("--xnb-accent"), soft: read("--xnb-track"), hot: read("--xnb-bad"),
    };
  }

  close() {
    this.observer.disconnect();
    if (this.frameCallback !== undefined) this.ui.video.cancelVideoFrameCallback(this.frameCallback);
    this.inView = false;
    this.ui.video.srcObject = null;
    this.session.remove(this);
    this.ui.root.remove();
  }
}
