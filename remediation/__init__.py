"""The way back to work for a person whom Microsoft Entra Conditional Access blocked.

Read in this order:

1. `domain/`    what is true about devices, links, evidence, verdicts and the journey; pure, no clock, no I/O
2. `ports/`     what the services ask of the world
3. `services/`  one file per thing somebody asks for
4. `adapters/`, `store/`  the remotes and the database behind the ports
5. `worker/`, `web/`      the two processes: the worker acts on the remotes, the web writes wishes and shows what is known
6. `wiring.py`  which concrete classes make the two processes; `operator_wiring.py`, `operator_pulses.py`: the same for operating
"""
