// @ts-check
import { Controls } from "../card/controls.js";
import { DeviceMenu } from "../card/device_menu.js";
import { modeOf } from "../card/mode.js";
import { PANEL_VALUES, panelOf } from "../card/panel.js";
import { PlayerSlot } from "../card/player_slot.js";
import { drawStrip } from "../card/strip_row.js";
import { Times } from "../card/times.js";
import { View } from "../card/view.js";
import { noticeOf, statusOf } from "../card/words.js";
import { say, show } from "../shared/dom.js";
import { GROUP, filled } from "../shared/strings.js";
import { gridOf, heightFor, pinnedOf } from "./grid.js";
import { InviteBox } from "./invite.js";
import { groupLayout } from "./layout.js";
import { ownLost } from "./notice.js";
import { OwnTile } from "./own_tile.js";
import { putInOrder } from "./tab_order.js";
import { Tile } from "./tile.js";

/** @typedef {import("./session.js").GroupSession} GroupSession */
/** @typedef {import("../card/last_picture.js").LastPicture} LastPicture */

const TROUBLE_MS = 6000;
const OWN_LOST_MS = 15_000;

/** One drawing of a group call; the session does the work. */
export class GroupCard {
  /**
   * @param {GroupSession} session
   * @param {HTMLElement} host
   */
  constructor(session, host) {
    this.session = session;
    this.inView = false;
    /** Whose tile is large; "" shows all in one size. */
    this.pinned = "";
    this.drawnPanel = "";
    this.troubled = { text: "", until: 0 };
    this.drawnLost = "";
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    /** A group has no charts. @type {{update: () => void}|null} */
    this.charts = null;
    const ui = (this.ui = groupLayout());
    this.view = new View(ui.root, null, {
      changed: () => this.update(), trouble: (text) => this.trouble(text),
    });
    this.own = new OwnTile(session);
    ui.tiles.append(ui.others, this.own.root);
    this.times = new Times(session, ui);
    this.player = new PlayerSlot(session.model, ui.player);
    this.controls = new Controls(session, ui, this.view);
    const devices = /** @type {HTMLButtonElement} */ (ui.buttons.get("devices"));
    this.devices = new DeviceMenu(session, devices, ui.menu);
    this.invite = new InviteBox(session, ui.inviteButton, ui.invite);
    host.classList.add("xnb");
    host.append(ui.root);
    ui.unblock.addEventListener("click", () => session.wake());
    ui.others.addEventListener("click", () => this.#showOthers());
    this.resized = new ResizeObserver(() => this.#arrange());
    this.resized.observe(ui.stage);
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      if (!this.inView) this.own.stopSound();
      session.seen();
      session.sized();
    });
    this.observer.observe(ui.root);
    session.add(this);
    this.selfChanged();
  }

  /** @param {string} text what this page could not do */
  trouble(text) {
    this.troubled = { text, until: performance.now() + TROUBLE_MS };
    this.update();
  }

  /** Makes a tile large, or small again if it is. @param {string} key */
  pin(key) {
    this.pinned = this.pinned === key ? "" : key;
    this.update();
  }

  /** Shows all in one size, and goes to the first of those for whom there was no place. */
  #showOthers() {
    const hidden = [...this.tiles.values()].filter(({ root }) => root.hidden);
    this.pinned = "";
    this.update();
    const keys = hidden.map(({ key }) => key);
    const first = this.session.order.keys.find((key) => keys.includes(key));
    (this.tiles.get(first ?? "")?.moreButton ?? this.ui.root).focus();
  }

  /** How tall somebody's picture is drawn here, in pixels of the screen. @param {string} key */
  heightOf(key) {
    return this.tiles.get(key)?.height ?? 0;
  }

  // What the session tells

  /** Their ladder, or its tracks, are others now. @param {string} key */
  personChanged(key) {
    this.tiles.get(key)?.streamChanged();
  }

  figuresChanged() {
    for (const tile of this.tiles.values()) tile.menu.update();
  }

  selfChanged() {
    this.own.picture.captured();
    this.devices.update();
    this.update();
  }

  drawThumbnail() {
    if (this.own.picture.drawn()) this.update();
  }

  drawSound() {
    this.own.drawSound();
  }

  play() {
    for (const tile of this.tiles.values()) tile.play();
  }

  streamChanged() {
    // The call's own connection brings no picture here.
  }

  // Drawing

  update() {
    const { session, ui } = this;
    const state = String(session.value("state"));
    const found = modeOf({
      alive: session.alive, state, frames: 0, hasVideo: false, cameraOff: false, legState: "",
      failed: Object.keys(session.value("failure") ?? {}).length > 0,
    });
    const mode = found === "audio" ? "grid" : found;
    const isOver = ["failed", "ended", "gone"].includes(mode);
    const { dataset } = ui.root;
    dataset.state = state;
    dataset.mode = mode;
    dataset.transport = session.leg.path || "none";
    dataset.video = String(Boolean(session.value("has_video")));
    dataset.recording = String(Boolean(session.value("recording")));
    this.#head(mode);
    this.#panel(mode);
    this.#people(mode);
    this.controls.update(mode);
    this.own.update();
    this.#figures();
    show(ui.foot, session.connected && session.alive);
    if (isOver) this.view.leave();
    this.player.show(isOver ? String(session.model.get("player") ?? "") : "");
    this.tick();
  }

  /** That this page's own way is lost lies over the pictures for a while, and stays below them. */
  #figures() {
    const { session, ui } = this;
    const lost = ownLost(session);
    if (lost && lost !== this.drawnLost) {
      this.troubled = { text: lost, until: performance.now() + OWN_LOST_MS };
    }
    this.drawnLost = lost;
    drawStrip(session, ui.figures, "", lost ? [lost] : []);
  }

  /** @param {string} mode */
  #head(mode) {
    const { session, ui } = this;
    const title = String(session.value("title") || GROUP.alone);
    const status = statusOf(session, mode);
    const count = session.people.length + 1;
    say(ui.title, title);
    say(ui.status, mode === "grid" && count > 1 ? filled(GROUP.status, status, count) : status);
    ui.root.setAttribute("aria-label", filled(GROUP.callWith, title));
    show(ui.theirMic, false);
    const isHost = Boolean(session.value("is_host")) && mode === "grid";
    show(ui.inviteButton, isHost);
    if (isHost) this.invite.update();
    else if (ui.invite.matches(":popover-open")) ui.invite.hidePopover();
  }

  /** @param {import("../card/mode.js").Mode} mode */
  #panel(mode) {
    const { session, ui } = this;
    const parts = PANEL_VALUES.map((name) => session.value(name));
    const drawn = JSON.stringify([mode, session.leg.why, session.alive, parts]);
    if (drawn !== this.drawnPanel) {
      this.drawnPanel = drawn;
      ui.panel.replaceChildren(...panelOf(mode, session));
    }
    show(ui.panel, mode !== "grid");
    show(ui.tiles, mode === "grid");
    show(ui.unblock, session.sound.blocked && session.connected);
  }

  /** @param {string} mode */
  #people(mode) {
    const { session, ui, tiles } = this;
    const people = mode === "grid" ? session.people : [];
    const there = new Set(people.map(({ key }) => key));
    for (const [key, tile] of tiles) {
      if (there.has(key)) continue;
      tile.close();
      tiles.delete(key);
    }
    if (!there.has(this.pinned)) this.pinned = "";
    const { speaker } = session.order;
    for (const person of people) {
      let tile = tiles.get(person.key);
      if (!tile) {
        tile = new Tile(this, person);
        tiles.set(person.key, tile);
        this.own.root.before(tile.root);
      }
      tile.update(person, person.key === speaker);
    }
    show(ui.alone, mode === "grid" && people.length === 0);
    this.#arrange();
  }

  /** Gives each tile its place and its size. */
  #arrange() {
    const { session, ui, tiles } = this;
    const width = ui.tiles.clientWidth;
    if (width === 0) {
      session.sized();
      return;
    }
    const height = this.view.full ? ui.stage.clientHeight : heightFor(width);
    const isPinned = tiles.has(this.pinned);
    ui.root.dataset.layout = isPinned ? "pinned" : "grid";
    if (isPinned) this.#arrangePinned(width, height);
    else this.#arrangeGrid(width, height);
    session.sized();
  }

  /** @param {number} width @param {number} height */
  #arrangeGrid(width, height) {
    const { session, ui, tiles } = this;
    const size = boxOf(gridOf(tiles.size + 1, width, height));
    const places = session.order.places(tiles.size);
    for (const key of places) tiles.get(key)?.put(size);
    this.own.put(size);
    show(ui.others, false);
    this.#inOrder(places);
  }

  /** @param {number} width @param {number} height */
  #arrangePinned(width, height) {
    const { session, ui, tiles } = this;
    const count = tiles.size - 1;
    const { small, fit, ...large } = pinnedOf(count + 1, width, height);
    // Our own tile has a place, and so has the number of those who have none.
    const seen = count <= fit - 1 ? count : Math.max(0, fit - 2);
    const places = session.order.places(seen, this.pinned);
    tiles.get(this.pinned)?.put(large);
    places.forEach((key, place) => tiles.get(key)?.put(place < seen ? small : null));
    this.own.put(small);
    show(ui.others, count > seen);
    this.#inOrder([this.pinned, ...places]);
    if (count <= seen) return;
    const text = filled(GROUP.othersText, count - seen);
    ui.others.setAttribute("aria-label", text);
    ui.others.title = text;
    ui.others.style.cssText = `width: ${small.width}px; height: ${small.height}px`;
    say(/** @type {Element} */ (ui.others.firstElementChild), filled(GROUP.others, count - seen));
  }

  /** @param {string[]} keys in the order in which they are seen */
  #inOrder(keys) {
    const { ui, own, tiles } = this;
    const shown = keys.flatMap((key) => tiles.get(key)?.root ?? []);
    putInOrder(ui.tiles, [...shown, ui.others, own.root]);
  }

  /** Twice a second: what changes by itself. */
  tick() {
    this.times.tick();
    const text = noticeOf(this.session, this.troubled);
    say(this.ui.note, text);
    show(this.ui.note, text !== "");
  }

  /** What is shown now, all tiles in one small picture. @param {LastPicture} picture */
  keepPicture(picture) {
    const { left, top, width, height } = this.ui.tiles.getBoundingClientRect();
    const parts = [...this.tiles.values()]
      .filter(({ root }) => root.dataset.picture === "true" && !root.hidden)
      .map(({ root, video }) => {
        const box = root.getBoundingClientRect();
        return { video, left: box.left - left, top: box.top - top, width: box.width, height: box.height };
      });
    if (parts.length > 0) picture.keepAll(parts, { width, height });
  }

  close() {
    this.observer.disconnect();
    this.resized.disconnect();
    this.inView = false;
    for (const tile of this.tiles.values()) tile.close();
    this.tiles.clear();
    this.player.show("");
    this.view.close();
    this.session.remove(this);
    this.ui.root.remove();
  }
}

/** @param {{width: number, height: number}} size */
function boxOf({ width, height }) {
  return { width, height };
}
