// @ts-check
import { Session } from "../card/session.js";
import { Gate } from "./gate.js";
import { Order } from "./order.js";
import { HeightReports } from "./sizes.js";

/** @typedef {import("../legs/ladder.js").Ladder} Ladder */
/** @typedef {import("./card.js").GroupCard} GroupCard */
/**
 * @typedef {{key: string, name: string, host: boolean, talking: boolean, muted: boolean,
 *   silenced: boolean, camera: boolean, pictures: boolean}} Person as Python tells it; `silenced`
 *   by the host; `pictures` is whether any come now
 */

/** Connections made at the same time. */
const OPENING = 3;

/**
 * What one group call owns in one page: what a 1:1 call does, and a ladder for each person. The
 * call's own ladder, as in a 1:1 call, takes this page's camera and microphone to the kernel.
 */
export class GroupSession extends Session {
  /** @param {Model} model */
  constructor(model) {
    super(model);
    /** @type {Map<string, Ladder>} */
    this.ladders = new Map();
    this.gate = new Gate(OPENING);
    this.order = new Order();
    /** The last connection that was begun for each. @type {Map<string, object>} */
    this.begun = new Map();
    /**
     * How loud each person is in this page, also when they are away: whoever returns has the same
     * key. @type {Map<string, {volume: number, off: boolean}>}
     */
    this.volumes = new Map();
    /** Lines of figures of the person whose box is open. @type {{key: string, figures: string[]}} */
    this.figures = { key: "", figures: [] };
    /** The call's id, once it was asked for. */
    this.id = "";
    this.reports = new HeightReports(
      () => this.#heights(), (heights, before) => this.#tellHeights(heights, before),
    );
  }

  /** @returns {Person[]} who is there besides us, in order of joining */
  get people() {
    return this.value("people") ?? [];
  }

  /** @param {string} key */
  person(key) {
    return this.people.find((one) => one.key === key);
  }

  /** @param {string} key */
  volumeOf(key) {
    return this.volumes.get(key) ?? { volume: 1, off: false };
  }

  /**
   * @param {string} key
   * @param {{volume?: number, off?: boolean}} change
   */
  setVolume(key, change) {
    this.volumes.set(key, { ...this.volumeOf(key), ...change });
    this.update();
  }

  // Commands of the host

  /** @param {string[]} people names */
  invite(people) {
    this.kernel.tell(this.model, { type: "command", name: "invite", people });
  }

  /**
   * @param {"remove"|"silence"} name
   * @param {string} key whom
   * @param {boolean} [on] `false` takes it back
   */
  host(name, key, on = true) {
    this.kernel.tell(this.model, { type: "command", name, key, on });
  }

  /** Asks Python for the id of the call: it is no trait, which a notebook would save. */
  askId() {
    this.kernel.tell(this.model, { type: "id", page: this.page });
  }

  /** Asks Python for somebody's figures every second, or for none. @param {string} key */
  watch(key) {
    this.figures = { key, figures: [] };
    this.kernel.tell(this.model, { type: "stats", page: this.page, key });
  }

  /** @override @param {any} message */
  message(message) {
    super.message(message);
    if (message?.type === "refused" && message.name === "invite") {
      for (const card of this.groupCards) card.invite.refused();
    }
    if (message?.page !== this.page) return;
    if (message.type === "id") {
      this.id = message.id;
      this.update();
    }
    if (message.type !== "person" || message.key !== this.figures.key) return;
    this.figures = { key: message.key, figures: message.figures };
    for (const card of this.groupCards) card.figuresChanged();
  }

  // Media

  /** @returns {Iterable<GroupCard>} */
  get groupCards() {
    return /** @type {Set<GroupCard>} */ (this.cards);
  }

  /** @override @param {any} message @param {any[]} buffers */
  mediaMessage(message, buffers) {
    if (!message?.feed) {
      super.mediaMessage(message, buffers);
      return;
    }
    this.kernel.hear();
    this.ladders.get(message.feed)?.receive(message, buffers);
  }

  /** @override */
  changed() {
    if (!this.ladders) return; // not made yet
    this.order.follow(this.people, performance.now());
    super.changed();
    if (this.connected && this.cards.size > 0 && this.alive) this.#followPeople();
  }

  /** Somebody new gets a ladder, somebody who left loses theirs. */
  #followPeople() {
    const { people } = this;
    const there = new Set(people.map(({ key }) => key));
    for (const key of this.ladders.keys()) if (!there.has(key)) this.#drop(key);
    for (const { key } of people) {
      if (this.ladders.has(key)) continue;
      const ladder = this.makeLadder(key, () => this.#ladderChanged(key));
      this.ladders.set(key, ladder);
      ladder.force = this.value("transport") || "auto";
      this.gate.enter(key, () => ladder.open(Boolean(this.value("has_video"))));
    }
  }

  /** @param {string} key */
  #ladderChanged(key) {
    const ladder = this.ladders.get(key);
    if (!ladder) return;
    if (ladder.state !== "opening") this.gate.leave(key);
    this.#followConnection(key, ladder);
    for (const card of this.groupCards) card.personChanged(key);
    this.update();
  }

  /**
   * With each connection Python is told anew how tall the tile is, and whether it is seen: it may
   * have taken this page for gone.
   *
   * @param {string} key
   * @param {Ladder} ladder
   */
  #followConnection(key, { rung }) {
    if (!rung || this.begun.get(key) === rung) return;
    this.begun.set(key, rung);
    this.reports.forget(key);
    this.sized();
  }

  /** @param {string} key */
  #drop(key) {
    const ladder = this.ladders.get(key);
    this.ladders.delete(key);
    this.begun.delete(key);
    this.reports.forget(key);
    this.gate.leave(key);
    ladder?.close();
    for (const card of this.groupCards) card.personChanged(key);
  }

  /** @override */
  legChanged() {
    if (this.leg.state === "lost" || this.leg.state === "idle") this.capture.stop();
    else if (this.capture.active) this.announcer.tell(false);
    this.update();
  }

  /** @override Nobody's sound is drawn here but ours. */
  sample() {
    this.ownLevel = this.ownSound.sample(Boolean(this.value("muted")));
  }

  /** @override */
  closeLeg() {
    if (!this.ladders) return;
    super.closeLeg();
    for (const key of [...this.ladders.keys()]) this.#drop(key);
    this.reports.clear();
  }

  // How large pictures are drawn

  /** A card was laid out anew, or came into view or went out of it. */
  sized() {
    this.reports.look();
  }

  /** @override @param {import("../card/session.js").Card} card */
  remove(card) {
    super.remove(card);
    if (this.cards.size > 0) {
      this.sized();
      return;
    }
    // No height holds any more, not even that nothing was seen.
    this.#tellVisible(this.reports.told, {});
    this.reports.clear();
    this.kernel.tell(this.model, { type: "tiles", page: this.page, heights: {} });
  }

  /**
   * @param {import("./sizes.js").Heights} heights
   * @param {import("./sizes.js").Heights} before as they were told
   */
  #tellHeights(heights, before) {
    this.#tellVisible(before, heights);
    this.kernel.tell(this.model, { type: "tiles", page: this.page, heights });
  }

  /**
   * @param {import("./sizes.js").Heights} before
   * @param {import("./sizes.js").Heights} heights
   */
  #tellVisible(before, heights) {
    const { page } = this;
    for (const key of Object.keys({ ...before, ...heights })) {
      const was = key in before ? before[key] > 0 : undefined;
      const is = heights[key] > 0;
      if (was === is) continue;
      this.kernel.tell(this.media, { type: "visible", page, feed: key, visible: is });
    }
  }

  /** @returns {import("./sizes.js").Heights|null} null while there is nobody to be told */
  #heights() {
    if (!this.connected || !this.alive || this.cards.size === 0) return null;
    /** @type {import("./sizes.js").Heights} */
    const heights = {};
    for (const { key } of this.people) {
      heights[key] = 0;
      if (!this.visible) continue;
      for (const card of this.groupCards) {
        if (card.inView) heights[key] = Math.max(heights[key], card.heightOf(key));
      }
    }
    return heights;
  }

  /** @override */
  seen() {
    super.seen();
    if (this.ladders) this.sized();
  }
}
