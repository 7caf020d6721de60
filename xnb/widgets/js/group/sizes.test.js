import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { HIDE_AFTER_MS, HeightReports, SETTLE_MS, changeOf } from "./sizes.js";

/** Runs a test with a clock of its own. */
function timed(run) {
  return () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      const page = { heights: {} };
      const told = [];
      const reports = new HeightReports(
        () => page.heights && { ...page.heights },
        (heights) => told.push({ ...heights, at: Math.floor(Date.now() / 10) * 10 }),
        () => Date.now(),
      );
      run({ page, reports, told });
    } finally {
      mock.timers.reset();
    }
  };
}

/** As a card does that is drawn again and again. */
function drawn(reports, milliseconds, every = 100) {
  for (let passed = 0; passed < milliseconds; passed += every) {
    reports.look();
    for (let i = 0; i < every; i++) mock.timers.tick(1);
  }
}

test("small changes of a tile's size are none", () => {
  assert.equal(changeOf(undefined, 100), "shown");
  assert.equal(changeOf(0, 12), "shown");
  assert.equal(changeOf(100, 0), "hidden");
  assert.equal(changeOf(100, 110), "same");
  assert.equal(changeOf(0, 0), "same");
  assert.equal(changeOf(100, 130), "grown");
  assert.equal(changeOf(130, 100), "shrunk");
});

test("one of nine on the full screen is told at once, the eight others after a while", timed(
  ({ page, reports, told }) => {
    const keys = [..."123456789"];
    const all = (height) => Object.fromEntries(keys.map((key) => [key, height]));
    page.heights = all(130);
    drawn(reports, 3000);
    assert.deepEqual(told, [{ ...all(130), at: 0 }]);
    page.heights = { ...all(0), 4: 1080 };
    // While the duration of the call changes every second, and people take turns talking.
    drawn(reports, 5000);
    assert.deepEqual(told.slice(1), [
      { ...all(130), 4: 1080, at: 3000 },
      { ...all(0), 4: 1080, at: 3000 + HIDE_AFTER_MS },
    ]);
    page.heights = all(130);
    drawn(reports, 3000);
    assert.equal(told[3].at, 8000, "all are seen again at once");
    assert.deepEqual(told[3], { ...all(130), at: 8000 });
    assert.equal(told.length, 4);
  },
));

test("a card that is scrolled away is told after a while, however busy it is", timed(
  ({ page, reports, told }) => {
    page.heights = { 1: 200, 2: 200 };
    drawn(reports, 1000);
    page.heights = { 1: 0, 2: 0 };
    drawn(reports, HIDE_AFTER_MS, 50);
    assert.deepEqual(told.at(-1), { 1: 0, 2: 0, at: 1000 + HIDE_AFTER_MS });
  },
));

test("a tile that is out of view for a moment only is not told", timed(({ page, reports, told }) => {
  page.heights = { 1: 200 };
  drawn(reports, 1000);
  for (let i = 0; i < 4; i++) {
    page.heights = { 1: 0 };
    drawn(reports, HIDE_AFTER_MS - 200);
    page.heights = { 1: 200 };
    drawn(reports, 300);
  }
  assert.equal(told.length, 1);
}));

test("while a window is resized it is told now and then, and how it was left", timed(
  ({ page, reports, told }) => {
    page.heights = { 1: 100 };
    drawn(reports, 1000);
    for (let height = 100; height <= 500; height += 10) {
      page.heights = { 1: height };
      drawn(reports, 20, 20);
    }
    drawn(reports, 1000);
    assert.ok(told.length >= 3 && told.length <= 6, JSON.stringify(told));
    for (let i = 2; i < told.length; i++) assert.ok(told[i].at - told[i - 1].at >= SETTLE_MS - 1);
    assert.ok(told.at(-1)[1] >= 500 / 1.18);
    page.heights = { 1: 90 };
    const begun = Date.now();
    drawn(reports, 1000);
    assert.deepEqual(told.at(-1), { 1: 90, at: begun + SETTLE_MS }, "smaller when it stands");
  },
));

test("what is forgotten is told again, and so is all of a page that begins anew", timed(
  ({ page, reports, told }) => {
    page.heights = { 1: 200, 2: 0 };
    drawn(reports, 1000);
    reports.forget("1");
    reports.look();
    mock.timers.tick(1);
    assert.deepEqual(told.slice(1), [{ 1: 200, 2: 0, at: 1000 }]);
    page.heights = null;
    reports.look();
    reports.clear();
    mock.timers.tick(5000);
    assert.equal(told.length, 2, "there is nobody to be told");
    page.heights = { 1: 200, 2: 0 };
    drawn(reports, 1000);
    assert.deepEqual(told.slice(2), [{ 1: 200, 2: 0, at: 6000 }]);
  },
));
