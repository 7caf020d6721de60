// @ts-check
import { avatar } from "../card/panel.js";
import { element, say, show } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { groupIcon } from "./icons.js";
import { TileMenu } from "./tile_menu.js";
import { GROUP, PAGE, filled } from "../shared/strings.js";

/** @typedef {import("./card.js").GroupCard} GroupCard */
/** @typedef {import("./session.js").Person} Person */
/** @typedef {{width: number, height: number}} Place in pixels */

/**
 * A small button on a tile.
 *
 * @param {string} kind
 * @param {...SVGElement} pictures
 */
function button(kind, ...pictures) {
  return element(
    "button", { class: `xnb-tile-button xnb-tile-${kind}`, type: "button", tabindex: "-1" }, ...pictures,
  );
}

/**
 * @param {HTMLElement} node
 * @param {string} label
 */
function named(node, label) {
  if (node.title === label) return;
  node.title = label;
  node.setAttribute("aria-label", label);
}

/** One person in one card: picture or face, name, marks, buttons, and the sound. */
export class Tile {
  /**
   * @param {GroupCard} card
   * @param {Person} person
   */
  constructor(card, person) {
    this.card = card;
    this.key = person.key;
    this.hasPicture = false;
    this.place = "";
    /** Whose face is drawn. */
    this.drawnName = person.name;
    this.video = element("video", { class: "xnb-tile-video", playsinline: "", autoplay: "" });
    this.video.muted = true;
    this.words = element("p", { class: "xnb-small" });
    this.face = element("div", { class: "xnb-face" }, avatar(person.name), this.words);
    this.name = element("span", { class: "xnb-tile-name" });
    this.crown = element("span", { class: "xnb-mark-host", role: "img" }, groupIcon("crown"));
    this.mic = element("span", { class: "xnb-mark-muted", role: "img" }, icon("micOff"));
    this.pinButton = button("pin", groupIcon("pin"), groupIcon("pinOff"));
    this.fullButton = button("full", icon("maximize"), icon("minimize"));
    this.moreButton = button("more", groupIcon("more"));
    this.moreButton.tabIndex = 0;
    const bar = element("div", { class: "xnb-tile-bar" }, this.pinButton, this.fullButton, this.moreButton);
    const foot = element("div", { class: "xnb-tile-foot" }, this.crown, this.name, this.mic);
    this.menu = new TileMenu(card.session, this, this.moreButton);
    this.root = element(
      "div", { class: "xnb-tile", role: "group", "data-key": person.key },
      this.video, this.face, foot, bar, this.menu.box,
    );
    this.pinButton.addEventListener("click", () => card.pin(this.key));
    this.fullButton.addEventListener("click", () => this.toggleFull());
    this.root.addEventListener("dblclick", (event) => {
      if (event.target === this.video || this.face.contains(/** @type {Node} */ (event.target))) card.pin(this.key);
    });
    this.video.requestVideoFrameCallback?.(() => this.#firstPicture());
    this.streamChanged();
  }

  get isFull() {
    return document.fullscreenElement === this.root;
  }

  async toggleFull() {
    try {
      await (this.isFull ? document.exitFullscreen() : this.root.requestFullscreen());
    } catch {
      this.card.trouble(PAGE.noFull);
    }
  }

  #firstPicture() {
    this.hasPicture = true;
    this.card.update();
  }

  /** Their ladder has other tracks now, or there is another ladder. */
  streamChanged() {
    const stream = this.card.session.ladders.get(this.key)?.stream ?? null;
    const isEmpty = !stream || stream.getTracks().length === 0;
    if (isEmpty && this.video.srcObject) {
      this.video.srcObject = null;
      this.hasPicture = false;
      this.video.requestVideoFrameCallback?.(() => this.#firstPicture());
    } else if (!isEmpty && this.video.srcObject !== stream) {
      this.video.srcObject = stream;
    }
    if (this.video.srcObject) this.play();
  }

  /** Plays, with sound if the card is the one that may. */
  async play() {
    const { session } = this.card;
    this.#setSound();
    try {
      await this.video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      if (this.video.muted) return;
      session.sound.blocked = true;
      session.update();
      this.video.play().catch(() => {});
    }
  }

  #setSound() {
    const { session } = this.card;
    const { volume, off } = session.volumeOf(this.key);
    const isLoud = session.speaker === this.card && !session.sound.blocked;
    this.video.muted = !isLoud || session.sound.off || off;
    this.video.volume = session.sound.volume * volume;
  }

  /**
   * @param {Person} person
   * @param {boolean} isSpeaker whether they talk or talked last
   */
  update(person, isSpeaker) {
    const { session } = this.card;
    const { dataset } = this.root;
    const { name } = person;
    const state = session.ladders.get(this.key)?.state ?? "idle";
    const isShown = person.camera && person.pictures && this.hasPicture && state !== "lost";
    dataset.talking = String(person.talking);
    dataset.speaker = String(isSpeaker);
    dataset.picture = String(isShown);
    dataset.muted = String(person.muted);
    this.root.setAttribute("aria-label", person.talking ? filled(GROUP.talks, name) : name);
    this.video.setAttribute("aria-label", filled(GROUP.pictureOf, name));
    say(this.name, name);
    if (this.drawnName !== name) {
      this.drawnName = name;
      this.face.firstElementChild?.replaceWith(avatar(name));
    }
    named(this.crown, filled(GROUP.isHost, name));
    named(this.mic, filled(GROUP.isMuted, name));
    show(this.crown, person.host);
    show(this.mic, person.muted);
    show(this.face, !isShown);
    say(this.words, this.#why(person, state));
    // A small tile has no room for them.
    if (this.face.title !== this.words.textContent) this.face.title = this.words.textContent ?? "";
    const isPinned = this.card.pinned === this.key;
    this.pinButton.setAttribute("aria-pressed", String(isPinned));
    named(this.pinButton, filled(isPinned ? GROUP.unpinOne : GROUP.pinOne, name));
    this.fullButton.setAttribute("aria-pressed", String(this.isFull));
    named(this.fullButton, this.isFull ? GROUP.leaveFull : filled(GROUP.fullOne, name));
    show(this.fullButton, document.fullscreenEnabled === true);
    named(this.moreButton, filled(GROUP.more, name));
    this.#setSound();
    this.menu.update();
  }

  /**
   * Why there is no picture.
   *
   * @param {Person} person
   * @param {string} state of the ladder
   */
  #why(person, state) {
    const why = this.card.session.ladders.get(this.key)?.why ?? "";
    if (state === "lost") return filled(GROUP.noPath, why).trim();
    if (state === "waiting") return GROUP.nothingYet;
    if (!this.card.session.value("has_video")) return "";
    if (!person.camera) return GROUP.cameraOff;
    return person.pictures ? GROUP.waiting : GROUP.soundOnly;
  }

  /**
   * Puts it where it belongs; nothing is done when it is there.
   *
   * @param {Place|null} place null takes it out of sight
   */
  put(place) {
    const drawn = JSON.stringify(place);
    if (drawn === this.place) return;
    this.place = drawn;
    if (place) putAt(this.root, place);
    else this.#leaveFocus(() => this.menu.close());
    show(this.root, place !== null);
  }

  /**
   * What is inside cannot be used any more: the card gets the focus, else the page would have it,
   * and the next key would be one for the notebook.
   *
   * @param {() => void} end
   */
  #leaveFocus(end) {
    const hadFocus = this.root.contains(document.activeElement);
    end();
    if (hadFocus) this.card.ui.root.focus({ preventScroll: true });
  }

  /** How tall its picture is drawn, in pixels of the screen; 0 out of sight. */
  get height() {
    const full = document.fullscreenElement;
    if (this.root.hidden || (full && full !== this.root && !full.contains(this.root))) return 0;
    return Math.round(this.root.clientHeight * (window.devicePixelRatio || 1));
  }

  close() {
    if (this.isFull) document.exitFullscreen().catch(() => {});
    this.video.srcObject = null;
    this.#leaveFocus(() => {
      this.menu.close();
      this.root.remove();
    });
  }
}

/**
 * @param {HTMLElement} node
 * @param {Place} place
 */
export function putAt(node, { width, height }) {
  node.style.width = `${width}px`;
  node.style.height = `${height}px`;
  node.dataset.size = height < 110 ? "small" : height < 200 ? "middle" : "large";
}
