// @ts-check
import { element } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { INCOMING, filled } from "../shared/strings.js";

const LONGEST_ID = 100;

/**
 * The id in what was pasted: the host's card shows it as `xnb.join("1vOxwyXbkZAGB")`.
 *
 * @param {string} text
 * @returns {string}
 */
export function idIn(text) {
  const quoted = /["']([\w-]+)["']/.exec(text);
  return (quoted ? quoted[1] : text.trim()).slice(0, LONGEST_ID);
}

/**
 * Joins a group call by its id; folded until somebody wants it.
 *
 * @param {(content: object) => void} send
 * @returns {HTMLDetailsElement}
 */
export function joinForm(send) {
  const input = element("input", {
    class: "xnb-join-id", type: "text", autocomplete: "off", autocapitalize: "none",
    spellcheck: "false", maxlength: String(2 * LONGEST_ID), required: "",
  });
  /** @param {boolean} video @param {import("../shared/icons.js").IconName} image @param {string} text */
  const choice = (video, image, text) => element(
    "button",
    {
      class: "xnb-accept", type: "submit", value: video ? "video" : "sound",
      "aria-label": filled(INCOMING.joinWith, text),
    },
    icon(image), text,
  );
  const form = element(
    "form", { class: "xnb-join-form" },
    element("label", {}, element("span", {}, INCOMING.callId), input),
    element(
      "div", { class: "xnb-choices" },
      choice(true, "video", INCOMING.join), choice(false, "phone", INCOMING.soundOnly),
    ),
  );
  const fold = element("details", { class: "xnb-join-fold" }, element("summary", {}, INCOMING.joinGroup), form);
  // What is typed here is meant neither for the card's keys nor for the notebook's.
  form.addEventListener("keydown", (event) => event.stopPropagation());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const id = idIn(input.value);
    if (!id) return;
    const by = /** @type {HTMLButtonElement|null} */ (event.submitter);
    send({ type: "join", broadcast: id, video: by?.value !== "sound" });
    input.value = "";
    fold.open = false;
  });
  fold.addEventListener("toggle", () => {
    if (fold.open) input.focus();
  });
  return fold;
}
