// @ts-check
import copy from "lucide-static/icons/copy.svg";
import crown from "lucide-static/icons/crown.svg";
import more from "lucide-static/icons/ellipsis-vertical.svg";
import pin from "lucide-static/icons/pin.svg";
import pinOff from "lucide-static/icons/pin-off.svg";
import remove from "lucide-static/icons/user-minus.svg";
import invite from "lucide-static/icons/user-plus.svg";
import { drawn } from "../shared/icons.js";

const TEXTS = { copy, crown, invite, more, pin, pinOff, remove };

/**
 * @param {keyof typeof TEXTS} name
 * @returns {SVGElement}
 */
export function groupIcon(name) {
  return drawn(TEXTS[name], name);
}
