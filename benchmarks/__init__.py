"""How much merge-link costs, against what people use now and against what is possible.

``make bench`` runs all of it on one machine and writes docs/performance.md. What lives here; a
module imports only from those below it:

==================  ==========================================================
``__main__``        the command: all rounds, then the page
``instructions``    instructions of one call, with callgrind: a command of its own
``page``            docs/performance.md, written from the figures
``plot``            its picture
``goals``           what is to be reached, and whether it is
``rounds``          measures what the plan says, interleaved
``processes``       one process that is measured
``plan``            who is measured doing what: tables
``figures``         what was measured, medians, ratios
``servers``         nginx with a fixed answer
``machine``         what of the machine and of the versions matters; its cores
``subjects/``       a script for each client and task, in the environment of the peers
``c_loop.c``        the limits: what libcurl and cJSON cost without anything else
==================  ==========================================================

``sandbox_rate.py`` stands alone: how many tokens a second the sandbox hands out.
"""
