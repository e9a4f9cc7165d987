"""Those who watch, and what each has yet to be told. Everything here happens in one event loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

from finalmarket.console.live.words import TOPICS, Ids, Word, together

MOST_OF_ONE_USER = 8
MOST_OF_ALL = 500


class Full(Exception):
    """Nobody else is let in: `of_one` user, or of all."""

    def __init__(self, *, of_one: bool) -> None:
        super().__init__("too many open pages")
        self.of_one = of_one


class Listener:
    """An open page. What it has yet to be told is kept once a topic, however much happens and however slow it is."""

    def __init__(self, user_id: int, topics: frozenset[str]) -> None:
        self.user_id = user_id
        self.topics = topics
        self.is_closing = False
        self._untold: dict[str, Ids] = {}
        self._woken = asyncio.Event()

    def tell(self, word: Word) -> None:
        """Keep a word for it, if it may hear it."""
        if word.topic not in self.topics:
            return
        known = self._untold.get(word.topic, frozenset())
        self._untold[word.topic] = together(known, word.ids)
        self._woken.set()

    def close(self) -> None:
        """Let it go as soon as it has been told that it has to."""
        self.is_closing = True
        self._woken.set()

    async def wait(self) -> None:
        """Wait until there is something to tell, or the end."""
        await self._woken.wait()

    def take(self) -> dict[str, Ids]:
        """Take what it has yet to be told, of what it may hear by now."""
        untold, self._untold = self._untold, {}
        if not self.is_closing:
            self._woken.clear()
        return {topic: ids for topic, ids in untold.items() if topic in self.topics}


class Audience:
    """All open pages of this process. `is_occupied` is set while there is one; `can_hear` while the database is
    listened to."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._of_users: Counter[int] = Counter()
        self._is_closed = False
        self.is_occupied = asyncio.Event()
        self.can_hear = asyncio.Event()

    def __len__(self) -> int:
        return len(self._listeners)

    def enter(self, user_id: int, topics: frozenset[str]) -> Listener:
        """Let a page in. Raises Full."""
        if self._is_closed or len(self._listeners) >= MOST_OF_ALL:
            raise Full(of_one=False)
        if self._of_users[user_id] >= MOST_OF_ONE_USER:
            raise Full(of_one=True)
        listener = Listener(user_id, topics)
        self._listeners.add(listener)
        self._of_users[user_id] += 1
        self.is_occupied.set()
        return listener

    def leave(self, listener: Listener) -> None:
        """See a page off."""
        if listener not in self._listeners:
            return
        self._listeners.discard(listener)
        self._of_users[listener.user_id] -= 1
        if not self._of_users[listener.user_id]:
            del self._of_users[listener.user_id]
        if not self._listeners:
            self.is_occupied.clear()

    def tell(self, words: Iterable[Word]) -> None:
        """Tell everybody who may hear it."""
        for word in words:
            for listener in self._listeners:
                listener.tell(word)

    def tell_that_all_may_have_changed(self) -> None:
        """After a time in which nothing was heard."""
        self.tell(Word(topic, None) for topic in TOPICS)

    def close(self) -> None:
        """Let everybody go, and nobody in."""
        self._is_closed = True
        for listener in self._listeners:
            listener.close()
