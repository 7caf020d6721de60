// @ts-check
import { filled } from "../shared/strings.js";

/** @typedef {{id: string, label: string}} Device */
/** @typedef {{name: string, id: string|null, isChosen: boolean}} Choice an id of null is none */

/**
 * What a group of the menu offers.
 *
 * @param {Device[]} devices
 * @param {string|null} used the id in use; `""` when the browser tells none
 * @param {string} numbered the name of a device without a label, with `{}` for its number
 * @param {string} none
 * @returns {Choice[]}
 */
export function choicesOf(devices, used, numbered, none) {
  const known = devices.some(({ id }) => id !== "" && id === used);
  const choices = devices.map(({ id, label }, i) => ({
    name: label || filled(numbered, i + 1), id,
    isChosen: used !== null && (known ? id === used : i === 0),
  }));
  return [...choices, { name: none, id: null, isChosen: used === null }];
}
