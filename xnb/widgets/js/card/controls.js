// @ts-check
import { show } from "../shared/dom.js";
import { CONTROL_KEYS, actionOf, movedFocus } from "./keys.js";
import { name } from "./layout.js";
import { BUTTONS, filled } from "../shared/strings.js";

/** @typedef {import("./keys.js").Action} Action */
/** @typedef {import("./session.js").Session} Session */
/**
 * @typedef {Pick<ReturnType<typeof import("./layout.js").layout>, "root"|"buttons"|"bar"|"out"|
 *   "volume"|"view"|"player"> & {sound?: HTMLElement}} Elements what it uses of a card
 */
/** @typedef {import("./view.js").View} View */

const OF_THE_VIEW = new Set(["tiles", "pip", "full"]);
const IN_A_BAR = "button, input";

/** The card's buttons and keys: what they are called now, whether they can be used, what they do. */
export class Controls {
  /**
   * @param {Session} session
   * @param {Elements} ui
   * @param {View} view
   */
  constructor(session, ui, view) {
    this.session = session;
    this.ui = ui;
    this.view = view;
    for (const [action, button] of ui.buttons) {
      // Those two open a box by themselves.
      if (action === "devices" || action === "stats") continue;
      button.addEventListener("click", () => this.#act(action));
    }
    ui.volume.addEventListener("input", () =>
      session.setSound({ volume: Number(ui.volume.value), off: false }),
    );
    ui.root.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {Action} action */
  #act(action) {
    if (action === "sound") this.session.setSound({ off: !this.session.sound.off });
    else if (OF_THE_VIEW.has(action)) this.view.toggle(/** @type {"tiles"|"pip"|"full"} */ (action));
    else this.session.command(action);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    // What is inside has keys of its own.
    if (this.ui.player.contains(target)) return;
    const controls = [...this.ui.bar.querySelectorAll(IN_A_BAR)].filter(
      (one) => /** @type {HTMLElement} */ (one).offsetParent && !one.hasAttribute("disabled"),
    );
    const index = controls.indexOf(target);
    const isSlider = target === this.ui.volume;
    const step = index >= 0 ? movedFocus(event.key, index, controls.length) : null;
    if (step !== null && !(isSlider && event.key !== "Home" && event.key !== "End")) {
      this.#focusOn(/** @type {HTMLElement} */ (controls[step]));
      event.preventDefault();
    } else {
      const action = actionOf(event);
      if (action) {
        const button = this.ui.buttons.get(action);
        if (button && !button.disabled && button.offsetParent) button.click();
        event.preventDefault();
      } else if (!(target !== this.ui.root && CONTROL_KEYS.has(event.key))) {
        return;
      }
    }
    event.stopPropagation();
  }

  /** @param {HTMLElement} control */
  #focusOn(control) {
    for (const one of this.ui.bar.querySelectorAll(IN_A_BAR)) one.setAttribute("tabindex", "-1");
    control.setAttribute("tabindex", "0");
    control.focus();
  }

  /** @param {import("./mode.js").Mode} mode */
  update(mode) {
    const { session, ui } = this;
    const over = mode === "ended" || mode === "failed" || mode === "gone";
    show(ui.bar, !over);
    show(ui.view, !over);
    if (ui.sound) show(ui.sound, !over && mode !== "steps");
    ui.out.classList.toggle("xnb-away", mode === "steps");
    const hasVideo = Boolean(session.value("has_video"));
    const { capture, connected, reached } = session;
    const own = capture.active || capture.asking;
    this.#set("mute", { pressed: session.value("muted"), enabled: connected });
    this.#set("camera", { pressed: !session.value("camera_on"), enabled: connected, shown: hasVideo });
    this.#set("page", { pressed: own, enabled: reached || own });
    this.#set("devices", { enabled: reached });
    this.#set("screen", { pressed: capture.what.screen, enabled: reached, shown: hasVideo && canShare() });
    this.#set("record", { pressed: session.value("recording"), enabled: connected });
    this.#set("sound", { pressed: session.sound.off });
    this.#set("snapshot", { enabled: connected && (mode === "video" || mode === "grid"), shown: hasVideo });
    const { offers } = this.view;
    this.#set("tiles", { pressed: this.view.tiles, shown: offers.tiles && hasVideo && connected });
    this.#set("pip", { pressed: this.view.pip, shown: offers.pip && mode === "video" });
    this.#set("full", { pressed: this.view.full, shown: offers.full && connected });
    this.#set("stats", { shown: connected });
    this.#names(hasVideo, own);
    if (Number(ui.volume.value) !== session.sound.volume) ui.volume.value = String(session.sound.volume);
    if (ui.bar.querySelectorAll('[tabindex="0"]:not([disabled])').length === 0) {
      ui.buttons.get(connected ? "mute" : "hangup")?.setAttribute("tabindex", "0");
    }
  }

  /**
   * @param {Action} action
   * @param {{pressed?: unknown, enabled?: boolean, shown?: boolean}} state
   */
  #set(action, { pressed, enabled = true, shown = true }) {
    const button = this.ui.buttons.get(action);
    if (!button) return;
    if (pressed !== undefined) button.setAttribute("aria-pressed", String(Boolean(pressed)));
    button.disabled = !enabled;
    show(button, shown);
  }

  /**
   * @param {boolean} hasVideo
   * @param {boolean} own whether this page's devices are in use
   */
  #names(hasVideo, own) {
    const { buttons } = this.ui;
    const used = hasVideo ? BUTTONS.cameraAndMicrophone : BUTTONS.microphone;
    const set = (/** @type {Action} */ action, /** @type {string} */ label) =>
      name(/** @type {HTMLButtonElement} */ (buttons.get(action)), label);
    set("page", filled(own ? BUTTONS.pageOff : BUTTONS.pageOn, used));
    set("devices", hasVideo ? BUTTONS.devices : BUTTONS.deviceSound);
    set("screen", this.session.capture.what.screen ? BUTTONS.screenOff : BUTTONS.screenOn);
    set("hangup", this.session.connected ? BUTTONS.hangup : BUTTONS.cancel);
  }
}

/** Whether this browser shares screens at all; on a page that is not secure the button says why. */
function canShare() {
  return !window.isSecureContext || typeof navigator.mediaDevices?.getDisplayMedia === "function";
}
