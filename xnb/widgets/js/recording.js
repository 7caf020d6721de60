// @ts-check
import { Player } from "./recording/player.js";
import { Store } from "./recording/store.js";

/** One of these for each model: what came from Python is kept once, however often it is shown. */
export default () => {
  /** @type {Store|undefined} */
  let store;
  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      store = new Store(model);
      return () => store?.close();
    },
    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      store ??= new Store(model);
      const player = new Player(store, el);
      return () => player.close();
    },
  };
};
