// @ts-check

const BUSY_MS = 3000;
const ENDING = ["restarting", "autorestarting", "terminating", "dead"];

/** What a page can tell of the kernel behind a model: whether it is there, and whether it answers. */
export class Kernel {
  /**
   * @param {Model} model
   * @param {() => number} [now] milliseconds
   */
  constructor(model, now = () => performance.now()) {
    this.model = model;
    this.now = now;
    this.heardAt = now();
  }

  /** A message came, or none was to be expected until now. */
  hear() {
    this.heardAt = this.now();
  }

  /** Whether it has been silent for long, where something is due every second. */
  get isSilent() {
    return this.now() - this.heardAt > BUSY_MS;
  }

  /** Whether it ends or starts anew; JupyterLab and Notebook tell, others do not. */
  get isEnding() {
    return ENDING.includes(this.model.widget_manager?.kernel?.status ?? "");
  }

  /**
   * Tells Python something, unless nobody is there any more to be told.
   *
   * @param {Model|null} model whose comm is used
   * @param {object} content
   * @param {any[]} [buffers]
   */
  tell(model, content, buffers) {
    try {
      model?.send(content, undefined, buffers);
    } catch {
      // The comm went with its kernel. That the card is not live any more is shown anyway.
    }
  }
}
