import assert from "node:assert/strict";
import { test } from "node:test";
import { Gate } from "./gate.js";
import { GAP_PX, gridOf, heightFor, pinnedOf } from "./grid.js";
import { joinLine } from "./join_line.js";
import { SentNames, namesIn } from "./names.js";
import { ownLost } from "./notice.js";
import { Order } from "./order.js";
import { staying } from "./tab_order.js";


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

test("names that were refused are typed again, unless that was long ago or of another page", () => {
  const sent = new SentNames();
  assert.equal(sent.refused(0), "");
  sent.send("@ann bob", 1000);
  assert.equal(sent.refused(3000), "@ann bob");
  assert.equal(sent.refused(3001), "", "once");
  sent.send("cem", 5000);
  assert.equal(sent.refused(66_000), "");
});

test("the line to join with asks for pictures where the call has any", () => {
  assert.equal(joinLine("1vOxwyXb", true), 'xnb.join("1vOxwyXb", video=True)');
  assert.equal(joinLine("1vOxwyXb", false), 'xnb.join("1vOxwyXb")');
  assert.equal(joinLine("", true), "");
});

test("that this page's own way is lost is said while the call goes on", () => {
  const session = { connected: true, leg: { state: "connected", why: "No UDP." } };
  assert.equal(ownLost(session), "");
  session.leg.state = "waiting";
  assert.equal(ownLost(session), "");
  session.leg.state = "lost";
  assert.match(ownLost(session), /camera and microphone cannot be used now. No UDP.$/);
  session.connected = false;
  assert.equal(ownLost(session), "");
});

test("as few tiles as need be are moved into the order in which they are seen", () => {
  const moved = (now, wanted, kept) => {
    const stay = staying([...now], [...wanted], kept);
    return [...wanted].filter((one) => !stay.has(one)).join("");
  };
  assert.equal(moved("abcde", "abcde"), "");
  assert.equal(moved("abcde", "dabce"), "d", "a pinned one comes first");
  assert.equal(moved("abcde", "dabce", "d"), "abc", "but not if it has the focus");
  assert.equal(moved("abcde", "ebcda"), "ea");
  assert.equal(moved("abcde", "ebcda", "a"), "ebcd");
  assert.equal(moved("edcba", "abcde", "c").length, 4);
});

test("moving those gives the order, whatever it was", () => {
  const all = [..."abcdef"];
  for (let seed = 1; seed < 300; seed++) {
    const mixed = (salt) => [...all].sort((a, b) => hash(a, salt) - hash(b, salt));
    const [now, wanted] = [mixed(seed), mixed(seed * 7 + 3)];
    const kept = seed % 3 ? all[seed % 6] : undefined;
    const stay = staying(now, wanted, kept);
    if (kept) assert.ok(stay.has(kept));
    assert.deepEqual(now.filter((one) => stay.has(one)), wanted.filter((one) => stay.has(one)));
  }
});

/** A number that looks random, for an order. */
function hash(letter, salt) {
  return Math.sin(letter.charCodeAt(0) * 12.9898 + salt * 78.233) * 43758.5453 % 1;
}
