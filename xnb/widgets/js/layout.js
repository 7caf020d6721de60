// @ts-check
import { element } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {import("./keys.js").Action} Action */

/** @type {{action: Action, label: string, key: string, on: import("./icons.js").IconName,
 *   off: import("./icons.js").IconName}[]} */
const BUTTONS = [
  { action: "mute", label: "Mute microphone", key: "M", on: "micOff", off: "mic" },
  { action: "camera", label: "Turn camera off", key: "V", on: "videoOff", off: "video" },
  { action: "page", label: "Use this page’s camera and microphone", key: "P", on: "headset",
    off: "webcam" },
  { action: "record", label: "Record", key: "R", on: "square", off: "circle" },
  { action: "hangup", label: "Hang up", key: "H", on: "phone", off: "phone" },
];

/** The empty card: its elements by name, nothing connected to them. */
export function layout() {
  const head = header();
  const middle = stage();
  const sound = soundRow();
  const controls = toolbar();
  const foot = element("footer", { class: "xnb-foot" });
  const root = element(
    "section", { class: "xnb-card", role: "group", tabindex: "0" },
    head.head, middle.stage, sound.sound, controls.bar, foot,
  );
  return { root, foot, ...head, ...middle, ...sound, ...controls };
}

function header() {
  const title = element("strong", { class: "xnb-title" });
  const status = element("span", { class: "xnb-status", role: "status", "aria-live": "polite" });
  const theirMic = element("span", { class: "xnb-flag", role: "img" }, icon("micOff"));
  const rec = element("span", { class: "xnb-rec-badge" });
  const time = element("time", { class: "xnb-time", title: "Duration" });
  const head = element(
    "header", { class: "xnb-head" },
    element("span", { class: "xnb-dot", "aria-hidden": "true" }),
    title, status, theirMic, element("span", { class: "xnb-gap" }), rec, time,
  );
  return { head, title, status, theirMic, rec, time };
}

function stage() {
  const video = element("video", { class: "xnb-video", playsinline: "", autoplay: "" });
  video.muted = true;
  const panel = element("div", { class: "xnb-panel" });
  const self = element("canvas", { class: "xnb-self", role: "img", "aria-label": "Your picture" });
  const mirror = element("video", {
    class: "xnb-self xnb-mirror", playsinline: "", autoplay: "", "aria-label": "Your picture",
  });
  mirror.muted = true;
  const unblock = element(
    "button", { class: "xnb-unblock", type: "button" }, icon("volume"), "Click for sound",
  );
  const note = element("p", { class: "xnb-note", role: "status", "aria-live": "polite" });
  const stage = element("div", { class: "xnb-stage" }, video, panel, self, mirror, unblock, note);
  return { stage, video, panel, self, mirror, unblock, note };
}

function soundRow() {
  const wave = element("canvas", { class: "xnb-wave-canvas", "aria-hidden": "true" });
  const level = element("span", {
    class: "xnb-level", role: "meter", "aria-label": "Sound level", "aria-valuemin": "0",
    "aria-valuemax": "100", "aria-valuenow": "0",
  });
  return { sound: element("div", { class: "xnb-wave" }, wave, level), wave, level };
}

function toolbar() {
  /** @type {Map<Action, HTMLButtonElement>} */
  const buttons = new Map();
  for (const { action, label, key, on, off } of BUTTONS) {
    const button = element("button", {
      class: `xnb-button xnb-${action}`, type: "button", title: `${label} (${key})`,
      "aria-label": label, "aria-keyshortcuts": key, "data-action": action, tabindex: "-1",
    }, icon(off));
    if (on !== off) button.append(icon(on));
    buttons.set(action, button);
  }
  const speaker = element("button", {
    class: "xnb-button xnb-quiet", type: "button", "aria-label": "Turn sound off",
    title: "Turn sound off", "aria-pressed": "false", "data-action": "sound", tabindex: "-1",
  }, icon("volume"), icon("volumeOff"));
  const volume = element("input", {
    class: "xnb-volume", type: "range", min: "0", max: "1", step: "0.05", value: "1",
    "aria-label": "Volume", tabindex: "-1",
  });
  const bar = element(
    "div", { class: "xnb-bar", role: "toolbar", "aria-label": "Call controls" },
    element("span", { class: "xnb-side" }),
    element("div", { class: "xnb-main" }, ...buttons.values()),
    element("span", { class: "xnb-side xnb-out" }, speaker, volume),
  );
  return { bar, buttons, speaker, volume };
}
