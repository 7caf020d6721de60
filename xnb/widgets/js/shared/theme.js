// @ts-check

const LOOK_EVERY_MS = 1000;

/** The colours that canvases are drawn in, as the page's theme has them now. */
export class Theme {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.at = -Infinity;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.read = { wave: "#1976d2", soft: "#ddd", hot: "#d32f2f" };
  }

  /** Whether motion is not wanted. */
  get isCalm() {
    return this.calm.matches;
  }

  /** Looked up once a second: JupyterLab changes themes in the open page. */
  get colours() {
    const now = performance.now();
    if (now - this.at >= LOOK_EVERY_MS) {
      this.at = now;
      const style = getComputedStyle(this.root);
      const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
      this.read = {
        wave: colour("--xnb-accent"), soft: colour("--xnb-track"), hot: colour("--xnb-bad"),
      };
    }
    return this.read;
  }
}
