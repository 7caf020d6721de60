// @ts-check
import { element } from "../shared/dom.js";
import { elapsed, hue, initial } from "./format.js";
import { icon } from "../shared/icons.js";
import { PANEL, filled } from "../shared/strings.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./mode.js").Mode} Mode */

/** What a panel is drawn from, besides the mode and the page's own state. */
export const PANEL_VALUES = ["title", "stages", "failure", "ended", "recorded", "saving"];

/**
 * @param {string} title
 * @returns {HTMLElement}
 */
export function avatar(title) {
  const ring = element("div", { class: "xnb-ring" });
  const face = element("div", { class: "xnb-avatar", "aria-hidden": "true" }, ring);
  face.append(element("span", {}, initial(title)));
  face.style.setProperty("--xnb-hue", String(hue(title)));
  return face;
}

/**
 * @param {string} text
 * @param {string} [small]
 * @returns {HTMLElement[]}
 */
function words(text, small = "") {
  const nodes = [element("p", { class: "xnb-words" }, text)];
  if (small) nodes.push(element("p", { class: "xnb-small" }, small));
  return nodes;
}

/**
 * The steps so far, with a check mark for each that is done.
 *
 * @param {{text: string, at_ms: number, done: boolean}[]} stages
 * @returns {HTMLElement}
 */
function steps(stages) {
  const list = element("ol", { class: "xnb-steps", "aria-label": PANEL.steps });
  stages.slice(-6).forEach((stage) => {
    const mark = element("span", { class: "xnb-mark" });
    if (stage.done) mark.append(icon("check"));
    else mark.append(element("span", { class: "xnb-spinner" }));
    const time = element("span", { class: "xnb-at" }, stage.done ? elapsed(stage.at_ms) : "");
    list.append(
      element("li", { "data-done": String(stage.done) }, mark, element("span", {}, stage.text), time),
    );
  });
  return list;
}

/**
 * The call's recordings, each with a button that plays it while there is a kernel to play it.
 *
 * @param {Session} session
 * @returns {HTMLElement[]}
 */
function recordings(session) {
  /** @type {string[]} */
  const files = session.value("recorded") ?? [];
  const saving = String(session.value("saving") ?? "");
  const notes = saving ? [element("p", { class: "xnb-small", role: "status" }, saving)] : [];
  if (!files.length) return notes;
  const list = element("ul", { class: "xnb-files", "aria-label": PANEL.recordings });
  files.forEach((file, index) => {
    const kind = /\.(wav|ogg|opus|mp3|m4a)$/i.test(file) ? "fileAudio" : "fileVideo";
    const row = element("li", {}, icon(kind), element("span", {}, file));
    if (session.alive) {
      const button = element(
        "button",
        { class: "xnb-play", type: "button", "aria-label": filled(PANEL.playFile, file) },
        icon("play"), PANEL.play,
      );
      button.addEventListener("click", () => session.play(index));
      row.append(button);
    }
    list.append(row);
  });
  return [list, ...notes];
}

/**
 * The panel of a mode, as nodes.
 *
 * @param {Mode} mode
 * @param {Session} session
 * @returns {(Node|string)[]}
 */
export function panelOf(mode, session) {
  const title = String(session.value("title") || PANEL.nobody);
  switch (mode) {
    case "steps":
      return [avatar(title), steps(session.value("stages") ?? [])];
    case "wait":
      return [avatar(title), ...words(PANEL.waiting)];
    case "camera-off":
      return [avatar(title), ...words(filled(PANEL.cameraOff, title))];
    case "audio":
      return [avatar(title), ...words(title, PANEL.audioCall)];
    case "no-path":
      return [
        avatar(title),
        ...words(PANEL.noPath, session.leg.why),
      ];
    case "failed": {
      const failure = session.value("failure") ?? {};
      return [
        element("div", { class: "xnb-badge xnb-bad", "aria-hidden": "true" }, icon("alert")),
        element(
          "div",
          { class: "xnb-text" },
          element("p", { class: "xnb-words" }, failure.title ?? PANEL.failed),
          element("p", {}, failure.cause ?? ""),
          element("p", { class: "xnb-remedy" }, failure.remedy ?? ""),
          ...recordings(session),
        ),
      ];
    }
    case "ended": {
      const ended = session.value("ended") ?? {};
      const reason = ended.reason_text ?? PANEL.hangingUp;
      const long = ended.duration_s > 0 ? filled(PANEL.durationWith, ended.duration, title) : "";
      return [
        avatar(title),
        element(
          "div",
          { class: "xnb-text" },
          element("p", { class: "xnb-words" }, reason),
          element("p", { class: "xnb-small" }, long),
          ...recordings(session),
        ),
      ];
    }
    case "gone":
      return [
        avatar(title),
        element(
          "div",
          { class: "xnb-text" },
          element("p", { class: "xnb-words" }, filled(PANEL.callWith, title)),
          element("p", { class: "xnb-small" }, PANEL.noKernel),
        ),
      ];
    default:
      return [];
  }
}
