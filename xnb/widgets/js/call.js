// @ts-check
import { Card } from "./card/card.js";
import { Session } from "./card/session.js";

/** One of these for each model: `initialize` owns the connection, `render` only draws. */
export default () => {
  /** @type {Session|undefined} */
  let session;
  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      session = new Session(model);
      return () => session?.close();
    },
    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      session ??= new Session(model);
      const card = new Card(session, el);
      return () => card.close();
    },
  };
};
