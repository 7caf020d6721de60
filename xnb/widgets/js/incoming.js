// @ts-check
import { element, say, show } from "./dom.js";
import { hue, initial } from "./format.js";
import { icon } from "./icons.js";
import { CONTROL_KEYS } from "./keys.js";
import { Ring } from "./ring.js";

/** @typedef {{id: string, who: string, video: boolean, busy: boolean}} Caller */

/**
 * @param {Caller} caller
 * @param {(content: object) => void} send
 * @returns {HTMLLIElement}
 */
function callerRow(caller, send) {
  const face = element("div", { class: "xnb-avatar", "aria-hidden": "true" });
  face.append(element("div", { class: "xnb-ring" }), element("span", {}, initial(caller.who)));
  face.style.setProperty("--xnb-hue", String(hue(caller.who)));
  const choices = element("div", { class: "xnb-choices" });
  /**
   * @param {string} kind
   * @param {import("./icons.js").IconName} image
   * @param {string} text
   * @param {object} content
   */
  const choice = (kind, image, text, content) => {
    const button = element(
      "button",
      { class: `xnb-${kind}`, type: "button", "aria-label": `${text}, call from ${caller.who}` },
      icon(image), text,
    );
    button.disabled = caller.busy;
    button.addEventListener("click", () => {
      for (const one of choices.querySelectorAll("button")) one.disabled = true;
      send({ id: caller.id, ...content });
    });
    choices.append(button);
  };
  if (caller.video) {
    choice("accept", "video", "Accept", { type: "accept", video: true });
    choice("accept", "phone", "Sound only", { type: "accept", video: false });
  } else {
    choice("accept", "phone", "Accept", { type: "accept", video: false });
  }
  choice("decline", "phone", "Decline", { type: "decline" });
  return element(
    "li", { "data-caller": caller.who }, face,
    element(
      "div", { class: "xnb-text" },
      element("p", { class: "xnb-words" }, caller.who),
      element("p", { class: "xnb-small" }, caller.video ? "Video call" : "Audio call"),
    ),
    choices,
  );
}

class Doorbell {
  /**
   * @param {Model} model
   * @param {HTMLElement} host
   */
  constructor(model, host) {
    this.model = model;
    this.shown = "";
    this.drawn = "";
    /** @type {any} */
    this.view = null;
    this.words = element("strong", { role: "status", "aria-live": "assertive" });
    this.state = element("span", { class: "xnb-status" });
    this.calls = element("ul", { class: "xnb-calls", "aria-label": "Waiting calls" });
    this.note = element("p", { class: "xnb-line", role: "status", "aria-live": "polite" });
    this.root = element(
      "section", { class: "xnb-card xnb-door", role: "group", "aria-label": "Incoming calls" },
      element(
        "header", { class: "xnb-waiting" },
        element("span", { class: "xnb-dot", "aria-hidden": "true" }), this.words, this.state,
      ),
      this.calls, this.note,
    );
    this.inside = element("div", { class: "xnb-inside" });
    this.root.addEventListener("keydown", (event) => {
      if (CONTROL_KEYS.has(event.key)) event.stopPropagation();
    });
    host.classList.add("xnb");
    host.append(this.root, this.inside);
    this.update();
  }

  update() {
    const { model } = this;
    /** @type {Caller[]} */
    const callers = model.get("callers") ?? [];
    const state = String(model.get("state"));
    this.root.dataset.state = callers.length ? "ringing" : state;
    const names = callers.map((caller) => caller.who).join(", ");
    const idle = state === "waiting" ? `Waiting for calls as ${model.get("handle")}` : "";
    say(this.words, names ? `${names} calling` : idle || String(model.get("state_text")));
    say(this.state, names && callers.length > 1 ? `${callers.length} calls` : "");
    const drawn = JSON.stringify(callers);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      const send = (/** @type {object} */ content) => model.send(content);
      this.calls.replaceChildren(...callers.map((caller) => callerRow(caller, send)));
    }
    show(this.calls, callers.length > 0);
    say(this.note, String(model.get("notice") ?? ""));
    show(this.note, this.note.textContent !== "");
    this.#showCall(String(model.get("active") ?? ""));
  }

  /** @param {string} reference */
  async #showCall(reference) {
    if (reference === this.shown) return;
    this.shown = reference;
    this.view?.remove();
    this.view = null;
    this.inside.replaceChildren();
    if (!reference) return;
    const manager = this.model.widget_manager;
    const model = await manager.get_model(reference.replace("IPY_MODEL_", ""));
    const view = await manager.create_view(model);
    if (this.shown !== reference) {
      view.remove();
      return;
    }
    this.view = view;
    this.inside.replaceChildren(view.el);
  }

  close() {
    this.shown = "";
    this.view?.remove();
    this.root.remove();
    this.inside.remove();
  }
}

export default () => {
  const ring = new Ring();
  /** @type {Set<Doorbell>} */
  const doors = new Set();
  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      const changed = () => {
        ring.set(doors.size > 0 && (model.get("callers") ?? []).some((/** @type {Caller} */ c) => !c.busy));
        for (const door of doors) door.update();
      };
      model.on("change", changed);
      return () => ring.close();
    },
    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      const door = new Doorbell(model, el);
      doors.add(door);
      ring.set((model.get("callers") ?? []).length > 0);
      return () => {
        doors.delete(door);
        if (doors.size === 0) ring.set(false);
        door.close();
      };
    },
  };
};
