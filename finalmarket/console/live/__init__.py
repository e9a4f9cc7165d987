"""Changes appear on open pages without reload: server-sent events from the database's own NOTIFY.

A process of its own (config/live.py) serves them. `triggers.sql` says who tells, `words.py` what may be heard by whom,
`listening.py` hears it, `attention.py` asks for no more words than are wanted, `audience.py` hands it round, `door.py`
is the address. Decision 17 says why.
"""
