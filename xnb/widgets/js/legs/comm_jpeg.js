// @ts-check

/** @typedef {import("./comm_screen.js").Picture} Picture */

/** JPEGs to pictures; every browser can, in every page. */
export class JpegFrames {
  /** @param {{show: (picture: Picture) => void, ready: () => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.open = true;
    this.working = 0;
    this.decoded = 0;
  }

  get isBusy() {
    return this.working >= 2;
  }

  /** @param {import("./comm_wire.js").WireFrame} frame */
  async take({ time, data }) {
    this.working += 1;
    try {
      const blob = new Blob([/** @type {BlobPart} */ (data)], { type: "image/jpeg" });
      const picture = await createImageBitmap(blob);
      if (this.open) {
        this.decoded += 1;
        const { width, height } = picture;
        this.hooks.show({ width, height, source: picture, time, close: () => picture.close() });
      } else {
        picture.close();
      }
    } catch {
      // A damaged picture: the next one comes soon.
    } finally {
      this.working -= 1;
      if (this.open) this.hooks.ready();
    }
  }

  close() {
    this.open = false;
  }
}
