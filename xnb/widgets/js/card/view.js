// @ts-check
import { PAGE } from "../shared/strings.js";

/** @typedef {import("./session.js").Session} Session */

/** Ways to look at one card: side by side, in a small window of its own, on the full screen. */
export class View {
  /**
   * @param {HTMLElement} root
   * @param {HTMLVideoElement|null} video of the one far end; null in a group, which has its own tiles
   * @param {{changed: () => void, trouble: (text: string) => void}} hooks
   */
  constructor(root, video, hooks) {
    this.root = root;
    this.video = video;
    this.hooks = hooks;
    this.tiles = false;
    this.changed = () => hooks.changed();
    for (const name of ["enterpictureinpicture", "leavepictureinpicture"]) {
      video?.addEventListener(name, this.changed);
    }
    document.addEventListener("fullscreenchange", this.changed);
  }

  /** What this browser offers. */
  get offers() {
    return {
      tiles: this.video !== null,
      pip: this.video !== null && document.pictureInPictureEnabled === true,
      full: document.fullscreenEnabled === true,
    };
  }

  get pip() {
    return this.video !== null && document.pictureInPictureElement === this.video;
  }

  get full() {
    return document.fullscreenElement === this.root;
  }

  /** @param {"tiles"|"pip"|"full"} action */
  async toggle(action) {
    try {
      if (action === "tiles") this.tiles = !this.tiles;
      else if (action === "full") {
        await (this.full ? document.exitFullscreen() : this.root.requestFullscreen());
      } else if (this.pip) await document.exitPictureInPicture();
      else await this.video?.requestPictureInPicture();
    } catch {
      this.hooks.trouble(action === "full" ? PAGE.noFull : PAGE.noPip);
    }
    this.hooks.changed();
  }

  /** The call is over, or the card goes away. */
  leave() {
    if (this.pip) document.exitPictureInPicture().catch(() => {});
    if (this.full) document.exitFullscreen().catch(() => {});
  }

  close() {
    this.leave();
    document.removeEventListener("fullscreenchange", this.changed);
  }
}
