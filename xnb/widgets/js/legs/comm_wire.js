// @ts-check

const HEADER_BYTES = 16;
/** The same list as in frame_wire.py. */
const CODECS = ["opus", "vp8", "h264", "jpeg", "pcm"];

/** @typedef {{codec: string, isKey: boolean, time: number, data: Uint8Array}} WireFrame */

/**
 * The frames in one buffer of a message, up to the first one that is cut off or unknown.
 *
 * @param {DataView|ArrayBuffer|Uint8Array} buffer
 * @returns {WireFrame[]} `time` in milliseconds of the sender
 */
export function unpack(buffer) {
  const bytes =
    buffer instanceof ArrayBuffer
      ? new Uint8Array(buffer)
      : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const codec = CODECS[view.getUint8(at)];
    const isKey = (view.getUint8(at + 1) & 1) === 1;
    const length = view.getUint32(at + 4, true);
    const time = view.getFloat64(at + 8, true);
    at += HEADER_BYTES;
    if (codec === undefined || at + length > bytes.length) break;
    frames.push({ codec, isKey, time, data: bytes.subarray(at, at + length) });
    at += length;
  }
  return frames;
}

/**
 * @param {WireFrame[]} frames
 * @returns {ArrayBuffer} all of them, behind each other
 */
export function pack(frames) {
  const size = frames.reduce((sum, frame) => sum + HEADER_BYTES + frame.data.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { codec, isKey, time, data } of frames) {
    const kind = CODECS.indexOf(codec);
    if (kind < 0) throw new Error(`no codec ${codec} here`);
    view.setUint8(at, kind);
    view.setUint8(at + 1, isKey ? 1 : 0);
    view.setUint32(at + 4, data.length, true);
    view.setFloat64(at + 8, time, true);
    bytes.set(data, at + HEADER_BYTES);
    at += HEADER_BYTES + data.length;
  }
  return bytes.buffer;
}
