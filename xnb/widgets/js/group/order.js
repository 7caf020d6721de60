// @ts-check

/**
 * Who has which place. People keep theirs; only when somebody talks for whom there is no place
 * that is seen, they change with the one who has been silent longest.
 */
export class Order {
  constructor() {
    /** @type {string[]} */
    this.keys = [];
    /** @type {Map<string, number>} when they talked last, in milliseconds */
    this.talkedAt = new Map();
  }

  /**
   * @param {{key: string, talking: boolean}[]} people in order of joining
   * @param {number} now in milliseconds
   */
  follow(people, now) {
    const there = new Set(people.map(({ key }) => key));
    this.keys = this.keys.filter((key) => there.has(key));
    for (const { key, talking } of people) {
      if (!this.keys.includes(key)) this.keys.push(key);
      if (talking) this.talkedAt.set(key, now);
    }
    for (const key of this.talkedAt.keys()) if (!there.has(key)) this.talkedAt.delete(key);
  }

  /** Who talks or talked last; "" before anybody did. */
  get speaker() {
    let [last, found] = [-Infinity, ""];
    for (const [key, at] of this.talkedAt) if (at > last) [last, found] = [at, key];
    return found;
  }

  /**
   * The keys in order of their places.
   *
   * @param {number} seen how many places can be seen
   * @param {string} [apart] who has a place of their own
   * @returns {string[]}
   */
  places(seen, apart = "") {
    const kept = this.keys.indexOf(apart);
    const others = this.keys.filter((key) => key !== apart);
    const at = (/** @type {string} */ key) => this.talkedAt.get(key) ?? -Infinity;
    if (others.length > seen && seen > 0) {
      const hidden = others.slice(seen).sort((a, b) => at(b) - at(a));
      for (const key of hidden) {
        let silent = 0;
        for (let i = 1; i < seen; i++) if (at(others[i]) <= at(others[silent])) silent = i;
        if (at(key) <= at(others[silent])) break;
        const from = others.indexOf(key);
        [others[from], others[silent]] = [others[silent], others[from]];
      }
    }
    this.keys = [...others];
    if (kept >= 0) this.keys.splice(kept, 0, apart);
    return others;
  }
}
