// @ts-check
import { say, show } from "../shared/dom.js";
import { clock } from "./format.js";
import { CARD, filled } from "../shared/strings.js";

/** @typedef {import("./session.js").Session} Session */

/** The clocks in the head of one card: how long the call lasts, and its recording. */
export class Times {
  /**
   * @param {Session} session
   * @param {{time: HTMLElement, rec: HTMLElement}} ui
   */
  constructor(session, ui) {
    this.session = session;
    this.ui = ui;
    /** @type {number|undefined} */
    this.recordSince = undefined;
  }

  /** Twice a second. */
  tick() {
    const { session, ui } = this;
    const over = session.value("state") === "ended";
    const seconds = over ? Number(session.value("ended")?.duration_s ?? 0) : session.duration;
    say(ui.time, session.connected || seconds > 0 ? clock(seconds) : "");
    const recording = session.connected && Boolean(session.value("recording"));
    show(ui.rec, recording);
    if (recording) say(ui.rec, filled(CARD.rec, clock(this.#recorded())));
    else this.recordSince = undefined;
  }

  #recorded() {
    const told = Number(this.session.model.get("record_elapsed")) || 0;
    const now = performance.now() / 1000;
    this.recordSince ??= now - (this.session.model.get("recording") ? told : 0);
    return now - this.recordSince;
  }
}
