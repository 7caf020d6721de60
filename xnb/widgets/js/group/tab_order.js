// @ts-check

/**
 * Which of some things need not be moved to bring all into an order: as many as can stay.
 *
 * @template T
 * @param {readonly T[]} now
 * @param {readonly T[]} wanted the same things in the order that they should have
 * @param {T} [kept] one that may not be moved
 * @returns {Set<T>}
 */
export function staying(now, wanted, kept) {
  const places = new Map(now.map((one, place) => [one, place]));
  const placeOf = (/** @type {T|undefined} */ one) => places.get(/** @type {T} */ (one)) ?? -1;
  const isFree = kept === undefined || !places.has(kept);
  const found = wanted.indexOf(/** @type {T} */ (kept));
  const able = wanted.filter(
    (one, index) => isFree || one === kept || placeOf(one) < placeOf(kept) === index < found,
  );
  /** The longest run so far that ends with each. @type {T[][]} */
  const runs = [];
  for (const one of able) {
    /** @type {T[]} */
    let longest = [];
    for (const run of runs) {
      if (placeOf(run.at(-1)) < placeOf(one) && run.length > longest.length) longest = run;
    }
    runs.push([...longest, one]);
  }
  /** @type {T[]} */
  let best = [];
  for (const run of runs) if (run.length > best.length) best = run;
  return new Set(best);
}

/**
 * Brings the children of a node into the order in which they are seen, for those who go through
 * them with the Tab key. A picture that is moved may flicker, and what has the focus or fills the
 * screen would lose that, so as few are moved as need be.
 *
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} wanted all children
 */
export function putInOrder(parent, wanted) {
  const now = /** @type {HTMLElement[]} */ ([...parent.children]);
  if (wanted.every((node, index) => node === now[index])) return;
  const { fullscreenElement, activeElement } = document;
  const kept =
    wanted.find((node) => fullscreenElement && node.contains(fullscreenElement)) ??
    wanted.find((node) => node.contains(activeElement));
  const stay = staying(now, wanted, kept);
  /** @type {HTMLElement|null} */
  let next = null;
  for (const node of [...wanted].reverse()) {
    if (!stay.has(node)) parent.insertBefore(node, next);
    next = node;
  }
}
