// @ts-check
import { element, say, show } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { groupIcon } from "./icons.js";
import { attachPopover } from "../card/popover.js";
import { GROUP, filled } from "../shared/strings.js";

/** @typedef {import("./session.js").GroupSession} GroupSession */
/** @typedef {import("./tile.js").Tile} Tile */

const SURE_MS = 4000;

/** The box of one tile: volume, pin, full screen, figures, and what the host may do. */
export class TileMenu {
  /**
   * @param {GroupSession} session
   * @param {Tile} tile
   * @param {HTMLButtonElement} button
   */
  constructor(session, tile, button) {
    this.session = session;
    this.tile = tile;
    this.isOpen = false;
    this.sureUntil = 0;
    this.box = element("div", { class: "xnb-pop xnb-menu xnb-tile-menu", role: "group" });
    this.head = element("p", { class: "xnb-menu-head" });
    this.off = element("button", { class: "xnb-tile-button", type: "button" }, icon("volume"), icon("volumeOff"));
    this.volume = element("input", { class: "xnb-slider", type: "range", min: "0", max: "1", step: "0.05" });
    this.pin = this.#item(groupIcon("pin"));
    this.full = this.#item(icon("maximize"));
    this.silence = this.#item(icon("micOff"));
    this.remove = this.#item(groupIcon("remove"));
    this.figures = element("ul", { class: "xnb-person-figures" });
    this.box.append(
      this.head, element("div", { class: "xnb-person-sound" }, this.off, this.volume),
      this.pin.button, this.full.button, this.silence.button, this.remove.button, this.figures,
    );
    this.#listen();
    this.place = attachPopover(button, this.box, (isOpen) => {
      this.isOpen = isOpen;
      this.sureUntil = 0;
      if (isOpen || session.figures.key === tile.key) session.watch(isOpen ? tile.key : "");
      if (isOpen) this.update();
      else if (this.box.contains(document.activeElement)) button.focus();
    });
  }

  /** @param {SVGElement} picture */
  #item(picture) {
    const text = element("span");
    return { button: element("button", { class: "xnb-item", type: "button" }, picture, text), text };
  }

  #listen() {
    const { session, tile } = this;
    const { key } = tile;
    // Keys belong to what is in the box, not to the card or the notebook.
    this.box.addEventListener("keydown", (event) => event.stopPropagation());
    this.volume.addEventListener("input", () => {
      session.wake();
      session.setVolume(key, { volume: Number(this.volume.value), off: false });
    });
    this.off.addEventListener("click", () => session.setVolume(key, { off: !session.volumeOf(key).off }));
    this.pin.button.addEventListener("click", () => tile.card.pin(key));
    this.full.button.addEventListener("click", () => tile.toggleFull());
    this.silence.button.addEventListener("click", () =>
      session.host("silence", key, !session.person(key)?.silenced),
    );
    this.remove.button.addEventListener("click", () => this.#remove());
  }

  #remove() {
    if (performance.now() < this.sureUntil) {
      this.session.host("remove", this.tile.key);
      this.box.hidePopover();
      return;
    }
    this.sureUntil = performance.now() + SURE_MS;
    setTimeout(() => this.update(), SURE_MS + 50);
    this.update();
  }

  /** Something that it shows is different now. */
  update() {
    if (!this.isOpen) return;
    const { session, tile } = this;
    const person = session.person(tile.key);
    if (!person) {
      this.box.hidePopover();
      return;
    }
    const { name } = person;
    const { volume, off } = session.volumeOf(tile.key);
    this.box.setAttribute("aria-label", name);
    say(this.head, name);
    this.off.setAttribute("aria-pressed", String(off));
    this.off.setAttribute("aria-label", filled(GROUP.soundOff, name));
    this.off.title = filled(GROUP.soundOff, name);
    this.volume.setAttribute("aria-label", filled(GROUP.volume, name));
    this.volume.title = filled(GROUP.volume, name);
    if (Number(this.volume.value) !== volume) this.volume.value = String(volume);
    say(this.pin.text, tile.card.pinned === tile.key ? GROUP.unpin : GROUP.pin);
    say(this.full.text, tile.isFull ? GROUP.leaveFull : GROUP.full);
    show(this.full.button, document.fullscreenEnabled === true);
    const isHost = Boolean(session.value("is_host"));
    show(this.silence.button, isHost);
    show(this.remove.button, isHost);
    this.silence.button.disabled = person.muted && !person.silenced;
    say(this.silence.text, person.silenced ? GROUP.unsilence : GROUP.silence);
    const isSure = performance.now() < this.sureUntil;
    say(this.remove.text, isSure ? filled(GROUP.removeSure, name) : GROUP.remove);
    this.#drawFigures(name);
    this.place();
  }

  /** @param {string} name */
  #drawFigures(name) {
    const { key, figures } = this.session.figures;
    const lines = key === this.tile.key && figures.length > 0 ? figures : [GROUP.noFigures];
    const drawn = lines.join("\n");
    if (this.figures.dataset.drawn === drawn) return;
    this.figures.dataset.drawn = drawn;
    this.figures.setAttribute("aria-label", filled(GROUP.figures, name));
    this.figures.replaceChildren(...lines.map((line) => element("li", {}, line)));
  }

  close() {
    if (this.isOpen) this.box.hidePopover();
  }
}
