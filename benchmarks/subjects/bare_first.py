"""No client at all: the bare interpreter."""

from first import tell

tell("none")
