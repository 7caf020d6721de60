// @ts-check
import uPlot from "uplot";
import { element } from "../shared/dom.js";
import { rate } from "./format.js";
import { attachPopover } from "./popover.js";
import { STATS, filled } from "../shared/strings.js";

/** @typedef {import("./session.js").Session} Session */

const HEIGHT_PX = 96;
const SHOWN_S = 120;

/** @type {{title: string, names: string[], scale: number, least: number}[]} */
const CHARTS = [
  { title: STATS.bitrate, names: ["bitrate_bps", "sent_bitrate_bps"], scale: 1 / 1000, least: 100 },
  { title: STATS.fps, names: ["fps"], scale: 1, least: 30 },
  { title: STATS.rtt, names: ["rtt_ms"], scale: 1, least: 10 },
  { title: STATS.loss, names: ["loss_percent"], scale: 1, least: 5 },
];

/** The box with a chart of each figure over the last two minutes. Drawn only while it is open. */
export class StatsPanel {
  /**
   * @param {Session} session
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} box
   */
  constructor(session, button, box) {
    this.session = session;
    this.box = box;
    /** @type {{chart: uPlot, figure: HTMLElement, value: HTMLElement}[]} */
    this.charts = [];
    this.isOpen = false;
    this.colours = { lines: ["#1976d2", "#388e3c"], text: "#555", grid: "#8884" };
    this.grid = element("div", { class: "xnb-charts" });
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", STATS.title);
    box.append(element("p", { class: "xnb-menu-head" }, STATS.title), this.grid);
    this.place = attachPopover(button, box, (isOpen) => {
      this.isOpen = isOpen;
      if (isOpen) this.#open();
      else this.#clear();
    });
  }

  #open() {
    this.#readTheme();
    const columns = this.box.clientWidth < 420 ? 1 : 2;
    this.grid.style.setProperty("--xnb-columns", String(columns));
    const width = Math.floor((this.grid.clientWidth - 12 * (columns - 1)) / columns);
    for (const { title, names, scale, least } of CHARTS) {
      const value = element("span");
      const figure = element(
        "div", { class: "xnb-chart", role: "img" }, element("p", {}, element("b", {}, title), value),
      );
      this.grid.append(figure);
      const data = /** @type {any} */ (this.session.history.columns(names, scale));
      const chart = new uPlot(this.#options(width, names.length, least), data, figure);
      this.charts.push({ chart, figure, value });
    }
    this.update();
  }

  /**
   * @param {number} width
   * @param {number} lines
   * @param {number} least the axis goes up to this at least
   * @returns {uPlot.Options}
   */
  #options(width, lines, least) {
    const axis = { stroke: () => this.colours.text, font: "10px system-ui, sans-serif" };
    const grid = { stroke: () => this.colours.grid, width: 1 };
    return {
      width, height: HEIGHT_PX, padding: [8, 12, 0, 0], legend: { show: false }, cursor: { show: false },
      scales: {
        x: { time: false, range: () => [-SHOWN_S, 0] },
        y: { range: (_chart, _low, high) => [0, Math.max(least, (high ?? 0) * 1.1)] },
      },
      axes: [
        { ...axis, size: 22, gap: 6, grid: { show: false }, ticks: { show: false },
          splits: () => [-120, -60, 0], values: (_chart, at) => at.map((s) => filled(STATS.ago, s)) },
        { ...axis, size: 38, gap: 4, space: 24, grid, ticks: { show: false } },
      ],
      series: [
        {},
        ...Array.from({ length: lines }, (_, i) => ({
          stroke: () => this.colours.lines[i], width: 2, points: { show: false },
        })),
      ],
    };
  }

  /** There are new figures, or another theme. */
  update() {
    if (!this.isOpen) return;
    this.#readTheme();
    const { history } = this.session;
    this.charts.forEach(({ chart, figure, value }, i) => {
      const { title, names, scale } = CHARTS[i];
      const now = this.#now(i);
      value.replaceChildren(...this.#legend(i));
      figure.setAttribute("aria-label", filled(STATS.now, title, now.join(", ")));
      chart.setData(/** @type {any} */ (history.columns(names, scale)));
    });
  }

  /** @param {number} chart */
  #now(chart) {
    const { latest } = this.session.history;
    const values = CHARTS[chart].names.map((name) => latest[name]);
    const [first, second] = values;
    if (typeof first !== "number") return [STATS.unknown];
    if (typeof second === "number") {
      return [filled(STATS.received, rate(first)), filled(STATS.sent, rate(second))];
    }
    return [first.toFixed(first < 10 && first % 1 > 0.05 ? 1 : 0)];
  }

  /**
   * The newest figures; with the colour of its line beside each where there are two.
   *
   * @param {number} chart
   */
  #legend(chart) {
    const texts = this.#now(chart);
    return texts.map((text, i) => {
      const part = element("span", {}, text);
      if (CHARTS[chart].names.length > 1) part.style.setProperty("--xnb-mark", this.colours.lines[i]);
      return part;
    });
  }

  #readTheme() {
    const style = getComputedStyle(this.box);
    const read = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    this.colours = {
      lines: [read("--xnb-accent"), read("--xnb-good")],
      text: style.color, grid: read("--xnb-track"),
    };
  }

  #clear() {
    for (const { chart } of this.charts) chart.destroy();
    this.charts = [];
    this.grid.replaceChildren();
  }

  close() {
    if (this.isOpen) this.box.hidePopover();
    this.#clear();
  }
}
