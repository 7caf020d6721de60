// @ts-check
import { header, toolbar } from "../card/layout.js";
import { element } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { groupIcon } from "./icons.js";
import { CARD, GROUP, PANEL } from "../shared/strings.js";

/** @typedef {import("../card/keys.js").Action} Action */

/** The empty card of a group: its elements by name, nothing connected to them. */
export function groupLayout() {
  /** @type {Map<Action, HTMLButtonElement>} */
  const buttons = new Map();
  const head = header(buttons);
  for (const action of /** @type {Action[]} */ (["tiles", "pip"])) {
    buttons.get(action)?.remove();
    buttons.delete(action);
  }
  const inviteButton = element(
    "button", { class: "xnb-invite-button", type: "button" }, groupIcon("invite"),
    element("span", {}, GROUP.invite),
  );
  head.view.before(inviteButton);
  const tiles = element("div", { class: "xnb-tiles", role: "group", "aria-label": GROUP.people });
  const others = element("button", { class: "xnb-tile xnb-others", type: "button" }, element("span"));
  const alone = element("p", { class: "xnb-alone" }, GROUP.nobody);
  others.hidden = alone.hidden = true;
  const panel = element("div", { class: "xnb-panel" });
  const unblock = element(
    "button", { class: "xnb-unblock", type: "button" }, icon("volume"), CARD.clickForSound,
  );
  const note = element("p", { class: "xnb-note", role: "status", "aria-live": "polite" });
  const stage = element("div", { class: "xnb-stage xnb-group-stage" }, tiles, panel, alone, unblock, note);
  const controls = toolbar(buttons);
  const figures = element("div", { class: "xnb-figures" });
  const foot = element("footer", { class: "xnb-foot" }, figures);
  const player = element("div", { class: "xnb-player-slot", role: "group", "aria-label": PANEL.player });
  player.hidden = true;
  const menu = element("div", { class: "xnb-pop xnb-menu" });
  const invite = element("div", { class: "xnb-pop xnb-invite-box" });
  const root = element(
    "section", { class: "xnb-card xnb-group", role: "group", tabindex: "0" },
    head.head, stage, controls.bar, foot, player, menu, invite,
  );
  return {
    root, buttons, stage, tiles, others, alone, panel, unblock, note, foot, figures, player, menu,
    invite, inviteButton, ...head, ...controls,
  };
}
