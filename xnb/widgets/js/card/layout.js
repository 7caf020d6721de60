// @ts-check
import { element } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { KEYS } from "./keys.js";
import { BUTTONS, CARD, PANEL, filled } from "../shared/strings.js";

/** @typedef {import("./keys.js").Action} Action */
/** @typedef {import("../shared/icons.js").IconName} IconName */

/**
 * @param {Action} action
 * @param {string} kind `""`, or `xnb-quiet` for a small one without a border
 * @param {string} label
 * @param {IconName} off
 * @param {IconName} [on] shown while it is pressed
 * @returns {HTMLButtonElement}
 */
function makeButton(action, kind, label, off, on) {
  const button = element("button", {
    class: `xnb-button xnb-${action} ${kind}`.trim(), type: "button", "data-action": action,
    "aria-keyshortcuts": KEYS[action],
  }, icon(off));
  if (on) button.append(icon(on));
  name(button, label);
  return button;
}

/**
 * Says what a button does, with its key.
 *
 * @param {HTMLButtonElement} button
 * @param {string} label
 */
export function name(button, label) {
  const key = button.getAttribute("aria-keyshortcuts");
  const title = key ? filled(BUTTONS.withKey, label, key) : label;
  if (button.title === title) return;
  button.title = title;
  button.setAttribute("aria-label", label);
}

/** The empty card: its elements by name, nothing connected to them. */
export function layout() {
  /** @type {Map<Action, HTMLButtonElement>} */
  const buttons = new Map();
  const head = header(buttons);
  const middle = stage();
  const sound = soundRow();
  const controls = toolbar(buttons);
  const strip = footer(buttons);
  const player = element("div", { class: "xnb-player-slot", role: "group", "aria-label": PANEL.player });
  player.hidden = true;
  const menu = element("div", { class: "xnb-pop xnb-menu" });
  const charts = element("div", { class: "xnb-pop xnb-stats-box" });
  const root = element(
    "section", { class: "xnb-card", role: "group", tabindex: "0" },
    head.head, middle.stage, sound.sound, controls.bar, strip.foot, player, menu, charts,
  );
  return { root, buttons, player, menu, charts, ...head, ...middle, ...sound, ...controls, ...strip };
}

/** @param {Map<Action, HTMLButtonElement>} buttons */
export function header(buttons) {
  const title = element("strong", { class: "xnb-title" });
  const status = element("span", { class: "xnb-status", role: "status", "aria-live": "polite" });
  const theirMic = element("span", { class: "xnb-flag", role: "img" }, icon("micOff"));
  const rec = element("span", { class: "xnb-rec-badge" });
  const time = element("time", { class: "xnb-time", title: CARD.duration });
  buttons.set("tiles", makeButton("tiles", "xnb-quiet", BUTTONS.tiles, "columns"));
  buttons.set("pip", makeButton("pip", "xnb-quiet", BUTTONS.pip, "pip"));
  buttons.set("full", makeButton("full", "xnb-quiet", BUTTONS.full, "maximize", "minimize"));
  const view = element("div", { class: "xnb-view", role: "group", "aria-label": CARD.viewControls });
  for (const action of /** @type {Action[]} */ (["tiles", "pip", "full"])) {
    view.append(/** @type {HTMLButtonElement} */ (buttons.get(action)));
  }
  const head = element(
    "header", { class: "xnb-head" },
    element("span", { class: "xnb-dot", "aria-hidden": "true" }),
    title, status, theirMic, element("span", { class: "xnb-gap" }), rec, time, view,
  );
  return { head, title, status, theirMic, rec, time, view };
}

function stage() {
  const video = element("video", { class: "xnb-video", playsinline: "", autoplay: "" });
  video.muted = true;
  const panel = element("div", { class: "xnb-panel" });
  const self = element("canvas", {
    class: "xnb-self", role: "img", "aria-label": CARD.yourPicture, width: "4", height: "3",
  });
  const mirror = element("video", {
    class: "xnb-self xnb-mirror", playsinline: "", autoplay: "", "aria-label": CARD.yourPicture,
  });
  mirror.muted = true;
  const own = element(
    "div", { class: "xnb-own" },
    element("p", { class: "xnb-words" }, CARD.you),
    element("p", { class: "xnb-small" }, CARD.yourCameraOff),
  );
  const theirName = element("span", { class: "xnb-name", "aria-hidden": "true" });
  const yourName = element("span", { class: "xnb-name xnb-your", "aria-hidden": "true" }, CARD.you);
  const unblock = element(
    "button", { class: "xnb-unblock", type: "button" }, icon("volume"), CARD.clickForSound,
  );
  const note = element("p", { class: "xnb-note", role: "status", "aria-live": "polite" });
  const stage = element(
    "div", { class: "xnb-stage" },
    video, panel, self, mirror, own, theirName, yourName, unblock, note,
  );
  return { stage, video, panel, self, mirror, own, theirName, yourName, unblock, note };
}

function soundRow() {
  const wave = element("canvas", { class: "xnb-wave-canvas", "aria-hidden": "true" });
  const make = (/** @type {string} */ kind) => element("span", {
    class: `xnb-level ${kind}`, role: "meter", "aria-valuemin": "0", "aria-valuemax": "100",
    "aria-valuenow": "0",
  });
  const yourLevel = make("xnb-your-level");
  const level = make("xnb-their-level");
  yourLevel.setAttribute("aria-label", CARD.yourLevel);
  yourLevel.title = CARD.yourLevel;
  return { sound: element("div", { class: "xnb-wave" }, yourLevel, wave, level), wave, level, yourLevel };
}

/** @param {Map<Action, HTMLButtonElement>} buttons */
export function toolbar(buttons) {
  buttons.set("mute", makeButton("mute", "", BUTTONS.mute, "mic", "micOff"));
  buttons.set("camera", makeButton("camera", "", BUTTONS.camera, "video", "videoOff"));
  buttons.set("page", makeButton("page", "", BUTTONS.pageOn, "webcam", "headset"));
  buttons.set("devices", makeButton("devices", "xnb-caret", BUTTONS.devices, "chevronUp"));
  buttons.set("screen", makeButton("screen", "", BUTTONS.screenOn, "screenShare", "screenShareOff"));
  buttons.set("record", makeButton("record", "", BUTTONS.record, "circle", "square"));
  buttons.set("hangup", makeButton("hangup", "", BUTTONS.hangup, "phone"));
  const main = element("div", { class: "xnb-main" });
  for (const [action, button] of buttons) {
    if (!["tiles", "pip", "full"].includes(action)) main.append(button);
  }
  const speaker = makeButton("sound", "xnb-quiet", BUTTONS.sound, "volume", "volumeOff");
  const snapshot = makeButton("snapshot", "xnb-quiet", BUTTONS.snapshot, "camera");
  buttons.set("sound", speaker);
  buttons.set("snapshot", snapshot);
  const volume = element("input", {
    class: "xnb-volume", type: "range", min: "0", max: "1", step: "0.05", value: "1",
    "aria-label": BUTTONS.volume, title: BUTTONS.volume,
  });
  const out = element("span", { class: "xnb-side xnb-out" }, speaker, volume);
  const bar = element(
    "div", { class: "xnb-bar", role: "toolbar", "aria-label": CARD.controls },
    out, main, element("span", { class: "xnb-side xnb-more" }, snapshot),
  );
  for (const one of bar.querySelectorAll("button, input")) one.setAttribute("tabindex", "-1");
  return { bar, out, volume };
}

/** @param {Map<Action, HTMLButtonElement>} buttons */
function footer(buttons) {
  const figures = element("div", { class: "xnb-figures" });
  const stats = makeButton("stats", "xnb-quiet", BUTTONS.stats, "chart");
  buttons.set("stats", stats);
  return { foot: element("footer", { class: "xnb-foot" }, figures, stats), figures };
}
