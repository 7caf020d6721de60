// @ts-check
import { element } from "../shared/dom.js";
import { icon } from "./icons.js";
import { RECORDING as S } from "../shared/strings.js";

/** The empty player: its elements by name, nothing connected to them. */
export function layout() {
  const title = element("strong", { class: "xnb-player-title" });
  const words = element("span", { class: "xnb-player-words" });
  const head = element("header", { class: "xnb-player-head" }, title, words);
  const picture = stage();
  const line = timeline();
  const part = trimRow();
  const bar = toolbar();
  const note = element("p", { class: "xnb-player-note", role: "status", "aria-live": "polite" });
  const root = element(
    "section", { class: "xnb-player", role: "group", tabindex: "0" },
    head, picture.stage, line.line, bar.bar, part.row, note,
  );
  return { root, title, words, note, ...picture, ...line, ...bar, ...part };
}

function stage() {
  const video = element("video", { class: "xnb-player-video", playsinline: "", preload: "auto" });
  const poster = element("img", { class: "xnb-player-poster", alt: "" });
  const begin = element(
    "button", { class: "xnb-player-begin", type: "button", "aria-label": S.play, title: S.play },
    icon("play"),
  );
  const stage = element("div", { class: "xnb-player-stage" }, video, poster, begin);
  return { stage, video, poster, begin };
}

function timeline() {
  const canvas = element("canvas", { class: "xnb-player-canvas", "aria-hidden": "true" });
  const head = element("div", { class: "xnb-player-playhead", "aria-hidden": "true" });
  const scale = element("span", { class: "xnb-player-scale" });
  const slider = element(
    "div",
    {
      class: "xnb-player-slider", role: "slider", tabindex: "0", "aria-label": S.position,
      "aria-valuemin": "0",
    },
    canvas, head,
  );
  const ticks = element("div", { class: "xnb-player-ticks", role: "group", "aria-label": S.markers });
  const before = element("div", { class: "xnb-player-shade", "aria-hidden": "true" });
  const after = element("div", { class: "xnb-player-shade", "aria-hidden": "true" });
  const from = handle(S.trimStart, "from");
  const to = handle(S.trimEnd, "to");
  const wave = element(
    "div", { class: "xnb-player-wave" }, slider, scale, before, after, from, to,
  );
  const line = element("div", { class: "xnb-player-line" }, ticks, wave);
  return { line, ticks, wave, slider, canvas, playhead: head, scale, before, after, from, to };
}

/**
 * @param {string} label
 * @param {string} end
 */
function handle(label, end) {
  return element("div", {
    class: `xnb-player-handle xnb-player-${end}`, role: "slider", tabindex: "0",
    "aria-label": label, "aria-valuemin": "0", title: label,
  });
}

function trimRow() {
  const span = element("span", { class: "xnb-player-span" });
  const save = element("button", { class: "xnb-player-save", type: "button" }, S.save);
  const cancel = element("button", { class: "xnb-player-plain", type: "button" }, S.cancel);
  const row = element(
    "div", { class: "xnb-player-trim", role: "group", "aria-label": S.trimRow }, span, save, cancel,
  );
  return { row, span, save, cancel };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {...import("./icons.js").IconName} icons
 */
function button(name, label, ...icons) {
  return element("button", {
    class: `xnb-player-button xnb-player-do-${name}`, type: "button", "aria-label": label,
    title: label,
  }, ...icons.map((one) => icon(one)));
}

function toolbar() {
  const play = button("play", S.play, "play", "pause");
  const time = element("span", { class: "xnb-player-time" });
  const mute = button("mute", S.soundOff, "volume", "volumeOff");
  const volume = element("input", {
    class: "xnb-player-volume", type: "range", min: "0", max: "1", step: "0.05", value: "1",
    "aria-label": S.volume,
  });
  const zoomIn = button("zoomin", S.zoomIn, "zoomIn");
  const zoomOut = button("zoomout", S.zoomOut, "zoomOut");
  const spectrogram = button("spectrogram", S.spectrogram, "spectrogram");
  const trim = button("trim", S.trim, "trim");
  const download = button("download", S.download, "download");
  for (const toggle of [mute, spectrogram, trim]) toggle.setAttribute("aria-pressed", "false");
  const bar = element(
    "div", { class: "xnb-player-bar", role: "group", "aria-label": S.controls },
    play, time, element("span", { class: "xnb-player-gap" }), mute, volume, zoomOut, zoomIn,
    spectrogram, trim, download,
  );
  return { bar, play, time, mute, volume, zoomIn, zoomOut, spectrogram, trim, download };
}
