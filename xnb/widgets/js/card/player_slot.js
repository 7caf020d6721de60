// @ts-check
import { show } from "../shared/dom.js";

/** The player of a recording, inside the card of a call that is over. */
export class PlayerSlot {
  /**
   * @param {Model} model
   * @param {HTMLElement} box
   */
  constructor(model, box) {
    this.model = model;
    this.box = box;
    this.shown = "";
    /** @type {any} */
    this.view = null;
  }

  /** @param {string} reference to the player's model; nothing takes the player away */
  async show(reference) {
    if (reference === this.shown) return;
    this.shown = reference;
    this.view?.remove();
    this.view = null;
    this.box.replaceChildren();
    show(this.box, reference !== "");
    if (!reference) return;
    const manager = this.model.widget_manager;
    const view = await manager.create_view(
      await manager.get_model(reference.replace("IPY_MODEL_", "")),
    );
    if (this.shown !== reference) {
      view.remove();
      return;
    }
    this.view = view;
    this.box.replaceChildren(view.el);
  }
}
