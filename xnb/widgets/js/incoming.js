// @ts-check
import { Doorbell } from "./door/doorbell.js";
import { Ring } from "./door/ring.js";

/** One ring for each model, however often its card is shown. */
export default () => {
  /** @type {Set<Doorbell>} */
  const doors = new Set();
  const ring = new Ring(() => {
    for (const door of doors) door.update();
  });
  /** @param {Model} model */
  const changed = (model) => {
    /** @type {import("./door/doorbell.js").Caller[]} */
    const callers = model.get("callers") ?? [];
    ring.set(doors.size > 0 && callers.some((caller) => !caller.busy));
    for (const door of doors) door.update();
  };
  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      const onChange = () => changed(model);
      model.on("change", onChange);
      return () => ring.close();
    },
    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      const door = new Doorbell(model, el, ring);
      doors.add(door);
      changed(model);
      return () => {
        doors.delete(door);
        if (doors.size === 0) ring.set(false);
        door.close();
      };
    },
  };
};
