import assert from "node:assert/strict";
import { test } from "node:test";
import { Kernel } from "./kernel.js";

test("three seconds without a word where one is due every second is silence", () => {
  let now = 1000;
  const kernel = new Kernel({}, () => now);
  now += 2900;
  assert.equal(kernel.isSilent, false);
  now += 200;
  assert.equal(kernel.isSilent, true);
  kernel.hear();
  assert.equal(kernel.isSilent, false);
});

test("it knows of a restart where the front end tells", () => {
  const model = { widget_manager: { kernel: { status: "busy" } } };
  const kernel = new Kernel(model);
  assert.equal(kernel.isEnding, false);
  model.widget_manager.kernel.status = "autorestarting";
  assert.equal(kernel.isEnding, true);
  assert.equal(new Kernel({ widget_manager: { kernel: null } }).isEnding, false);
  assert.equal(new Kernel({ widget_manager: {} }).isEnding, false);
});

test("telling a comm that is gone does no harm", () => {
  const sent = [];
  const kernel = new Kernel({});
  kernel.tell({ send: (...all) => sent.push(all) }, { type: "view" }, ["buffer"]);
  assert.deepEqual(sent, [[{ type: "view" }, undefined, ["buffer"]]]);
  const closed = {
    send() {
      throw new Error("Cannot send");
    },
  };
  assert.doesNotThrow(() => kernel.tell(closed, { type: "bye" }));
  assert.doesNotThrow(() => kernel.tell(null, { type: "bye" }));
});
