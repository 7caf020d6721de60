// @ts-check
import { element } from "./dom.js";
import { elapsed, hue, initial } from "./format.js";
import { icon } from "./icons.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./mode.js").Mode} Mode */

/**
 * @param {string} title
 * @returns {HTMLElement}
 */
function avatar(title) {
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
  const list = element("ol", { class: "xnb-steps", "aria-label": "Steps so far" });
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
 * @param {string[]} files
 * @returns {HTMLElement[]}
 */
function recordings(files) {
  if (!files.length) return [];
  const list = element("ul", { class: "xnb-files", "aria-label": "Recordings" });
  for (const file of files) {
    const kind = /\.(wav|ogg|opus|mp3|m4a)$/i.test(file) ? "fileAudio" : "fileVideo";
    list.append(element("li", {}, icon(kind), element("span", {}, file)));
  }
  return [list];
}

/**
 * The panel of a mode, as nodes.
 *
 * @param {Mode} mode
 * @param {Session} session
 * @returns {(Node|string)[]}
 */
export function panelOf(mode, session) {
  const title = String(session.value("title") || "…");
  switch (mode) {
    case "steps":
      return [avatar(title), steps(session.value("stages") ?? [])];
    case "wait":
      return [avatar(title), ...words("Waiting for the first picture")];
    case "camera-off":
      return [avatar(title), ...words(`${title}’s camera is off`)];
    case "audio":
      return [avatar(title), ...words(title, "Audio call")];
    case "no-path":
      return [
        avatar(title),
        ...words("The call goes on, but not on this page", session.leg.why),
      ];
    case "failed": {
      const failure = session.value("failure") ?? {};
      return [
        element("div", { class: "xnb-badge xnb-bad", "aria-hidden": "true" }, icon("alert")),
        element(
          "div",
          { class: "xnb-text" },
          element("p", { class: "xnb-words" }, failure.title ?? "The call failed"),
          element("p", {}, failure.cause ?? ""),
          element("p", { class: "xnb-remedy" }, failure.remedy ?? ""),
          ...recordings(session.value("recorded") ?? []),
        ),
      ];
    }
    case "ended": {
      const ended = session.value("ended") ?? {};
      const reason = ended.reason_text ?? "Hanging up";
      const long = ended.duration_s > 0 ? `${ended.duration} with ${title}` : "";
      return [
        avatar(title),
        element(
          "div",
          { class: "xnb-text" },
          element("p", { class: "xnb-words" }, reason),
          element("p", { class: "xnb-small" }, long),
          ...recordings(session.value("recorded") ?? []),
        ),
      ];
    }
    case "gone":
      return [
        avatar(title),
        element(
          "div",
          { class: "xnb-text" },
          element("p", { class: "xnb-words" }, `Call with ${title}`),
          element("p", { class: "xnb-small" }, "No kernel is behind this card. Run the cell to call."),
        ),
      ];
    default:
      return [];
  }
}
