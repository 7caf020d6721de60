import assert from "node:assert/strict";
import { mock, test } from "node:test";

/** Enough of a page for a session without cards that draw. */
class FakeStream {
  getTracks() {
    return [];
  }
  getAudioTracks() {
    return [];
  }
}
const deaf = { addEventListener() {}, removeEventListener() {} };
Object.assign(globalThis, {
  MediaStream: FakeStream,
  window: { ...deaf, isSecureContext: true, sessionStorage: { getItem: () => null, setItem() {}, removeItem() {} } },
  document: { ...deaf, visibilityState: "visible", createElement: () => ({ getContext: () => null }) },
  requestAnimationFrame: () => 0,
  cancelAnimationFrame: () => {},
});
const { GroupSession } = await import("./session.js");

class FakeModel {
  constructor(traits, manager) {
    Object.assign(this, { traits, sent: [], listeners: new Map(), comm_live: true });
    this.widget_manager = manager;
  }
  get(name) {
    return this.traits[name];
  }
  on(name, callback) {
    this.listeners.set(name, callback);
  }
  off() {}
  send(content) {
    this.sent.push(content);
  }
  set(traits) {
    Object.assign(this.traits, traits);
    this.listeners.get("change")();
  }
  told(type) {
    return this.sent.filter((one) => one.type === type);
  }
}

/** A card whose tiles are all equally tall. */
class FakeCard {
  inView = true;
  height = 200;
  invite = { refusals: 0, refused: () => (this.invite.refusals += 1) };
  heightOf() {
    return this.height;
  }
  update() {}
  tick() {}
  streamChanged() {}
  personChanged() {}
  selfChanged() {}
  keepPicture() {}
}

let now = 0;

/** Lets milliseconds pass. */
function pass(milliseconds) {
  for (let i = 0; i < milliseconds; i++) {
    now += 1;
    mock.timers.tick(1);
  }
}

const person = (key) => ({ key, name: `n${key}`, talking: false, camera: true, pictures: true });

/** Runs a test with a session of two people that is shown. */
function shown(run) {
  return async () => {
    mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    const media = new FakeModel({}, null);
    const model = new FakeModel(
      { leg: "IPY_MODEL_1", state: "connected", people: [person("1"), person("2")], has_video: true },
      { get_model: async () => media },
    );
    const session = new GroupSession(model);
    session.reports.clock = () => now;
    try {
      await Promise.resolve();
      await Promise.resolve();
      const card = new FakeCard();
      session.add(card);
      session.sized();
      pass(1);
      await run({ session, model, media, card });
    } finally {
      session.close();
      mock.timers.reset();
    }
  };
}

test("a volume is kept while somebody is away, and while no card is shown", shown(
  ({ session, model, card }) => {
    session.setVolume("2", { volume: 0.3, off: true });
    model.set({ people: [person("1")] });
    assert.ok(!session.ladders.has("2"));
    model.set({ people: [person("1"), person("2")] });
    assert.deepEqual(session.volumeOf("2"), { volume: 0.3, off: true });
    session.remove(card);
    pass(5000);
    assert.equal(session.ladders.size, 0);
    session.add(card);
    assert.deepEqual([...session.ladders.keys()], ["1", "2"]);
    assert.deepEqual(session.volumeOf("2"), { volume: 0.3, off: true });
  },
));

test("with each connection heights and visibility are told anew", shown(
  ({ session, model, media, card }) => {
    const before = model.told("tiles").length;
    assert.deepEqual(model.told("tiles").at(-1).heights, { 1: 200, 2: 200 });
    const seen = () => media.told("visible").filter((one) => one.feed === "1").map((one) => one.visible);
    assert.deepEqual(seen().at(-1), true);
    const count = seen().length;
    pass(10_000);
    assert.equal(model.told("tiles").length, before, "told once");
    const ladder = session.ladders.get("1");
    const { path } = ladder.rung;
    session.mediaMessage({ type: "lost", feed: "1", page: session.page, path, why: "", again: true });
    pass(600);
    assert.ok(model.told("tiles").length > before);
    assert.ok(seen().length > count);
    assert.deepEqual(model.told("tiles").at(-1).heights, { 1: 200, 2: 200 });
    assert.equal(seen().at(-1), true);
    // Out of view a moment before: Python still takes it for seen.
    card.height = 0;
    session.sized();
    session.mediaMessage({ type: "lost", feed: "1", page: session.page, path, why: "", again: true });
    pass(2000);
    assert.equal(model.told("tiles").at(-1).heights[1], 0);
    assert.equal(seen().at(-1), false);
  },
));

test("when the last card goes nothing that was said of heights stands, and it is said again", shown(
  ({ session, model, media, card }) => {
    session.remove(card);
    assert.deepEqual(model.told("tiles").at(-1).heights, {});
    assert.deepEqual(media.told("visible").filter((one) => one.feed).slice(-2).map((one) => one.visible), [
      false, false,
    ]);
    pass(1000);
    session.add(card);
    session.sized();
    pass(1);
    assert.deepEqual(model.told("tiles").at(-1).heights, { 1: 200, 2: 200 });
  },
));

test("somebody who sends nothing yet makes room for the connections of others", shown(
  ({ session, model }) => {
    const keys = [..."12345"];
    model.set({ people: keys.map(person) });
    const opening = () => keys.filter((key) => session.ladders.get(key)?.state === "opening");
    assert.deepEqual(opening(), ["1", "2", "3"]);
    const { path } = session.ladders.get("1").rung;
    for (const feed of ["1", "2", "3"]) {
      session.mediaMessage({ type: "wait", feed, page: session.page, path, why: "Nothing comes." });
    }
    assert.deepEqual(opening(), ["4", "5"]);
    session.mediaMessage({ type: "ready", feed: "2" });
    assert.deepEqual(opening(), ["2", "4", "5"]);
  },
));

test("an invitation that was refused is told to the cards", shown(({ session, card }) => {
  session.message({ type: "refused", name: "mute" });
  assert.equal(card.invite.refusals, 0);
  session.message({ type: "refused", name: "invite" });
  assert.equal(card.invite.refusals, 1);
}));
