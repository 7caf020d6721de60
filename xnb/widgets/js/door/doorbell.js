// @ts-check
import { element, say, show } from "../shared/dom.js";
import { hue, initial } from "../card/format.js";
import { icon } from "../shared/icons.js";
import { CONTROL_KEYS, answerOf } from "../card/keys.js";
import { INCOMING, filled } from "../shared/strings.js";
import { joinForm } from "./join_form.js";

/** @typedef {{id: string, who: string, video: boolean, busy: boolean}} Caller */
/** @typedef {import("./ring.js").Ring} Ring */
/** @typedef {import("../card/keys.js").Answer} Answer */

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
   * @param {Answer} answer
   * @param {import("../shared/icons.js").IconName} image
   * @param {string} text
   * @param {string} key
   * @param {object} content
   */
  const choice = (kind, answer, image, text, key, content) => {
    const button = element(
      "button",
      {
        class: `xnb-${kind}`, type: "button", "data-answer": answer, "aria-keyshortcuts": key,
        "aria-label": filled(INCOMING.from, text, caller.who),
        title: filled(INCOMING.withKey, text, key),
      },
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
    choice("accept", "accept", "video", INCOMING.accept, "A", { type: "accept", video: true });
    choice("accept", "sound", "phone", INCOMING.soundOnly, "S", { type: "accept", video: false });
  } else {
    choice("accept", "accept", "phone", INCOMING.accept, "A", { type: "accept", video: false });
  }
  choice("decline", "decline", "phone", INCOMING.decline, "D", { type: "decline" });
  return element(
    "li", { "data-caller": caller.who }, face,
    element(
      "div", { class: "xnb-text" },
      element("p", { class: "xnb-words" }, caller.who),
      element("p", { class: "xnb-small" }, caller.video ? INCOMING.video : INCOMING.audio),
    ),
    choices,
  );
}

/** One drawing of who is calling; the call that was accepted is shown below. */
export class Doorbell {
  /**
   * @param {Model} model
   * @param {HTMLElement} host
   * @param {Ring} ring
   */
  constructor(model, host, ring) {
    this.model = model;
    this.ring = ring;
    this.shown = "";
    this.drawn = "";
    /** @type {any} */
    this.view = null;
    this.words = element("strong", { role: "status", "aria-live": "assertive" });
    this.state = element("span", { class: "xnb-status" });
    this.silence = element(
      "button",
      {
        class: "xnb-button xnb-quiet xnb-bell-on", type: "button", "aria-pressed": "false",
        "aria-label": INCOMING.silence, title: filled(INCOMING.withKey, INCOMING.silence, "M"),
        "aria-keyshortcuts": "M",
      },
      icon("bell"), icon("bellOff"),
    );
    this.silence.addEventListener("click", () => ring.silence(!ring.silenced));
    this.calls = element("ul", { class: "xnb-calls", "aria-label": INCOMING.waitingCalls });
    this.note = element("p", { class: "xnb-line", role: "status", "aria-live": "polite" });
    this.join = joinForm((content) => this.model.send(content));
    this.root = element(
      "section",
      { class: "xnb-card xnb-door", role: "group", "aria-label": INCOMING.incoming, tabindex: "0" },
      element(
        "header", { class: "xnb-waiting" },
        element("span", { class: "xnb-dot", "aria-hidden": "true" }), this.words, this.state,
        this.silence,
      ),
      this.calls, this.join, this.note,
    );
    this.inside = element("div", { class: "xnb-inside" });
    this.root.addEventListener("pointerdown", () => ring.wake());
    this.root.addEventListener("keydown", (event) => this.#key(event));
    host.classList.add("xnb");
    host.append(this.root, this.inside);
    this.update();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    this.ring.wake();
    const answer = answerOf(event);
    const choice = answer === "silence"
      ? this.silence
      : this.calls.querySelector(`button[data-answer="${answer}"]:not(:disabled)`);
    if (answer && choice && this.root.dataset.state === "ringing") {
      /** @type {HTMLElement} */ (choice).click();
      event.preventDefault();
    } else if (!(event.target !== this.root && CONTROL_KEYS.has(event.key))) {
      return;
    }
    event.stopPropagation();
  }

  update() {
    const { model, ring } = this;
    /** @type {Caller[]} */
    const callers = model.get("callers") ?? [];
    const state = String(model.get("state"));
    this.root.dataset.state = callers.length ? "ringing" : state;
    this.root.dataset.rings = String(ring.on && !ring.silenced);
    const names = callers.map((caller) => caller.who).join(", ");
    const idle = state === "waiting" ? filled(INCOMING.waiting, model.get("handle")) : "";
    say(this.words, names ? filled(INCOMING.calling, names) : idle || String(model.get("state_text")));
    say(this.state, names && callers.length > 1 ? filled(INCOMING.count, callers.length) : "");
    this.root.title = names ? INCOMING.keys : "";
    show(this.silence, names !== "");
    show(this.join, state === "waiting" && names === "");
    this.silence.setAttribute("aria-pressed", String(ring.silenced));
    this.#rows(callers);
    const notice = String(model.get("notice") ?? "");
    say(this.note, notice || (ring.blocked ? INCOMING.blocked : ""));
    show(this.note, this.note.textContent !== "");
    this.#showCall(String(model.get("active") ?? ""));
  }

  /** @param {Caller[]} callers */
  #rows(callers) {
    show(this.calls, callers.length > 0);
    const drawn = JSON.stringify(callers);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const hadFocus = this.calls.contains(document.activeElement);
    const send = (/** @type {object} */ content) => this.model.send(content);
    this.calls.replaceChildren(...callers.map((caller) => callerRow(caller, send)));
    // The keyboard's place would be lost with the row.
    if (hadFocus) this.root.focus();
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
