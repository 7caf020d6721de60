// @ts-check
import { element, say, show } from "../shared/dom.js";
import { drawSpectrum, drawWave, spectrumImage } from "./draw.js";
import { layout } from "./layout.js";
import {
  clamp, following, moment, movedBy, placeOf, secondsAt, size, suits, widened, zoomed,
} from "./math.js";
import { RECORDING as S, filled } from "../shared/strings.js";
import { Trim } from "./trim.js";

/** @typedef {import("./store.js").Store} Store */

// Larger files come when somebody wants to play them.
const AT_ONCE_BYTES = 16e6;
const ZOOM = 2;
const ZOOM_FROM_S = 5;

/** One drawing of a recording. */
export class Player {
  /**
   * @param {Store} store
   * @param {HTMLElement} host
   */
  constructor(store, host) {
    this.store = store;
    this.duration = store.duration || 0.001;
    this.view = { from: 0, to: this.duration };
    this.position = 0;
    this.wanted = 0;
    this.playing = false;
    this.seen = false;
    this.spectral = false;
    /** @type {import("./store.js").Wave|null} */
    this.wave = null;
    this.drawn = this.view;
    this.waveAsked = 0;
    /** @type {HTMLCanvasElement|null} */
    this.image = null;
    this.ui = layout();
    this.trim = new Trim(this);
    host.classList.add("xnb");
    host.append(this.ui.root);
    this.#fill();
    this.#listen();
    store.watchers.add(this);
    this.watching = new IntersectionObserver((entries) => {
      if (entries[entries.length - 1].isIntersecting) this.#show();
    });
    this.watching.observe(this.ui.root);
    this.resizing = new ResizeObserver(() => this.#resized());
    this.resizing.observe(this.ui.slider);
    // JupyterLab says its theme on the body.
    this.theming = new MutationObserver(() => requestAnimationFrame(() => this.draw()));
    this.theming.observe(document.body, { attributes: true });
    this.contrast = matchMedia("(forced-colors: active)");
    this.onContrast = () => this.draw();
    this.contrast.addEventListener("change", this.onContrast);
    this.changed();
    this.moved();
  }

  #fill() {
    const { ui, store } = this;
    const title = String(store.value("title"));
    say(ui.title, title);
    say(ui.words, title === store.value("name")
      ? String(store.value("words")) : `${store.value("name")}: ${store.value("words")}`);
    ui.root.setAttribute("aria-label", filled(S.recording, title));
    ui.video.setAttribute("aria-label", filled(S.picture, title));
    const label = filled(S.download, String(store.value("name")));
    ui.download.setAttribute("aria-label", label);
    ui.download.title = label;
    const picture = Boolean(store.value("has_video"));
    const sound = Boolean(store.value("has_audio"));
    ui.root.dataset.video = String(picture);
    ui.root.dataset.audio = String(sound);
    if (picture) {
      ui.stage.style.setProperty("--xnb-ratio", `${store.value("width")} / ${store.value("height")}`);
    }
    for (const one of [ui.mute, ui.volume, ui.spectrogram]) show(one, sound);
    for (const one of [ui.zoomIn, ui.zoomOut]) show(one, this.duration > ZOOM_FROM_S);
    show(ui.poster, false);
    show(ui.scale, false);
    ui.slider.setAttribute("aria-valuemax", this.duration.toFixed(1));
    const large = Number(store.value("size_bytes")) > AT_ONCE_BYTES;
    if (large && !store.address && !store.note) {
      store.note = filled(S.loadHint, size(Number(store.value("size_bytes"))));
    }
    this.#placeTicks();
  }

  #listen() {
    const { ui, store } = this;
    ui.root.addEventListener("keydown", (event) => this.#key(event));
    for (const one of [ui.play, ui.begin]) one.addEventListener("click", () => this.toggle());
    ui.video.addEventListener("click", () => this.toggle());
    ui.mute.addEventListener("click", () => {
      ui.video.muted = !ui.video.muted;
      ui.mute.setAttribute("aria-pressed", String(ui.video.muted));
    });
    ui.volume.addEventListener("input", () => (ui.video.volume = Number(ui.volume.value)));
    ui.zoomIn.addEventListener("click", () => this.zoom(1 / ZOOM));
    ui.zoomOut.addEventListener("click", () => this.zoom(ZOOM));
    ui.spectrogram.addEventListener("click", () => this.#toggleSpectrogram());
    ui.download.addEventListener("click", () => store.download());
    ui.slider.addEventListener("pointerdown", (event) => this.#drag(event));
    const follow = () => this.#follow();
    for (const name of ["play", "pause", "ended", "seeked", "timeupdate"]) {
      ui.video.addEventListener(name, follow);
    }
    ui.video.addEventListener("loadedmetadata", () => {
      if (this.wanted) ui.video.currentTime = this.wanted;
    });
    ui.video.addEventListener("loadeddata", () => this.changed());
    ui.video.addEventListener("error", () => {
      if (store.address && ui.video.src === store.address) store.refused();
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isHandle = target === this.ui.from || target === this.ui.to;
    const isButton = target instanceof HTMLButtonElement;
    if (target instanceof HTMLInputElement || (isButton && (event.key === " " || event.key === "Enter"))) {
      event.stopPropagation();
      return;
    }
    const to = isHandle ? null : movedBy(event, this.position, this.duration);
    if (isHandle && this.trim.key(event, target)) {
      event.preventDefault();
    } else if (to !== null) {
      this.seek(to);
      event.preventDefault();
    } else if (event.key === " ") {
      this.toggle();
      event.preventDefault();
    } else if (event.key === "+" || event.key === "-") {
      this.zoom(event.key === "+" ? 1 / ZOOM : ZOOM);
    } else {
      return;
    }
    event.stopPropagation();
  }

  // Playing

  /** Plays or pauses; brings the file first where it is not here yet. */
  async toggle() {
    const { ui } = this;
    if (this.playing) {
      this.playing = false;
      ui.video.pause();
      this.changed();
      return;
    }
    this.playing = true;
    this.changed();
    await this.store.load();
    if (!this.playing) return;
    this.#attach();
    if (!this.store.address) this.playing = false;
    else await this.#start();
    this.changed();
  }

  async #start() {
    const start = this.trim.startFrom(this.position);
    if (start !== this.position) this.seek(start);
    else if (this.position >= this.duration - 0.05) this.seek(0);
    try {
      await this.ui.video.play();
      this.#animate();
    } catch (error) {
      // Another form may be on its way; then this one was given up.
      if (!(error instanceof DOMException) || error.name !== "AbortError") this.playing = false;
    }
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.wanted = clamp(seconds, 0, this.duration);
    this.position = this.wanted;
    const { video } = this.ui;
    if (video.readyState > 0) video.currentTime = Math.min(this.wanted, video.duration || this.wanted);
    else this.store.load();
    this.moved();
  }

  #attach() {
    const { video } = this.ui;
    const { address } = this.store;
    if (!address || video.src === address) return;
    this.wanted = this.position;
    video.src = address;
    if (this.playing) video.play().catch(() => {});
  }

  #follow() {
    const { video } = this.ui;
    if (video.seeking || video.readyState === 0) return;
    this.position = video.currentTime;
    const playing = !video.paused && !video.ended;
    if (playing !== this.playing) {
      this.playing = playing;
      this.changed();
    }
    if (playing) this.#animate();
    this.moved();
  }

  /** While it plays: position and picture go together. */
  #animate() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const { video } = this.ui;
      if (video.paused) return;
      if (!video.seeking) this.position = video.currentTime;
      if (this.trim.isOver(this.position)) video.pause();
      this.view = following(this.view, this.position, this.duration);
      this.moved();
      this.#animate();
    });
  }

  // Looks

  #show() {
    if (this.seen) return;
    this.seen = true;
    const { store, ui } = this;
    if (store.value("has_audio")) this.#askWave();
    else this.draw();
    if (Number(store.value("size_bytes")) <= AT_ONCE_BYTES) store.load();
    if (store.value("has_video") && !store.address) {
      store.readPoster().then((address) => {
        ui.poster.src = address;
        this.changed();
      }, () => {});
    }
  }

  #resized() {
    clearTimeout(this.resizeTimer);
    this.draw();
    this.resizeTimer = setTimeout(() => this.#needWave(), 200);
  }

  /** Soon asks for the waveform of what is shown then. */
  #needWave() {
    if (this.waveTimer || !this.seen || !this.store.value("has_audio")) return;
    this.waveTimer = setTimeout(() => {
      this.waveTimer = 0;
      this.#askWave();
    }, 100);
  }

  async #askWave() {
    const { view } = this;
    const span = widened(view, this.duration);
    const share = (span.to - span.from) / (view.to - view.from);
    const scale = Math.min(2, devicePixelRatio || 1);
    const columns = Math.round(this.ui.canvas.clientWidth * scale * share);
    if (!columns) return;
    const asked = ++this.waveAsked;
    try {
      const wave = await this.store.wave(span.from, span.to, columns);
      if (asked !== this.waveAsked) return;
      this.wave = wave;
      this.drawn = span;
      this.ui.root.dataset.wave = "ready";
      this.draw();
    } catch {
      // What went wrong is said where the file is loaded.
    }
  }

  async #toggleSpectrogram() {
    this.spectral = !this.spectral;
    this.ui.spectrogram.setAttribute("aria-pressed", String(this.spectral));
    if (this.spectral && !this.image) {
      try {
        const spectrum = await this.store.readSpectrum();
        this.image = spectrumImage(spectrum);
        say(this.ui.scale, filled(S.spectrogramText, Math.round(spectrum.highest_hz / 1000)));
      } catch (error) {
        this.spectral = false;
        this.ui.spectrogram.setAttribute("aria-pressed", "false");
        if (error instanceof Error && error.message) this.store.say(error.message);
      }
    }
    this.ui.root.dataset.spectrogram = String(this.spectral && this.image !== null);
    show(this.ui.scale, this.spectral && this.image !== null);
    this.draw();
  }

  /** @param {number} factor above 1 shows more */
  zoom(factor) {
    const around = clamp(this.position, this.view.from, this.view.to);
    this.view = zoomed(this.view, factor, around, this.duration);
    this.moved();
  }

  #placeTicks() {
    /** @type {[number, string][]} */
    const markers = this.store.value("markers") ?? [];
    this.ticks = markers.map(([seconds, text]) => {
      const label = filled(S.marker, moment(seconds), text);
      const tick = element("button", {
        class: "xnb-player-tick", type: "button", "aria-label": label, "data-text": label,
      });
      tick.addEventListener("click", () => this.seek(seconds));
      return { tick, seconds };
    });
    this.ui.ticks.replaceChildren(...this.ticks.map(({ tick }) => tick));
    show(this.ui.ticks, markers.length > 0);
  }

  /** The position, the view or the part to save is another one. */
  moved() {
    const { ui, view } = this;
    const now = moment(this.position);
    const all = moment(this.duration);
    say(ui.time, `${now} / ${all}`);
    ui.slider.setAttribute("aria-valuenow", this.position.toFixed(1));
    ui.slider.setAttribute("aria-valuetext", filled(S.positionText, now, all));
    place(ui.playhead, placeOf(this.position, view));
    for (const { tick, seconds } of this.ticks ?? []) {
      const at = placeOf(seconds, view);
      place(tick, at);
      tick.classList.toggle("xnb-player-late", at > 0.5);
    }
    this.#offer();
    this.trim.place();
    ui.zoomOut.disabled = view.to - view.from >= this.duration - 1e-6;
    if (this.wave && !suits(this.drawn, view)) this.#needWave();
    this.draw();
  }

  draw() {
    const { ui } = this;
    if (this.spectral && this.image) {
      drawSpectrum(ui.canvas, this.image, this.view, this.duration);
      return;
    }
    const colours = {
      played: getComputedStyle(ui.playhead).backgroundColor,
      rest: getComputedStyle(ui.canvas).color,
    };
    drawWave(ui.canvas, this.wave, this.drawn, this.view, this.position, colours);
  }

  /** Something came from Python, or play was pressed. */
  changed() {
    const { ui, store } = this;
    this.#attach();
    say(ui.note, store.words);
    show(ui.note, store.words !== "");
    const label = this.playing ? S.pause : S.play;
    ui.play.setAttribute("aria-label", label);
    ui.play.title = label;
    ui.root.dataset.playing = String(this.playing);
    ui.root.dataset.ready = String(ui.video.readyState >= 2);
    const picture = Boolean(store.value("has_video"));
    show(ui.poster, picture && ui.video.readyState < 2 && Boolean(ui.poster.src));
    this.#offer();
    this.trim.changed();
  }

  /** The large button is there until it is clear that this is a film. */
  #offer() {
    show(this.ui.begin, Boolean(this.store.value("has_video")) && !this.playing && !this.position);
  }

  // Pointer

  /** @param {PointerEvent} event */
  #drag(event) {
    if (event.button !== 0) return;
    this.ui.slider.focus({ preventScroll: true });
    this.track(event, this.ui.slider, (seconds) => this.seek(seconds));
  }

  /**
   * Follows a pointer that was pressed on `element` until it is let go.
   *
   * @param {PointerEvent} event
   * @param {HTMLElement} element
   * @param {(seconds: number) => void} move
   */
  track(event, element, move) {
    const box = this.ui.wave.getBoundingClientRect();
    const go = (/** @type {PointerEvent} */ one) =>
      move(secondsAt((one.clientX - box.left) / box.width, this.view));
    const end = () => {
      element.removeEventListener("pointermove", go);
      element.removeEventListener("pointerup", end);
      element.removeEventListener("pointercancel", end);
    };
    element.setPointerCapture(event.pointerId);
    element.addEventListener("pointermove", go);
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
    go(event);
    event.preventDefault();
  }

  close() {
    this.watching.disconnect();
    this.resizing.disconnect();
    this.theming.disconnect();
    this.contrast.removeEventListener("change", this.onContrast);
    clearTimeout(this.resizeTimer);
    clearTimeout(this.waveTimer);
    if (this.frame) cancelAnimationFrame(this.frame);
    this.store.watchers.delete(this);
    this.ui.video.removeAttribute("src");
    this.ui.video.load();
    this.ui.root.remove();
  }
}

/**
 * @param {HTMLElement} node
 * @param {number} at 0 is the left edge, 1 the right one
 */
export function place(node, at) {
  node.style.left = `${(100 * at).toFixed(3)}%`;
  show(node, at >= -1e-6 && at <= 1 + 1e-6);
}
