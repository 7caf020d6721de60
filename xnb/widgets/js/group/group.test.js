import assert from "node:assert/strict";
import { test } from "node:test";
import { Gate } from "./gate.js";
import { GAP_PX, gridOf, heightFor, pinnedOf } from "./grid.js";
import { namesIn } from "./names.js";
import { Order } from "./order.js";
import { HIDE_AFTER_MS, SETTLE_MS, isOther, patience } from "./sizes.js";

const shape = (count, width, height = heightFor(width)) => {
  const { columns, rows } = gridOf(count, width, height);
  return `${columns}x${rows}`;
};

test("the grid fits the number of people and the width", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 8, 9, 12, 13].map((n) => shape(n, 900)), [
    "1x1", "2x1", "2x2", "2x2", "3x2", "3x2", "3x3", "3x3", "4x3", "4x4",
  ]);
  assert.deepEqual([1, 2, 3, 4, 8, 13].map((n) => shape(n, 304)), [
    "1x1", "1x2", "1x3", "2x2", "2x4", "3x5",
  ]);
});

test("no tile lies outside, and none is wider than it must be", () => {
  for (let width = 200; width <= 1600; width += 70) {
    for (let count = 1; count <= 13; count++) {
      const height = heightFor(width);
      const grid = gridOf(count, width, height);
      assert.ok(grid.columns * grid.rows >= count);
      assert.ok(grid.columns * grid.width + GAP_PX * (grid.columns - 1) <= width);
      assert.ok(grid.rows * grid.height + GAP_PX * (grid.rows - 1) <= height);
      assert.ok(grid.height >= 40, `${count} at ${width}: ${grid.height}`);
      assert.ok(grid.height <= Math.round(grid.width * 0.75), "never taller than a picture");
      assert.ok(grid.width <= Math.ceil(grid.height * 1.5), "and never much wider");
    }
  }
});

test("an empty or tiny box is no trouble", () => {
  for (const [count, width, height] of [[0, 500, 400], [3, 0, 0], [12, 10, 10]]) {
    const grid = gridOf(count, width, height);
    assert.ok(grid.width >= 1 && grid.height >= 1 && grid.columns >= 1);
  }
});

test("a pinned tile is large, the others lie in a row below it", () => {
  const wide = pinnedOf(8, 900, 600);
  assert.deepEqual(wide.small, { width: 112, height: 84 });
  assert.equal(wide.fit, 7);
  assert.ok(wide.height + GAP_PX + 84 <= 600);
  const narrow = pinnedOf(3, 304, 420);
  assert.equal(narrow.small.height, 60);
  assert.equal(narrow.fit, 3);
  assert.equal(narrow.height, 228);
  assert.equal(pinnedOf(0, 400, 600).height, 300);
});

const people = (...keys) => keys.map((key) => ({ key, talking: false }));
const talking = (list, key) => list.map((one) => ({ ...one, talking: one.key === key }));

test("places stay as people came; who leaves makes room", () => {
  const order = new Order();
  order.follow(people("a", "b", "c"), 0);
  order.follow(talking(people("a", "b", "c"), "c"), 10);
  assert.deepEqual(order.places(3), ["a", "b", "c"], "all are seen, so nobody moves");
  assert.equal(order.speaker, "c");
  order.follow(people("a", "c", "d"), 20);
  assert.deepEqual(order.places(3), ["a", "c", "d"]);
  order.follow(people("a", "d"), 30);
  assert.equal(order.speaker, "", "a speaker who left is none");
});

test("who talks out of sight takes the place of the one who was silent longest", () => {
  const order = new Order();
  const all = people("a", "b", "c", "d", "e");
  order.follow(talking(all, "a"), 1);
  order.follow(talking(all, "b"), 2);
  assert.deepEqual(order.places(2), ["a", "b", "c", "d", "e"]);
  order.follow(talking(all, "e"), 3);
  assert.deepEqual(order.places(2), ["e", "b", "c", "d", "a"]);
  assert.deepEqual(order.places(2), ["e", "b", "c", "d", "a"], "asked again nothing moves");
  order.follow(talking(all, "d"), 4);
  assert.deepEqual(order.places(2), ["e", "d", "c", "b", "a"]);
});

test("somebody with a place apart is not among the others and keeps theirs", () => {
  const order = new Order();
  order.follow(people("a", "b", "c", "d"), 0);
  assert.deepEqual(order.places(2, "b"), ["a", "c", "d"]);
  order.follow(talking(people("a", "b", "c", "d"), "d"), 5);
  assert.deepEqual(order.places(2, "b"), ["a", "d", "c"]);
  assert.deepEqual(order.places(4), ["a", "b", "d", "c"]);
  assert.deepEqual(order.places(0, "b"), ["a", "d", "c"]);
});

test("small changes of a tile's size are not told", () => {
  assert.equal(isOther({}, {}), false);
  assert.equal(isOther({}, { 1: 100 }), true);
  assert.equal(isOther({ 1: 100, 2: 0 }, { 1: 110, 2: 0 }), false);
  assert.equal(isOther({ 1: 100 }, { 1: 130 }), true);
  assert.equal(isOther({ 1: 100 }, { 1: 0 }), true);
  assert.equal(isOther({ 1: 0 }, { 1: 12 }), true);
  assert.equal(isOther({ 1: 100, 2: 50 }, { 1: 100 }), true);
});

test("shown is told at once, hidden after a while", () => {
  assert.equal(patience({ 1: 0 }, { 1: 80 }), 0);
  assert.equal(patience({}, { 1: 80 }), 0);
  assert.equal(patience({ 1: 80 }, { 1: 0 }), HIDE_AFTER_MS);
  assert.equal(patience({ 1: 80 }, { 1: 300 }), SETTLE_MS);
  assert.equal(patience({ 1: 80, 2: 0 }, { 1: 0, 2: 40 }), 0);
});

test("no more connections are made at once than the gate lets in", () => {
  const gate = new Gate(2);
  const begun = [];
  for (const key of ["a", "b", "c", "d"]) gate.enter(key, () => begun.push(key));
  assert.deepEqual(begun, ["a", "b"]);
  gate.enter("a", () => begun.push("again"));
  gate.leave("d");
  assert.deepEqual(begun, ["a", "b"], "one that gave up waiting makes no room");
  gate.leave("a");
  assert.deepEqual(begun, ["a", "b", "c"]);
  gate.leave("a");
  gate.leave("b");
  gate.leave("c");
  gate.enter("e", () => begun.push("e"));
  assert.deepEqual(begun, ["a", "b", "c", "e"]);
});

test("names as people type them", () => {
  assert.deepEqual(namesIn(" @ann, bob;cem\ndora  ann "), ["ann", "bob", "cem", "dora"]);
  assert.deepEqual(namesIn(" ,; @ "), []);
});
