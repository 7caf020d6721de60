// @ts-check
import { GroupCard } from "./group/card.js";
import { GroupSession } from "./group/session.js";

/** One of these for each model: `initialize` owns the connections, `render` only draws. */
export default () => {
  /** @type {GroupSession|undefined} */
  let session;
  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      session = new GroupSession(model);
      return () => session?.close();
    },
    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      session ??= new GroupSession(model);
      const card = new GroupCard(session, el);
      return () => card.close();
    },
  };
};
