import assert from "node:assert/strict";
import { test } from "node:test";
import {
  following, moment, movedBy, movedEnd, placeOf, secondsAt, size, suits, widened, zoomed,
} from "./math.js";
import { filled } from "../shared/strings.js";
import { Canceled, Wire } from "./wire.js";

test("moments and sizes in words", () => {
  assert.equal(moment(0), "0:00.0");
  assert.equal(moment(4.26), "0:04.3");
  assert.equal(moment(59.96), "1:00.0");
  assert.equal(moment(3723.45), "1:02:03.5");
  assert.equal(size(900), "1 kB");
  assert.equal(size(3_440_000), "3.4 MB");
  assert.equal(size(120_000_000), "120 MB");
  assert.equal(filled("{} of {}", 1, "two"), "1 of two");
});

test("keys move a slider as ARIA says", () => {
  const key = (name, shiftKey = false) => ({ key: name, shiftKey });
  assert.equal(movedBy(key("ArrowRight"), 3, 10), 4);
  assert.equal(movedBy(key("ArrowLeft"), 0.5, 10), 0);
  assert.equal(movedBy(key("ArrowRight", true), 3, 10), 3.1);
  assert.equal(movedBy(key("PageUp"), 3, 10), 10);
  assert.equal(movedBy(key("Home"), 3, 10), 0);
  assert.equal(movedBy(key("End"), 3, 10), 10);
  assert.equal(movedBy(key("x"), 3, 10), null);
  assert.equal(movedBy(key("ArrowLeft"), 3, 10, 0.1), 2.9);
});

test("places in a view, and views that zoom and follow", () => {
  const view = { from: 10, to: 20 };
  assert.equal(placeOf(15, view), 0.5);
  assert.equal(secondsAt(0.5, view), 15);
  assert.equal(secondsAt(7, view), 20);
  assert.deepEqual(zoomed({ from: 0, to: 60 }, 0.5, 30, 60), { from: 15, to: 45 });
  assert.deepEqual(zoomed({ from: 0, to: 60 }, 0.5, 0, 60), { from: 0, to: 30 });
  assert.deepEqual(zoomed({ from: 20, to: 40 }, 8, 30, 60), { from: 0, to: 60 });
  assert.equal(following(view, 12, 60), view);
  assert.deepEqual(following(view, 20.5, 60), { from: 19.5, to: 29.5 });
  assert.deepEqual(following(view, 59, 60), { from: 50, to: 60 });
  const wide = widened(view, 60);
  assert.deepEqual(wide, { from: 5, to: 25 });
  assert.deepEqual(widened({ from: 0, to: 60 }, 60), { from: 0, to: 60 });
  assert.ok(suits(wide, view) && suits(wide, { from: 14, to: 24 }));
  assert.ok(!suits(wide, { from: 16, to: 26 }), "not all of it is there");
  assert.ok(!suits(wide, { from: 12, to: 17 }), "too coarse");
});

test("the ends of a part stay apart and inside", () => {
  const part = { from: 1, to: 2 };
  assert.deepEqual(movedEnd(part, "from", 1.95, 3), { from: 1.9, to: 2 });
  assert.deepEqual(movedEnd(part, "from", -5, 3), { from: 0, to: 2 });
  assert.deepEqual(movedEnd(part, "to", 9, 3), { from: 1, to: 3 });
  assert.deepEqual(movedEnd(part, "to", 0, 3), { from: 1, to: 1.1 });
});

/** A kernel that has one file, and answers when told to. */
class Kernel {
  constructor(bytes) {
    this.bytes = bytes;
    /** @type {any[]} */
    this.asked = [];
    this.most = 0;
    this.now = 0;
    this.silences = [];
    this.wire = new Wire(
      { send: (content) => this.#take(content) },
      { silent: (silent) => this.silences.push(silent) },
      { page: "p", now: () => this.now },
    );
  }

  #take(content) {
    this.asked.push(content);
    this.most = Math.max(this.most, this.asked.filter((one) => one.type === "read").length);
  }

  answer(index = 0) {
    const [{ id, offset, length }] = this.asked.splice(index, 1);
    const whole = new Uint8Array([9, 9, ...this.bytes.slice(offset, offset + length)]);
    const view = new DataView(whole.buffer, 2);
    this.wire.receive({ type: "bytes", page: "p", id, offset }, [view]);
  }
}

const turns = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
const never = () => new Promise(() => {});

test("a file comes in pieces, few at a time, in any order", async () => {
  const bytes = Uint8Array.from({ length: 1003 }, (_, i) => i % 251);
  const kernel = new Kernel(bytes);
  const loaded = [];
  const file = { form: 0, size_bytes: bytes.length, piece_bytes: 100 };
  const reading = kernel.wire.read(file, (count) => loaded.push(count), never);
  await turns();
  assert.equal(kernel.asked.length, 6);
  while (kernel.asked.length) {
    kernel.answer(kernel.asked.length - 1);
    await turns();
  }
  const read = new Uint8Array(await new Blob(await reading).arrayBuffer());
  assert.deepEqual(read, bytes);
  assert.equal(kernel.most, 6);
  assert.equal(loaded.length, 11);
  assert.equal(loaded.at(-1), 1003);
  assert.equal(kernel.wire.waiting.size, 0);
});

test("a piece that does not come is asked for again, then given up", async () => {
  const kernel = new Kernel(new Uint8Array(10).fill(7));
  const alarms = [];
  const sleep = () => new Promise((done) => alarms.push(done));
  const file = { form: 0, size_bytes: 10, piece_bytes: 100 };
  const reading = kernel.wire.read(file, () => {}, sleep);
  alarms.shift()();
  await turns();
  assert.equal(kernel.asked.length, 2);
  kernel.answer(1);
  assert.equal((await new Blob(await reading).arrayBuffer()).byteLength, 10);
  const lost = kernel.wire.read(file, () => {}, sleep);
  const failed = assert.rejects(lost, /lost/);
  for (let i = 0; i < 4; i++) {
    await turns();
    for (const ring of alarms.splice(0)) ring();
  }
  await failed;
  assert.equal(kernel.wire.waiting.size, 0);
});

test("a piece of another length, a failure and a cancellation end it", async () => {
  const kernel = new Kernel(new Uint8Array(5));
  const file = { form: 0, size_bytes: 10, piece_bytes: 100 };
  const shorter = assert.rejects(kernel.wire.read(file, () => {}, never), /changed/);
  kernel.answer();
  await shorter;
  const failing = assert.rejects(kernel.wire.ask("trim"), /no space/);
  const { id } = kernel.asked.pop();
  kernel.wire.receive({ type: "failed", page: "other", id, text: "not for us" }, []);
  kernel.wire.receive({ type: "failed", page: "p", id, text: "no space" }, []);
  await failing;
  const stop = new AbortController();
  const shares = [];
  const asked = kernel.wire.ask("trim", {}, { signal: stop.signal, progress: (s) => shares.push(s) });
  const canceled = assert.rejects(asked, Canceled);
  stop.abort();
  const [trim, cancel] = kernel.asked.splice(0);
  assert.deepEqual(cancel, { type: "cancel", page: "p", id: trim.id });
  kernel.wire.receive({ type: "progress", page: "p", id: trim.id, share: 0.5 }, []);
  kernel.wire.receive({ type: "canceled", page: "p", id: trim.id }, []);
  await canceled;
  assert.deepEqual(shares, [0.5]);
});

test("silence is noticed and ends with the next word", async () => {
  const kernel = new Kernel(new Uint8Array(5));
  kernel.now = 60_000;
  const asked = kernel.wire.ask("form");
  kernel.wire.tick();
  assert.deepEqual(kernel.silences, []);
  kernel.now += 5000;
  kernel.wire.tick();
  kernel.wire.tick();
  assert.deepEqual(kernel.silences, [true]);
  kernel.wire.receive({ type: "form", page: "p", id: kernel.asked[0].id }, []);
  assert.deepEqual(kernel.silences, [true, false]);
  await asked;
});
