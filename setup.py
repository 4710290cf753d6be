"""Builds the extension module; everything else is said in pyproject.toml.

Switches, from the environment: SANITIZE=address,undefined  COVERAGE=1  DEBUG=1  WERROR=1
"""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from glob import glob
from pathlib import Path

# Before anything that this platform lacks is looked for.
if sys.platform == "win32":
    sys.exit("merge-link: Windows is not supported; it works in WSL")

from setuptools import Extension, setup

LIBRARIES = ["libcurl >= 7.88", "libcjson >= 1.7"]
HEADERS = sorted(glob("csrc/**/*.h", recursive=True))
SOURCES = sorted(glob("csrc/core/**/*.c", recursive=True) + glob("csrc/binding/*.c"))
# One build serves every Python from 3.11 on. Free-threaded builds have no such stable ABI.
STABLE_ABI = not sysconfig.get_config_var("Py_GIL_DISABLED")


def pkg_config(*arguments):
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), *arguments]
    try:
        answer = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(
            "merge-link: pkg-config is needed to build the C core"
            " (Debian, Ubuntu: apt-get install pkg-config)"
        )
    if answer.returncode:
        sys.exit(
            "merge-link: the C core needs libcurl >= 7.88 and cJSON >= 1.7 with their headers"
            f" (Debian, Ubuntu: apt-get install libcurl4-openssl-dev libcjson-dev)\n{answer.stderr}"
        )
    return shlex.split(answer.stdout)


def extension():
    version = re.search(r'__version__ = "(.+?)"', Path("merge_link/_version.py").read_text())[1]
    macros = [("_GNU_SOURCE", "1"), ("ML_VERSION", f'"{version}"')]
    if STABLE_ABI:
        macros.append(("Py_LIMITED_API", "0x030B0000"))
    compile_args, link_args = flags()
    return Extension(
        "merge_link._core",
        SOURCES,
        depends=[*HEADERS, "setup.py", "merge_link/_version.py"],
        include_dirs=["csrc/include", "csrc/core"],
        define_macros=macros,
        extra_compile_args=[*compile_args, *pkg_config("--cflags", *LIBRARIES)],
        extra_link_args=[*link_args, *pkg_config("--libs", *LIBRARIES)],
        py_limited_api=STABLE_ABI,
    )


def flags():
    sanitize, coverage, debug = (os.environ.get(name) for name in ("SANITIZE", "COVERAGE", "DEBUG"))
    compile_args = ["-std=c11", "-pthread", "-fvisibility=hidden", "-U_FORTIFY_SOURCE"]
    compile_args += ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes"]
    compile_args += ["-isystem", sysconfig.get_path("include")]
    link_args = ["-pthread"]
    if os.environ.get("WERROR"):
        compile_args += ["-Werror"]
    if sanitize:
        link_args += [f"-fsanitize={sanitize}"]
        compile_args += [f"-fsanitize={sanitize}", "-fno-sanitize-recover=all"]
    if coverage:
        link_args += ["--coverage"]
        compile_args += ["--coverage", "-fprofile-update=atomic"]
    if debug:
        compile_args += ["-O0", "-g3", "-UNDEBUG"]
    elif sanitize or coverage:
        compile_args += ["-O1", "-g", "-UNDEBUG", "-fno-omit-frame-pointer"]
    else:
        compile_args += ["-O2", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong"]
        if sys.platform == "linux":
            # Static libraries stay inside: only PyInit__core is seen from outside.
            link_args += ["-Wl,-z,relro,-z,now", "-Wl,--exclude-libs,ALL"]
    return compile_args, link_args


setup(
    ext_modules=[extension()],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE_ABI else {},
)
