import assert from "node:assert/strict";
import { test } from "node:test";
import { choicesOf } from "./choices.js";
import { answerOf } from "./keys.js";

const camera = (id, label = "") => ({ id, label });

test("the menu marks the device in use, or none", () => {
  const devices = [camera("a", "Front"), camera("b")];
  assert.deepEqual(choicesOf(devices, "b", "Camera {}", "No camera"), [
    { name: "Front", id: "a", isChosen: false },
    { name: "Camera 2", id: "b", isChosen: true },
    { name: "No camera", id: null, isChosen: false },
  ]);
  const chosen = (used) => choicesOf(devices, used, "Camera {}", "No camera").map((c) => c.isChosen);
  assert.deepEqual(chosen(null), [false, false, true]);
  assert.deepEqual(chosen(""), [true, false, false], "in use, but the browser does not say which");
});

test("keys answer a ringing call, not with a modifier", () => {
  const key = (key, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });
  assert.deepEqual(["a", "S", "d", "m", "x"].map((one) => answerOf(key(one))), [
    "accept", "sound", "decline", "silence", null,
  ]);
  assert.equal(answerOf(key("a", { ctrlKey: true })), null);
});
