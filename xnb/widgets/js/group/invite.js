// @ts-check
import { attachPopover } from "../card/popover.js";
import { element, say, show } from "../shared/dom.js";
import { groupIcon } from "./icons.js";
import { joinLine } from "./join_line.js";
import { SentNames, namesIn } from "./names.js";
import { GROUP } from "../shared/strings.js";

/** @typedef {import("./session.js").GroupSession} GroupSession */

const COPIED_MS = 2000;

/** The host's box: whom to invite, and the line that those who were invited join with. */
export class InviteBox {
  /**
   * @param {GroupSession} session
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} box
   */
  constructor(session, button, box) {
    this.session = session;
    this.box = box;
    this.input = element("input", {
      class: "xnb-invite-names", type: "text", autocomplete: "off", autocapitalize: "none",
      spellcheck: "false", maxlength: "600",
    });
    const label = element("label", {}, element("span", {}, GROUP.inviteWhom), this.input);
    const send = element("button", { class: "xnb-invite-send", type: "submit" }, GROUP.invite);
    const form = element("form", { class: "xnb-invite-form" }, label, send);
    this.sent = new SentNames();
    this.line = element("code");
    this.copy = element(
      "button", { class: "xnb-tile-button", type: "button", "aria-label": GROUP.copyLine, title: GROUP.copyLine },
      groupIcon("copy"),
    );
    this.said = element("span", { class: "xnb-small", role: "status" });
    this.join = element(
      "div", { class: "xnb-join" },
      element("p", { class: "xnb-small" }, GROUP.joinWith),
      element("div", { class: "xnb-join-row" }, this.line, this.copy, this.said),
    );
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", GROUP.invite);
    box.append(form, this.join);
    // What is typed here is meant neither for the card nor for the notebook.
    box.addEventListener("keydown", (event) => event.stopPropagation());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#invite();
    });
    this.copy.addEventListener("click", () => this.#copy());
    this.place = attachPopover(button, box, (isOpen) => {
      if (!isOpen) return;
      this.session.askId();
      this.update();
      this.input.focus();
    });
  }

  #invite() {
    const names = namesIn(this.input.value);
    if (names.length === 0) return;
    this.session.invite(names);
    this.sent.send(this.input.value, performance.now());
    this.input.value = "";
    this.box.hidePopover();
  }

  /** Python refused an invitation: the names are here again, unless others are typed already. */
  refused() {
    const text = this.sent.refused(performance.now());
    if (text && !this.input.value.trim()) this.input.value = text;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.line.textContent ?? "");
      say(this.said, GROUP.copied);
      setTimeout(() => say(this.said, ""), COPIED_MS);
    } catch {
      // Pages that are not secure may not copy by themselves: marked, Ctrl+C does it.
      getSelection()?.selectAllChildren(this.line);
    }
  }

  update() {
    const { id } = this.session;
    say(this.line, joinLine(id, Boolean(this.session.value("has_video"))));
    show(this.join, id !== "");
  }
}
