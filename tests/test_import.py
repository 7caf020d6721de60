"""``import xnb``: light, without Jupyter, and with a complete list of public names."""

from __future__ import annotations

import json
import subprocess
import sys

import xnb

JUPYTER = ("IPython", "ipykernel", "ipywidgets", "anywidget", "jupyter_client", "traitlets")
HEAVY = ("aiortc", "av", "numpy", "matplotlib", "aiohttp", "PIL")

_PROBE = """
import json, sys, time
before = time.process_time()
import xnb
cpu_s = time.process_time() - before
print(json.dumps({"cpu_s": cpu_s, "modules": sorted({m.split(".")[0] for m in sys.modules})}))
"""


def _probe() -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True, timeout=60
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_import_needs_no_jupyter_and_nothing_heavy() -> None:
    modules = _probe()["modules"]
    assert isinstance(modules, list)
    assert "xnb" in modules
    assert not set(JUPYTER) & set(modules)
    assert not set(HEAVY) & set(modules)


def test_import_takes_under_0_3_s() -> None:
    # CPU time, best of three: the limit is ours, the load of the machine is not.
    times = [_probe()["cpu_s"] for _ in range(3)]
    assert min(float(str(one)) for one in times) < 0.3


def test_all_is_sorted_and_every_name_is_there() -> None:
    # Without regard to case, as a reader looks things up.
    assert list(xnb.__all__) == sorted(xnb.__all__, key=str.casefold)
    assert len(set(xnb.__all__)) == len(xnb.__all__)
    for name in xnb.__all__:
        assert getattr(xnb, name) is not None, name
    assert {"Client", "call", "listen", "XnbError", "allow_nested_wait"} <= set(xnb.__all__)


def test_all_is_complete() -> None:
    public_here = {
        name
        for name, value in vars(xnb).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "").startswith("xnb")
        and not isinstance(value, type(xnb))
    }
    assert public_here <= set(xnb.__all__)
    from xnb import errors

    tree = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.XnbError)
    }
    assert tree <= set(xnb.__all__), "every error can be caught by its public name"


def test_dir_shows_the_public_names() -> None:
    assert set(xnb.__all__) <= set(dir(xnb))


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(xnb, "no_such_name")
