// @ts-check
import { OwnPicture } from "../card/own_picture.js";
import { avatar } from "../card/panel.js";
import { element, show } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { groupIcon } from "./icons.js";
import { CARD, GROUP } from "../shared/strings.js";
import { putAt } from "./tile.js";
import { loudness } from "../card/wave.js";

/** @typedef {import("./session.js").GroupSession} GroupSession */

const LOUD = 0.45;
const HOLD_MS = 500;

/** Our own tile: what we send. */
export class OwnTile {
  /** @param {GroupSession} session */
  constructor(session) {
    this.session = session;
    this.loudAt = -Infinity;
    this.place = "";
    const mirror = element("video", {
      class: "xnb-tile-video xnb-tile-mirror", playsinline: "", autoplay: "",
      "aria-label": CARD.yourPicture,
    });
    mirror.muted = true;
    const canvas = element("canvas", {
      class: "xnb-tile-video xnb-tile-self", role: "img", "aria-label": CARD.yourPicture,
      width: "4", height: "3",
    });
    this.picture = new OwnPicture(session, mirror, canvas);
    this.words = element("p", { class: "xnb-small" }, CARD.yourCameraOff);
    this.face = element("div", { class: "xnb-face" }, avatar(GROUP.you), this.words);
    this.crown = mark("host", GROUP.youHost, groupIcon("crown"));
    this.mic = mark("muted", GROUP.youMuted, icon("micOff"));
    this.root = element(
      "div", { class: "xnb-tile xnb-own-tile", role: "group", "aria-label": GROUP.you },
      mirror, canvas, this.face,
      element(
        "div", { class: "xnb-tile-foot" },
        this.crown, element("span", { class: "xnb-tile-name" }, GROUP.you), this.mic,
      ),
    );
  }

  update() {
    const { session } = this;
    const isSilenced = Boolean(session.value("muted_by_host"));
    const isMuted = Boolean(session.value("muted")) || isSilenced;
    const isShown = this.picture.update();
    show(this.face, !isShown);
    show(this.words, Boolean(session.value("has_video")) && !session.value("camera_on"));
    show(this.crown, Boolean(session.value("is_host")));
    show(this.mic, isMuted);
    this.mic.title = isSilenced ? GROUP.youSilenced : GROUP.youMuted;
    this.mic.setAttribute("aria-label", this.mic.title);
    this.root.dataset.picture = String(isShown);
    this.root.dataset.muted = String(isMuted);
  }

  /** Some thirty times a second. */
  drawSound() {
    const now = performance.now();
    if (loudness(this.session.ownLevel) > LOUD) this.loudAt = now;
    this.#markTalking(now - this.loudAt < HOLD_MS);
  }

  /** Nothing is drawn from now on. */
  stopSound() {
    this.loudAt = -Infinity;
    this.#markTalking(false);
  }

  /** @param {boolean} isTalking */
  #markTalking(isTalking) {
    const talking = String(isTalking);
    if (this.root.dataset.talking !== talking) this.root.dataset.talking = talking;
  }

  /** @param {import("./tile.js").Place} place */
  put(place) {
    const drawn = JSON.stringify(place);
    if (drawn === this.place) return;
    this.place = drawn;
    putAt(this.root, place);
  }
}

/**
 * @param {string} kind
 * @param {string} label
 * @param {SVGElement} picture
 */
function mark(kind, label, picture) {
  return element(
    "span", { class: `xnb-mark-${kind}`, role: "img", "aria-label": label, title: label }, picture,
  );
}
