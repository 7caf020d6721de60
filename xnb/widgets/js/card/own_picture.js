// @ts-check
import { show } from "../shared/dom.js";

/** @typedef {import("./session.js").Session} Session */

/**
 * What we send, as one card shows it: this page's own camera as in a mirror, without a way
 * through Python, or else Python's small pictures.
 */
export class OwnPicture {
  /**
   * @param {Session} session
   * @param {HTMLVideoElement} mirror
   * @param {HTMLCanvasElement} canvas
   */
  constructor(session, mirror, canvas) {
    this.session = session;
    this.mirror = mirror;
    this.canvas = canvas;
  }

  /** This page captures something else now. */
  captured() {
    const { mirror } = this;
    const { capture } = this.session;
    const picture = capture.track("video") ? capture.stream : null;
    const { screen, widget } = capture.what;
    mirror.classList.toggle("xnb-as-is", screen || widget);
    if (mirror.srcObject !== picture) mirror.srcObject = picture;
    if (picture) mirror.play().catch(() => {});
  }

  /** Python's newest small picture. @returns {boolean} whether it is the first one */
  drawn() {
    const { picture } = this.session.thumbnail;
    if (!picture) return false;
    const { canvas } = this;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
    return canvas.hidden;
  }

  /** Shows the one that there is. @returns {boolean} whether there is one */
  update() {
    const { session } = this;
    const own = session.connected && Boolean(session.value("camera_on"));
    const mirrored = Boolean(session.capture.track("video"));
    const inCanvas = own && !mirrored && session.thumbnail.picture !== null;
    show(this.mirror, own && mirrored);
    show(this.canvas, inCanvas);
    return (own && mirrored) || inCanvas;
  }
}
