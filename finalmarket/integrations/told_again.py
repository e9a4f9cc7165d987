"""When a platform that said yes is looked at again: some say yes and do nothing, some of them twice.

What was told is looked for after a while. What does not show is told again under the same key, and looked for again as
long as it is young; so is what cannot be looked for, for told twice it stands once.
"""

from datetime import timedelta

SHOWN_AFTER = timedelta(minutes=10)
"""So much time a platform has to show what it was told."""
AGAIN_AFTER = timedelta(minutes=30)
"""So much later what was told again is looked at again."""
YOUNG_FOR = timedelta(hours=2)
"""So long something is looked at again."""
