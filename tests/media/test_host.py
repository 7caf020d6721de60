"""The host's own devices: which are there, what they give, and what is said without any."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from live_reading import read_some, threads, until

import xnb
from xnb.errors import MediaError
from xnb.media import host
from xnb.media.host import Device, find_device, open_device

Listed = namedtuple("Listed", ["name", "description"])


def listed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the machine have these devices."""
    monkeypatch.setattr(
        av, "enumerate_input_devices", lambda _driver: [Listed(n, "") for n in names]
    )


def test_a_machine_without_a_camera_says_so_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/video0").exists():
        with pytest.raises(MediaError, match=r"no camera that v4l2 can see.*xnb.page_media\(\)"):
            xnb.host_camera()  # for real
    listed(monkeypatch)
    with pytest.raises(MediaError, match=r"no camera.*Connect one to the machine.*kernel runs"):
        xnb.host_camera()
    with pytest.raises(MediaError, match=r"no microphone that alsa can see.*page_media"):
        find_device("audio", None, "linux")
    listed(monkeypatch, "/dev/video0")
    with pytest.raises(MediaError, match=r"There is no camera /dev/video9. There are: /dev/video0"):
        find_device("video", "/dev/video9", "linux")


def test_each_system_has_its_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, "One", "default", "null")
    assert find_device("video", None, "linux").name == "One"
    assert find_device("audio", None, "linux") == Device("audio", "alsa", "default")
    assert find_device("audio", "hw:1", "linux").name == "hw:1"
    assert find_device("video", None, "darwin").name == "0:none"
    assert find_device("audio", None, "darwin").name == ":default"
    assert find_device("video", None, "win32").name == "video=One"
    assert find_device("audio", "Two", "win32").name == "audio=Two"


@pytest.mark.parametrize("options", [{"width": 8}, {"height": 10_000}, {"fps": 0}])
def test_a_wrong_size_or_rate_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(MediaError, match="Use "):
        xnb.host_camera(**options)


async def test_a_picture_comes_as_it_is_made() -> None:
    graph = "color=c=0x20c020:s=320x240:r=25,realtime"
    source = open_device(Device("video", "lavfi", graph))
    assert repr(source) == "<LiveSource host camera: video>"
    reading = await read_some(source.video, 30)
    red, green, blue = reading.colour()
    assert green > 150 > 80 > max(red, blue)
    steps_s = np.diff(reading.at_s[5:])
    assert np.median(steps_s) == pytest.approx(0.04, abs=0.015)
    source.close()
    await until(lambda: not threads("xnb-live"))


async def test_a_camera_that_is_pulled_out_ends_with_an_error() -> None:
    source = open_device(Device("video", "lavfi", "color=s=320x240:r=25:d=0.4,realtime"))
    reading = await read_some(source.video, 100)
    assert reading.ended, "a clean end, as it came to one"
    assert len(reading.frames) == pytest.approx(10, abs=2)


async def test_a_microphone_through_alsa_is_heard(tmp_path: Path) -> None:
    """A real ALSA device, made by its configuration: it plays a file instead of a microphone."""
    library = Path("/usr/share/alsa/alsa.conf")
    if sys.platform != "linux" or not library.exists():
        pytest.skip("needs ALSA's own configuration (apt-get install libasound2-data)")
    tone = 9000 * np.sin(2 * np.pi * 700 * np.arange(48_000 * 10) / 48_000)
    np.repeat(tone.astype("<i2"), 2).tofile(tmp_path / "tone.raw")
    config = tmp_path / "asound.conf"
    config.write_text(
        "pcm.tone { type file slave.pcm null file /dev/null "
        f'infile "{tmp_path}/tone.raw" format raw }}\n'
    )
    # In a process of its own: ALSA reads its configuration once.
    script = tmp_path / "listen.py"
    script.write_text(
        "import asyncio, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent.parent)!r})\n"
        "from live_reading import read_some\n"
        "from media_files import dominant_frequency\n"
        "from xnb.media.host import Device, find_device, open_device\n"
        "import dataclasses\n"
        "async def main():\n"
        "    device = find_device('audio', 'tone', 'linux')\n"
        # The device is not paced by a sound card.
        "    source = open_device(dataclasses.replace(device, is_pulled=True))\n"
        "    reading = await read_some(source.audio, 60)\n"
        "    took_s = reading.at_s[-1] - reading.at_s[0]\n"
        "    print(device.driver, dominant_frequency(reading.samples), took_s)\n"
        "    source.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "ALSA_CONFIG_PATH": f"{library}:{config}"},
    )
    driver, frequency_hz, took_s = done.stdout.split() or ("", 0, 0)
    assert driver == "alsa", done.stderr
    assert float(frequency_hz) == pytest.approx(700, abs=5)
    assert 1.0 < float(took_s) < 4, "60 blocks of 20 ms, in real time"


async def test_a_device_that_cannot_be_opened_says_why() -> None:
    with pytest.raises(MediaError, match=r"camera /dev/null.*v4l2 \(stage: opening\).*Close other"):
        open_device(Device("video", "v4l2", "/dev/null"))
    with pytest.raises(MediaError, match=r"this FFmpeg has no nosuch.*page_media"):
        open_device(Device("video", "nosuch", "0"))


def test_alsa_finds_its_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "alsa.conf"
    config.write_text("")
    monkeypatch.setattr(host, "_ALSA_CONFIG", config)
    monkeypatch.delenv("ALSA_CONFIG_PATH", raising=False)
    listed(monkeypatch, "default")
    find_device("audio", None, "linux")
    assert os.environ["ALSA_CONFIG_PATH"] == str(config)
    monkeypatch.setenv("ALSA_CONFIG_PATH", "mine")
    find_device("audio", None, "linux")
    assert os.environ["ALSA_CONFIG_PATH"] == "mine"
