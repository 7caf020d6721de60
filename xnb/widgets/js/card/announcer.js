// @ts-check

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("../capture/open_media.js").Wish} Wish */

/** Tells Python what this page captures for the call, and captures what Python asks for. */
export class Announcer {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {object|null} the connection over which Python expects our tracks */
    this.announced = null;
  }

  /**
   * Tells Python what comes from this page.
   *
   * @param {boolean} changed whether it is something else than before
   */
  tell(changed) {
    const { capture, leg } = this.session;
    if (capture.asking) return;
    if (capture.active) {
      if (leg.state !== "connected" || (!changed && this.announced === leg.link)) return;
      this.announced = leg.link;
      this.#send();
    } else if (this.announced) {
      this.announced = null;
      this.#send();
    }
  }

  #send() {
    const { capture, page, kernel, media } = this.session;
    const { screen, widget } = capture.what;
    const [camera, microphone] = [capture.track("video"), capture.track("audio")];
    kernel.tell(media, {
      type: "captured", page, screen, widget,
      camera: camera !== null, microphone: microphone !== null,
    });
  }

  /**
   * Python wants something of this page, or wants it no more.
   *
   * @param {{page: string, type: string, request?: number, wish?: Wish,
   *   kinds?: ("audio"|"video")[]}} message
   */
  async heard({ page, type, request, wish, kinds }) {
    const { capture, kernel, media } = this.session;
    if (page !== this.session.page) return;
    if (type === "release") {
      this.announced = null; // Python knows: it was Python that ended it
      capture.drop(kinds ?? ["audio", "video"]);
    } else if (!(await capture.start(wish ?? {}))) {
      kernel.tell(media, { type: "captured", page, request, refused: capture.refusal });
    }
  }
}
