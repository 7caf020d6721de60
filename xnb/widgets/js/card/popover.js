// @ts-check

const MARGIN_PX = 8;

/**
 * Where a box goes beside its button: above it if there is room, else below, never out of view.
 *
 * @param {{left: number, right: number, top: number, bottom: number}} button in the viewport
 * @param {{width: number, height: number}} box
 * @param {{width: number, height: number}} view
 * @returns {{left: number, top: number}}
 */
export function placeBeside(button, box, view) {
  const middle = (button.left + button.right) / 2 - box.width / 2;
  const left = Math.max(MARGIN_PX, Math.min(middle, view.width - box.width - MARGIN_PX));
  const above = button.top - box.height - MARGIN_PX;
  const below = Math.min(button.bottom + MARGIN_PX, view.height - box.height - MARGIN_PX);
  return { left, top: above >= MARGIN_PX ? above : Math.max(MARGIN_PX, below) };
}

/**
 * Makes `button` open and close `box` on top of the page, where nothing cuts it off. Esc and a
 * click elsewhere close it.
 *
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} box
 * @param {(isOpen: boolean) => void} changed
 * @returns {() => void} to call when its content has another size
 */
export function attachPopover(button, box, changed) {
  box.setAttribute("popover", "auto");
  button.popoverTargetElement = box;
  button.setAttribute("aria-expanded", "false");
  const place = () => {
    if (!box.isConnected) {
      // It went while it was open, which closes it without a word.
      follow(false);
      return;
    }
    const rect = button.getBoundingClientRect();
    const view = { width: document.documentElement.clientWidth, height: window.innerHeight };
    const { left, top } = placeBeside(rect, { width: box.offsetWidth, height: box.offsetHeight }, view);
    box.style.left = `${left}px`;
    box.style.top = `${top}px`;
  };
  const follow = (/** @type {boolean} */ isOpen) => {
    const change = isOpen ? window.addEventListener : window.removeEventListener;
    change("scroll", place, { capture: true });
    change("resize", place);
  };
  box.addEventListener("toggle", (event) => {
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(isOpen));
    changed(isOpen);
    follow(isOpen);
    if (isOpen) place();
  });
  return place;
}
