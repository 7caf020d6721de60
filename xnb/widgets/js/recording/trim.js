// @ts-check
import { say, show } from "../shared/dom.js";
import { moment, movedBy, movedEnd, placeOf, clamp } from "./math.js";
import { RECORDING as S, filled } from "../shared/strings.js";

/** @typedef {import("./player.js").Player} Player */

const HANDLE_STEP_S = 0.1;

/** Two handles on the waveform, and what is saved between them. */
export class Trim {
  /** @param {Player} player */
  constructor(player) {
    this.player = player;
    this.open = false;
    this.part = { from: 0, to: player.duration };
    const { ui } = player;
    ui.trim.addEventListener("click", () => this.#toggle(!this.open));
    ui.cancel.addEventListener("click", () => this.#cancel());
    ui.save.addEventListener("click", () => player.store.save({ ...this.part }));
    for (const end of /** @type {("from"|"to")[]} */ (["from", "to"])) {
      ui[end].addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        event.stopPropagation();
        ui[end].focus({ preventScroll: true });
        player.track(event, ui[end], (seconds) => this.#move(end, seconds));
      });
      ui[end].setAttribute("aria-valuemax", player.duration.toFixed(1));
    }
    this.place();
  }

  /** @param {boolean} open */
  #toggle(open) {
    const { ui, view, position } = this.player;
    this.open = open;
    ui.trim.setAttribute("aria-pressed", String(open));
    if (open && this.part.to > view.to) this.part = { from: view.from, to: view.to };
    if (open && position > this.part.from && position < this.part.to - 1) {
      this.part = { ...this.part, from: position };
    }
    this.player.store.say("");
    this.place();
    if (open) ui.from.focus({ preventScroll: true });
  }

  #cancel() {
    const { saving } = this.player.store;
    if (saving) saving.stop.abort();
    else {
      this.#toggle(false);
      this.player.ui.trim.focus();
    }
  }

  /**
   * @param {"from"|"to"} end
   * @param {number} seconds
   */
  #move(end, seconds) {
    this.part = movedEnd(this.part, end, seconds, this.player.duration);
    this.player.seek(this.part[end]);
    this.place();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLElement} handle
   * @returns {boolean} whether it meant something
   */
  key(event, handle) {
    const end = handle === this.player.ui.from ? "from" : "to";
    const to = movedBy(event, this.part[end], this.player.duration, HANDLE_STEP_S);
    if (to === null) return false;
    this.#move(end, to);
    return true;
  }

  /**
   * @param {number} position
   * @returns {number} where playing begins
   */
  startFrom(position) {
    if (!this.open) return position;
    const inside = position >= this.part.from - 1e-3 && position < this.part.to - 0.05;
    return inside ? position : this.part.from;
  }

  /** @param {number} position */
  isOver(position) {
    return this.open && position >= this.part.to;
  }

  /** Puts the handles where the part is. */
  place() {
    const { ui, view } = this.player;
    const { from, to } = this.part;
    ui.root.dataset.trim = String(this.open);
    for (const [end, node] of /** @type {["from"|"to", HTMLElement][]} */ ([
      ["from", ui.from], ["to", ui.to],
    ])) {
      const at = placeOf(this.part[end], view);
      node.style.left = `${(100 * at).toFixed(3)}%`;
      show(node, this.open && at > -1e-6 && at < 1 + 1e-6);
      node.setAttribute("aria-valuenow", this.part[end].toFixed(1));
      node.setAttribute("aria-valuetext", moment(this.part[end]));
    }
    const left = clamp(placeOf(from, view), 0, 1);
    const right = clamp(placeOf(to, view), 0, 1);
    ui.before.style.cssText = `left: 0; width: ${100 * left}%`;
    ui.after.style.cssText = `left: ${100 * right}%; width: ${100 * (1 - right)}%`;
    for (const one of [ui.before, ui.after, ui.row]) show(one, this.open);
    say(ui.span, filled(S.trimSpan, moment(from), moment(to), (to - from).toFixed(1)));
  }

  /** Saving began or ended. */
  changed() {
    this.player.ui.save.disabled = this.player.store.saving !== null;
  }
}
