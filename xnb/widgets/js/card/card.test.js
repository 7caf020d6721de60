import assert from "node:assert/strict";
import { test } from "node:test";
import { rate } from "./format.js";
import { placeBeside } from "./popover.js";
import { Ring } from "../door/ring.js";
import { StatsHistory } from "./stats_history.js";
import * as words from "../shared/strings.js";
import { stripOf } from "./strip.js";

test("rates read in kilobits and megabits", () => {
  assert.deepEqual([0, 64_400, 999_499, 999_500, 2_340_000].map(rate), [
    "0 kbps", "64 kbps", "999 kbps", "1.0 Mbps", "2.3 Mbps",
  ]);
});

test("the history keeps two minutes, in seconds before the newest", () => {
  const history = new StatsHistory();
  assert.deepEqual(history.columns(["fps"]), [[], []]);
  assert.deepEqual(history.latest, {});
  for (let s = 0; s <= 300; s++) history.add(1000 + s, { fps: s, rtt_ms: s % 2 ? s : null });
  const [x, fps, rtt] = history.columns(["fps", "rtt_ms"]);
  assert.equal(x.length, 121);
  assert.deepEqual([x[0], x[120], fps[0], fps[120]], [-120, 0, 180, 300]);
  assert.deepEqual([rtt[0], rtt[1]], [null, 181], "what is not known is a gap");
  assert.deepEqual(history.latest, { fps: 300, rtt_ms: null });
});

test("while nobody looked no line is drawn, and values are scaled", () => {
  const history = new StatsHistory();
  for (const s of [0, 1, 11, 12]) history.add(s, { bitrate_bps: 8000 + 250 * s });
  const [x, rates] = history.columns(["bitrate_bps"], 1 / 1000);
  const near = rates.map((one) => one && Math.round(one * 1000) / 1000);
  assert.deepEqual(x, [-12, -11, -6, -1, 0]);
  assert.deepEqual(near, [8, 8.25, null, 10.75, 11]);
});

test("a box goes above its button, else below, and stays in view", () => {
  const view = { width: 1000, height: 800 };
  const box = { width: 300, height: 200 };
  const at = (left, top) => ({ left, right: left + 40, top, bottom: top + 40 });
  assert.deepEqual(placeBeside(at(500, 600), box, view), { left: 370, top: 392 });
  assert.deepEqual(placeBeside(at(500, 100), box, view), { left: 370, top: 148 });
  assert.deepEqual(placeBeside(at(0, 600), box, view).left, 8);
  assert.deepEqual(placeBeside(at(960, 600), box, view).left, 692);
  assert.equal(placeBeside(at(0, 20), { width: 304, height: 500 }, { width: 320, height: 400 }).top, 8);
});

test("the strip says what is known, the path to the page and its reason", () => {
  assert.deepEqual(stripOf({}), []);
  assert.deepEqual(
    stripOf({
      codec: "VP8", size: "640x480", fps: "30 fps", bitrate: "1.2 Mbps in, 64 kbps out",
      rtt: "", loss: "loss 0 %", path: "path: host-host udp", shownBy: "webrtc", why: "",
    }),
    ["VP8 640x480 30 fps", "1.2 Mbps in, 64 kbps out", "loss 0 %", "path: host-host udp",
      "shown by WebRTC"],
  );
  const [text] = stripOf({ shownBy: "comm", why: 'Asked for with transport="comm".' });
  assert.equal(text, 'shown by the notebook’s connection: Asked for with transport="comm".');
});

test("every word is in the table once and none is empty", () => {
  for (const [name, table] of Object.entries(words)) {
    if (typeof table === "function") continue;
    const texts = Object.values(table).flatMap((one) =>
      typeof one === "string" ? [one] : Object.values(one),
    );
    for (const text of texts) assert.ok(typeof text === "string" && text.length > 0, name);
  }
  assert.equal(words.filled("{} of {}", 1, 2), "1 of 2");
});

/** Enough of an AudioContext to ring: what it was asked for, and whether the page may play. */
class FakeContext {
  state = "suspended";
  currentTime = 0;
  destination = {};
  tones = [];
  createOscillator() {
    const tone = { frequency: { value: 0 }, connect: (next) => next, start() {}, stop() {} };
    this.tones.push(tone);
    return tone;
  }
  createGain() {
    const gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
    return { gain, connect: (next) => next };
  }
  async resume() {}
  async close() {}
  allow() {
    this.state = "running";
    this.onstatechange();
  }
}

test("the ring waits for the page to be allowed, says so, and can be silenced", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const context = new FakeContext();
  let changes = 0;
  const ring = new Ring(() => (changes += 1), () => context);
  ring.set(true);
  assert.deepEqual([ring.blocked, context.tones.length], [true, 0]);
  context.allow();
  assert.deepEqual([ring.blocked, changes], [false, 1]);
  assert.deepEqual(context.tones.map((tone) => tone.frequency.value), [659.3, 523.3]);
  t.mock.timers.tick(3000);
  assert.equal(context.tones.length, 4);
  ring.silence(true);
  t.mock.timers.tick(9000);
  assert.equal(context.tones.length, 4, "silent");
  ring.set(false);
  ring.set(true);
  assert.equal(context.tones.length, 6, "the next call rings again");
  ring.close();
  t.mock.timers.tick(9000);
  assert.equal(context.tones.length, 6);
});
