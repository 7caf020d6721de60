// @ts-check
import spectrogram from "lucide-static/icons/audio-lines.svg";
import download from "lucide-static/icons/download.svg";
import pause from "lucide-static/icons/pause.svg";
import play from "lucide-static/icons/play.svg";
import trim from "lucide-static/icons/scissors.svg";
import volume from "lucide-static/icons/volume-2.svg";
import volumeOff from "lucide-static/icons/volume-x.svg";
import zoomIn from "lucide-static/icons/zoom-in.svg";
import zoomOut from "lucide-static/icons/zoom-out.svg";
import { drawn } from "../shared/icons.js";

const TEXTS = { download, pause, play, spectrogram, trim, volume, volumeOff, zoomIn, zoomOut };

/** @typedef {keyof typeof TEXTS} IconName */

/** @param {IconName} name */
export function icon(name) {
  return drawn(TEXTS[name], name);
}
