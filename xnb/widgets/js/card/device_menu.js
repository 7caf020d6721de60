// @ts-check
import { choicesOf } from "./choices.js";
import { element } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { attachPopover } from "./popover.js";
import { NOT_SECURE } from "../capture/refusals.js";
import { DEVICES } from "../shared/strings.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./choices.js").Choice} Choice */

/** The menu of this page's cameras and microphones; a choice takes effect at once, in mid-call. */
export class DeviceMenu {
  /**
   * @param {Session} session
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} box
   */
  constructor(session, button, box) {
    this.session = session;
    this.box = box;
    this.isOpen = false;
    this.menu = element("div", { role: "menu", "aria-label": DEVICES.menu });
    this.words = element("p", { class: "xnb-small" });
    box.append(this.menu, this.words);
    button.setAttribute("aria-haspopup", "menu");
    this.place = attachPopover(button, box, (isOpen) => {
      this.isOpen = isOpen;
      if (isOpen) this.#draw(true);
      else if (box.contains(document.activeElement)) button.focus();
    });
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The devices, or what is taken of them, may have changed. */
  update() {
    if (this.isOpen) this.#draw(false);
  }

  /** @param {boolean} isFirst whether it has just been opened */
  async #draw(isFirst) {
    const { capture } = this.session;
    const { cameras, microphones } = await capture.devices();
    if (!this.isOpen) return;
    const hasVideo = Boolean(this.session.value("has_video"));
    const { what } = capture;
    const focused = this.#items.indexOf(/** @type {any} */ (document.activeElement));
    /** @type {HTMLElement[]} */
    const groups = [];
    if (hasVideo && cameras.length > 0) {
      const choices = choicesOf(cameras, what.camera, DEVICES.camera, DEVICES.noCamera);
      groups.push(this.#group(DEVICES.cameras, choices, (id) => capture.switchTo({ cameraId: id })));
    }
    if (microphones.length > 0) {
      const choices = choicesOf(
        microphones, what.microphone, DEVICES.microphone, DEVICES.noMicrophone,
      );
      groups.push(
        this.#group(DEVICES.microphones, choices, (id) => capture.switchTo({ microphoneId: id })),
      );
    }
    this.menu.replaceChildren(...groups);
    this.menu.hidden = groups.length === 0;
    const trouble = window.isSecureContext ? DEVICES.none : `${NOT_SECURE.cause} ${NOT_SECURE.remedy}`;
    this.words.textContent = groups.length === 0 ? trouble : "";
    this.words.hidden = groups.length > 0;
    this.place();
    if (isFirst) (this.#items.find((one) => one.ariaChecked === "true") ?? this.#items[0])?.focus();
    else if (focused >= 0) this.#items[Math.min(focused, this.#items.length - 1)]?.focus();
  }

  /**
   * @param {string} name
   * @param {Choice[]} choices
   * @param {(id: string|null) => void} choose
   */
  #group(name, choices, choose) {
    const heading = element("p", { class: "xnb-menu-head", "aria-hidden": "true" }, name);
    const items = choices.map((choice) => {
      const item = element(
        "button",
        {
          class: "xnb-item", type: "button", role: "menuitemradio", tabindex: "-1",
          "aria-checked": String(choice.isChosen),
        },
        icon("check"), element("span", {}, choice.name),
      );
      item.addEventListener("click", () => {
        this.session.wake();
        choose(choice.id);
      });
      return item;
    });
    return element("div", { role: "group", "aria-label": name }, heading, ...items);
  }

  /** @returns {HTMLElement[]} */
  get #items() {
    return [...this.menu.querySelectorAll("button")];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    const items = this.#items;
    const index = items.indexOf(/** @type {HTMLElement} */ (event.target));
    const last = items.length - 1;
    const next = {
      ArrowDown: index < last ? index + 1 : 0, ArrowUp: index > 0 ? index - 1 : last,
      Home: 0, End: last,
    }[event.key];
    if (next === undefined) {
      if (event.key === "Tab") this.box.hidePopover();
      return;
    }
    items[next]?.focus();
    event.preventDefault();
  }
}
